"""A line: a place to send from, its channel, what it may carry, and whether it works."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from chalicelib.domain.brake import Brake
from chalicelib.domain.delivery import Reason
from chalicelib.domain.identity import Verification
from chalicelib.domain.schedule import LineLimits


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

    @property
    def limits_in_force(self) -> LineLimits:
        """The person's limits, and never more than the channel itself allows."""
        return self.limits.within(self.connection.quota)
