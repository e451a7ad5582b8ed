"""The authorizer: the only place where a request gets its account."""

from chalice import AuthResponse, Blueprint
from chalice.app import AuthRequest

from chalicelib import wiring
from chalicelib.errors import Unauthorized
from chalicelib.flow.accounts import authenticate
from chalicelib.observability import log

authorization = Blueprint(__name__)

_CACHED = 60  # seconds API Gateway remembers an answer: a revoked key works at most so long


@authorization.authorizer(ttl_seconds=_CACHED)
def authorize(request: AuthRequest) -> AuthResponse:
    """Let a valid API key in to all routes; which objects it reaches, the stores decide by account."""
    try:
        key = authenticate(request.token.removeprefix("Bearer ").strip(), wiring.accounts())
    except Unauthorized:
        log("key_refused")
        return AuthResponse(routes=[], principal_id="nobody")
    log("key_accepted", account_id=key.account_id)
    context = {"account_id": key.account_id, "key_id": key.key_id}
    return AuthResponse(routes=["*"], principal_id=key.account_id, context=context)
