"""What a person wrote, and what kind of mail it is.

Marketing always has a way to unsubscribe. Who says that mail is no marketing says why, and that is kept.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from chalicelib.domain.attachment import Attachment
from chalicelib.domain.custom_variables import CustomVariable
from chalicelib.domain.delivery import Reason
from chalicelib.domain.personalization import Link, parse

NO_PUBLIC_URL = Reason(
    "no_public_url",
    "Recipients could not unsubscribe: this service has no public address yet."
    " Its operator sets the parameter PublicUrl.",
)


class MailKind(StrEnum):
    """What the law and the big mailbox providers tell apart."""

    MARKETING = "marketing"
    TRANSACTIONAL = "transactional"  # asked for by what its recipient did: an order, a password, a booking


@dataclass(frozen=True, slots=True)
class Exemption:
    """Why mail is no marketing, as whoever decided it said: the id of that actor, and when (aware UTC)."""

    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Content:
    """What a person wrote, with variables. ``text`` None: derived from the HTML.

    ``exemption`` is set for mail that is no marketing. ``track_opens`` False: no picture that tells of them.
    """

    subject: str
    html: str
    text: str | None = None
    exemption: Exemption | None = None
    track_opens: bool = True
    variables: tuple[CustomVariable, ...] = ()
    attachments: tuple[Attachment, ...] = ()

    @property
    def kind(self) -> MailKind:
        """What kind of mail it is."""
        return MailKind.MARKETING if self.exemption is None else MailKind.TRANSACTIONAL


DOWNLOADS_NEED_PUBLIC_URL = Reason(
    "no_public_url_for_downloads",
    "An attachment is too large for a line of the campaign, and a link to it needs a public address, which"
    " this service doesn't have yet. Its operator sets the parameter PublicUrl; or attach a smaller file.",
)


def needs_public_url(content: Content) -> bool:
    """Whether it can't go out without an unsubscribe link: it is marketing, or its author wrote one."""
    written = (*parse(content.html), *parse(content.text or ""))
    return content.kind is MailKind.MARKETING or any(isinstance(piece, Link) for piece in written)
