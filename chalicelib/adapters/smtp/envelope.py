"""The two commands that open a transaction, or the reason why this server can't be given them."""

import re
from dataclasses import dataclass

from chalicelib.adapters.smtp.address import Path, path
from chalicelib.adapters.smtp.extensions import Extensions
from chalicelib.domain.delivery import Envelope, Refused, Reports, Scope, Stage
from chalicelib.domain.smtp_replies import reason

_NOT_XTEXT = re.compile(rb"[^!-*,-<>-~]")
_NOT_PLAIN = re.compile(r"[^!-*,-<>-\[\]-~]")  # RFC 6533: neither + nor = nor a backslash stands for itself


@dataclass(frozen=True, slots=True)
class Opening:
    """MAIL and RCPT as lines without their ends, and the address that replies from RCPT on may quote."""

    mail: bytes
    rcpt: bytes
    recipient: str


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
    if isinstance(mail, Refused):
        return mail
    rcpt = b"RCPT TO:<" + recipient.text + b">"
    if envelope.reports is None or not extensions.offers("DSN"):
        return Opening(mail, rcpt, envelope.recipient)
    mail, rcpt = mail + _returned(envelope.reports), rcpt + _notified(envelope.reports, recipient)
    return Opening(mail, rcpt, envelope.recipient)


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


def _returned(reports: Reports) -> bytes:
    """Of a message that comes back its header is enough (RFC 3461, 4.3 and 4.4)."""
    return b" RET=HDRS ENVID=" + _xtext(reports.envelope_id.encode("ascii"))


def _notified(reports: Reports, recipient: Path) -> bytes:
    """When to report, and under which address (RFC 3461, 4.1 and 4.2; RFC 6533, 3, for one beyond ASCII)."""
    wished = b"SUCCESS,FAILURE,DELAY" if reports.success else b"FAILURE,DELAY"
    if not recipient.needs_utf8:
        return b" NOTIFY=" + wished + b" ORCPT=rfc822;" + _xtext(recipient.text)
    escaped = _NOT_PLAIN.sub(lambda found: f"\\x{{{ord(found[0]):X}}}", recipient.text.decode())
    return b" NOTIFY=" + wished + b" ORCPT=utf-8;" + escaped.encode("ascii")


def _xtext(text: bytes) -> bytes:
    """Printable ASCII, all else and ``+`` and ``=`` as ``+XX``."""
    return _NOT_XTEXT.sub(lambda found: b"+%02X" % found[0][0], text)
