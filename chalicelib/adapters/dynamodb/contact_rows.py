"""Contact rows: their keys, their place in the work index, and the way between row and word."""

import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import reduce
from operator import and_
from types import MappingProxyType

from pynamodb.attributes import UTCDateTimeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path
from pynamodb.expressions.update import Action

from chalicelib.adapters.dynamodb.mapping import instant_from, reason_from, reason_item, sortable, whole
from chalicelib.adapters.dynamodb.tables import ContactRow, DialogRow, TotalsRow
from chalicelib.domain.contact import OUTCOME_UNKNOWN, SUPPRESSED, Contact, ContactStatus, Person
from chalicelib.domain.delivery import Reason
from chalicelib.ports import NewContact, Release, SendOrder, Settlement

# Partitions that the contacts and the totals of one campaign are spread over. A partition takes 1,000 write
# units a second, a sent contact costs about 10, so 8 carry some 800 contacts a second. It is part of the
# keys of all that is stored: raising it needs the number kept with the campaign.
BUCKETS = 8
WAITING = "waiting"
IN_FLIGHT = "in_flight"

# What evidence tells of one generation; ``sent_at`` may be the sender's own word.
EVIDENCE = (
    "sent_at",
    "proven_at",
    "failed_at",
    "delivered_at",
    "bounced_at",
    "opened_at",
    "machine_opened_at",
    "downloaded_at",
    "complained_at",
    "unsubscribed_at",
)

PERSON_FIELDS = ("first_name", "last_name", "middle_name", "p1", "p2", "p3")


def partition(account_id: str, campaign_id: str, bucket: int) -> str:
    """The partition key of one bucket."""
    return f"{account_id}#{campaign_id}#{bucket}"


def bucket_of(contact_id: str) -> int:
    """Which bucket a contact lives in, and which shard of the totals its own transitions count on."""
    return zlib.crc32(contact_id.encode()) % BUCKETS


def keys(account_id: str, campaign_id: str, contact_id: str) -> ContactRow:
    """A row that knows only its keys, for updates."""
    return ContactRow(partition(account_id, campaign_id, bucket_of(contact_id)), contact_id)


def work_key(account_id: str, campaign_id: str, bucket: int, kind: str) -> str:
    """The work index's partition of one bucket."""
    return f"{partition(account_id, campaign_id, bucket)}#{kind}"


def _work(account_id: str, campaign_id: str, contact_id: str, kind: str) -> str:
    return work_key(account_id, campaign_id, bucket_of(contact_id), kind)


def new_row(account_id: str, campaign_id: str, contact: NewContact) -> ContactRow:
    """The row of a contact that is added: Not sent and waiting."""
    row = keys(account_id, campaign_id, contact.contact_id)
    fill_person(row, contact.person)
    row.status = ContactStatus.NOT_SENT
    row.generation, row.attempt, row.failures = 1, 0, 0
    row.work = _work(account_id, campaign_id, contact.contact_id, WAITING)
    row.work_at = f"{sortable(contact.added_at)}#{contact.number:08d}"
    return row


def fill_person(row: ContactRow | DialogRow, person: Person) -> None:
    """Put a person's fields into a row; an empty one is left out."""
    row.email = person.email
    for name in PERSON_FIELDS:
        setattr(row, name, getattr(person, name) or None)
    row.extra = _extra_item(person.extra) or None


def person_actions(person: Person) -> list[Action]:
    """New fields of a contact; an empty one is removed."""
    attributes = ((getattr(ContactRow, name), getattr(person, name)) for name in PERSON_FIELDS)
    fields = [attribute.set(value) if value else attribute.remove() for attribute, value in attributes]
    extra = _extra_item(person.extra)
    return [*fields, ContactRow.extra.set(extra) if extra else ContactRow.extra.remove()]


def contact_from(row: ContactRow) -> Contact:
    """A whole row as a contact."""
    waiting = row.status == ContactStatus.NOT_SENT and row.work_at is not None
    return Contact(
        contact_id=row.contact_id,
        person=person_from(row),
        status=ContactStatus(row.status),
        generation=int(row.generation),
        attempt=int(row.attempt),
        failures=int(row.failures),
        line_id=row.line_id,
        content_version=whole(row.content_version),
        claim=row.claim,
        lease_until=row.lease_until,
        slot_at=row.slot_at,
        due=instant_from(row.work_at) if waiting and row.work_at else None,
        reason=reason_from(row.reason),
        remote_id=row.remote_id,
        **{name: getattr(row, name) for name in EVIDENCE},
    )


