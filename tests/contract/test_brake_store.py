"""Contract of ``BrakeStore``, and of pulling and lifting the brakes of lines and campaigns."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from pynamodb.exceptions import UpdateError

from chalicelib.adapters.dynamodb.tables import AcceptedRow, BrakeRow
from chalicelib.domain.brake import WINDOW, Brake, Braked, Counts, HourCounts, Subject, Trouble
from chalicelib.domain.campaign import CampaignStatus
from chalicelib.domain.delivery import Reason
from chalicelib.ports import CampaignStore, LineStore
from tests.contract.conftest import Stores
from tests.contract.losing import client_of, first_call_refused, first_reply_lost, transactions
from tests.contract.store_builders import NOON, add_campaign, campaign, line
from tests.fakes.world import CONTENT

LINE, CAMPAIGN = Subject(Braked.LINE, "one"), Subject(Braked.CAMPAIGN, "one")
HOUR = timedelta(hours=1)
BRAKE = Brake(Reason("bounce_rate", "6 of 100 bounced."), NOON)
SINCE = NOON - WINDOW


def hours(stores: Stores, subject: Subject) -> list[HourCounts]:
    return stores.brakes.hours(stores.account, subject, SINCE)


class TestBrakeStore:
    def test_nothing_is_counted_at_first(self, stores: Stores) -> None:
        assert hours(stores, LINE) == []

    def test_counts_add_up_hour_by_hour(self, stores: Stores) -> None:
        later = NOON + HOUR
        for hour, accepted in ((later, 1), (NOON, 10), (NOON, 5)):
            stores.brakes.count_accepted(stores.account, LINE, hour, accepted)
        stores.brakes.count_trouble(stores.account, [LINE], NOON, Trouble.BOUNCE)
        stores.brakes.count_trouble(stores.account, [LINE], NOON, Trouble.BOUNCE)
        stores.brakes.count_trouble(stores.account, [LINE], later, Trouble.COMPLAINT)
        assert hours(stores, LINE) == [
            HourCounts(NOON, Counts(15, 2, 0)),
            HourCounts(later, Counts(1, 0, 1)),
        ]

    def test_a_trouble_counts_for_all_it_names_and_for_no_other(self, stores: Stores) -> None:
        other = Subject(Braked.LINE, "other")
        stores.brakes.count_trouble(stores.account, [LINE, CAMPAIGN], NOON, Trouble.BOUNCE)
        assert hours(stores, LINE) == hours(stores, CAMPAIGN) == [HourCounts(NOON, Counts(0, 1, 0))]
        assert hours(stores, other) == []
        assert stores.brakes.hours(stores.stranger, LINE, SINCE) == []

    def test_only_the_hours_asked_for_are_read(self, stores: Stores) -> None:
        for ago in range(5):
            stores.brakes.count_accepted(stores.account, LINE, NOON - ago * HOUR, 1)
        found = stores.brakes.hours(stores.account, LINE, NOON - 2 * HOUR)
        assert [item.hour for item in found] == [NOON - 2 * HOUR, NOON - HOUR, NOON]

    def test_what_is_forgotten_is_gone_and_the_rest_stays(self, stores: Stores) -> None:
        for ago in (0, 1, 200):
            stores.brakes.count_trouble(stores.account, [LINE, CAMPAIGN], NOON - ago * HOUR, Trouble.BOUNCE)
        stores.brakes.forget(stores.stranger, LINE)
        stores.brakes.forget(stores.account, LINE)
        assert stores.brakes.hours(stores.account, LINE, NOON - 300 * HOUR) == []
        assert len(hours(stores, CAMPAIGN)) == 2

    def test_counting_at_once_loses_nothing(self, stores: Stores) -> None:
        def count(number: int) -> None:
            if number % 2:
                stores.brakes.count_accepted(stores.account, LINE, NOON, 1)
            else:
                stores.brakes.count_trouble(stores.account, [LINE, CAMPAIGN], NOON, Trouble.BOUNCE)

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(count, range(20)))
        assert hours(stores, LINE) == [HourCounts(NOON, Counts(10, 10, 0))]


class TestLostReplies:
    def test_a_trouble_whose_reply_is_lost_is_counted_once(self, dynamodb: Stores) -> None:
        with first_reply_lost(transactions(), "TransactWriteItems") as calls:
            dynamodb.brakes.count_trouble(dynamodb.account, [LINE, CAMPAIGN], NOON, Trouble.BOUNCE)
        assert len(calls) == 2
        assert hours(dynamodb, LINE) == hours(dynamodb, CAMPAIGN) == [HourCounts(NOON, Counts(0, 1, 0))]

    def test_accepted_messages_whose_reply_is_lost_are_never_counted_twice(self, dynamodb: Stores) -> None:
        with (
            first_reply_lost(client_of(AcceptedRow), "UpdateItem") as calls,
            pytest.raises(UpdateError),
        ):
            dynamodb.brakes.count_accepted(dynamodb.account, LINE, NOON, 10)
        assert len(calls) == 1
        assert hours(dynamodb, LINE) == [HourCounts(NOON, Counts(10, 0, 0))]

    def test_accepted_messages_that_met_a_transaction_are_counted_again(self, dynamodb: Stores) -> None:
        conflict = "TransactionConflictException"
        with first_call_refused(client_of(AcceptedRow), "UpdateItem", conflict) as calls:
            dynamodb.brakes.count_accepted(dynamodb.account, LINE, NOON, 10)
        assert len(calls) == 2
        assert hours(dynamodb, LINE) == [HourCounts(NOON, Counts(10, 0, 0))]

    def test_rows_go_by_themselves_after_the_window(self, dynamodb: Stores) -> None:
        dynamodb.brakes.count_accepted(dynamodb.account, LINE, NOON, 1)
        dynamodb.brakes.count_trouble(dynamodb.account, [CAMPAIGN], NOON, Trouble.BOUNCE)
        for subject in (LINE, CAMPAIGN):
            (row,) = BrakeRow.query(f"{dynamodb.account}#{subject.kind}#{subject.id}")
            assert row.expires_at > NOON + WINDOW + HOUR


def braked(stores: Stores, kind: Braked) -> tuple[LineStore | CampaignStore, str]:
    """A store and the id of what it holds that can be braked."""
    if kind is Braked.CAMPAIGN:
        return stores.campaigns, add_campaign(stores, CampaignStatus.FINISHED)
    stored = line()
    stores.lines.add(stores.account, stored)
    return stores.lines, stored.line_id


@pytest.mark.parametrize("kind", Braked)
class TestPullingAndLifting:
    def test_a_brake_is_pulled_once_and_read_back(self, stores: Stores, kind: Braked) -> None:
        store, one = braked(stores, kind)
        assert store.get(stores.account, one).brake is None
        assert store.pull_brake(stores.account, one, BRAKE, None)
        assert not store.pull_brake(stores.account, one, replace(BRAKE, at=NOON + HOUR), None)
        found = store.get(stores.account, one)
        assert (found.brake, found.brake_lifted_at) == (BRAKE, None)

    def test_of_two_at_once_one_pulls(self, stores: Stores, kind: Braked) -> None:
        store, one = braked(stores, kind)
        with ThreadPoolExecutor(2) as pool:
            pulled = pool.map(lambda _: store.pull_brake(stores.account, one, BRAKE, None), range(2))
            assert sorted(pulled) == [False, True]

    def test_a_lifted_brake_is_gone_and_can_be_pulled_again(self, stores: Stores, kind: Braked) -> None:
        store, one = braked(stores, kind)
        store.pull_brake(stores.account, one, BRAKE, None)
        lifted_at = NOON + timedelta(minutes=1, microseconds=12)
        assert store.lift_brake(stores.account, one, lifted_at)
        found = store.get(stores.account, one)
        assert (found.brake, found.brake_lifted_at) == (None, lifted_at)
        assert not store.pull_brake(stores.account, one, BRAKE, None)
        assert store.pull_brake(stores.account, one, BRAKE, lifted_at)

    def test_a_brake_that_is_not_pulled_is_not_lifted(self, stores: Stores, kind: Braked) -> None:
        store, one = braked(stores, kind)
        assert not store.lift_brake(stores.account, one, NOON)
        assert store.get(stores.account, one).brake_lifted_at is None

    def test_what_is_gone_or_anothers_has_no_brake(self, stores: Stores, kind: Braked) -> None:
        store, one = braked(stores, kind)
        for account, subject in ((stores.stranger, one), (stores.account, "gone")):
            assert not store.pull_brake(account, subject, BRAKE, None)
            assert not store.lift_brake(account, subject, NOON)
        assert store.get(stores.account, one).brake is None


def test_an_edit_and_a_launch_leave_the_brake(stores: Stores) -> None:
    made = campaign(CampaignStatus.PAUSED)
    stores.campaigns.add(stores.account, made, CONTENT)
    stores.campaigns.pull_brake(stores.account, made.campaign_id, BRAKE, None)
    stores.campaigns.save(stores.account, replace(made, name="New", revision=2), None, 1)
    moved = stores.campaigns.move(
        stores.account, made.campaign_id, [CampaignStatus.PAUSED], CampaignStatus.IN_PROGRESS, NOON
    )
    assert moved
    assert stores.campaigns.get(stores.account, made.campaign_id).brake == BRAKE
