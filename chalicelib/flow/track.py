"""Track: one event of one message changes its contact, its campaign's totals and the suppression list.

An event may come twice, late, before the sender has written that it sent, or when its contact is gone. What
it proves is decided by ``domain/tracking.py``, which doesn't ask for the order; here it is written down, row
and total in one write, on condition that the row is as it was read. Whoever loses that race reads again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from chalicelib.domain.address import Address, parse_address
from chalicelib.domain.contact import Contact
from chalicelib.domain.delivery_event import DeliveryEvent, EventType
from chalicelib.domain.personal_data import without_person
from chalicelib.domain.suppression import Suppression, SuppressionReason
from chalicelib.domain.tracking import after, of_this_release
from chalicelib.errors import found
from chalicelib.ports import Clock, ContactStore, SuppressionStore

YOUNG = timedelta(minutes=15)  # a younger event about nobody may be early; an older one is too late
_TRIES = 12  # each loses to another event of the same contact, and a message has a handful of them
_LISTED_FOR = {
    EventType.COMPLAINT: SuppressionReason.COMPLAINED,
    EventType.UNSUBSCRIBE: SuppressionReason.UNSUBSCRIBED,
}


class Tracked(StrEnum):
    """What became of an event."""

    APPLIED = "applied"
    NOTHING_NEW = "nothing_new"  # it came before, or something that proves more did
    OLDER_GENERATION = "older_generation"  # its message is history: the contact was made ready again since
    UNKNOWN_YOUNG = "unknown_young"  # there is no such contact yet, perhaps: try it again later
    UNKNOWN_OLD = "unknown_old"  # there is no such contact (any more): nothing to do


@dataclass(frozen=True, slots=True)
class TrackPorts:
    """What tracking needs.

    ``on_trouble`` is called with the event and its contact when a message newly bounced for good or was
    newly complained about: at most once for each message and trouble, after it was written down.
    """

    contacts: ContactStore
    suppressions: SuppressionStore
    clock: Clock
    on_trouble: Callable[[DeliveryEvent, Contact], None] | None = None


def track(event: DeliveryEvent, ports: TrackPorts) -> Tracked:
    """Apply an event to its contact. Done twice, the second time changes nothing.

    The suppression list comes first, whatever becomes of the row: an event that is delivered again after a
    crash between the two makes up for what is missing. Raises TimeoutError when the contact was changed by
    others again and again; the caller delivers the event again later.
    """
    seen = _find(event, ports)
    _suppress(event, seen, ports)
    for _ in range(_TRIES):
        if seen is None:
            young = ports.clock.now() - event.at < YOUNG
            return Tracked.UNKNOWN_YOUNG if young else Tracked.UNKNOWN_OLD
        if not of_this_release(seen, event):
            return Tracked.OLDER_GENERATION
        known = after(seen, event)
        if seen.erased:
            known = without_person(known)  # a report may quote the address
        if known == seen:
            return Tracked.NOTHING_NEW
        if ports.contacts.record(event.tags.account_id, event.tags.campaign_id, seen, known):
            _tell_of_trouble(event, seen, known, ports)
            return Tracked.APPLIED
        seen = _find(event, ports)
    raise TimeoutError("a contact was changed by others again and again")


def _find(event: DeliveryEvent, ports: TrackPorts) -> Contact | None:
    tags = event.tags
    return found(lambda: ports.contacts.get(tags.account_id, tags.campaign_id, tags.contact_id))


def _suppress(event: DeliveryEvent, contact: Contact | None, ports: TrackPorts) -> None:
    """Put the address on the account's list: the contact's own, since reporters may hide or change it."""
    reason = _LISTED_FOR.get(event.type, SuppressionReason.BOUNCED if event.suppress else None)
    text = contact.person.email if contact else event.recipient
    if reason is None or text is None:
        return
    address = parse_address(text)
    if isinstance(address, Address):
        tags = event.tags
        listed = Suppression(address.key, address.text, reason, event.at, tags.campaign_id)
        ports.suppressions.add(tags.account_id, [listed])


def _tell_of_trouble(event: DeliveryEvent, seen: Contact, known: Contact, ports: TrackPorts) -> None:
    newly = known.parts - seen.parts
    if ports.on_trouble and newly & {"bounced", "complained"}:
        ports.on_trouble(event, known)
