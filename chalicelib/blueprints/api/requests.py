"""Reading requests: what Chalice hands over, checked and typed. No route looks at the raw request."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, NoReturn, TypeVar

from chalice.app import Request
from pydantic import BaseModel, ConfigDict, ValidationError

from chalicelib.blueprints.api.problems import Unacceptable, invalid_from
from chalicelib.domain.access import Actor, ActorKind, Maker, Scope
from chalicelib.domain.address import Rejection, parse_address
from chalicelib.domain.member import Person
from chalicelib.errors import FieldError, Forbidden, Invalid, Unauthorized
from chalicelib.flow.admission import Caller

B = TypeVar("B", bound=BaseModel)
Q = TypeVar("Q", bound=BaseModel)

MAX_BODY = 1_000_000  # bytes


class Nothing(BaseModel):
    """No body, or no query parameters: whatever is given is refused."""

    model_config = ConfigDict(extra="forbid")


class RawMessage(BaseModel):
    """A body that is no JSON but a mail message as it is on the wire (RFC 5322)."""

    MEDIA_TYPES: ClassVar = ("message/rfc822", "message/global")

    content: bytes


@dataclass(frozen=True, slots=True)
class Call(Generic[B, Q]):
    """One request: the account, who acts, and what they may do come from the authorizer and nowhere else.

    ``account_id`` is "" for a person who belongs to none yet, on the routes that let them in.
    """

    account_id: str
    body: B
    query: Q
    if_match: int | None
    actor: Actor
    scopes: frozenset[Scope]
    email: str = ""  # of a person, and only when they proved that they read it

    @property
    def person(self) -> Person:
        """Who signed in; raises Forbidden when it is no person."""
        if self.actor.kind is not ActorKind.PERSON:
            raise Forbidden("people_only", "An API key can't do this; sign in, see GET /sign-in.")
        address = parse_address(self.email)
        return Person(self.actor.id, None if isinstance(address, Rejection) else address)

    @property
    def maker(self) -> Maker:
        """The caller as one who gives others something of what they may do themselves."""
        return Maker(self.actor, self.scopes)


def read_caller(request: Request) -> Caller:
    """Who asks, as the authorizer said; raises Unauthorized."""
    authorized = request.context.get("authorizer") or {}
    if not authorized.get("actor_id"):
        raise Unauthorized("Send an API key, or the ID token of a sign-in: Authorization: Bearer ….")
    actor = Actor(ActorKind(authorized["actor_kind"]), authorized["actor_id"])
    scopes = frozenset(Scope(name) for name in authorized["scopes"].split())
    return Caller(authorized["account_id"], actor, scopes, authorized.get("email", ""))


def read_call(request: Request, caller: Caller, body: type[B], query: type[Q]) -> Call[B, Q]:
    """What the caller asks for; raises Unacceptable, or Invalid with all wrong fields."""
    if_match = _if_match(request.headers)
    read = (_body(request, body), _query(request, query), if_match)
    return Call(caller.account_id, *read, caller.actor, caller.scopes, caller.email)


def check_scope(caller: Caller, needed: Scope) -> None:
    """Raise Forbidden for a caller of no account, or without this scope."""
    if not caller.account_id:
        text = "You belong to no account yet. Make one (POST /account) or accept an invitation, then refresh."
        raise Forbidden("no_account", text)
    if needed not in caller.scopes:
        text = f"This needs the scope {needed}: use an API key that has it, or ask an owner of the account."
        raise Forbidden("missing_scope", text)


def _body(request: Request, model: type[B]) -> B:
    raw = _bytes(request.raw_body)
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if issubclass(model, RawMessage):
        return model(content=_message(raw, content_type))
    if not raw.strip():
        return _validated(model, {})
    if content_type != "application/json":
        raise Unacceptable(415, "unsupported_media_type", "Send JSON with Content-Type: application/json.")
    return _validated(model, _json(raw))


def _message(raw: bytes, content_type: str) -> bytes:
    if content_type not in RawMessage.MEDIA_TYPES:
        wanted = RawMessage.MEDIA_TYPES[0]
        raise Unacceptable(
            415, "unsupported_media_type", f"Send the message as it is, with Content-Type: {wanted}."
        )
    if not raw.strip():
        raise Unacceptable(400, "no_message", "Send the message as the body, its header first.")
    return _within_limit(raw, " A report says what it has to say at its beginning; send that.")


def _within_limit(raw: bytes, hint: str = "") -> bytes:
    if len(raw) > MAX_BODY:
        raise Unacceptable(413, "too_large", f"A request's body has at most {MAX_BODY:,} bytes.{hint}")
    return raw


def _bytes(raw: str | bytes) -> bytes:
    return raw.encode() if isinstance(raw, str) else raw


def _json(raw: bytes) -> Any:
    try:
        return json.loads(
            _within_limit(raw), parse_constant=_refuse_constant, object_pairs_hook=_without_repeats
        )
    except (ValueError, RecursionError) as error:
        detail = f" {error}" if isinstance(error, json.JSONDecodeError) else ""
        raise Unacceptable(400, "not_json", f"The body is not valid JSON.{detail}") from error


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a name is repeated")
    return dict(pairs)


def _query(request: Request, model: type[Q]) -> Q:
    return _validated(model, dict(request.query_params or {}))


def _validated(model: type[B], values: Any) -> B:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise invalid_from(error) from error


def _if_match(headers: Mapping[str, str]) -> int | None:
    """The revision a caller has seen; weak and strong tags are the same to us."""
    tag = headers.get("if-match")
    if tag is None or tag == "*":
        return None
    try:
        return int(tag.removeprefix("W/").strip('"'))
    except ValueError as error:
        raise Invalid(
            FieldError("If-Match", "etag", "Use the ETag as a read of the campaign returned it.")
        ) from error
