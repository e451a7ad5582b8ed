"""What events make of a contact: each rule by itself, and that neither order nor repetition matters."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.contact import OUTCOME_UNKNOWN, Contact, ContactStatus, Person
from chalicelib.domain.delivery import Reason
from chalicelib.domain.delivery_event import BounceType, DeliveryEvent, EventType, Opener
from chalicelib.domain.tracking import CAME_BACK, after, of_this_release
from tests.fakes.clock import MONDAY_NOON as NOON
from tests.unit.domain.event_builders import (
    FULL,
    NO_MAILBOX,
    TAGS,
    at,
    event,
    hard_bounce,
    opened,
    soft_bounce,
)

NOT_SENT, PENDING, SENT, DELIVERED, OPENED, ERROR = ContactStatus
LEASE_END = NOON + timedelta(hours=1)
WAITING = Contact("ann", Person("ann@mail.example"), attempt=1, due=NOON)
QUEUED = replace(WAITING, status=PENDING, due=None, lease_until=LEASE_END, slot_at=NOON, claim="t")
HANDED_OVER = replace(QUEUED, status=SENT, lease_until=None, sent_at=at(1))
IN_DOUBT = replace(HANDED_OVER, status=ERROR, reason=Reason(OUTCOME_UNKNOWN, "Nobody knows."))
REFUSED = replace(HANDED_OVER, status=ERROR, sent_at=None, reason=Reason("spam", "No."))
STARTS = (WAITING, QUEUED, HANDED_OVER, IN_DOUBT, REFUSED)

SEND, DELIVERY = event(EventType.SEND, 2), event(EventType.DELIVERY, 3)
COMPLAINT, LEFT = event(EventType.COMPLAINT, 5), event(EventType.UNSUBSCRIBE, 6)
REJECT = event(EventType.REJECT, 3, reason=Reason("virus", "It has a virus."))


def told(contact: Contact, *events: DeliveryEvent) -> Contact:
    for one in events:
        contact = after(contact, one)
    return contact


def shown(contact: Contact) -> tuple[ContactStatus, str | None]:
    return contact.status, contact.reason.code if contact.reason else None


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize(
    ("one", "status"),
    [
        (SEND, SENT),
        (event(EventType.DELIVERY_DELAY, 2), SENT),
        (DELIVERY, DELIVERED),
        (soft_bounce(3), ERROR),
        (soft_bounce(3, kind=BounceType.UNDETERMINED), ERROR),
        (REJECT, ERROR),
        (event(EventType.RENDERING_FAILURE, 3), ERROR),
        (hard_bounce(3), ERROR),
        (COMPLAINT, DELIVERED),
        (LEFT, DELIVERED),
        (opened(4), OPENED),
        (opened(4, by=Opener.UNKNOWN), OPENED),
        (opened(4, by=None), OPENED),
        (opened(4, by=Opener.MACHINE), DELIVERED),
        (event(EventType.CLICK, 4, opener=Opener.HUMAN), OPENED),
        (event(EventType.CLICK, 4, opener=Opener.MACHINE), DELIVERED),
    ],
)
def test_any_evidence_outranks_what_the_sender_said(
    start: Contact, one: DeliveryEvent, status: ContactStatus
) -> None:
    known = after(start, one)
    assert known.status is status
    assert not known.outcome_unknown
    assert (known.lease_until, known.due) == (None, None)
    assert (known.reason is None) == (status is not ERROR)
    assert after(known, one) == known


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ((DELIVERY, SEND), (DELIVERED, None)),
        ((soft_bounce(4), SEND), (ERROR, "mailbox_full")),
        ((REJECT, SEND), (ERROR, "virus")),
        ((DELIVERY, soft_bounce(4)), (DELIVERED, None)),  # most likely an automatic reply
        ((soft_bounce(4), DELIVERY), (DELIVERED, None)),
        ((DELIVERY, hard_bounce(4)), (ERROR, "mailbox_unknown")),
        ((soft_bounce(2), hard_bounce(4)), (ERROR, "mailbox_unknown")),
        ((hard_bounce(4), DELIVERY), (ERROR, "mailbox_unknown")),
        ((opened(4), hard_bounce(5)), (OPENED, None)),
        ((opened(4, by=Opener.MACHINE), hard_bounce(5)), (ERROR, "mailbox_unknown")),
        ((hard_bounce(4), COMPLAINT), (ERROR, "mailbox_unknown")),
        ((opened(4), COMPLAINT, LEFT), (OPENED, None)),
    ],
)
def test_the_higher_rank_stays(
    events: tuple[DeliveryEvent, ...], expected: tuple[ContactStatus, str | None]
) -> None:
    assert shown(told(HANDED_OVER, *events)) == expected
    assert told(HANDED_OVER, *events) == told(HANDED_OVER, *reversed(events))


def test_times_are_the_earliest_that_were_reported() -> None:
    events = [opened(9), opened(7), event(EventType.DELIVERY, 3), opened(8, by=Opener.MACHINE), LEFT]
    known = told(HANDED_OVER, *events)
    assert (known.delivered_at, known.opened_at, known.machine_opened_at) == (at(3), at(7), at(8))
    assert (known.unsubscribed_at, known.complained_at) == (at(6), None)
    assert told(HANDED_OVER, opened(9)).delivered_at == at(9)


def test_the_sending_time_is_the_senders_word_or_else_the_earliest_proof() -> None:
    assert told(HANDED_OVER, event(EventType.SEND, 0.5)).sent_at == at(1)
    assert told(IN_DOUBT, event(EventType.SEND, 0.5)).sent_at == at(1)
    for start in (QUEUED, WAITING, REFUSED):
        assert told(start, DELIVERY, SEND).sent_at == at(2)
        assert told(start, SEND, DELIVERY).sent_at == at(2)


@pytest.mark.parametrize("seconds", [-4, 0, 4])
def test_nobody_opens_so_soon_after_the_senders_own_time_of_sending(seconds: float) -> None:
    soon = opened(1 + seconds / 60)
    for start in (HANDED_OVER, IN_DOUBT):
        known = told(start, soon)
        assert (known.status, known.machine_opened_at, known.opened_at) == (DELIVERED, soon.at, None)
        assert told(start, opened(1 + 5 / 60)).status is OPENED
    assert told(QUEUED, soon).status is OPENED


def test_of_two_reasons_the_earlier_is_kept_and_of_two_at_once_always_the_same() -> None:
    early, late = hard_bounce(3), hard_bounce(4, reason=FULL)
    assert told(HANDED_OVER, late, early).reason == NO_MAILBOX
    assert told(HANDED_OVER, early, late).reason == NO_MAILBOX
    twin = hard_bounce(3, reason=FULL)
    assert told(HANDED_OVER, early, twin).reason == told(HANDED_OVER, twin, early).reason
    assert told(HANDED_OVER, soft_bounce(reason=None)).reason == CAME_BACK


def test_parts_are_counted_whatever_the_status() -> None:
    known = told(HANDED_OVER, opened(4), opened(5, by=Opener.MACHINE), hard_bounce(6), COMPLAINT, LEFT)
    assert known.status is OPENED
    assert known.parts == {"bounced", "complained", "unsubscribed", "machine_opened"}
    assert told(IN_DOUBT).parts == {"unknown"}
    assert told(IN_DOUBT, soft_bounce()).parts == frozenset()


@pytest.mark.parametrize(
    ("generation", "attempt", "expected"),
    [(1, 1, True), (1, 0, True), (1, 2, False), (0, 1, False), (2, 1, False)],
)
def test_which_messages_are_the_contacts_own(generation: int, attempt: int, expected: bool) -> None:
    tags = replace(TAGS, generation=generation, attempt=attempt)
    assert of_this_release(QUEUED, replace(SEND, tags=tags)) is expected


reasons = st.sampled_from([None, FULL, NO_MAILBOX])
minutes = st.integers(0, 5)
anything = st.builds(
    lambda type_, when, reason, bounce, opener: event(
        type_, when, reason=reason, bounce_type=bounce, opener=opener
    ),
    st.sampled_from(EventType),
    minutes,
    reasons,
    st.sampled_from(BounceType),
    st.sampled_from(Opener),
)


@settings(max_examples=1_500, derandomize=True, deadline=None, database=None)
@given(st.sampled_from(STARTS), st.lists(anything, max_size=8), st.data())
def test_neither_order_nor_repetition_matters(
    start: Contact, events: list[DeliveryEvent], data: st.DataObject
) -> None:
    repeated = events + (data.draw(st.lists(st.sampled_from(events))) if events else [])
    shuffled = data.draw(st.permutations(repeated))
    assert told(start, *shuffled) == told(start, *events)


@settings(max_examples=500, derandomize=True, deadline=None, database=None)
@given(st.sampled_from(STARTS), st.lists(anything, min_size=1, max_size=8))
def test_what_was_proven_stays_proven(start: Contact, events: list[DeliveryEvent]) -> None:
    ranks = [OPENED, DELIVERED, SENT]
    contact = start
    for one in events:
        before, contact = contact, after(contact, one)
        assert contact.status not in (NOT_SENT, PENDING)
        assert not contact.outcome_unknown
        assert before.parts - {"unknown"} <= contact.parts
        if before.status in ranks and contact.status in ranks:
            assert ranks.index(contact.status) <= ranks.index(before.status)
