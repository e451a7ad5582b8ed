"""Preview: what one contact, or an example person, would read; nothing is sent and nothing is written."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from chalicelib.domain.address import Rejection, contact_id, parse_address
from chalicelib.domain.attachment import content_ids_in
from chalicelib.domain.contact import Person
from chalicelib.domain.content import Content
from chalicelib.domain.custom_variables import draw_for
from chalicelib.domain.email import Rendered, SenderIdentity, compile_message
from chalicelib.domain.header import CannotComposeError
from chalicelib.errors import Conflict, FieldError, Invalid
from chalicelib.flow.attachments import file_key
from chalicelib.flow.compose import capacity, link_use
from chalicelib.flow.lines import find_line
from chalicelib.ports import CampaignStore, ContactStore, FileStore, LineStore

NO_SENDER = SenderIdentity("", "postmaster@example.com")  # compiles, and is never shown
IMAGE_TIME = timedelta(minutes=5)  # to load the images of a preview


@dataclass(frozen=True, slots=True)
class PreviewPorts:
    """What a preview needs. ``public_url`` is where recipients reach us, "" for nowhere."""

    campaigns: CampaignStore
    contacts: ContactStore
    lines: LineStore
    files: FileStore
    public_url: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What is read, in which version of the content; ``sender`` is None while the campaign has no line.

    ``images`` are URLs of those within the HTML by content id, good for ``IMAGE_TIME``.
    """

    rendered: Rendered
    content_version: int
    sender: SenderIdentity | None
    images: Mapping[str, str]


def preview_contact(
    account_id: str, campaign_id: str, contact: str, line_id: str | None, ports: PreviewPorts
) -> Preview:
    """What a contact of the campaign gets by a line, the first one if none is named. Raises NotFound."""
    person = ports.contacts.get(account_id, campaign_id, contact).person
    return _preview(account_id, campaign_id, contact, person, line_id, ports)


def preview_person(
    account_id: str, campaign_id: str, person: Person, line_id: str | None, ports: PreviewPorts
) -> Preview:
    """What a person would get who was added as a contact with these fields. Raises NotFound and Invalid."""
    address = parse_address(person.email)
    if isinstance(address, Rejection):
        raise Invalid(FieldError("person.email", address.code, address.text))
    return _preview(account_id, campaign_id, contact_id(campaign_id, address.key), person, line_id, ports)


def _preview(
    account_id: str,
    campaign_id: str,
    contact: str,
    person: Person,
    line_id: str | None,
    ports: PreviewPorts,
) -> Preview:
    campaign = ports.campaigns.get(account_id, campaign_id)
    content = ports.campaigns.content(account_id, campaign_id, campaign.content_version)
    wished = campaign.line_ids if line_id is None else (line_id,)
    found = (find_line(account_id, one, ports.lines) for one in wished)
    line = next((line for line in found if line is not None), None)
    if line is None and line_id is not None:
        raise Invalid(FieldError("line_id", "line_missing", "You have no line with this id."))
    sender = None if line is None else SenderIdentity(line.from_name, line.from_address, line.reply_to)
    use = link_use(content, line, ports.public_url)
    # An example may have columns that no contact has yet: they are known once it is added.
    columns = tuple(dict.fromkeys((*campaign.columns, *(name for name, _ in person.extra))))
    try:
        message = compile_message(
            content, sender or NO_SENDER, link_use=use, columns=columns, capacity=capacity(line)
        )
    except CannotComposeError as error:
        raise Conflict(error.reason.code, error.reason.text) from error
    rendered = message.preview(person, draw=draw_for(campaign_id, contact))
    images = _images(account_id, campaign_id, content, ports.files)
    return Preview(rendered, campaign.content_version, sender, images)


def _images(account_id: str, campaign_id: str, content: Content, files: FileStore) -> dict[str, str]:
    shown = content_ids_in(content.html)
    return {
        file.content_id: files.presign_download(
            file_key(account_id, campaign_id, file.attachment_id, file.digest), file.file_name, IMAGE_TIME
        )
        for file in content.attachments
        if file.content_id is not None and file.content_id in shown
    }
