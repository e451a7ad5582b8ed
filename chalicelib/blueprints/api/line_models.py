"""What the line routes take and give. A password goes in and never comes out."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from chalicelib import wiring
from chalicelib.blueprints.api.bounce_mailbox_models import MailboxShown
from chalicelib.blueprints.api.brake_models import BrakeShown
from chalicelib.blueprints.api.models import Address, Input, OneLine, Output, Password, Reason
from chalicelib.domain.address import Rejection, parse_address, parse_identity
from chalicelib.domain.brake import BrakeState
from chalicelib.domain.hosts import PORTS, is_host_name
from chalicelib.domain.identity import Verification, VerificationState, is_domain
from chalicelib.domain.ledger import LineLimits
from chalicelib.domain.line import (
    Channel,
    ConnectionState,
    Line,
    LinePlan,
    Security,
    SesChannel,
    SmtpChannel,
)
from chalicelib.domain.return_path import pattern_fault


def _host(value: str) -> str:
    host = value.lower()
    if not (is_host_name(host) or host in wiring.private_smtp_hosts()):
        raise ValueError("Give a host name such as smtp.example.com, not an address, a scheme or a port.")
    return host


def _port(value: int, info: ValidationInfo) -> int:
    if not (value in PORTS or info.data.get("host") in wiring.private_smtp_hosts()):
        raise ValueError(f"Use one of the ports {', '.join(map(str, PORTS))}.")
    return value


def _return_path(value: str) -> str:
    fault = pattern_fault(value, lambda address: not isinstance(parse_address(address), Rejection))
    if fault:
        raise ValueError(fault)
    return value


def _identity(value: str) -> str:
    identity = parse_identity(value)
    if isinstance(identity, Rejection):
        raise ValueError(identity.text)  # noqa: TRY004  (pydantic takes a ValueError as a wrong field)
    return identity


Count = Annotated[int, Field(ge=1, le=10_000_000)]


class Limits(Input):
    """Most messages in every second, minute, hour and day (UTC); leave out what has no limit."""

    per_second: Count | None = None
    per_minute: Count | None = None
    per_hour: Count | None = None
    per_day: Count | None = None

    @classmethod
    def of(cls, limits: LineLimits) -> Self:
        """Limits as they are shown."""
        return cls(
            per_second=limits.per_second,
            per_minute=limits.per_minute,
            per_hour=limits.per_hour,
            per_day=limits.per_day,
        )


class SmtpInput(Input):
    """The SMTP server to send through, as for a mail program."""

    host: Annotated[str, AfterValidator(_host)]
    port: Annotated[int, AfterValidator(_port)] = Field(
        ge=1, le=65535, description=f"One of {', '.join(map(str, PORTS))}."
    )
    security: Security = Security.STARTTLS
    username: OneLine = Field(min_length=1, max_length=320)
    password: Password


class PasswordInput(Input):
    """Another password of the line's SMTP server."""

    password: Password


class SesInput(Input):
    """What our SES sends as: an address or a domain of yours, which connecting the line verifies."""

    identity: Annotated[str, AfterValidator(_identity)] = Field(
        max_length=320, description="An address such as news@example.com, or a domain such as example.com."
    )


class LineInput(Input):
    """A new line: through your own server (``smtp``) or through ours (``ses``)."""

    name: OneLine = Field(min_length=1, max_length=100)
    from_address: Address
    from_name: OneLine = Field("", max_length=100)
    reply_to: Address | None = None
    smtp: SmtpInput | None = Field(None, description="Give exactly one of smtp and ses.")
    ses: SesInput | None = Field(None, validate_default=True, description="Give exactly one of smtp and ses.")
    return_path: Annotated[str, AfterValidator(_return_path), Field(max_length=320)] | None = Field(
        None,
        description=(
            "Pattern of the addresses that bounces come to, one for each message, such as"
            " bounces+{token}@example.com. Left out, they come to from_address. For SMTP only: SES tells of"
            " bounces by itself."
        ),
    )
    limits: Limits = Limits()

    @field_validator("return_path")
    @classmethod
    def _by_smtp(cls, return_path: str | None, info: ValidationInfo) -> str | None:
        if return_path is not None and info.data.get("ses") is not None:
            raise ValueError("Leave it out: SES tells of bounces by itself.")
        return return_path

    @field_validator("ses")
    @classmethod
    def _one_channel(cls, ses: SesInput | None, info: ValidationInfo) -> SesInput | None:
        if "smtp" in info.data and (info.data["smtp"] is None) == (ses is None):
            raise ValueError("Give exactly one of smtp and ses.")
        return ses

    @property
    def channel(self) -> Channel:
        """The channel that was given."""
        match self.smtp, self.ses:
            case SmtpInput() as smtp, None:
                return SmtpChannel(smtp.host, smtp.port, smtp.security, smtp.username)
            case None, SesInput() as ses:
                return SesChannel(ses.identity)
        raise AssertionError("the validator lets exactly one channel through")

    @property
    def password(self) -> str:
        """The SMTP password; empty for a channel without one."""
        return self.smtp.password if self.smtp is not None else ""