def person_from(row: ContactRow | DialogRow) -> Person:
    """The person of a whole row."""
    texts = {name: getattr(row, name) or "" for name in PERSON_FIELDS}
    return Person(row.email, extra=tuple((name, value) for name, value in row.extra or ()), **texts)


def _extra_item(extra: Sequence[tuple[str, str]]) -> list[list[str]]:
    return [[name, value] for name, value in extra]


def release_actions(account_id: str, campaign_id: str, release: Release) -> list[Action]:
    """Not sent → Pending: the slot, the line and the lease; the attempt grows by one."""
    return [
        ContactRow.status.set(ContactStatus.PENDING),
        ContactRow.attempt.set(release.attempt + 1),
        ContactRow.line_id.set(release.line_id),
        ContactRow.slot_at.set(release.slot_at),
        ContactRow.lease_until.set(release.lease_until),
        ContactRow.claim.remove(),
        ContactRow.work.set(_work(account_id, campaign_id, release.contact_id, IN_FLIGHT)),
        ContactRow.work_at.set(sortable(release.lease_until)),
    ]


def reopen_actions(
    account_id: str, campaign_id: str, contact: Contact, token: str, now: datetime
) -> list[Action]:
    """Error → Not sent: a new generation, in which nothing has happened yet."""
    return [
        ContactRow.status.set(ContactStatus.NOT_SENT),
        ContactRow.generation.set(contact.generation + 1),
        ContactRow.failures.set(0),
        ContactRow.resend_token.set(token),
        ContactRow.claim.remove(),
        ContactRow.reason.remove(),
        ContactRow.slot_at.remove(),
        *(getattr(ContactRow, name).remove() for name in EVIDENCE),
        ContactRow.remote_id.remove(),
        ContactRow.work.set(_work(account_id, campaign_id, contact.contact_id, WAITING)),
        ContactRow.work_at.set(f"{sortable(now)}#{contact.contact_id}"),
    ]


def settle_actions(
    account_id: str, campaign_id: str, contact_id: str, settlement: Settlement
) -> list[Action]:
    """Pending → Sent, Error or back to Not sent."""
    if settlement.status is ContactStatus.NOT_SENT:
        return _give_back_actions(account_id, campaign_id, contact_id, settlement)
    actions: list[Action] = [
        ContactRow.status.set(settlement.status),
        ContactRow.work.remove(),
        ContactRow.work_at.remove(),
        ContactRow.lease_until.remove(),
        reason_action(settlement.reason),
    ]
    if settlement.status is ContactStatus.SENT or _unknown(settlement.reason):
        actions.append(ContactRow.sent_at.set(ContactRow.sent_at | settlement.at))
    if settlement.remote_id is not None:
        actions.append(ContactRow.remote_id.set(settlement.remote_id))
    return actions


def _give_back_actions(
    account_id: str, campaign_id: str, contact_id: str, settlement: Settlement
) -> list[Action]:
    actions: list[Action] = [
        ContactRow.status.set(ContactStatus.NOT_SENT),
        ContactRow.claim.remove(),
        ContactRow.lease_until.remove(),
        ContactRow.slot_at.remove(),
        ContactRow.work.set(_work(account_id, campaign_id, contact_id, WAITING)),
        ContactRow.work_at.set(f"{sortable(settlement.due or settlement.at)}#{contact_id}"),
    ]
    if settlement.failures is not None:
        actions.append(ContactRow.failures.set(settlement.failures))
    if settlement.reason is not None:
        actions.append(ContactRow.reason.set(reason_item(settlement.reason)))
    return actions


def claimable(order: SendOrder, now: datetime) -> Condition:
    """Pending, unclaimed, still the release that the order speaks of, and with a lease that holds."""
    return (
        (ContactRow.status == ContactStatus.PENDING)
        & (ContactRow.generation == order.generation)
        & (ContactRow.attempt == order.attempt)
        & (ContactRow.lease_until > now)
        & ContactRow.claim.does_not_exist()
    )


def held_by(token: str | None) -> Condition:
    """The claim is this token; with None: nobody has claimed it."""
    holder: Condition = ContactRow.claim == token
    return ContactRow.claim.does_not_exist() if token is None else holder


