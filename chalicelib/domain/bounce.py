"""What a message that came back says: reports of RFC 3464 and RFC 6533, complaints of RFC 5965, and the many
bounces of servers that follow neither. Pure and total: any bytes have an answer, soon.

A reader of a mailbox gets more than bounces. What a person or a holiday robot wrote is never one, whatever
it quotes; in doubt it is nothing, because a message taken for lost that wasn't is worse than a bounce missed.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from chalicelib.domain import bounce_origin, bounce_status, bounce_text
from chalicelib.domain.bounce_verdict import Verdict, complaint
from chalicelib.domain.mime_reading import Part, decoded, parse_fields, parse_message
from chalicelib.domain.return_path import RETURN_FIELD, marks_in

MOST_CANDIDATES = 5  # tokens, marks and addresses of one report that are looked at
TEXT_LIMIT = 64 * 1024  # characters of one text that are searched

_ENCLOSED = frozenset(
    {
        *("message/rfc822", "message/global", "message/global-headers", "message/rfc822-headers"),
        *("text/rfc822-headers", "text/rfc822", "message/partial"),
    }
)
_TOKEN = re.compile(
    rf"{RETURN_FIELD}[ \t]*:\s{{0,8}}(?:>\s{{0,8}})?([A-Za-z0-9._-]{{20,200}})", re.IGNORECASE
)
_RETURN_PATH = re.compile(
    r"^[ \t>]{0,8}Return-Path:[ \t]{0,8}<([^\s<>]{1,320})>", re.IGNORECASE | re.MULTILINE
)
_RECEIVED_FOR = re.compile(r"\bfor <?([^\s<>;]{3,320})>?", re.IGNORECASE)
_TO_US = ("to", "delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "x-forwarded-to")
_COMPLAINTS = frozenset({"abuse", "fraud", "opt-out", "other"})  # not: not-spam, virus, auth-failure


class ReportKind(StrEnum):
    """What a message in a bounce mailbox is."""

    FAILURE = "failure"
    DELAY = "delay"
    DELIVERED = "delivered"
    COMPLAINT = "complaint"
    AUTO_REPLY = "auto_reply"  # of a robot or a mail program for a person: holiday notes, read receipts
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Report:
    """What was understood. ``verdict`` is set for a failure, a delay and a complaint. ``tokens`` and
    ``marks`` may name the message it is about; nothing has checked them yet. ``sent_to`` are the addresses
    that the report itself came to, ``recipient`` the one that the lost message was for.
    """

    kind: ReportKind
    recipient: str | None = None
    verdict: Verdict | None = None
    tokens: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    sent_to: tuple[str, ...] = ()


def read_report(raw: bytes) -> Report:
    """What a message says that came to a bounce address."""
    message = parse_message(raw)
    found = (
        _by_status(message)
        or _by_receipt(message)
        or _by_feedback(message)
        or _by_text(message)
        or Report(ReportKind.AUTO_REPLY if bounce_origin.is_auto_reply(message) else ReportKind.NOTHING)
    )
    if found.kind in {ReportKind.AUTO_REPLY, ReportKind.NOTHING}:
        return found
    sent_to = _first(_sent_to(message))
    envelope_ids = bounce_status.envelope_ids(message)
    marks = [
        mark for text in (*envelope_ids, *sent_to, *_bounce_addresses(message)) for mark in marks_in(text)
    ]
    return Report(
        found.kind, found.recipient, found.verdict, _first(_tokens(message)), _first(marks), sent_to
    )


def _by_status(message: Part) -> Report | None:
    """A delivery status notification. One that says nothing we use (relayed) is nothing."""
    status = bounce_status.read(message)
    if status is None:
        return None
    kinds = {
        "failed": ReportKind.FAILURE,
        "delayed": ReportKind.DELAY,
        "delivered": ReportKind.DELIVERED,
        "expanded": ReportKind.DELIVERED,
    }
    kind = kinds.get(status.action, ReportKind.NOTHING)
    return Report(kind, status.recipient, status.verdict)


def _by_receipt(message: Part) -> Report | None:
    """A read receipt (RFC 8098) tells of a person's mail program, not of delivery."""
    receipts = {"message/disposition-notification", "message/global-disposition-notification"}
    if any(part.content_type in receipts for part in message.walk()):
        return Report(ReportKind.AUTO_REPLY)
    return None


def _by_feedback(message: Part) -> Report | None:
    """A complaint that a provider passes on. Most of them black out the address."""
    for part in message.walk():
        if part.content_type == "message/feedback-report":
            fields = parse_fields(part.body)
            kind = next((value.lower() for name, value in fields if name == "feedback-type"), "")
            if kind not in _COMPLAINTS:
                return Report(ReportKind.NOTHING)
            named = next((value for name, value in fields if name == "original-rcpt-to"), "")
            return Report(ReportKind.COMPLAINT, bounce_status.address_in(named), complaint(kind))
    return None


def _by_text(message: Part) -> Report | None:
    """A bounce in words, if a mail server wrote it."""
    if not bounce_origin.is_from_a_server(message):
        return None
    found = bounce_text.read(message)
    if found is None:
        return None
    return Report(ReportKind.DELAY if found.delayed else ReportKind.FAILURE, found.recipient, found.verdict)


def _tokens(message: Part) -> Iterator[str]:
    """The values of our field, in the header that came back or wherever a text quotes it."""
    for part in message.walk():
        if part.content_type in _ENCLOSED:
            for name, value in parse_fields(part.body):
                if name == RETURN_FIELD.lower():
                    yield value
        if part.content_type.startswith(("text/", "message/")):
            yield from _TOKEN.findall(decoded(part.body[:TEXT_LIMIT]))


def _sent_to(message: Part) -> Iterator[str]:
    for name in _TO_US:
        for value in message.all(name):
            yield from bounce_status.addresses_in(value)
    for value in message.all("received")[:3]:
        yield from _RECEIVED_FOR.findall(value)


def _bounce_addresses(message: Part) -> Iterator[str]:
    """The envelope sender of what came back, where a server kept it."""
    for part in message.walk():
        if part.content_type in _ENCLOSED:
            yield from (value for name, value in parse_fields(part.body) if name == "return-path")
        elif part.content_type.startswith("text/"):
            yield from _RETURN_PATH.findall(part.text[:TEXT_LIMIT])


def _first(texts: Iterable[str]) -> tuple[str, ...]:
    kept: dict[str, None] = {}
    for text in texts:
        kept[text[:320]] = None
        if len(kept) == MOST_CANDIDATES:
            break
    return tuple(kept)
