"""What can become of one message at the moment it is handed over.

The outcome is a value, never an exception: a caller that forgets one is told by the type checker. The
line that divides them is the *hand-over*, the final dot of SMTP's DATA (RFC 5321, 4.1.1.4) or the first
byte of a SendEmail call. Before it, nobody got the message; after it, only the server's reply can tell.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Protocol


class Stage(StrEnum):
    """Where in the dialogue with a server something happened, in the order in which it is held."""

    RESOLVE = "resolve"
    CONNECT = "connect"
    BANNER = "banner"
    EHLO = "ehlo"
    TLS = "tls"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    DOT = "dot"


class Scope(StrEnum):
    """Whom a failure concerns; it decides who has to wait or stop."""

    CONTACT = "contact"  # this recipient only
    CONTENT = "content"  # this mail: the next contact would most likely fail the same way
    LINE = "line"  # the account at the server: every message of the line would fail
    RATE = "rate"  # too fast; the line slows down, nothing is wrong with it


@dataclass(frozen=True, slots=True)
class MessageTags:
    """Which release of which contact a message is. Whatever reports on it later carries them back to us."""

    account_id: str
    campaign_id: str
    contact_id: str
    generation: int
    attempt: int


@dataclass(frozen=True, slots=True)
class Reports:
    """What servers on the way are asked to report (RFC 3461): always failure and delay, success if wished.

    ``envelope_id`` comes back in the report: at most 100 printable ASCII characters.
    """

    envelope_id: str
    success: bool = False


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who a message is from and to on the wire, one recipient each: bare addresses, Unicode allowed.

    ``tags`` is None for a message that is no contact's, such as a test: nothing reports on it. ``reports`` is
    what to ask for where the server offers it.
    """

    sender: str
    recipient: str
    tags: MessageTags | None = None
    reports: Reports | None = None


class SharedEnd(Protocol):
    """What all messages of a content end with: its files. Read from the start as often as it is iterated.

    Lines of at most 998 octets, each ended by CRLF, none of which begins with a dot: what SMTP's DATA carries
    is just that, with nothing to change.
    """

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[bytes]: ...


@dataclass(frozen=True, slots=True)
class LongMessage:
    """A message too large to be built for each recipient: its own beginning, and the end that all share.

    ``own`` is whole lines, each ended by CRLF.
    """

    own: bytes
    shared: SharedEnd

    def __len__(self) -> int:
        """Octets of the whole message (RFC 1870)."""
        return len(self.own) + len(self.shared)

    def __bytes__(self) -> bytes:
        """All of it, for a channel that takes a message at once."""
        return b"".join((self.own, *self.shared))


Message = bytes | LongMessage

SLOWEST = 1_000_000  # bytes a second: what is slower than that is given up


def time_to_carry(size: int) -> timedelta:
    """How much longer than any message's one of so many bytes may take on its way."""
    return timedelta(seconds=size // SLOWEST)


@dataclass(frozen=True, slots=True)
class Connected:
    """The line is ready to carry a message. ``size_limit`` is the most bytes it takes, None if unknown."""

    size_limit: int | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something was refused, put off or left in doubt: ours in plain words, the server's verbatim.

    ``code`` is a stable identifier of ours (``mailbox_unknown``, ``outcome_unknown``, …), ``text`` one
    sentence for a person. ``reply_code`` is the server's three digits (None when it said nothing),
    ``enhanced`` its RFC 3463 code such as ``5.1.1``, ``reply_text`` at most 500 printable characters.
    """

    code: str
    text: str
    stage: Stage | None = None
    reply_code: int | None = None
    enhanced: str | None = None
    reply_text: str | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """The server took responsibility for the message. ``remote_id`` is its queue id, if it gave one."""

    remote_id: str | None = None
    reply_text: str | None = None


@dataclass(frozen=True, slots=True)
class TryLater:
    """Certainly not accepted, and worth trying again; ``after`` is the server's own wish, if any."""

    reason: Reason
    scope: Scope
    after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """Certainly not accepted, and trying again the same way would fail the same way."""

    reason: Reason
    scope: Scope


@dataclass(frozen=True, slots=True)
class Unknown:
    """The message was handed over and the reply is missing: it may be delivered, so it is never repeated."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Withheld:
    """Certainly not handed over, and nobody refused it: paused, deleted, or too little time left.

    ``failure`` is an exception of ours that came in between, to be raised when the contact was given back.
    """

    failure: Exception | None = None

    def raise_failure(self) -> None:
        """Raise what came in between, if anything did."""
        if self.failure is not None:
            raise self.failure


Outcome = Accepted | TryLater | Refused | Unknown | Withheld


def obstacle(go_ahead: Callable[[], bool]) -> Withheld | None:
    """What stands in the way of a hand-over: a go-ahead that is refused, or that could not be asked for."""
    try:
        return None if go_ahead() else Withheld()
    except Exception as error:  # noqa: BLE001  (whatever it was, nothing has left, and nothing may leave)
        return Withheld(error)
