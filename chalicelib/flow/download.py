"""Downloads: a recipient follows the link to a file that was too large for the message.

The token says whose message it was; the file must be one of that campaign's. Links expire, counted from when
the message was sent, and lead to a form of the file that is good for minutes only.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from chalicelib.domain.attachment import AVAILABLE, UploadState
from chalicelib.domain.delivery import MessageTags
from chalicelib.domain.delivery_event import DeliveryEvent, EventType, Opener
from chalicelib.domain.link_tokens import TokenKind
from chalicelib.errors import NotFound
from chalicelib.flow.attachments import file_key
from chalicelib.flow.follow_link import LinkPorts
from chalicelib.ports import AttachmentStore, ContactStore, FileStore

LINK_TIME = timedelta(minutes=5)  # long enough for a slow redirect, too short to be passed on


class NoDownload(StrEnum):
    """Why there is nothing to download."""

    UNKNOWN = "unknown"  # no token of ours, or the contact, the file or the campaign is gone
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class DownloadPorts:
    """What downloads need."""

    links: LinkPorts
    contacts: ContactStore
    attachments: AttachmentStore
    files: FileStore


@dataclass(frozen=True, slots=True)
class Download:
    """Where the file is for the next minutes, and whose message it belongs to."""

    url: str
    tags: MessageTags


def find_download(token: str, attachment_id: str, ports: DownloadPorts) -> Download | NoDownload:
    """The file behind a message's link. It is a recipient's alone, and only while it is available."""
    tags = ports.links.tokens.read(TokenKind.DOWNLOAD, token)
    if tags is None:
        return NoDownload.UNKNOWN
    try:
        contact = ports.contacts.get(tags.account_id, tags.campaign_id, tags.contact_id)
        upload = ports.attachments.get(tags.account_id, tags.campaign_id, attachment_id)
    except NotFound:
        return NoDownload.UNKNOWN
    if upload.state is not UploadState.READY or not upload.used:
        return NoDownload.UNKNOWN
    now = ports.links.clock.now()
    if contact.sent_at is not None and now - contact.sent_at > AVAILABLE:
        return NoDownload.EXPIRED
    key = file_key(tags.account_id, tags.campaign_id, attachment_id, upload.digest)
    return Download(ports.files.presign_download(key, upload.file_name, LINK_TIME), tags)


def note_download(download: Download, opener: Opener, ports: LinkPorts) -> None:
    """Write down that the file was fetched, which also proves that the message arrived."""
    ports.track(DeliveryEvent(EventType.DOWNLOAD, download.tags, ports.clock.now(), opener=opener))
