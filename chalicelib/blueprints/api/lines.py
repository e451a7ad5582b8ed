"""Routes of the lines. A password goes in and never comes out."""

from datetime import datetime
from typing import Annotated, Self

from chalice import Blueprint
from pydantic import AfterValidator, Field, ValidationInfo

from chalicelib import wiring
from chalicelib.blueprints.api.models import Address, Input, OneLine, Output, PageQuery, Reason
from chalicelib.blueprints.api.requests import Call, Nothing
from chalicelib.blueprints.api.routing import route
from chalicelib.domain.hosts import PORTS, is_host_name
from chalicelib.domain.line import ConnectionState, Line, LinePlan, Security, SmtpChannel
from chalicelib.domain.schedule import LineLimits
from chalicelib.flow.lines import NewLine, add_line, ask_for_connection, remove_line

lines = Blueprint(__name__)


def _host(value: str) -> str:
    host = value.lower()
    if not (is_host_name(host) or host in wiring.private_smtp_hosts()):
        raise ValueError("Give a host name such as smtp.example.com, not an address, a scheme or a port.")
    return host


def _port(value: int, info: ValidationInfo) -> int:
    if not (value in PORTS or info.data.get("host") in wiring.private_smtp_hosts()):
        raise ValueError(f"Use one of the ports {', '.join(map(str, PORTS))}.")
    return value


Count = Annotated[int, Field(ge=1, le=10_000_000)]


class Limits(Input):
    """Most messages in every second, minute, hour and day (UTC); leave out what has no limit."""

    per_second: Count | None = None
    per_minute: Count | None = None
    per_hour: Count | None = None
    per_day: Count | None = None


class SmtpInput(Input):
    """The SMTP server to send through, as for a mail program."""

    host: Annotated[str, AfterValidator(_host)]
    port: Annotated[int, AfterValidator(_port)] = Field(
        ge=1, le=65535, description=f"One of {', '.join(map(str, PORTS))}."
    )
    security: Security = Security.STARTTLS
    username: OneLine = Field(min_length=1, max_length=320)
    password: str = Field(
        min_length=1, max_length=1_000, json_schema_extra={"writeOnly": True, "format": "password"}
    )


class LineInput(Input):
    """A new line."""

    name: OneLine = Field(min_length=1, max_length=100)
    from_address: Address
    from_name: OneLine = Field("", max_length=100)
    reply_to: Address | None = None
    smtp: SmtpInput
    limits: Limits = Limits()


class SmtpShown(Output):
    """The SMTP server; the password is never shown."""

    host: str
    port: int
    security: Security
    username: str


class ConnectionShown(Output):
    """What is known of the connection. ``size_limit`` is the largest message the server takes, in bytes."""

    state: ConnectionState
    checked_at: datetime | None
    reason: Reason | None = Field(description="Which step failed, and what to do about it.")
    size_limit: int | None


class LineShown(Output):
    """A line."""

    line_id: str
    name: str
    plan: LinePlan
    from_address: str
    from_name: str
    reply_to: str | None
    smtp: SmtpShown
    limits: Limits
    connection: ConnectionShown
    created_at: datetime | None

    @classmethod
    def of(cls, line: Line) -> Self:
        """A line as it is shown."""
        channel, connection, limits = line.channel, line.connection, line.limits
        return cls(
            line_id=line.line_id,
            name=line.name,
            plan=line.plan,
            from_address=line.from_address,
            from_name=line.from_name,
            reply_to=line.reply_to,
            smtp=SmtpShown(
                host=channel.host, port=channel.port, security=channel.security, username=channel.username
            ),
            limits=Limits(
                per_second=limits.per_second,
                per_minute=limits.per_minute,
                per_hour=limits.per_hour,
                per_day=limits.per_day,
            ),
            connection=ConnectionShown(
                state=connection.state,
                checked_at=connection.checked_at,
                reason=Reason.of(connection.reason),
                size_limit=connection.size_limit,
            ),
            created_at=line.created_at,
        )


class LinePage(Output):
    """A page of lines, in the order they were added."""

    items: list[LineShown]
    next_cursor: str | None


@route(lines, "POST", "/lines", LineInput, Nothing, LineShown, status=201)
def create_line(call: Call[LineInput, Nothing]) -> LineShown:
    """Add an SMTP line; connect it before it can carry a campaign."""
    body = call.body
    new = NewLine(
        name=body.name,
        channel=SmtpChannel(body.smtp.host, body.smtp.port, body.smtp.security, body.smtp.username),
        password=body.smtp.password,
        from_address=body.from_address,
        from_name=body.from_name,
        reply_to=body.reply_to,
        limits=LineLimits(**body.limits.model_dump()),
    )
    return LineShown.of(add_line(call.account_id, new, wiring.line_ports()))


@route(lines, "GET", "/lines", Nothing, PageQuery, LinePage)
def list_lines(call: Call[Nothing, PageQuery]) -> LinePage:
    """List the lines of the account."""
    page = wiring.lines().page(call.account_id, call.query.cursor, call.query.limit)
    return LinePage(items=[LineShown.of(line) for line in page.items], next_cursor=page.cursor)


@route(lines, "GET", "/lines/{line_id}", Nothing, Nothing, LineShown)
def read_line(call: Call[Nothing, Nothing], line_id: str) -> LineShown:
    """Read a line, with how its connection went."""
    return LineShown.of(wiring.lines().get(call.account_id, line_id))


@route(lines, "POST", "/lines/{line_id}/connect", Nothing, Nothing, LineShown, status=202)
def connect_line(call: Call[Nothing, Nothing], line_id: str) -> LineShown:
    """Prove the connection: a job talks to the server as far as MAIL FROM; read the line for how it went."""
    return LineShown.of(ask_for_connection(call.account_id, line_id, wiring.line_ports()))


@route(lines, "DELETE", "/lines/{line_id}", Nothing, Nothing, None, status=204)
def delete_line(call: Call[Nothing, Nothing], line_id: str) -> None:
    """Delete a line and its password; a campaign left without a line pauses and says so."""
    remove_line(call.account_id, line_id, wiring.line_ports())
