"""Between line rows and words: the channel by its kind, limits, and what is known of an SES identity."""

from dataclasses import fields
from datetime import datetime
from typing import Any

from chalicelib.adapters.dynamodb.mapping import plain
from chalicelib.adapters.dynamodb.tables import LineRow
from chalicelib.domain.identity import DnsRecord, Verification, VerificationState
from chalicelib.domain.ledger import LineLimits
from chalicelib.domain.line import Channel, Security, SesChannel, SmtpChannel

_SMTP, _SES = "smtp", "ses"


def channel_values(channel: Channel) -> dict[str, Any]:
    """The row's attributes of a channel."""
    if isinstance(channel, SesChannel):
        return {"channel": _SES, "identity": channel.identity}
    return {
        "channel": _SMTP,
        "host": channel.host,
        "port": channel.port,
        "security": channel.security,
        "username": channel.username,
    }


def channel_from(row: LineRow) -> Channel:
    """Read back what ``channel_values`` made."""
    if row.channel == _SES:
        return SesChannel(row.identity)
    return SmtpChannel(row.host, int(row.port), Security(row.security), row.username)


def limits_item(limits: LineLimits) -> dict[str, int]:
    """The limits there are."""
    named = {field.name: getattr(limits, field.name) for field in fields(LineLimits)}
    return {name: limit for name, limit in named.items() if limit is not None}


def limits_from(item: Any) -> LineLimits:
    """Read back what ``limits_item`` made; no item is no limit."""
    values = {} if item is None else plain(item)
    return LineLimits(**{name: int(value) for name, value in values.items()})


def verification_item(verification: Verification | None) -> dict[str, Any] | None:
    """A verification as a map without empty values."""
    if verification is None:
        return None
    records = [
        {"type": record.type, "name": record.name, "value": record.value} for record in verification.records
    ]
    item = {"state": verification.state.value, "records": records}
    return item | ({"until": verification.until.isoformat()} if verification.until else {})


def verification_from(item: Any) -> Verification | None:
    """Read back what ``verification_item`` made."""
    if item is None:
        return None
    values = plain(item)
    return Verification(
        VerificationState(values["state"]),
        tuple(DnsRecord(**plain(record)) for record in values["records"]),
        datetime.fromisoformat(values["until"]) if "until" in values else None,
    )
