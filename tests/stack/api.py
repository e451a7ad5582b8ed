"""A small client of the HTTP API and of the upload forms: it does what a customer's program would."""

import json
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")

PATIENCE = 150.0
"""Seconds to wait for something that is sure to come; only a test that fails waits so long."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer: its status, its headers with names in lower case, and its body, read when it is JSON."""

    status: int
    headers: Mapping[str, str]
    body: Any

    @property
    def code(self) -> str:
        """The stable code of a problem document."""
        assert self.headers["content-type"] == "application/problem+json", self
        assert self.body["status"] == self.status, self
        return str(self.body["code"])

    @property
    def wrong_fields(self) -> set[str]:
        """The fields a problem document complains about."""
        assert self.code == "invalid", self
        return {error["field"] for error in self.body["errors"]}


class Api:
    """The API as the holder of a key sees it; every answer seen is remembered in `statuses`."""

    statuses: set[int]

    def __init__(self, url: str, key: str | None) -> None:
        self._url = url
        self._key = key
        self.statuses = set()

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        raw: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request, with `body` as JSON or `raw` as it is; nothing may be our fault."""
        answer = self.ask(method, path, body, raw=raw, headers=headers)
        assert answer.status < 500, answer
        return answer

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        raw: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """As `call`, for those who want to see a fault of ours too."""
        data = raw if raw is not None else None if body is None else json.dumps(body).encode()
        sent = {"Content-Type": "application/json", **(headers or {})}
        if self._key is not None:
            sent["Authorization"] = f"Bearer {self._key}"
        answer = exchange(urllib.request.Request(self._url + path, data, sent, method=method))
        self.statuses.add(answer.status)
        return answer

    def get(self, path: str) -> Any:
        """Read what must be there."""
        return self._good("GET", path)

    def post(self, path: str, body: object = None) -> Any:
        """Do what must succeed."""
        return self._good("POST", path, body)

    def patch(self, path: str, body: object) -> Any:
        """Change what must be changeable."""
        return self._good("PATCH", path, body)

    def delete(self, path: str) -> None:
        """Delete what must be there."""
        self._good("DELETE", path)

    def _good(self, method: str, path: str, body: object = None) -> Any:
        answer = self.call(method, path, body)
        assert 200 <= answer.status < 300, answer
        return answer.body


def exchange(request: urllib.request.Request) -> Answer:
    """Send any request; an error status is an answer too."""
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as response:
            return _answer(response.status, response.headers, response.read())
    except urllib.error.HTTPError as error:
        with error:
            return _answer(error.code, error.headers, error.read())


def _answer(status: int, headers: Any, content: bytes) -> Answer:
    named = {name.lower(): value for name, value in headers.items()}
    is_json = "json" in named.get("content-type", "") and content
    return Answer(status, named, json.loads(content) if is_json else content)


def upload(form: Mapping[str, Any], content: bytes, **changed: str) -> Answer:
    """POST a file with a presigned form (multipart/form-data, RFC 7578), with some fields changed."""
    boundary = uuid.uuid4().hex
    fields = {**form["fields"], **changed}
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    parts.append(
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="contacts"\r\n'
        f"Content-Type: {fields['Content-Type']}\r\n\r\n"
    )
    body = "".join(parts).encode() + content + f"\r\n--{boundary}--\r\n".encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    return exchange(urllib.request.Request(form["url"], body, headers, method="POST"))


def download(url: str) -> bytes:
    """Fetch what a presigned link leads to."""
    with urllib.request.urlopen(url, timeout=PATIENCE) as response:
        content: bytes = response.read()
    return content


def wait_for(look: Callable[[], T | None], what: str) -> T:
    """Look again and again until there is something to see."""
    deadline = time.monotonic() + PATIENCE
    while True:
        seen = look()
        if seen:
            return seen
        assert time.monotonic() < deadline, f"it never came to this: {what}"
        time.sleep(0.1)