class SmtpShown(Output):
    """The SMTP server; the password is never shown."""

    host: str
    port: int
    security: Security
    username: str

    @classmethod
    def of(cls, channel: SmtpChannel) -> Self:
        """A server as it is shown."""
        return cls(host=channel.host, port=channel.port, security=channel.security, username=channel.username)


class RecordShown(Output):
    """A DNS record to publish."""

    type: str
    name: str
    value: str


class SesShown(Output):
    """The address or domain that SES sends as, and how its verification stands."""

    identity: str
    kind: Literal["address", "domain"]
    verification: VerificationState | None = Field(description="Null before the line was connected once.")
    records: list[RecordShown] = Field(
        description="What to publish in the domain's DNS; none for an address."
    )
    verify_until: datetime | None = Field(description="When an identity that isn't verified is given up.")

    @classmethod
    def of(cls, channel: SesChannel, verification: Verification | None) -> Self:
        """An identity as it is shown."""
        return cls(
            identity=channel.identity,
            kind="domain" if is_domain(channel.identity) else "address",
            verification=verification and verification.state,
            records=[
                RecordShown(type=record.type, name=record.name, value=record.value)
                for record in (verification.records if verification else ())
            ],
            verify_until=verification and verification.until,
        )


class ConnectionShown(Output):
    """What is known of the connection. ``size_limit`` is the largest message the server takes, in bytes."""

    state: ConnectionState
    checked_at: datetime | None
    reason: Reason | None = Field(description="Which step failed or is still open, and what to do about it.")
    size_limit: int | None
    quota: Limits = Field(description="What the channel itself allows; the line's limits never exceed it.")


class LineShown(Output):
    """A line."""

    line_id: str
    name: str
    plan: LinePlan
    from_address: str
    from_name: str
    reply_to: str | None
    return_path: str | None
    smtp: SmtpShown | None = Field(description="Null for a line through SES.")
    ses: SesShown | None = Field(description="Null for a line through an SMTP server.")
    limits: Limits
    connection: ConnectionShown
    bounce_mailbox: MailboxShown | None
    brake: BrakeShown
    created_at: datetime | None

    @classmethod
    def of(cls, line: Line, brake: BrakeState) -> Self:
        """A line as it is shown."""
        channel, connection = line.channel, line.connection
        return cls(
            line_id=line.line_id,
            name=line.name,
            plan=line.plan,
            from_address=line.from_address,
            from_name=line.from_name,
            reply_to=line.reply_to,
            return_path=line.return_path,
            smtp=SmtpShown.of(channel) if isinstance(channel, SmtpChannel) else None,
            ses=SesShown.of(channel, connection.verification) if isinstance(channel, SesChannel) else None,
            limits=Limits.of(line.limits),
            connection=ConnectionShown(
                state=connection.state,
                checked_at=connection.checked_at,
                reason=Reason.of(connection.reason),
                size_limit=connection.size_limit,
                quota=Limits.of(connection.quota),
            ),
            bounce_mailbox=MailboxShown.of(line.bounce_mailbox),
            brake=BrakeShown.of(brake),
            created_at=line.created_at,
        )


class LinePage(Output):
    """A page of lines, in the order they were added."""

    items: list[LineShown]
    next_cursor: str | None
