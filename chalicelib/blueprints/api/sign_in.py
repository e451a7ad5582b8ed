"""Where people sign in: with Amazon Cognito itself, so that no password ever comes to us."""

from chalice import Blueprint
from chalice.app import Response
from pydantic import Field

from chalicelib import wiring
from chalicelib.blueprints.api.models import Output
from chalicelib.blueprints.api.problems import response, unexpected
from chalicelib.blueprints.api.routing import Visit, public_route

sign_in = Blueprint(__name__)


class SignInShown(Output):
    """What a program needs to speak with the user pool; none of it is secret."""

    region: str
    endpoint: str = Field(description="Where SignUp, InitiateAuth and the like are posted to.")
    user_pool_id: str
    client_id: str


def _failed(visit: Visit) -> Response:  # noqa: ARG001
    return response(unexpected())


@public_route(sign_in, "GET", "/sign-in", "application/json", _failed, answer=SignInShown)
def read_sign_in(visit: Visit) -> Response:  # noqa: ARG001
    """Read where people sign up and sign in; the ID token that they get there is sent as the Bearer token."""
    pool = wiring.settings().sign_in
    shown = SignInShown(
        region=pool.region, endpoint=pool.endpoint, user_pool_id=pool.pool, client_id=pool.client
    )
    return Response(
        body=shown.model_dump_json(), status_code=200, headers={"Content-Type": "application/json"}
    )
