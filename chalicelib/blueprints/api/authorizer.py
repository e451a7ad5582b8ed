"""The authorizer: the only place where a request gets its account."""

from chalice import AuthResponse, Blueprint
from chalice.app import AuthRequest

from chalicelib import wiring
from chalicelib.domain.access import Actor, ActorKind, Scope
from chalicelib.errors import Unauthorized
from chalicelib.flow.accounts import authenticate
from chalicelib.observability import log

authorization = Blueprint(__name__)

_CACHED = 60  # seconds API Gateway remembers an answer: a revoked key works at most so long


@authorization.authorizer(ttl_seconds=_CACHED)
def authorize(request: AuthRequest) -> AuthResponse:
    """Let a valid API key in to all routes; which objects it reaches, the stores decide by account."""
    try:
        key = authenticate(request.token.removeprefix("Bearer ").strip(), wiring.accounts(), wiring.clock)
    except Unauthorized:
        log("key_refused")
        return AuthResponse(routes=[], principal_id="nobody")
    log("key_accepted", account_id=key.account_id)
    return _let_in(key.account_id, Actor(ActorKind.KEY, key.key_id), key.scopes)


def _let_in(account_id: str, actor: Actor, scopes: frozenset[Scope]) -> AuthResponse:
    """What ``requests.read_call`` reads again; API Gateway passes on texts only."""
    context = {
        "account_id": account_id,
        "actor_kind": actor.kind.value,
        "actor_id": actor.id,
        "scopes": " ".join(sorted(scopes)),
    }
    return AuthResponse(routes=["*"], principal_id=account_id, context=context)
