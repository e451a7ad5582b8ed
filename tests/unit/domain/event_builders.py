"""Events as the tests of several parts make them."""

from datetime import datetime, timedelta

from chalicelib.domain.delivery import MessageTags, Reason
from chalicelib.domain.delivery_event import BounceType, DeliveryEvent, EventType, Opener
from tests.fakes.clock import MONDAY_NOON as NOON

NO_MAILBOX = Reason("mailbox_unknown", "There is no such mailbox.", enhanced="5.1.1")
FULL = Reason("mailbox_full", "The mailbox is full.", enhanced="4.2.2")
TAGS = MessageTags("acc1", "c1", "ann", 1, 1)


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def event(type_: EventType, minutes: float = 0, tags: MessageTags = TAGS, **more: object) -> DeliveryEvent:
    return DeliveryEvent(type_, tags, at(minutes), **more)  # type: ignore[arg-type]


def hard_bounce(
    minutes: float = 0, tags: MessageTags = TAGS, *, suppress: bool = True, reason: Reason = NO_MAILBOX
) -> DeliveryEvent:
    return event(
        EventType.BOUNCE, minutes, tags, bounce_type=BounceType.PERMANENT, reason=reason, suppress=suppress
    )


def soft_bounce(
    minutes: float = 0,
    tags: MessageTags = TAGS,
    kind: BounceType = BounceType.TRANSIENT,
    reason: Reason | None = FULL,
) -> DeliveryEvent:
    return event(EventType.BOUNCE, minutes, tags, bounce_type=kind, reason=reason)


def opened(minutes: float = 0, tags: MessageTags = TAGS, by: Opener | None = Opener.HUMAN) -> DeliveryEvent:
    return event(EventType.OPEN, minutes, tags, opener=by)


def complaint(minutes: float = 0, tags: MessageTags = TAGS) -> DeliveryEvent:
    return event(EventType.COMPLAINT, minutes, tags, suppress=True)


def left(minutes: float = 0, tags: MessageTags = TAGS) -> DeliveryEvent:
    """The recipient unsubscribed."""
    return event(EventType.UNSUBSCRIBE, minutes, tags, suppress=True)
