"""The inbox of a line's bounces: what is new in it. It is only ever read (EXAMINE and PEEK)."""

import imaplib
import re
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import date

from chalicelib.adapters.imap.session import BoundedImap, Patience, TamperedError
from chalicelib.adapters.smtp.dial import HostNotAllowed, Resolver, dial, resolve, resolve_within
from chalicelib.adapters.smtp.opening import trust
from chalicelib.domain.credentials import Credentials
from chalicelib.domain.imap_advice import MailboxFailed, imap_reason
from chalicelib.domain.line import ImapChannel, Security

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_CERTIFICATE_REASONS = {10: "certificate_expired", 62: "certificate_name_mismatch"}  # OpenSSL, x509_vfy.h
_NUMBER = re.compile(rb"[0-9]{1,10}")
_FAULTS: tuple[tuple[type[Exception], str], ...] = (  # the first that fits
    (ssl.SSLEOFError, "connection_lost"),
    (ssl.SSLZeroReturnError, "connection_lost"),
    (ssl.SSLError, "tls_failed"),
    (TamperedError, "tls_tampered"),
    (imaplib.IMAP4.abort, "connection_lost"),
    (imaplib.IMAP4.error, ""),  # a plain no: what it means depends on the question
    (OSError, "connection_lost"),
    (EOFError, "connection_lost"),
    # what imaplib raises on text that is no IMAP
    *((kind, "not_an_imap_server") for kind in (ValueError, LookupError, TypeError, AttributeError)),
)
_ANY_FAULT = tuple(kind for kind, _ in _FAULTS)


class ImapReader:
    """Port ``MailboxReader``. ``ca_file`` adds authorities (PEM) to the system's.

    ``resolver`` decides what may be dialled. Nothing the network does is raised but MailboxFailed; a missing
    ``ca_file`` is (OSError).
    """

    def __init__(
        self, ca_file: str | None = None, patience: Patience | None = None, resolver: Resolver = resolve
    ) -> None:
        self._tls = trust(ca_file)
        self._patience = patience or Patience()
        self._resolver = resolver

    @contextmanager
    def open(self, channel: ImapChannel, password: str) -> Iterator["ImapInbox"]:
        """The inbox, until the block ends. Raises MailboxFailed, in the block too."""
        imap = self._greet(channel)
        try:
            with _told("credentials_rejected"):
                imap.allow()
                imap.sign_in(Credentials(channel.username, password))
            yield ImapInbox(imap)
            with suppress(imaplib.IMAP4.error, OSError):
                imap.allow(self._patience.goodbye)
                imap.logout()
        finally:
            imap.shutdown()

    def _greet(self, channel: ImapChannel) -> BoundedImap:
        """A connection that is encrypted, where nobody has signed in yet."""
        tls = self._tls if channel.security is Security.TLS else None
        with closing(self._dial(channel)) as sock, _told():
            imap = BoundedImap(sock, channel.host, self._patience.command, tls)
            if tls is None:
                self._encrypt(imap)
            return imap

    def _dial(self, channel: ImapChannel) -> socket.socket:
        times = self._patience
        try:
            addresses = resolve_within(self._resolver, channel.host, channel.port, times.resolve)
        except HostNotAllowed as error:
            raise MailboxFailed(imap_reason("host_not_allowed")) from error
        except (OSError, UnicodeError) as error:
            raise MailboxFailed(imap_reason("host_not_found")) from error
        try:
            return dial(addresses, times.connect)
        except OSError as error:
            raise MailboxFailed(imap_reason("connect_failed")) from error

    def _encrypt(self, imap: BoundedImap) -> None:
        if "STARTTLS" not in imap.capabilities:
            raise MailboxFailed(imap_reason("starttls_not_offered"))
        imap.allow()
        imap.encrypt(self._tls)


class ImapInbox:
    """Port ``Mailbox``: a signed-in connection with the inbox selected."""

    def __init__(self, imap: BoundedImap) -> None:
        self._imap = imap
        with _told("mailbox_refused"):
            imap.allow()
            answer, data = imap.select("INBOX", readonly=True)
            _require(answer, data)
            self.validity = _numbers(imap.response("UIDVALIDITY")[1])[0]

    def newer_than(self, uid: int, since: date, limit: int) -> list[int]:
        """The first messages after ``uid`` that came on ``since`` or later, at most ``limit``, in order."""
        day = f"{since.day}-{_MONTHS[since.month - 1]}-{since.year}"
        with _told("mailbox_refused"):
            self._imap.allow()
            answer, data = self._imap.uid("SEARCH", f"UID {uid + 1}:* SINCE {day}")
            _require(answer, data)
            found = _numbers(data)
        # "n:*" is never empty: it holds the last message even if that is older (RFC 9051, 9, seq-range).
        return sorted({number for number in found if number > uid})[:limit]

    def fetch(self, uid: int, max_bytes: int) -> bytes | None:
        """The beginning of a message, which stays unread; None when it is gone."""
        with _told("mailbox_refused"):
            self._imap.allow()
            answer, data = self._imap.uid("FETCH", str(uid), f"(BODY.PEEK[]<0.{max_bytes}>)")
            _require(answer, data)
        found = [piece[1] for piece in data if isinstance(piece, tuple)]
        return bytes(found[0][:max_bytes]) if found else None


@contextmanager
def _told(refused: str = "not_an_imap_server") -> Iterator[None]:
    """What goes wrong in the block as MailboxFailed; ``refused`` is the reason of a plain no."""
    try:
        yield
    except _ANY_FAULT as error:
        said = _said(error) if type(error) is imaplib.IMAP4.error else ""
        raise MailboxFailed(imap_reason(_code(error, refused), said)) from error


def _code(error: Exception, refused: str) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return _CERTIFICATE_REASONS.get(error.verify_code, "certificate_untrusted")
    if isinstance(error, imaplib.IMAP4.abort) and "unexpected response" in str(error):
        return "not_an_imap_server"  # imaplib calls it an abort, as it does a connection that ended
    return next(code for kind, code in _FAULTS if isinstance(error, kind)) or refused


def _said(error: Exception) -> str:
    text = error.args[0] if error.args else ""
    return text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)


def _require(answer: str, data: Sequence[object]) -> None:
    if answer != "OK":
        raise imaplib.IMAP4.error(data[-1] if data else "")


def _numbers(data: Sequence[object]) -> list[int]:
    text = b" ".join(piece for piece in data if isinstance(piece, bytes))
    return [int(number) for number in _NUMBER.findall(text)]
