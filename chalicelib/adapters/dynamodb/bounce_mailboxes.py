"""Between a line's row and its bounce mailbox. How far it was read is an attribute of its own."""

from datetime import datetime
from typing import Any

from chalicelib.adapters.dynamodb.mapping import plain, reason_from, reason_item
from chalicelib.adapters.dynamodb.tables import LineRow
from chalicelib.domain.line import BounceMailbox, ImapChannel, MailboxState, Reading, Security

ROUND = "0"
"""The one partition of the readers' index: some bytes for each line with a mailbox."""


def attributes_of(mailbox: BounceMailbox | None) -> dict[str, Any]:
    """The row's attributes; all of them None where there is no mailbox."""
    if mailbox is None:
        names = ("mailbox_id", "mailbox", "mailbox_password", "mailbox_reading", "mailbox_round")
        return dict.fromkeys(names)
    channel = mailbox.channel
    return {
        "mailbox_id": mailbox.mailbox_id,
        "mailbox": {
            "host": channel.host,
            "port": channel.port,
            "security": channel.security.value,
            "username": channel.username,
            "set_at": mailbox.set_at.isoformat(),
        },
        "mailbox_password": mailbox.password,
        "mailbox_reading": reading_item(mailbox.reading),
        "mailbox_round": ROUND,
    }


def mailbox_of(row: LineRow) -> BounceMailbox | None:
    """Read back what ``attributes_of`` made."""
    if row.mailbox_id is None:
        return None
    values = plain(row.mailbox)
    channel = ImapChannel(
        values["host"], int(values["port"]), Security(values["security"]), values["username"]
    )
    return BounceMailbox(
        row.mailbox_id,
        channel,
        row.mailbox_password,
        datetime.fromisoformat(values["set_at"]),
        _reading_from(plain(row.mailbox_reading)),
    )


def reading_item(reading: Reading) -> dict[str, Any]:
    """A reading as a map without empty values."""
    values = {
        "state": reading.state.value,
        "checked_at": reading.checked_at and reading.checked_at.isoformat(),
        "reason": reading.reason and reason_item(reading.reason),
        "validity": reading.validity,
        "last_uid": reading.last_uid,
        "tries": reading.tries,
    }
    return {name: value for name, value in values.items() if value is not None}


def _reading_from(values: dict[str, Any]) -> Reading:
    checked_at = values.get("checked_at")
    return Reading(
        MailboxState(values["state"]),
        datetime.fromisoformat(checked_at) if checked_at else None,
        reason_from(values.get("reason")),
        int(values["validity"]),
        int(values["last_uid"]),
        int(values["tries"]),
    )
