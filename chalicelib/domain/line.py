"""A line: a place to send from, its channel, what it may carry, and whether it works."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from chalicelib.domain.brake import Brake
from chalicelib.domain.delivery import Reason
from chalicelib.domain.identity import Verification
from chalicelib.domain.ledger import LineLimits


class LinePlan(StrEnum):
    """What the customer has paid for; only the operator of the service changes it."""

    DEMO = "demo"
    PURCHASED = "purchased"


DEMO_CONTACTS = 20  # recipients a campaign on a demo line may have


class Security(StrEnum):
    """How the connection is encrypted. There is no automatic mode: it would fall back to clear text."""

    STARTTLS = "starttls"  # RFC 3207; refused when the server doesn't offer it
    TLS = "tls"  # RFC 8314 implicit TLS, usually port 465
    NONE = "none"  # clear text, only where a person says so


class ConnectionState(StrEnum):
    """What is known of the channel: only a connected line can carry a campaign."""

    NEW = "new"
    CONNECTING = "connecting"
    VERIFYING = "verifying"  # SES waits for the identity's owner; the schedule looks again and again
    CONNECTED = "connected"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class SmtpChannel:
    """The customer's own SMTP submission server (RFC 6409). The password is kept apart, encrypted."""

    host: str
    port: int
    security: Security
    username: str


@dataclass(frozen=True, slots=True)
class SesChannel:
    """The platform's own SES, sending as a verified address or domain (`domain/identity.py` has its form)."""

    identity: str


Channel = SmtpChannel | SesChannel


@dataclass(frozen=True, slots=True)
class ImapChannel:
    """A mailbox on an IMAP server (RFC 9051). The password is kept apart, encrypted."""

    host: str
    port: int
    security: Security
    username: str


class MailboxState(StrEnum):
    """How the last reading of a bounce mailbox went."""

    NEW = "new"
    READING = "reading"
    RETRYING = "retrying"  # the network or the server; the next round tries again
    FAILED = "failed"  # needs a person; looked at again once an hour


@dataclass(frozen=True, slots=True)
class Reading:
    """How far a bounce mailbox was read, and how that went last time.

    ``validity`` is the mailbox's UIDVALIDITY, ``last_uid`` the last message that was dealt with. ``tries``
    counts the visits that began with the next one and didn't get past it, so that no message holds up the
    others for ever.
    """

    state: MailboxState = MailboxState.NEW
    checked_at: datetime | None = None
    reason: Reason | None = None
    validity: int = 0
    last_uid: int = 0
    tries: int = 0


@dataclass(frozen=True, slots=True)
class BounceMailbox:
    """Where a line's bounces arrive and are read. ``mailbox_id`` changes when another one is set."""

    mailbox_id: str
    channel: ImapChannel
    password: bytes = field(repr=False)
    set_at: datetime
    reading: Reading = field(default_factory=Reading)


@dataclass(frozen=True, slots=True)
class Connection:
    """The last proof of the channel. ``size_limit`` is the largest message it takes, in bytes, if known.

    ``quota`` is what the channel itself allows. ``verification`` is that of an SES identity. ``check_at``
    is when the schedule proves the line again by itself; None leaves that to a person.
    """

    state: ConnectionState = ConnectionState.NEW
    checked_at: datetime | None = None
    reason: Reason | None = None
    size_limit: int | None = None
    quota: LineLimits = field(default_factory=LineLimits)
    verification: Verification | None = None
    check_at: datetime | None = None

    def failed(self, now: datetime, reason: Reason) -> "Connection":
        """Out of use until a person connects it again; what else was known of it stays."""
        return replace(self, state=ConnectionState.FAILED, checked_at=now, reason=reason, check_at=None)


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the account's lines. ``password`` is the KMS ciphertext; its clear text is never kept.

    ``limits`` are those a person set, `limits_in_force` what counts.
    ``brake`` is set while it gives no slot to anybody; what was sent before ``brake_lifted_at`` is forgiven.
    ``return_path`` is the pattern of bounce addresses (``domain/return_path.py``), None for the From address.
    """

    line_id: str
    name: str
    channel: Channel
    from_address: str
    from_name: str = ""
    reply_to: str | None = None
    plan: LinePlan = LinePlan.DEMO
    limits: LineLimits = field(default_factory=LineLimits)
    connection: Connection = field(default_factory=Connection)
    password: bytes = b""
    created_at: datetime | None = None
    brake: Brake | None = None
    brake_lifted_at: datetime | None = None
    return_path: str | None = None
    bounce_mailbox: BounceMailbox | None = None

    @property
    def limits_in_force(self) -> LineLimits:
        """The person's limits, and never more than the channel itself allows."""
        return self.limits.within(self.connection.quota)

    @property
    def reads_reports(self) -> bool:
        """Whether reports of delivery arrive where they are read, and not in front of a person."""
        return self.bounce_mailbox is not None or self.return_path is not None
