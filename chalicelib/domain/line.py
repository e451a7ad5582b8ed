"""A line: a place to send from, its channel, what it may carry, and whether it works."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from chalicelib.domain.delivery import Reason
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
class Connection:
    """The last proof of the channel. ``size_limit`` is the SIZE announced, in bytes (RFC 1870), if any."""

    state: ConnectionState = ConnectionState.NEW
    checked_at: datetime | None = None
    reason: Reason | None = None
    size_limit: int | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the account's lines. ``password`` is the KMS ciphertext; its clear text is never kept."""

    line_id: str
    name: str
    channel: SmtpChannel
    from_address: str
    from_name: str = ""
    reply_to: str | None = None
    plan: LinePlan = LinePlan.DEMO
    limits: LineLimits = field(default_factory=LineLimits)
    connection: Connection = field(default_factory=Connection)
    password: bytes = b""
    created_at: datetime | None = None
