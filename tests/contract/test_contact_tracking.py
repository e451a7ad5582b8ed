"""Contract of ``ContactStore.record``: what evidence makes of a row, and everything that it must not do."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.adapters.dynamodb import contact_writes
from chalicelib.domain.contact import Contact, ContactStatus
from chalicelib.domain.delivery import MessageTags, Reason
from chalicelib.domain.delivery_event import DeliveryEvent, EventType, Opener
from chalicelib.domain.tracking import after
from chalicelib.errors import NotFound
from chalicelib.flow.track import Tracked, TrackPorts, track
from chalicelib.ports import Settlement
from tests.contract.conftest import Stores
from tests.contract.losing import first_reply_lost, transactions
from tests.contract.store_builders import (
    LEASE_END,
    NOON,
    add_campaign,
    assert_totals_are_rows,
    back,
    order,
    pending,
    people,
    release,
    rows,
    sent,
    unknown,
    wish,
)
from tests.fakes.clock import HandClock
from tests.unit.domain.event_builders import at, event, hard_bounce, opened, soft_bounce

NOT_SENT, PENDING, SENT, DELIVERED, OPENED, ERROR = ContactStatus
REFUSED = Settlement(ERROR, NOON, Reason("spam", "No."))


def ann(stores: Stores, one: str) -> Contact:
    return stores.contacts.get(stores.account, one, "ann")


def settled(stores: Stores, to: Settlement) -> str:
    """The id of a campaign in which Ann's message was handed over."""
    one = pending(stores, "ann")
    stores.contacts.claim(stores.account, order(stores, one, "ann"), "t", 1, NOON)
    assert stores.contacts.settle(stores.account, order(stores, one, "ann"), "t", to)
    return one


def tell(stores: Stores, one: str, *events: DeliveryEvent) -> list[Tracked]:
    tags = MessageTags(stores.account, one, "ann", 1, 1)
    ports = TrackPorts(stores.contacts, stores.suppressions, HandClock(NOON))
    return [track(replace(told, tags=tags), ports) for told in events]


@pytest.mark.parametrize("start", [sent(), unknown(), REFUSED, back()])
def test_everything_that_is_known_is_read_back(stores: Stores, start: Settlement) -> None:
    one = settled(stores, start)
    expected = ann(stores, one)
    for told in (
        opened(9),
        opened(8, by=Opener.MACHINE),
        event(EventType.COMPLAINT, 7),
        event(EventType.UNSUBSCRIBE, 6),
        event(EventType.DELIVERY, 2),
        hard_bounce(3),
    ):
        expected = after(expected, told)
        assert tell(stores, one, told, told) == [Tracked.APPLIED, Tracked.NOTHING_NEW]
        assert ann(stores, one) == expected
        assert_totals_are_rows(stores, one)
    totals = stores.contacts.totals(stores.account, one)
    assert (totals.by_status[OPENED], totals.bounced, totals.complained) == (1, 1, 1)
    assert (totals.unsubscribed, totals.machine_opened, totals.unknown) == (1, 1, 0)


def test_a_reason_comes_and_goes_with_its_error(stores: Stores) -> None:
    one = settled(stores, sent())
    tell(stores, one, soft_bounce(3))
    assert (ann(stores, one).status, ann(stores, one).reason) == (ERROR, soft_bounce().reason)
    tell(stores, one, event(EventType.DELIVERY, 4))
    found = ann(stores, one)
    assert (found.status, found.reason, found.failed_at) == (DELIVERED, None, at(3))
    assert_totals_are_rows(stores, one)


def test_a_removed_contact_stays_removed(stores: Stores) -> None:
    one = settled(stores, back())
    seen = ann(stores, one)
    stores.contacts.remove(stores.account, one, "ann")
    assert not stores.contacts.record(stores.account, one, seen, after(seen, opened(1)))
    assert not stores.contacts.record(stores.account, one, seen, replace(seen, delivered_at=at(1)))
    with pytest.raises(NotFound):
        ann(stores, one)
    assert assert_totals_are_rows(stores, one).contacts == 0


@pytest.mark.parametrize("told", [opened(1), replace(event(EventType.DELIVERY, 1))])
def test_a_purged_campaign_stays_purged(stores: Stores, told: DeliveryEvent) -> None:
    one = settled(stores, sent())
    seen = ann(stores, one)
    stores.contacts.purge(stores.account, one)
    assert not stores.contacts.record(stores.account, one, seen, after(seen, told))
    assert rows(stores, one) == []
    assert stores.contacts.totals(stores.account, one).contacts == 0


def test_a_contact_that_moved_on_is_not_overwritten(stores: Stores) -> None:
    one = settled(stores, back())
    seen = ann(stores, one)
    known = after(seen, event(EventType.SEND, 1))
    stores.contacts.release(stores.account, one, [release("ann", attempt=1)])
    stores.contacts.settle(stores.account, order(stores, one, "ann", attempt=2), None, back())
    assert not stores.contacts.record(stores.account, one, seen, known)  # Not sent again, one attempt later
    now_seen = ann(stores, one)
    assert stores.contacts.record(stores.account, one, now_seen, after(now_seen, opened(2)))
    assert not stores.contacts.record(stores.account, one, now_seen, after(now_seen, opened(1)))
    assert ann(stores, one).opened_at == at(2)
    assert_totals_are_rows(stores, one)


