"""The two commands that open a transaction, or the reason why this server can't be given them."""

from dataclasses import dataclass

from chalicelib.adapters.smtp.address import path
from chalicelib.adapters.smtp.extensions import Extensions
from chalicelib.domain.delivery import Envelope, Refused, Scope, Stage
from chalicelib.domain.smtp_replies import reason


@dataclass(frozen=True, slots=True)
class Opening:
    """MAIL and RCPT as lines without their ends."""

    mail: bytes
    rcpt: bytes


def opening(envelope: Envelope, length: int | None, extensions: Extensions) -> Opening | Refused:
    """The commands for this envelope and a message of ``length`` octets, None when it isn't known yet."""
    limit = extensions.size_limit
    if limit is not None and length is not None and length > limit:
        return Refused(reason("message_too_large", Stage.MAIL), Scope.CONTENT)
    recipient = path(envelope.recipient)
    if recipient is None:
        return Refused(reason("address_invalid", Stage.RCPT), Scope.CONTACT)
    if recipient.needs_utf8 and not extensions.offers("SMTPUTF8"):
        return Refused(reason("smtputf8_not_supported", Stage.RCPT), Scope.CONTACT)
    mail = mail_from(envelope.sender, extensions, length, utf8=recipient.needs_utf8)
    return mail if isinstance(mail, Refused) else Opening(mail, b"RCPT TO:<" + recipient.text + b">")


def mail_from(
    address: str, extensions: Extensions, length: int | None = None, *, utf8: bool = False
) -> bytes | Refused:
    """MAIL with SIZE (RFC 1870) where it is offered, and with SMTPUTF8 (RFC 6531) where it is needed."""
    sender = path(address)
    if sender is None:
        return Refused(reason("from_address_invalid", Stage.MAIL), Scope.LINE)
    if sender.needs_utf8 and not extensions.offers("SMTPUTF8"):
        return Refused(reason("smtputf8_not_supported", Stage.MAIL), Scope.LINE)
    command = b"MAIL FROM:<" + sender.text + b">"
    if length is not None and extensions.offers("SIZE"):
        command += b" SIZE=%d" % length
    return command + b" SMTPUTF8" if utf8 or sender.needs_utf8 else command
