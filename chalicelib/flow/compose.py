"""Compose: a campaign's content as one line sends it; the same for sending, preview and test messages."""

from chalicelib.domain.campaign import Campaign
from chalicelib.domain.content import NO_PUBLIC_URL, Content, MailKind, needs_public_url
from chalicelib.domain.delivery import Scope
from chalicelib.domain.email import CompiledMessage, SenderIdentity, compile_message
from chalicelib.domain.header import CannotComposeError
from chalicelib.domain.line import Line, SmtpChannel
from chalicelib.domain.message_links import LinkUse


def compile_for(campaign: Campaign, content: Content, line: Line, public_url: str) -> CompiledMessage:
    """Compile the message; raises CannotComposeError, also where recipients could not unsubscribe."""
    if not public_url and needs_public_url(content):
        raise CannotComposeError(NO_PUBLIC_URL.code, NO_PUBLIC_URL.text, Scope.CONTENT)
    identity = SenderIdentity(line.from_name, line.from_address, line.reply_to)
    use = link_use(content, line, public_url)
    return compile_message(content, identity, link_use=use, columns=campaign.columns)


def link_use(content: Content, line: Line | None, public_url: str) -> LinkUse:
    """Marketing has a way to unsubscribe. SES tells of openings by itself, so its lines need no picture."""
    by_smtp = line is not None and isinstance(line.channel, SmtpChannel)
    pixel = bool(public_url) and content.track_opens and by_smtp
    return LinkUse(unsubscribe=content.kind is MailKind.MARKETING, pixel=pixel)
