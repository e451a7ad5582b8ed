"""What an event makes of a contact: the same contact for the same events, in whatever order and how often.

Each event proves something, and what is proven is kept as the earliest time it was reported at. The status
follows from which times there are, the highest rank first:

    Opened < by a person, or by who can't be told from one
    Error < the message came back for good (also after a server on the way had taken it)
    Delivered < by a server's word, or by what only a delivered message can cause
    Error < it came back though it might have passed, or the channel refused it after taking it
    Sent < the channel took it

What the sender itself says (Pending, Sent, Error) stands as long as nothing is proven that outranks it, so
that evidence heals an outcome that nobody knew. A minimum and a rank don't ask in which order they are fed:
that is the whole proof, and ``tests/unit/domain/test_tracking.py`` tries to break it.
"""

from dataclasses import replace
from datetime import datetime

from chalicelib.domain.contact import Contact, ContactStatus
from chalicelib.domain.delivery import Reason
from chalicelib.domain.delivery_event import BounceType, DeliveryEvent, EventType, Opener
from chalicelib.domain.opener import is_quick

CAME_BACK = Reason("bounced", "The message came back, and the server didn't say why.")

_FAILURES = frozenset({EventType.REJECT, EventType.RENDERING_FAILURE})
_LOOKS = frozenset({EventType.OPEN, EventType.CLICK, EventType.DOWNLOAD})
_PROVE_DELIVERY = _LOOKS | {EventType.DELIVERY, EventType.COMPLAINT, EventType.UNSUBSCRIBE}


def of_this_release(contact: Contact, event: DeliveryEvent) -> bool:
    """Whether an event speaks of the contact's present generation, and of a message that was sent in it.

    An attempt that the contact hasn't had yet is one of an earlier contact with the same address, which was
    removed and added again. Earlier attempts of the generation count: who got the message has got it.
    """
    tags = event.tags
    return tags.generation == contact.generation and tags.attempt <= contact.attempt


def after(contact: Contact, event: DeliveryEvent) -> Contact:
    """The contact once the event is known; an equal one when it says nothing new."""
    known = _with_times(contact, event)
    status = _status(known)
    in_work = contact.status in (ContactStatus.NOT_SENT, ContactStatus.PENDING)
    return replace(
        known,
        status=status,
        reason=_reason(contact, event, known) if status is ContactStatus.ERROR else None,
        lease_until=None if in_work else known.lease_until,
        due=None if in_work else known.due,
    )


def _with_times(contact: Contact, event: DeliveryEvent) -> Contact:
    machine = event.type in _LOOKS and _by_machine(contact, event)
    proven = {
        "failed_at": _fails(event),
        "delivered_at": event.type in _PROVE_DELIVERY,
        "bounced_at": _bounces(event),
        "opened_at": event.type in _LOOKS and not machine,
        "machine_opened_at": machine,
        "downloaded_at": event.type is EventType.DOWNLOAD and not machine,
        "complained_at": event.type is EventType.COMPLAINT,
        "unsubscribed_at": event.type is EventType.UNSUBSCRIBE,
    }
    times = {name: _earliest(getattr(contact, name), event.at) for name, holds in proven.items() if holds}
    if contact.sent_at is None or contact.proven_at is not None:  # else it is the sender's own word
        times["sent_at"] = times["proven_at"] = _earliest(contact.proven_at, event.at)
    return replace(contact, **times)  # type: ignore[arg-type]  # mypy can't see which names they are


def _status(contact: Contact) -> ContactStatus:
    ranks = (
        (contact.opened_at, ContactStatus.OPENED),
        (contact.bounced_at, ContactStatus.ERROR),
        (contact.delivered_at, ContactStatus.DELIVERED),
        (contact.failed_at, ContactStatus.ERROR),
    )
    return next((status for at, status in ranks if at is not None), ContactStatus.SENT)


def _reason(contact: Contact, event: DeliveryEvent, known: Contact) -> Reason | None:
    """Of the events that put it where it is, the reason of the earliest; of two at once, always the same."""
    was_told, told = (
        (contact.failed_at, _fails(event))
        if known.bounced_at is None
        else (contact.bounced_at, _bounces(event))
    )
    tells = [(was_told, contact.reason)] if was_told and contact.reason else []
    if told:
        tells.append((event.at, event.reason or CAME_BACK))
    return min(tells, key=lambda tell: (tell[0], repr(tell[1])))[1]


def _by_machine(contact: Contact, event: DeliveryEvent) -> bool:
    """Judged so by its reporter, or too soon after what the sender itself calls the time of sending."""
    said = contact.proven_at is None and contact.sent_at is not None
    quick = contact.sent_at is not None and is_quick(event.at - contact.sent_at)
    return event.opener is Opener.MACHINE or (said and quick)


def _bounces(event: DeliveryEvent) -> bool:
    return event.type is EventType.BOUNCE and event.bounce_type is BounceType.PERMANENT


def _fails(event: DeliveryEvent) -> bool:
    return event.type in _FAILURES or (event.type is EventType.BOUNCE and not _bounces(event))


def _earliest(one: datetime | None, other: datetime) -> datetime:
    return other if one is None else min(one, other)
