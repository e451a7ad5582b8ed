"""Replay: events of many contacts in random order, a fifth of them twice, end where the orderly run ends."""

import random
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from chalicelib.domain.contact import ContactStatus, Totals
from chalicelib.domain.delivery import MessageTags
from chalicelib.domain.delivery_event import DeliveryEvent, EventType, Opener
from chalicelib.domain.suppression import SuppressionReason
from chalicelib.flow.track import TrackPorts, track
from chalicelib.ports import Settlement
from tests.contract.conftest import Stores, in_memory
from tests.contract.store_builders import (
    NOON,
    assert_totals_are_rows,
    back,
    order,
    pending,
    rows,
    sent,
    unknown,
)
from tests.fakes.clock import HandClock
from tests.unit.domain.event_builders import event, hard_bounce, opened, soft_bounce

SENT, DELIVERED, OPENED, ERROR = (
    ContactStatus.SENT,
    ContactStatus.DELIVERED,
    ContactStatus.OPENED,
    ContactStatus.ERROR,
)
SEND, DELIVERY = event(EventType.SEND, 0), event(EventType.DELIVERY, 1)
PREFETCH = opened(2, by=Opener.MACHINE)
COMPLAINT, LEFT = (
    event(EventType.COMPLAINT, 40, suppress=True),
    event(EventType.UNSUBSCRIBE, 50, suppress=True),
)

# What can become of a message, where it ends, and whether its address ends on the suppression list.
FATES: list[tuple[list[DeliveryEvent], ContactStatus, bool]] = [
    ([SEND], SENT, False),
    ([SEND, event(EventType.DELIVERY_DELAY, 5)], SENT, False),
    ([SEND, DELIVERY], DELIVERED, False),
    ([SEND, event(EventType.DELIVERY_DELAY, 5), event(EventType.DELIVERY, 9)], DELIVERED, False),
    ([SEND, DELIVERY, PREFETCH], DELIVERED, False),
    ([SEND, DELIVERY, soft_bounce(3)], DELIVERED, False),
    ([SEND, DELIVERY, opened(9), opened(30), opened(20)], OPENED, False),
    ([SEND, DELIVERY, PREFETCH, opened(9), event(EventType.CLICK, 10, opener=Opener.HUMAN)], OPENED, False),
    ([SEND, DELIVERY, opened(9, by=Opener.UNKNOWN), LEFT], OPENED, True),
    ([SEND, DELIVERY, opened(9), COMPLAINT, LEFT], OPENED, True),
    ([SEND, DELIVERY, COMPLAINT], DELIVERED, True),
    ([SEND, DELIVERY, hard_bounce(3)], ERROR, True),
    ([SEND, hard_bounce(3), hard_bounce(4, suppress=False)], ERROR, True),
    ([SEND, soft_bounce(700)], ERROR, False),
    ([SEND, event(EventType.REJECT, 0)], ERROR, False),
]
# What the sender has said by then: nothing yet, that it sent, that nobody knows, that it will try again.
WORDS: list[Settlement | None] = [None, sent(), sent(), sent(), unknown(), back()]


def campaign_of(stores: Stores, names: Sequence[str]) -> str:
    """The id of a campaign of these contacts, each as far as its sender has come."""
    one = pending(stores, *names)
    for number, name in enumerate(names):
        wanted = order(stores, one, name)
        stores.contacts.claim(stores.account, wanted, "t", 1, NOON)
        word = WORDS[number // len(FATES) % len(WORDS)]
        if word is not None:
            assert stores.contacts.settle(stores.account, wanted, "t", word)
    return one


def fate(number: int) -> tuple[list[DeliveryEvent], ContactStatus, bool]:
    return FATES[number % len(FATES)]


def events_of(stores: Stores, one: str, names: Sequence[str]) -> list[DeliveryEvent]:
    return [
        replace(told, tags=MessageTags(stores.account, one, name, 1, 1))
        for number, name in enumerate(names)
        for told in fate(number)[0]
    ]


def shuffled(events: list[DeliveryEvent], seed: int) -> list[DeliveryEvent]:
    """In random order, a fifth of them twice."""
    chance = random.Random(seed)
    mixed = events + chance.sample(events, len(events) // 5)
    chance.shuffle(mixed)
    return mixed


def tell(stores: Stores, events: Iterable[DeliveryEvent], at_once: int = 1) -> None:
    ports = TrackPorts(stores.contacts, stores.suppressions, HandClock(NOON))
    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(lambda told: track(told, ports), events))


def compare(orderly: Stores, replayed: Stores, count: int, at_once: int = 1) -> Totals:
    """Tell the same of the same contacts, orderly and not; the totals, after everything was compared."""
    names = [f"p{number:05d}" for number in range(count)]
    one, other = campaign_of(orderly, names), campaign_of(replayed, names)
    tell(orderly, events_of(orderly, one, names))
    tell(replayed, shuffled(events_of(replayed, other, names), seed=count), at_once)
    found = {contact.contact_id: contact for contact in rows(replayed, other)}
    assert found == {contact.contact_id: contact for contact in rows(orderly, one)}
    assert [found[name].status for name in names] == [fate(number)[1] for number in range(count)]
    listed = {f"{name}@mail.example" for number, name in enumerate(names) if fate(number)[2]}
    assert replayed.suppressions.find(replayed.account, listed).keys() == listed
    assert len(replayed.suppressions.page(replayed.account, None, count).items) == len(listed)
    totals = assert_totals_are_rows(replayed, other)
    assert totals == assert_totals_are_rows(orderly, one)
    assert (totals.contacts, totals.unknown, totals.unsettled) == (count, 0, 0)
    return totals


def test_ten_thousand_contacts_end_the_same_in_any_order() -> None:
    totals = compare(in_memory(), in_memory(), 10_000)
    assert min(totals.by_status[status] for status in (SENT, DELIVERED, OPENED, ERROR)) > 1_000


def test_some_contacts_in_dynamodb_end_as_those_in_memory(dynamodb: Stores) -> None:
    compare(in_memory(), dynamodb, len(FATES) * len(WORDS), at_once=4)


@pytest.mark.parametrize("seed", range(5))
def test_the_reasons_of_the_list_are_the_same_in_any_order(seed: int) -> None:
    stores = in_memory()
    one = campaign_of(stores, ["ann"])
    told = [replace(each, tags=MessageTags(stores.account, one, "ann", 1, 1)) for each in (COMPLAINT, LEFT)]
    tell(stores, shuffled([*told, hard_bounce(3, told[0].tags)] * 2, seed))
    (entry,) = stores.suppressions.page(stores.account, None, 9).items
    assert (entry.reason, len(entry.reasons)) == (SuppressionReason.BOUNCED, 3)
