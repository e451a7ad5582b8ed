"""Routes that show what a contact would read. HTML is told as a JSON string and never served as a page."""

from typing import Self

from chalice import Blueprint
from pydantic import Field

from chalicelib import wiring
from chalicelib.blueprints.api.contacts import ContactInput
from chalicelib.blueprints.api.models import Input, Output
from chalicelib.blueprints.api.requests import Call, Nothing
from chalicelib.blueprints.api.routing import route
from chalicelib.domain.preview_frame import framed
from chalicelib.flow.preview import Preview, preview_contact, preview_person

previews = Blueprint(__name__)


class LineQuery(Input):
    """Which line's sender is shown."""

    line_id: str | None = Field(
        None, min_length=1, max_length=64, description="Leave out for the campaign's first line."
    )


class PreviewPerson(Input):
    """An example person, before there is a contact."""

    person: ContactInput
    line_id: str | None = Field(
        None, min_length=1, max_length=64, description="Leave out for the campaign's first line."
    )


class MessageShown(Output):
    """What one person reads. The links in it do nothing."""

    subject: str
    html: str
    document: str = Field(
        description="The HTML to be shown, as the srcdoc of an iframe with an empty sandbox attribute: its"
        " policy lets no script run, no form be sent, and nothing be loaded but pictures and fonts by https."
        " Images within the message are there for five minutes."
    )
    text: str
    content_version: int
    from_name: str | None = Field(description="None while the campaign has no line.")
    from_address: str | None
    reply_to: str | None = Field(description="None: answers go to the sender.")

    @classmethod
    def of(cls, preview: Preview) -> Self:
        """A preview as it is shown."""
        rendered, sender = preview.rendered, preview.sender
        return cls(
            subject=rendered.subject,
            html=rendered.html,
            document=framed(rendered.html, preview.images),
            text=rendered.text,
            content_version=preview.content_version,
            from_name=sender and sender.from_name,
            from_address=sender and sender.from_address,
            reply_to=sender and sender.reply_to,
        )


@route(
    previews,
    "GET",
    "/campaigns/{campaign_id}/contacts/{contact_id}/preview",
    Nothing,
    LineQuery,
    MessageShown,
    problems=(409,),
)
def show_message(call: Call[Nothing, LineQuery], campaign_id: str, contact_id: str) -> MessageShown:
    """Show the message as this contact would get it, in the newest version of the content."""
    ports, line_id = wiring.preview_ports(), call.query.line_id
    return MessageShown.of(preview_contact(call.account_id, campaign_id, contact_id, line_id, ports))


@route(
    previews,
    "POST",
    "/campaigns/{campaign_id}/preview",
    PreviewPerson,
    Nothing,
    MessageShown,
    problems=(409,),
)
def preview_message(call: Call[PreviewPerson, Nothing], campaign_id: str) -> MessageShown:
    """Show the message as an example person would get it; nobody is added."""
    body, ports = call.body, wiring.preview_ports()
    return MessageShown.of(
        preview_person(call.account_id, campaign_id, body.person.person(), body.line_id, ports)
    )
