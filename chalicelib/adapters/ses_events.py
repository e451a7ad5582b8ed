"""Messages of the SES event queue, as events: event publishing, identity notifications, wrapped or raw.

Everything may come: types that SES adds one day, notifications of messages that aren't ours, SNS's own
messages. What is understood and not for us is kept out, by name; only what nobody can read raises. The tags
are trusted because only SES can publish to the topic, and only the topic can write to the queue (``infra/``).
https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from chalicelib.domain.delivery import MessageTags, Reason
from chalicelib.domain.delivery_event import DeliveryEvent, EventType, Opener
from chalicelib.domain.opener import judge
from chalicelib.domain.ses_bounces import ON_ACCOUNT_LIST, SesBounce, bounce, delay, on_account_list
from chalicelib.domain.smtp_replies import printable


class KeptOut(StrEnum):
    """Why a message of the queue is no event of ours."""

    NOT_AN_EVENT = "not_an_event"  # SNS or SES tries the topic
    UNKNOWN_TYPE = "unknown_type"
    NOT_OURS = (
        "not_ours"  # it doesn't carry the tags we send with: not sent by us, or without event publishing
    )
    NO_COMPLAINT = "no_complaint"  # somebody says that it is *not* spam
    STAYS_SUBSCRIBED = "stays_subscribed"


Part = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Record:
    """What SES tells: of the message, and, in the part of its type, of what happened to it."""

    mail: Part
    part: Part
    tags: MessageTags

    @property
    def at(self) -> datetime:
        """When it happened; raises ValueError when that isn't said."""
        return _time(self.part)

    @property
    def sent_at(self) -> datetime:
        """When SES took the message; raises ValueError when that isn't said."""
        return _time(self.mail)

    @property
    def recipient(self) -> str | None:
        """The one address it was sent to. What a complaint names may be all of a provider's recipients."""
        destination = self.mail.get("destination")
        first = destination[0] if isinstance(destination, list) and len(destination) == 1 else None
        return first if isinstance(first, str) else None


Read = Callable[[Record], DeliveryEvent | KeptOut]
_TAG_NAMES = ("account", "campaign", "contact", "generation", "attempt")  # as in domain/ses_tags.py
_NUMBER = re.compile(r"[0-9]{1,9}")


def read_event(body: str) -> DeliveryEvent | KeptOut:
    """The event in a message's body. Raises ValueError for what is neither an event nor from SNS or SES."""
    message = _unwrapped(body)
    if message is None:
        return KeptOut.NOT_AN_EVENT
    kind = message.get("eventType", message.get("notificationType"))
    if kind == "AmazonSnsSubscriptionSucceeded":
        return KeptOut.NOT_AN_EVENT
    if not isinstance(kind, str):
        raise ValueError("an event names its type")  # noqa: TRY004  (what is malformed is a ValueError)
    if kind not in _READERS:
        return KeptOut.UNKNOWN_TYPE
    part_name, read = _READERS[kind]
    mail = _part(message, "mail")
    tags = _tags(mail)
    return KeptOut.NOT_OURS if tags is None else read(Record(mail, _part(message, part_name), tags))


def _unwrapped(body: str) -> Part | None:
    """The record, taken out of SNS's envelope if it is in one; None for what SNS and SES say of a topic."""
    if _is_trial(body):
        return None
    message = _object(body)
    if "Type" not in message:
        return message
    text = message.get("Message")
    if message["Type"] != "Notification" or not isinstance(text, str) or _is_trial(text):
        return None
    return _object(text)


def _is_trial(text: str) -> bool:
    """What SES publishes once, in plain words, when it is told of a topic."""
    return text.startswith("Successfully validated SNS topic")


def _object(text: str) -> Part:
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError("an event is a JSON object")  # noqa: TRY004
    return found


def _part(message: Part, name: str) -> Part:
    part = message.get(name, {})
    if not isinstance(part, dict):
        raise ValueError(f"{name} is a JSON object")  # noqa: TRY004
    return part


def _tags(mail: Part) -> MessageTags | None:
    """Our tags, each a list of one; None for a message that isn't tagged by us."""
    tags = mail.get("tags")
    values = [tags.get(name) for name in _TAG_NAMES] if isinstance(tags, dict) else []
    texts = [
        value[0]
        for value in values
        if isinstance(value, list) and len(value) == 1 and isinstance(value[0], str)
    ]
    if len(texts) < len(_TAG_NAMES) or not all(texts):
        return None
    account, campaign, contact, generation, attempt = texts
    if not _NUMBER.fullmatch(generation) or not _NUMBER.fullmatch(attempt):
        return None
    return MessageTags(account, campaign, contact, int(generation), int(attempt))


