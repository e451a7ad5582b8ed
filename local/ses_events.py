"""The events Amazon SES publishes for a configuration set, in the shape its Developer Guide gives them.

Followed are the pages "Contents of event data that Amazon SES publishes to Amazon SNS" and "Examples of event
data". Tests hold the shapes against the recorded payloads in ``tests/events``.
"""

import email
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.header import decode_header, make_header
from email.utils import parseaddr
from enum import StrEnum
from typing import Any

SUBJECT = "Amazon SES Email Event Notification"
_HEADER_OCTETS = 10_240  # SES tells no more of a message's headers than this
_COMMON = {
    "From": "from",
    "To": "to",
    "Cc": "cc",
    "Reply-To": "replyTo",
    "Date": "date",
    "Subject": "subject",
}
_LISTS = frozenset({"from", "to", "cc", "replyTo"})

Event = dict[str, Any]


class Happening(StrEnum):
    """What can become of a message at one recipient, finer than SES's types where the tests need it."""

    SEND = "send"
    DELIVERY = "delivery"
    DELIVERY_DELAY = "delivery_delay"
    BOUNCE = "bounce"  # Permanent/General: the mailbox doesn't exist
    OUT_OF_OFFICE = "out_of_office"  # Transient/General, after the delivery: an automatic reply
    MAILBOX_FULL = "mailbox_full"  # Transient/MailboxFull: SES gave up
    ON_SUPPRESSION_LIST = "on_suppression_list"  # Permanent/OnAccountSuppressionList: SES never tried
    COMPLAINT = "complaint"
    REJECT = "reject"
    OPEN = "open"  # by a person
    PREFETCH = "prefetch"  # by Apple's privacy proxy
    CLICK = "click"


@dataclass(frozen=True, slots=True)
class Message:
    """What SES remembers of a message it accepted. ``headers`` are as the sender wrote them, unfolded."""

    message_id: str
    accepted_at: datetime
    source: str
    destination: tuple[str, ...]
    configuration_set: str
    tags: Mapping[str, str]
    headers: tuple[tuple[str, str], ...]
    headers_truncated: bool


@dataclass(frozen=True, slots=True)
class Origin:
    """Whose events they are: the account and region every ARN in them names."""

    account_id: str
    region: str

    @classmethod
    def of(cls, arn: str) -> "Origin":
        """The owner of a topic publishes to it."""
        _, _, _, region, account_id, *_ = arn.split(":")
        return cls(account_id, region)


def api_name(happening: Happening) -> str:
    """The name of its event type in SES's API, such as ``DELIVERY_DELAY``."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", _SHAPES[happening][0]).upper()


def headers_of(content: bytes) -> tuple[tuple[tuple[str, str], ...], bool]:
    """A message's headers as far as SES tells them, and whether there were more."""
    head, _, _ = content.partition(b"\r\n\r\n")
    kept: list[tuple[str, str]] = []
    octets = 0
    for name, value in email.message_from_bytes(head + b"\r\n\r\n").raw_items():
        unfolded = "".join(str(value).splitlines())
        octets += len(name) + len(unfolded)
        if octets > _HEADER_OCTETS:
            return tuple(kept), True
        kept.append((name, unfolded))
    return tuple(kept), False


def event(message: Message, recipient: str, happening: Happening, origin: Origin) -> Event:
    """The payload SES publishes; times follow from the moment the message was accepted."""
    event_type, part, after, body = _SHAPES[happening]
    at = message.accepted_at + after
    return {"eventType": event_type, "mail": _mail(message, happening, origin), part: body(recipient, at)}


def _mail(message: Message, happening: Happening, origin: Origin) -> Event:
    identity = parseaddr(message.source)[1] or message.source
    return {
        "timestamp": _time(message.accepted_at),
        "source": message.source,
        "sourceArn": f"arn:aws:ses:{origin.region}:{origin.account_id}:identity/{identity}",
        "sendingAccountId": origin.account_id,
        "messageId": message.message_id,
        "destination": list(message.destination),
        "headersTruncated": message.headers_truncated,
        "headers": [{"name": name, "value": value} for name, value in message.headers],
        "commonHeaders": _common_headers(message),
        "tags": _tags(message, happening, identity),
    }


def _common_headers(message: Message) -> Event:
    common: Event = {"messageId": message.message_id}
    for name, value in message.headers:
        key = _COMMON.get(name.title())
        if key is not None:
            readable = str(make_header(decode_header(value)))
            common[key] = [readable] if key in _LISTS else readable
    return common


