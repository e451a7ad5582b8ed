"""The store of test messages: claimed once, counted by the hour, nobody else's."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.contact import Person
from chalicelib.domain.sample import ORDER_LIVES, Sample, SampleState
from chalicelib.errors import NotFound
from chalicelib.ports import SampleStore
from tests.contract.conftest import Stores
from tests.contract.store_builders import BUSY, new_id
from tests.fakes.clock import MONDAY_NOON as NOON

ADA = Person("ada@mail.example", "Ada", extra=(("town", "York"),))


def add(store: SampleStore, account: str, campaign_id: str = "c1") -> Sample:
    sample = Sample(new_id(), campaign_id, "line1", "me@shop.example", "contact1", ADA, 3, NOON)
    store.add(account, sample)
    return sample


class TestSampleStore:
    def test_it_is_read_as_it_was_stored_and_by_nobody_else(self, stores: Stores) -> None:
        sample = add(stores.samples, stores.account)
        assert stores.samples.get(stores.account, sample.sample_id) == sample
        with pytest.raises(NotFound):
            stores.samples.get(stores.stranger, sample.sample_id)
        assert not stores.samples.claim(stores.stranger, sample.sample_id, "token", NOON)
        assert stores.samples.get(stores.account, sample.sample_id) == sample

    def test_it_is_claimed_once(self, stores: Stores) -> None:
        sample = add(stores.samples, stores.account)
        assert stores.samples.claim(stores.account, sample.sample_id, "token", NOON)
        assert not stores.samples.claim(stores.account, sample.sample_id, "another", NOON)

    def test_a_claim_whose_answer_was_lost_holds_until_it_is_settled(self, stores: Stores) -> None:
        sample = add(stores.samples, stores.account)
        key = stores.account, sample.sample_id
        assert stores.samples.claim(*key, "token", NOON)
        assert stores.samples.claim(*key, "token", NOON)
        stores.samples.settle(*key, SampleState.SENT, None, "id", NOON)
        assert not stores.samples.claim(*key, "token", NOON)

    def test_an_old_one_is_not_claimed(self, stores: Stores) -> None:
        sample = add(stores.samples, stores.account)
        late = NOON + ORDER_LIVES + timedelta(seconds=1)
        assert not stores.samples.claim(stores.account, sample.sample_id, "token", late)

    def test_only_a_claimed_one_is_settled_and_once(self, stores: Stores) -> None:
        sample = add(stores.samples, stores.account)
        key = stores.account, sample.sample_id
        stores.samples.settle(*key, SampleState.SENT, None, "id1", NOON)
        assert stores.samples.get(*key) == sample
        stores.samples.claim(*key, "token", NOON)
        stores.samples.settle(*key, SampleState.FAILED, BUSY, None, NOON)
        stores.samples.settle(*key, SampleState.SENT, None, "id1", NOON)
        failed = replace(sample, state=SampleState.FAILED, claimed_at=NOON, finished_at=NOON, reason=BUSY)
        assert stores.samples.get(*key) == failed

    def test_so_many_are_counted_an_hour_in_each_account(self, stores: Stores) -> None:
        assert [stores.samples.count(stores.account, NOON, 2) for _ in range(3)] == [True, True, False]
        assert stores.samples.count(stores.stranger, NOON, 2)
        assert stores.samples.count(stores.account, NOON + timedelta(hours=1), 2)

    def test_the_count_is_no_test_message(self, stores: Stores) -> None:
        stores.samples.count(stores.account, NOON, 2)
        with pytest.raises(NotFound):
            stores.samples.get(stores.account, f"hour#{NOON:%Y-%m-%dT%H}")

    def test_a_purge_removes_one_campaigns_and_no_late_write_brings_them_back(self, stores: Stores) -> None:
        gone, kept = add(stores.samples, stores.account, "c1"), add(stores.samples, stores.account, "c2")
        stores.samples.claim(stores.account, gone.sample_id, "token", NOON)
        stores.samples.purge(stores.account, "c1")
        stores.samples.settle(stores.account, gone.sample_id, SampleState.SENT, None, None, NOON)
        with pytest.raises(NotFound):
            stores.samples.get(stores.account, gone.sample_id)
        assert stores.samples.get(stores.account, kept.sample_id) == kept
