"""Compose: a campaign's content as one line sends it; the same for sending, preview and test messages."""

from chalicelib.domain.attachment import CARRIED_UNASKED, MOST_CARRIED, Attachment
from chalicelib.domain.campaign import Campaign
from chalicelib.domain.content import (
    DOWNLOADS_NEED_PUBLIC_URL,
    NO_PUBLIC_URL,
    Content,
    MailKind,
    needs_public_url,
)
from chalicelib.domain.delivery import Scope
from chalicelib.domain.email import CompiledMessage, SenderIdentity, compile_message
from chalicelib.domain.header import CannotComposeError
from chalicelib.domain.identity import SES_SIZE_LIMIT
from chalicelib.domain.line import Line, SesChannel, SmtpChannel
from chalicelib.domain.message_links import LinkUse


def compile_for(campaign: Campaign, content: Content, line: Line, public_url: str) -> CompiledMessage:
    """Compile the message; raises CannotComposeError, also where recipients could not unsubscribe."""
    if not public_url and needs_public_url(content):
        raise CannotComposeError(NO_PUBLIC_URL.code, NO_PUBLIC_URL.text, Scope.CONTENT)
    message = _compiled(content, line, link_use(content, line, public_url), campaign.columns)
    if message.linked and not public_url:
        reason = DOWNLOADS_NEED_PUBLIC_URL
        raise CannotComposeError(reason.code, reason.text, Scope.CONTENT)
    return message


def linked_files(content: Content, line: Line, columns: tuple[str, ...]) -> tuple[Attachment, ...]:
    """The files that this line can't carry, which its recipients get as links; raises CannotComposeError."""
    return _compiled(content, line, LinkUse(), columns).linked if content.attachments else ()


def capacity(line: Line | None) -> int:
    """Bytes of a message that a line's channel takes, as far as it said so when it was proven."""
    if line is None:
        return MOST_CARRIED
    if isinstance(line.channel, SesChannel):
        return SES_SIZE_LIMIT
    return line.connection.size_limit or CARRIED_UNASKED


def _compiled(content: Content, line: Line, use: LinkUse, columns: tuple[str, ...]) -> CompiledMessage:
    identity = SenderIdentity(line.from_name, line.from_address, line.reply_to)
    return compile_message(content, identity, link_use=use, columns=columns, capacity=capacity(line))


def link_use(content: Content, line: Line | None, public_url: str) -> LinkUse:
    """Marketing has a way to unsubscribe. SES tells of openings by itself, so its lines need no picture."""
    by_smtp = line is not None and isinstance(line.channel, SmtpChannel)
    pixel = bool(public_url) and content.track_opens and by_smtp
    return LinkUse(unsubscribe=content.kind is MailKind.MARKETING, pixel=pixel)
