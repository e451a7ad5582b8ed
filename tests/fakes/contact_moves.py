"""What becomes of a contact in memory when it moves."""

from dataclasses import replace
from datetime import datetime

from chalicelib.domain.contact import OUTCOME_UNKNOWN, Contact, ContactStatus
from chalicelib.ports import Release, SendOrder, Settlement

NOT_SENT, PENDING = ContactStatus.NOT_SENT, ContactStatus.PENDING
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


def released(row: Contact, release: Release) -> Contact:
    return replace(
        row,
        status=PENDING,
        attempt=row.attempt + 1,
        line_id=release.line_id,
        slot_at=release.slot_at,
        lease_until=release.lease_until,
        claim=None,
        due=None,
    )


def reopened(row: Contact, now: datetime) -> Contact:
    """A new generation: only who it is, and how often it was released, stays."""
    return Contact(
        row.contact_id,
        row.person,
        generation=row.generation + 1,
        attempt=row.attempt,
        line_id=row.line_id,
        content_version=row.content_version,
        due=now,
    )


def is_release(row: Contact, order: SendOrder, status: ContactStatus) -> bool:
    return (row.status, row.generation, row.attempt) == (status, order.generation, order.attempt)


def evidence(row: Contact) -> tuple[datetime | None, ...]:
    return tuple(getattr(row, name) for name in EVIDENCE)


def is_changed(row: Contact, seen: Contact) -> bool:
    before, after = (
        (contact.status, contact.generation, contact.attempt, contact.outcome_unknown, evidence(contact))
        for contact in (seen, row)
    )
    return before != after


def learned(row: Contact, known: Contact) -> Contact:
    return replace(
        row,
        status=known.status,
        reason=known.reason,
        lease_until=known.lease_until,
        due=known.due,
        **{name: getattr(known, name) for name in EVIDENCE},
    )


def settled(row: Contact, settlement: Settlement) -> Contact:
    if settlement.status is NOT_SENT:
        return replace(
            row,
            status=NOT_SENT,
            claim=None,
            lease_until=None,
            slot_at=None,
            due=settlement.due or settlement.at,
            failures=row.failures if settlement.failures is None else settlement.failures,
            reason=settlement.reason or row.reason,
        )
    reason = settlement.reason
    may_have_left = settlement.status is ContactStatus.SENT or (reason and reason.code == OUTCOME_UNKNOWN)
    return replace(
        row,
        status=settlement.status,
        lease_until=None,
        reason=reason,
        sent_at=(row.sent_at or settlement.at) if may_have_left else row.sent_at,
        remote_id=settlement.remote_id or row.remote_id,
    )
