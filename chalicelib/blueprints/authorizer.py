"""The authorizer: the only place where a request gets its account, and what it may do there."""

from chalice import AuthResponse, Blueprint
from chalice.app import AuthRequest

from chalicelib import wiring
from chalicelib.errors import Unauthorized
from chalicelib.flow.admission import Caller, admit
from chalicelib.observability import log

authorization = Blueprint(__name__)

_CACHED = 60  # seconds API Gateway remembers an answer: a revoked key works at most so long


@authorization.authorizer(ttl_seconds=_CACHED)
def authorize(request: AuthRequest) -> AuthResponse:
    """Let the holder of an API key, or who signed in, in to all routes; the stores decide by account."""
    try:
        caller = admit(request.token.removeprefix("Bearer ").strip(), wiring.admission_ports())
    except Unauthorized:
        log("caller_refused")
        return AuthResponse(routes=[], principal_id="nobody")
    log("caller_accepted", account_id=caller.account_id, actor=caller.actor.kind.value)
    return _let_in(caller)


def _let_in(caller: Caller) -> AuthResponse:
    """What ``requests.read_caller`` reads again; API Gateway passes on texts only."""
    context = {
        "account_id": caller.account_id,
        "actor_kind": caller.actor.kind.value,
        "actor_id": caller.actor.id,
        "scopes": " ".join(sorted(caller.scopes)),
        "email": caller.email,
    }
    return AuthResponse(routes=["*"], principal_id=caller.actor.id, context=context)