def _time(part: Part) -> datetime:
    at = datetime.fromisoformat(str(part.get("timestamp")))
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _text(part: Part, name: str) -> str | None:
    value = part.get(name)
    return value if isinstance(value, str) else None


def _first(part: Part, name: str) -> Part:
    recipients = part.get(name)
    first = recipients[0] if isinstance(recipients, list) and recipients else {}
    return first if isinstance(first, dict) else {}


def _send(record: Record) -> DeliveryEvent:
    return DeliveryEvent(EventType.SEND, record.tags, record.sent_at)


def _delivery(record: Record) -> DeliveryEvent:
    return DeliveryEvent(EventType.DELIVERY, record.tags, record.at)


def _delay(record: Record) -> DeliveryEvent:
    said = _first(record.part, "delayedRecipients")
    kind = _text(record.part, "delayType") or "no reason given"
    why = delay(kind, _text(said, "status"), _text(said, "diagnosticCode"))
    return DeliveryEvent(EventType.DELIVERY_DELAY, record.tags, record.at, why)


def _bounce(record: Record) -> DeliveryEvent:
    said = _first(record.part, "bouncedRecipients")
    kind, subtype = _text(record.part, "bounceType") or "", _text(record.part, "bounceSubType") or ""
    status, diagnostic = _text(said, "status"), _text(said, "diagnosticCode")
    return _came_back(record, bounce(kind, subtype, status, diagnostic, record.recipient))


def _came_back(record: Record, found: SesBounce) -> DeliveryEvent:
    return DeliveryEvent(
        EventType.BOUNCE,
        record.tags,
        record.at,
        found.reason,
        found.kind,
        suppress=found.suppress,
        recipient=record.recipient,
    )


def _complaint(record: Record) -> DeliveryEvent | KeptOut:
    if record.part.get("complaintSubType") == ON_ACCOUNT_LIST:
        return _came_back(record, on_account_list())
    feedback = _text(record.part, "complaintFeedbackType")
    if feedback == "not-spam":
        return KeptOut.NO_COMPLAINT
    kind = f" ({printable(feedback)[:40]})" if feedback else ""
    why = Reason("complained", f"The recipient reported the message to the mail provider{kind}.")
    return DeliveryEvent(
        EventType.COMPLAINT, record.tags, record.at, why, suppress=True, recipient=record.recipient
    )


def _reject(record: Record) -> DeliveryEvent:
    said = printable(_text(record.part, "reason") or "") or None
    why = Reason(
        "ses_rejected", "Amazon SES found a virus in the message and didn't send it.", reply_text=said
    )
    return DeliveryEvent(EventType.REJECT, record.tags, record.sent_at, why)


def _failure(record: Record) -> DeliveryEvent:
    said = printable(_text(record.part, "errorMessage") or "") or None
    why = Reason("ses_rendering_failed", "Amazon SES couldn't make the message.", reply_text=said)
    return DeliveryEvent(EventType.RENDERING_FAILURE, record.tags, record.sent_at, why)


def _open(record: Record) -> DeliveryEvent:
    return DeliveryEvent(EventType.OPEN, record.tags, record.at, opener=_opener(record))


def _click(record: Record) -> DeliveryEvent:
    return DeliveryEvent(EventType.CLICK, record.tags, record.at, opener=_opener(record))


def _opener(record: Record) -> Opener:
    """Of who it was, nothing but the verdict goes on."""
    part = record.part
    return judge(_text(part, "userAgent"), record.at - record.sent_at, _text(part, "ipAddress"))


def _subscription(record: Record) -> DeliveryEvent | KeptOut:
    """The recipient used SES's own unsubscribe link or header."""
    wish = _part(record.part, "newTopicPreferences")
    topics = wish.get("topicSubscriptionStatus")
    left = isinstance(topics, list) and any(
        isinstance(topic, dict) and topic.get("subscriptionStatus") == "OptOut" for topic in topics
    )
    if wish.get("unsubscribeAll") is not True and not left:
        return KeptOut.STAYS_SUBSCRIBED
    return DeliveryEvent(
        EventType.UNSUBSCRIBE, record.tags, record.at, suppress=True, recipient=record.recipient
    )


# SES's name of a type (event publishing has all of them, notifications three): its part, and who reads it.
_READERS: dict[str, tuple[str, Read]] = {
    "Send": ("send", _send),
    "Delivery": ("delivery", _delivery),
    "DeliveryDelay": ("deliveryDelay", _delay),
    "Bounce": ("bounce", _bounce),
    "Complaint": ("complaint", _complaint),
    "Reject": ("reject", _reject),
    "Rendering Failure": ("failure", _failure),
    "Open": ("open", _open),
    "Click": ("click", _click),
    "Subscription": ("subscription", _subscription),
}