def _tags(message: Message, happening: Happening, identity: str) -> dict[str, list[str]]:
    """SES's own tags and the sender's; every value is a list."""
    tags = {
        "ses:configuration-set": message.configuration_set,
        "ses:source-ip": "192.0.2.0",
        "ses:from-domain": identity.rpartition("@")[2],
        "ses:caller-identity": "postline",
        **message.tags,
    }
    if happening is Happening.DELIVERY:
        tags["ses:outgoing-ip"] = "192.0.2.1"
    return {name: [value] for name, value in tags.items()}


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _delivery(recipient: str, at: datetime) -> Event:
    return {
        "timestamp": _time(at),
        "processingTimeMillis": round(_DELIVERED.total_seconds() * 1000),
        "recipients": [recipient],
        "smtpResponse": "250 2.6.0 Message received",
        "reportingMTA": "mta.example.com",
    }


def _delay(recipient: str, at: datetime) -> Event:
    delayed = {
        "emailAddress": recipient,
        "status": "4.4.1",
        "diagnosticCode": "smtp; 421 4.4.1 Unable to connect to remote host",
    }
    return {
        "timestamp": _time(at),
        "delayType": "TransientCommunicationFailure",
        "expirationTime": _time(at + timedelta(hours=12)),
        "delayedRecipients": [delayed],
    }


def _bounce(bounce_type: str, subtype: str, action: str, status: str, diagnostic: str) -> "_Body":
    def body(recipient: str, at: datetime) -> Event:
        bounced = {
            "emailAddress": recipient,
            "action": action,
            "status": status,
            "diagnosticCode": f"smtp; {diagnostic}",
        }
        return {
            "feedbackId": f"{uuid.uuid4()}-000000",
            "bounceType": bounce_type,
            "bounceSubType": subtype,
            "bouncedRecipients": [bounced],
            "timestamp": _time(at),
            "reportingMTA": "dsn; mta.example.com",
        }

    return body


def _complaint(recipient: str, at: datetime) -> Event:
    return {
        "feedbackId": f"{uuid.uuid4()}-000000",
        "complaintSubType": None,
        "complainedRecipients": [{"emailAddress": recipient}],
        "timestamp": _time(at),
        "userAgent": "Amazon SES Mailbox Simulator",
        "complaintFeedbackType": "abuse",
        "arrivalDate": _time(at),
    }


def _open(user_agent: str, ip_address: str) -> "_Body":
    def body(_recipient: str, at: datetime) -> Event:
        return {"ipAddress": ip_address, "timestamp": _time(at), "userAgent": user_agent}

    return body


def _click(_recipient: str, at: datetime) -> Event:
    return {
        "ipAddress": "192.0.2.7",
        "timestamp": _time(at),
        "userAgent": _BROWSER,
        "link": "https://www.example.com/",
        "linkTags": None,
    }


def _nothing(_recipient: str, _at: datetime) -> Event:
    return {}


def _reject(_recipient: str, _at: datetime) -> Event:
    return {"reason": "Bad content"}


_Body = Callable[[str, datetime], Event]
_DELIVERED = timedelta(milliseconds=1_893)
_BROWSER = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.4 Safari/605.1.15"
)
_PROXY = "Mozilla/5.0"  # all that Apple's privacy proxy says of itself
_NO_MAILBOX = _bounce("Permanent", "General", "failed", "5.1.1", "550 5.1.1 user unknown")
_AUTO_REPLY = _bounce("Transient", "General", "failed", "5.3.0", "550 5.3.0 out of the office")
_FULL = _bounce("Transient", "MailboxFull", "failed", "5.2.2", "552 5.2.2 mailbox full")
_SUPPRESSED = _bounce(
    "Permanent",
    "OnAccountSuppressionList",
    "failed",
    "5.1.1",
    "Amazon SES did not send the message to this address because it is on the suppression list",
)

# Each happening: SES's name of its type, the name of its part, how long after the acceptance, and the part.
_SHAPES: Mapping[Happening, tuple[str, str, timedelta, _Body]] = {
    Happening.SEND: ("Send", "send", timedelta(), _nothing),
    Happening.DELIVERY: ("Delivery", "delivery", _DELIVERED, _delivery),
    Happening.DELIVERY_DELAY: ("DeliveryDelay", "deliveryDelay", timedelta(seconds=1), _delay),
    Happening.BOUNCE: ("Bounce", "bounce", timedelta(seconds=2), _NO_MAILBOX),
    Happening.OUT_OF_OFFICE: ("Bounce", "bounce", timedelta(seconds=4), _AUTO_REPLY),
    Happening.MAILBOX_FULL: ("Bounce", "bounce", timedelta(seconds=2), _FULL),
    Happening.ON_SUPPRESSION_LIST: ("Bounce", "bounce", timedelta(seconds=1), _SUPPRESSED),
    Happening.COMPLAINT: ("Complaint", "complaint", timedelta(minutes=20), _complaint),
    Happening.REJECT: ("Reject", "reject", timedelta(seconds=1), _reject),
    Happening.OPEN: ("Open", "open", timedelta(minutes=9), _open(_BROWSER, "192.0.2.7")),
    Happening.PREFETCH: ("Open", "open", timedelta(seconds=3), _open(_PROXY, "17.58.101.7")),
    Happening.CLICK: ("Click", "click", timedelta(minutes=10), _click),
}
