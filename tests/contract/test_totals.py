"""Totals equal the rows, whatever was done in whatever order."""

import contextlib
from collections.abc import Callable
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.adapters.dynamodb.contact_rows import totals_move
from chalicelib.domain.campaign import CampaignStatus
from chalicelib.domain.contact import PARTS, ContactStatus
from chalicelib.domain.delivery import MessageTags
from chalicelib.domain.delivery_event import DeliveryEvent, EventType, Opener
from chalicelib.errors import Conflict, NotFound
from chalicelib.flow.track import TrackPorts, track
from chalicelib.ports import Settlement
from tests.contract.conftest import Stores, in_memory
from tests.contract.store_builders import (
    LEASE_END,
    NOON,
    add_campaign,
    assert_totals_are_rows,
    back,
    listed,
    order,
    people,
    release,
    rows,
    sent,
    unknown,
    wish,
)
from tests.fakes.clock import HandClock
from tests.unit.domain.event_builders import event, hard_bounce, opened, soft_bounce

NAMES = ("ann", "bob", "cid")
FROM = [None, *ContactStatus]
few = settings(
    max_examples=12,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
many = settings(few, max_examples=400)
Step = Callable[[Stores, str], object]


def add(name: str) -> Step:
    return lambda stores, one: stores.contacts.add(stores.account, one, people(name))


def remove(name: str) -> Step:
    return lambda stores, one: stores.contacts.remove(stores.account, one, name)


def give_slot(name: str, attempt: int) -> Step:
    return lambda stores, one: stores.contacts.release(stores.account, one, [release(name, attempt=attempt)])


def claim(name: str, attempt: int, token: str) -> Step:
    return lambda stores, one: stores.contacts.claim(
        stores.account, order(stores, one, name, attempt=attempt), token, 1, NOON
    )


def settle(name: str, attempt: int, token: str | None, to: Settlement) -> Step:
    return lambda stores, one: stores.contacts.settle(
        stores.account, order(stores, one, name, attempt=attempt), token, to
    )


def sweep(stores: Stores, one: str) -> None:
    for contact in stores.contacts.overdue(stores.account, one, LEASE_END, 10):
        to = unknown() if contact.claim else back()
        stores.contacts.settle(
            stores.account, order(stores, one, contact.contact_id, attempt=contact.attempt), contact.claim, to
        )


def tell(name: str, attempt: int, told: DeliveryEvent) -> Step:
    def step(stores: Stores, one: str) -> None:
        tags = MessageTags(stores.account, one, name, 1, attempt)
        track(replace(told, tags=tags), TrackPorts(stores.contacts, stores.suppressions, HandClock(NOON)))

    return step


def reopen(token: str) -> Step:
    def step(stores: Stores, one: str) -> None:
        wish(stores, one, token)
        assert stores.contacts.reopen(stores.account, one, rows(stores, one), token, NOON) is not None

    return step


name, attempt, token = st.sampled_from(NAMES), st.integers(0, 2), st.sampled_from(["t1", "t2"])
outcomes = st.sampled_from([sent(), unknown(), listed(), back(), Settlement(ContactStatus.ERROR, NOON)])
told = st.sampled_from(
    [
        event(EventType.SEND, 1),
        event(EventType.DELIVERY, 2),
        soft_bounce(3),
        hard_bounce(3),
        opened(4),
        opened(5, by=Opener.MACHINE),
        event(EventType.COMPLAINT, 6),
        event(EventType.UNSUBSCRIBE, 7),
    ]
)
steps = st.lists(
    st.one_of(
        st.builds(tell, name, attempt, told),
        st.builds(reopen, token),
        st.builds(add, name),
        st.builds(remove, name),
        st.builds(give_slot, name, attempt),
        st.builds(claim, name, attempt, token),
        st.builds(settle, name, attempt, st.one_of(st.none(), token), outcomes),
        st.just(sweep),
    ),
    min_size=10,
    max_size=40,
)


def carry_out(stores: Stores, todo: list[Step]) -> None:
    one = add_campaign(stores, CampaignStatus.IN_PROGRESS)
    stores.contacts.add(stores.account, one, people(*NAMES))
    for step in todo:
        with contextlib.suppress(Conflict, NotFound):
            step(stores, one)
        assert_totals_are_rows(stores, one)


@many
@given(steps)
def test_totals_are_the_rows_in_memory(todo: list[Step]) -> None:
    carry_out(in_memory(), todo)


@few
@given(todo=steps)
def test_totals_are_the_rows_in_dynamodb(dynamodb: Stores, todo: list[Step]) -> None:
    carry_out(dynamodb, todo)


@pytest.mark.parametrize(("came_from", "to"), list(product(FROM, ContactStatus)))
def test_no_move_names_an_attribute_twice(came_from: ContactStatus | None, to: ContactStatus) -> None:
    """DynamoDB: "Two document paths overlap"; the emulator lets it pass."""
    names = [str(action.values[0]) for action in totals_move(came_from, to, 1, dict.fromkeys(PARTS, -1))]
    assert len(set(names)) == len(names)