def known_as(contact: Contact) -> Condition:
    """As unknown, as suppressed, or neither, as it was read: late evidence changes the totals by itself."""
    code = Path(["reason", "code"])
    if contact.suppressed:
        listed: Condition = code == SUPPRESSED
        return listed
    if contact.outcome_unknown:
        return still_unknown()
    return code.does_not_exist() | ((code != OUTCOME_UNKNOWN) & (code != SUPPRESSED))


def still_unknown() -> Condition:
    """Nobody knows yet whether the server took it."""
    unknown: Condition = Path(["reason", "code"]) == OUTCOME_UNKNOWN
    return unknown


def as_seen(contact: Contact) -> Condition:
    """The row is there, in the same release and status, and nothing more is known of it than was read.

    Without the first a late event would raise a removed contact from the dead.
    """
    return (
        ContactRow.contact_id.exists()
        & (ContactRow.status == contact.status)
        & (ContactRow.generation == contact.generation)
        & (ContactRow.attempt == contact.attempt)
        & known_as(contact)
        & evidence_as_in(contact)
    )


def evidence_actions(seen: Contact, known: Contact) -> list[Action]:
    """What evidence changes of a row. A contact that waited or was in flight is neither any more."""
    actions = [
        getattr(ContactRow, name).set(getattr(known, name))
        for name in EVIDENCE
        if getattr(known, name) != getattr(seen, name)
    ]
    if known.reason != seen.reason:
        actions.append(reason_action(known.reason))
    if known.status is not seen.status:
        actions.append(ContactRow.status.set(known.status))
    if seen.status in (ContactStatus.NOT_SENT, ContactStatus.PENDING):
        actions += [
            ContactRow.work.remove(),
            ContactRow.work_at.remove(),
            ContactRow.lease_until.remove(),
        ]
    return actions


def erase_actions(seen: Contact, kept: Contact) -> list[Action]:
    """Take the person out of a row; one that ends with it waits no more and isn't in flight any more."""
    actions = [
        ContactRow.email.set(""),
        *person_actions(kept.person),
        reason_action(kept.reason),
        ContactRow.remote_id.remove(),
    ]
    if kept.status is not seen.status:
        actions += [
            ContactRow.status.set(kept.status),
            ContactRow.work.remove(),
            ContactRow.work_at.remove(),
            ContactRow.lease_until.remove(),
        ]
    return actions


def evidence_as_in(contact: Contact) -> Condition:
    """All that evidence told is as it was read."""
    conditions = (_is(getattr(ContactRow, name), getattr(contact, name)) for name in EVIDENCE)
    return reduce(and_, conditions)


def _is(attribute: UTCDateTimeAttribute, instant: datetime | None) -> Condition:
    found: Condition = attribute.does_not_exist() if instant is None else attribute == instant
    return found


def parts_change(before: Iterable[Contact], after: Iterable[Contact] = ()) -> dict[str, int]:
    """By how much each part of the totals changes when contacts become others; by default, have no part."""
    changes = Counter(part for contact in after for part in contact.parts)
    changes.subtract(part for contact in before for part in contact.parts)
    return dict(changes)


def totals_move(
    came_from: ContactStatus | None,
    to: ContactStatus,
    count: int,
    parts: Mapping[str, int] = MappingProxyType({}),
) -> list[Action]:
    """The change of a totals shard for ``count`` contacts; ``parts`` is what each part changes by.

    Each attribute is named once: DynamoDB refuses an expression that names one twice.
    """
    changes = {to: count, **parts}
    if came_from is not None:
        changes[came_from] = changes.get(came_from, 0) - count
    return [getattr(TotalsRow, name).add(change) for name, change in changes.items() if change]


def unknown_change(settlement: Settlement) -> int:
    """By how much a settlement changes the number of contacts whose outcome is unknown."""
    return 1 if settlement.status is ContactStatus.ERROR and _unknown(settlement.reason) else 0


def suppressed_change(settlement: Settlement) -> int:
    """By how much a settlement changes the number of contacts not sent to because of the suppression list."""
    reason = settlement.reason
    listed = reason is not None and reason.code == SUPPRESSED
    return 1 if settlement.status is ContactStatus.ERROR and listed else 0


def _unknown(reason: Reason | None) -> bool:
    return reason is not None and reason.code == OUTCOME_UNKNOWN


def reason_action(reason: Reason | None) -> Action:
    """Set a row's reason, or take it away."""
    return ContactRow.reason.set(reason_item(reason)) if reason else ContactRow.reason.remove()
