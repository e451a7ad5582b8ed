"""What a line's bounce mailbox is set by, and how it is shown."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, ValidationInfo

from chalicelib import wiring
from chalicelib.blueprints.api.models import Input, OneLine, Output, Password, Reason
from chalicelib.domain.hosts import IMAP_PORTS, is_host_name
from chalicelib.domain.line import BounceMailbox, MailboxState, Security


def _host(value: str) -> str:
    host = value.lower()
    if not (is_host_name(host) or host in wiring.private_smtp_hosts()):
        raise ValueError("Give a host name such as imap.example.com, not an address, a scheme or a port.")
    return host


def _port(value: int, info: ValidationInfo) -> int:
    if not (value in IMAP_PORTS or info.data.get("host") in wiring.private_smtp_hosts()):
        raise ValueError(f"Use one of the ports {', '.join(map(str, IMAP_PORTS))}.")
    return value


class MailboxInput(Input):
    """The IMAP mailbox that bounces arrive in, as for a mail program. It is only read, never changed."""

    host: Annotated[str, AfterValidator(_host)]
    port: Annotated[int, AfterValidator(_port)] = Field(
        993, ge=1, le=65535, description="993 for tls, 143 for starttls."
    )
    security: Literal[Security.TLS, Security.STARTTLS] = Security.TLS
    username: OneLine = Field(min_length=1, max_length=320)
    password: Password


class MailboxShown(Output):
    """A bounce mailbox; the password is never shown."""

    host: str
    port: int
    security: Security
    username: str
    state: MailboxState = Field(
        description="How the last reading went: `retrying` mends itself, `failed` needs a person."
    )
    checked_at: datetime | None
    reason: Reason | None = Field(description="Why it could not be read, and what to do about it.")

    @classmethod
    def of(cls, mailbox: BounceMailbox | None) -> Self | None:
        """A mailbox as it is shown; None stays None."""
        if mailbox is None:
            return None
        channel, reading = mailbox.channel, mailbox.reading
        return cls(
            host=channel.host,
            port=channel.port,
            security=channel.security,
            username=channel.username,
            state=reading.state,
            checked_at=reading.checked_at,
            reason=Reason.of(reading.reason),
        )
