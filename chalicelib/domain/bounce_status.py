"""Delivery status notifications: the machine's part of them (RFC 3464, and RFC 6533 beyond ASCII)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from chalicelib.domain.bounce_verdict import Verdict, delayed, failed
from chalicelib.domain.mime_reading import Part, parse_fields

Fields = tuple[tuple[str, str], ...]

MOST_GROUPS = 30  # recipients of one report that are looked at; our messages have one
_TYPES = frozenset({"message/delivery-status", "message/global-delivery-status"})
_BETWEEN_GROUPS = re.compile(rb"\r?\n[ \t]*\r?\n")
_ADDRESS = re.compile(r"[^\s<>()\[\],;:\"\\@]{1,128}@[^\s<>()\[\],;:\"\\@]{1,255}")
_ESCAPED = re.compile(r"\\x\{([0-9A-Fa-f]{1,6})\}")  # RFC 6533, 3
_STATUS = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b", re.ASCII)
_ACTIONS = ("failed", "delivered", "expanded", "delayed", "relayed")  # the first that some recipient has
_LAST_CODE_POINT = 0x10FFFF


@dataclass(frozen=True, slots=True)
class Status:
    """What became of the recipient. ``verdict`` is set where it failed or is delayed."""

    action: str
    recipient: str | None
    verdict: Verdict | None = None


def read(message: Part) -> Status | None:
    """The status that matters most of a report, or None when the message is none.

    A message that only encloses a report, such as one that a person forwards, is none.
    """
    groups = [group for part in _parts(message) for group in _groups(part)]
    found = {action: group for group in reversed(groups) if (action := _action(group)) in _ACTIONS}
    for action in _ACTIONS:
        if action in found:
            return _status(action, found[action])
    return Status("none", None) if groups else None


def envelope_ids(message: Part) -> list[str]:
    """The ids that the envelope had when we sent it (RFC 3464, 2.2.1)."""
    return [
        value
        for part in _parts(message)
        for group in _groups(part)
        for name, value in group
        if name == "original-envelope-id"
    ]


def address_in(value: str) -> str | None:
    """The first address in ``rfc822; user@example.com``, ``utf-8; …`` or any other text."""
    return next(addresses_in(value), None)


def addresses_in(value: str) -> Iterator[str]:
    """All addresses in a text of at most a few thousand characters."""
    for found in _ADDRESS.finditer(_ESCAPED.sub(_letter, value)):
        yield found[0].strip("'.")


def _letter(found: re.Match[str]) -> str:
    number = int(found[1], 16)
    return chr(number) if number <= _LAST_CODE_POINT else found[0]


def _parts(message: Part) -> Iterator[Part]:
    return (part for part in message.walk() if part.content_type in _TYPES)


def _groups(part: Part) -> list[Fields]:
    """The fields of the message, then of each recipient; empty lines too many don't matter."""
    blocks = (block.strip(b"\r\n") for block in _BETWEEN_GROUPS.split(part.body, MOST_GROUPS)[:MOST_GROUPS])
    return [parse_fields(block) for block in blocks if block]


def _action(group: Fields) -> str:
    return _value(group, "action").partition(" ")[0].strip(" ;()").lower()


def _status(action: str, group: Fields) -> Status:
    recipient = address_in(_value(group, "original-recipient")) or address_in(
        _value(group, "final-recipient")
    )
    status = _STATUS.search(_value(group, "status"))
    diagnostic = _value(group, "diagnostic-code").partition(";")
    text = (diagnostic[2] or diagnostic[0]).strip()
    if action == "failed":
        return Status(action, recipient, failed(status[1] if status else None, text, recipient))
    if action == "delayed":
        return Status(action, recipient, delayed(status[1] if status else None, text, recipient))
    return Status(action, recipient)


def _value(group: Fields, name: str) -> str:
    return next((value for field, value in group if field == name), "")