def test_of_two_times_read_before_either_was_written_none_is_lost(stores: Stores) -> None:
    one = settled(stores, sent())
    tell(stores, one, opened(9))
    seen = ann(stores, one)
    assert stores.contacts.record(stores.account, one, seen, after(seen, opened(5)))
    assert not stores.contacts.record(stores.account, one, seen, after(seen, opened(7)))
    assert ann(stores, one).opened_at == at(5)


def test_events_at_the_same_time_all_count(stores: Stores) -> None:
    one = settled(stores, sent())
    told = [
        event(EventType.DELIVERY, 1),
        opened(2),
        opened(3, by=Opener.MACHINE),
        event(EventType.COMPLAINT, 4),
        hard_bounce(5),
        event(EventType.UNSUBSCRIBE, 6),
    ]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda each: tell(stores, one, each), told * 2))
    found = ann(stores, one)
    assert (found.status, found.parts) == (
        OPENED,
        {"bounced", "complained", "unsubscribed", "machine_opened"},
    )
    assert_totals_are_rows(stores, one)


@pytest.mark.parametrize("later", [sent(), unknown(), REFUSED, back()])
def test_what_evidence_overtook_is_not_undone_by_the_sender_or_the_sweeper(
    stores: Stores, later: Settlement
) -> None:
    one = pending(stores, "ann")
    wanted = order(stores, one, "ann")
    stores.contacts.claim(stores.account, wanted, "t", 1, NOON)
    tell(stores, one, event(EventType.DELIVERY, 1))
    assert not stores.contacts.settle(stores.account, wanted, "t", later)
    assert ann(stores, one).status is DELIVERED
    assert stores.contacts.overdue(stores.account, one, LEASE_END, 10) == []
    assert_totals_are_rows(stores, one)


@pytest.mark.parametrize("waits", [True, False])
def test_what_there_is_evidence_of_is_neither_released_nor_claimed(stores: Stores, waits: bool) -> None:
    one = settled(stores, back()) if waits else pending(stores, "ann")
    tell(stores, one, event(EventType.SEND, 1))
    assert stores.contacts.waiting(stores.account, one, NOON + timedelta(days=1), 10) == []
    assert stores.contacts.release(stores.account, one, [release("ann", attempt=1)]) == []
    assert stores.contacts.claim(stores.account, order(stores, one, "ann"), "t", 1, NOON) is None
    assert stores.contacts.pending(stores.account, one, 10) == []
    found = ann(stores, one)
    assert (found.status, found.lease_until, found.due) == (SENT, None, None)


def test_the_sender_heals_a_doubt_only_while_it_is_one(dynamodb: Stores) -> None:
    """Evidence may come between the store's look at the row and its write."""
    one = settled(dynamodb, unknown())
    tell(dynamodb, one, hard_bounce(1))
    wanted = order(dynamodb, one, "ann")
    assert not contact_writes.settle(dynamodb.account, wanted, "t", sent(), ERROR)
    assert ann(dynamodb, one).status is ERROR
    assert_totals_are_rows(dynamodb, one)


def test_a_contact_of_which_more_became_known_is_not_reopened_as_it_was_read(stores: Stores) -> None:
    one = settled(stores, sent())
    tell(stores, one, hard_bounce(3))
    seen = rows(stores, one)
    tell(stores, one, event(EventType.COMPLAINT, 4))
    wish(stores, one)
    assert stores.contacts.reopen(stores.account, one, seen, "wish", NOON) == 0
    assert stores.contacts.reopen(stores.account, one, rows(stores, one), "wish", NOON) == 1
    assert ann(stores, one).parts == frozenset()
    totals = assert_totals_are_rows(stores, one)
    assert (totals.bounced, totals.complained) == (0, 0)


def test_an_event_whose_reply_is_lost_is_counted_once(dynamodb: Stores) -> None:
    one = settled(dynamodb, sent())
    with first_reply_lost(transactions(), "TransactWriteItems") as calls:
        assert tell(dynamodb, one, hard_bounce(1)) == [Tracked.APPLIED]
    assert len(calls) >= 2
    assert assert_totals_are_rows(dynamodb, one).bounced == 1


def test_another_account_reaches_nobody(stores: Stores) -> None:
    one = settled(stores, sent())
    seen = ann(stores, one)
    assert not stores.contacts.record(stores.stranger, one, seen, after(seen, opened(1)))
    assert ann(stores, one) == seen
    assert len(rows(stores, one)) == len(people("ann")) == 1
    assert stores.contacts.totals(stores.stranger, one).contacts == 0


def test_a_campaign_without_the_contact_is_left_alone(stores: Stores) -> None:
    one = settled(stores, sent())
    other = add_campaign(stores)
    seen = ann(stores, one)
    assert not stores.contacts.record(stores.account, other, seen, after(seen, opened(1)))
    assert rows(stores, other) == []
