"""Routes of a line's bounce mailbox."""

from chalice import Blueprint

from chalicelib import wiring
from chalicelib.blueprints.api.bounce_mailbox_models import MailboxInput
from chalicelib.blueprints.api.line_models import LineShown
from chalicelib.blueprints.api.requests import Call, Nothing
from chalicelib.blueprints.api.routing import route
from chalicelib.domain.line import ImapChannel
from chalicelib.flow.bounce_mailboxes import set_mailbox
from chalicelib.flow.brake import line_brake

bounce_mailboxes = Blueprint(__name__)


@route(
    bounce_mailboxes,
    "POST",
    "/lines/{line_id}/bounce-mailbox",
    MailboxInput,
    Nothing,
    LineShown,
    status=202,
    audit="bounce_mailbox_set",
)
def set_bounce_mailbox(call: Call[MailboxInput, Nothing], line_id: str) -> LineShown:
    """Set the mailbox that the line's bounces arrive in, in place of any other; reading begins at once."""
    body = call.body
    channel = ImapChannel(body.host, body.port, body.security, body.username)
    line = set_mailbox(call.account_id, line_id, channel, body.password, wiring.mailbox_ports())
    return LineShown.of(line, line_brake(call.account_id, line, wiring.brake_ports()))


@route(
    bounce_mailboxes,
    "DELETE",
    "/lines/{line_id}/bounce-mailbox",
    Nothing,
    Nothing,
    None,
    status=204,
    audit="bounce_mailbox_removed",
)
def remove_bounce_mailbox(call: Call[Nothing, Nothing], line_id: str) -> None:
    """Take the line's bounce mailbox away, with its password; what is in it stays there."""
    wiring.lines().set_bounce_mailbox(call.account_id, line_id, None)
