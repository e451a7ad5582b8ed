"""Idempotency-Key: a POST that comes again is answered as it was, and is not carried out again."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from chalice.app import Request, Response

from chalicelib import wiring
from chalicelib.domain.ids import the_same_ids
from chalicelib.domain.repeat import LONGEST_KEY, KeptAnswer
from chalicelib.errors import FieldError, Invalid
from chalicelib.flow.repeats import Begun, begin, give_back, not_kept, settle
from chalicelib.observability import log

_KEPT_HEADERS = ("Content-Type", "ETag")
_OUR_FAULT = 500
_WRONG = 400


@dataclass(frozen=True, slots=True)
class Once:
    """A route with the ids of its path; ``secret``: its answer holds a text that we must not keep."""

    path: str
    ids: Mapping[str, str]
    secret: bool = False

    def answer(self, request: Request, account_id: str, carry_out: Callable[[], Response]) -> Response:
        """Carry the request out, or answer it as before. Raises Invalid, InProgress and Conflict."""
        if "idempotency-key" not in request.headers:
            return carry_out()
        key, ports = _checked(request.headers["idempotency-key"]), wiring.repeat_ports()
        found = begin(account_id, key, self._said(request), ports)
        if isinstance(found, KeptAnswer):
            return _replayed(found)
        if found.again and self.secret:
            settle(account_id, key, found, None, ports)
            raise not_kept()
        with the_same_ids(found.repeat.seed, found.repeat.begun_at):
            answer = carry_out()
        self._keep(account_id, key, found, answer)
        return answer

    def _keep(self, account_id: str, key: str, begun: Begun, answer: Response) -> None:
        """Keep the answer. What was done is done: it is told also when that fails."""
        ports = wiring.repeat_ports()
        try:
            if answer.status_code >= _OUR_FAULT:
                give_back(account_id, key, begun, ports)
            else:
                hidden = self.secret and answer.status_code < _WRONG
                settle(account_id, key, begun, None if hidden else _kept(answer), ports)
        except Exception as error:  # noqa: BLE001  (whatever it is, the request itself was carried out)
            log("answer_not_kept", error=error)

    def _said(self, request: Request) -> bytes:
        """What makes two requests the same one: route, ids, parameters, revision and body."""
        said = [self.path, self.ids, dict(request.query_params or {}), request.headers.get("if-match")]
        raw = request.raw_body
        body = raw.encode() if isinstance(raw, str) else raw
        return json.dumps(said, sort_keys=True).encode() + b"\0" + body


def _checked(key: str) -> str:
    if not key.isascii() or not key.isprintable() or not 1 <= len(key) <= LONGEST_KEY:
        text = f"Use 1 to {LONGEST_KEY} printable ASCII characters, new for each request."
        raise Invalid(FieldError("Idempotency-Key", "idempotency_key", text))
    return key


def _kept(answer: Response) -> KeptAnswer:
    headers = {name: str(answer.headers[name]) for name in _KEPT_HEADERS if name in answer.headers}
    return KeptAnswer(answer.status_code, headers, str(answer.body))


def _replayed(kept: KeptAnswer) -> Response:
    headers: dict[str, str | list[str]] = {**kept.headers, "Idempotency-Replayed": "true"}
    return Response(body=kept.body, status_code=kept.status, headers=headers)
