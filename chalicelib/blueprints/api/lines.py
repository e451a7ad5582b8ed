"""Routes of the lines."""

from chalice import Blueprint

from chalicelib import wiring
from chalicelib.blueprints.api.line_models import LineInput, LinePage, LineShown, PasswordInput
from chalicelib.blueprints.api.models import PageQuery
from chalicelib.blueprints.api.requests import Call, Nothing
from chalicelib.blueprints.api.routing import route
from chalicelib.domain.ledger import LineLimits
from chalicelib.domain.line import Line
from chalicelib.domain.return_path import inbound_pattern
from chalicelib.errors import FieldError, Invalid
from chalicelib.flow.brake import line_brake
from chalicelib.flow.lines import NewLine, add_line, ask_for_connection, remove_line, replace_password

lines = Blueprint(__name__)


def _received(pattern: str | None, account_id: str) -> str | None:
    """The return path; under the operator's domain it must be the account's own, or nobody gets its mail."""
    domain = wiring.settings().inbound_domain
    host = (pattern or "").rpartition("@")[2].lower()
    if domain and f".{host}".endswith(f".{domain}") and host != f"{account_id}.{domain}":
        own = inbound_pattern(account_id, domain)
        raise Invalid(FieldError("return_path", "not_received", f"Under this domain, yours is {own}."))
    return pattern


@route(lines, "POST", "/lines", LineInput, Nothing, LineShown, status=201, audit="line_created")
def create_line(call: Call[LineInput, Nothing]) -> LineShown:
    """Add a line through an SMTP server or through SES; connect it before it can carry a campaign."""
    body = call.body
    new = NewLine(
        name=body.name,
        channel=body.channel,
        password=body.password,
        from_address=body.from_address,
        from_name=body.from_name,
        reply_to=body.reply_to,
        return_path=_received(body.return_path, call.account_id),
        limits=LineLimits(**body.limits.model_dump()),
    )
    return _shown(call.account_id, add_line(call.account_id, new, wiring.line_ports()))


@route(lines, "GET", "/lines", Nothing, PageQuery, LinePage)
def list_lines(call: Call[Nothing, PageQuery]) -> LinePage:
    """List the lines of the account."""
    page = wiring.lines().page(call.account_id, call.query.cursor, call.query.limit)
    return LinePage(items=[_shown(call.account_id, line) for line in page.items], next_cursor=page.cursor)


@route(lines, "GET", "/lines/{line_id}", Nothing, Nothing, LineShown)
def read_line(call: Call[Nothing, Nothing], line_id: str) -> LineShown:
    """Read a line, with how its connection went."""
    return _shown(call.account_id, wiring.lines().get(call.account_id, line_id))


@route(
    lines,
    "POST",
    "/lines/{line_id}/connect",
    Nothing,
    Nothing,
    LineShown,
    status=202,
    audit="line_connection_requested",
)
def connect_line(call: Call[Nothing, Nothing], line_id: str) -> LineShown:
    """Prove the connection in a job: talk to the server as far as MAIL FROM, or have SES verify the identity.

    Read the line for how it went. SES is asked again by itself until the identity is verified, for 72 hours.
    """
    return _shown(call.account_id, ask_for_connection(call.account_id, line_id, wiring.line_ports()))


@route(
    lines,
    "POST",
    "/lines/{line_id}/password",
    PasswordInput,
    Nothing,
    LineShown,
    status=202,
    problems=(409,),
    audit="line_password_replaced",
)
def replace_line_password(call: Call[PasswordInput, Nothing], line_id: str) -> LineShown:
    """Replace the SMTP password, and prove the connection with it in a job."""
    ports = wiring.line_ports()
    return _shown(call.account_id, replace_password(call.account_id, line_id, call.body.password, ports))


@route(lines, "DELETE", "/lines/{line_id}", Nothing, Nothing, None, status=204, audit="line_deleted")
def delete_line(call: Call[Nothing, Nothing], line_id: str) -> None:
    """Delete a line and its password; a campaign left without a line pauses and says so."""
    remove_line(call.account_id, line_id, wiring.line_ports())


def _shown(account_id: str, line: Line) -> LineShown:
    return LineShown.of(line, line_brake(account_id, line, wiring.brake_ports()))
