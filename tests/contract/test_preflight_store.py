"""Contract of ``PreflightStore``."""

import pytest

from chalicelib.domain.delivery import Reason
from chalicelib.domain.job import JobState
from chalicelib.domain.preflight import Missing, Preflight
from chalicelib.errors import NotFound
from tests.contract.conftest import Stores
from tests.contract.store_builders import NOON, new_id

WHY = Reason("gave_up", "It was tried several times.")
FOUND = (
    Missing("Город", 37, ("subject", "text"), "c1", "Hi “x”,\\ your 👍"),
    Missing("P2", 1, ("html",), "c2", ""),
)


def asked(stores: Stores, campaign_id: str = "c1", version: int = 1) -> Preflight:
    wish = Preflight(new_id(), campaign_id, version, JobState.QUEUED, NOON)
    stores.preflights.ask(stores.account, wish)
    return wish


class TestPreflightStore:
    def test_it_runs_counts_and_is_done(self, stores: Stores) -> None:
        wish = asked(stores)
        assert stores.preflights.get(stores.account, "c1") == wish
        assert stores.preflights.progress(stores.account, "c1", wish.preflight_id, 7)
        running = stores.preflights.get(stores.account, "c1")
        assert (running.state, running.checked) == (JobState.RUNNING, 7)
        stores.preflights.finish(stores.account, "c1", wish.preflight_id, 9, FOUND, NOON)
        done = stores.preflights.get(stores.account, "c1")
        assert (done.state, done.checked, done.missing, done.finished_at) == (JobState.DONE, 9, FOUND, NOON)

    def test_what_is_over_or_replaced_stays_as_it_is(self, stores: Stores) -> None:
        done = asked(stores)
        stores.preflights.finish(stores.account, "c1", done.preflight_id, 2, FOUND, NOON)
        failed = asked(stores, "c2")
        stores.preflights.fail(stores.account, "c2", failed.preflight_id, WHY, NOON)
        assert stores.preflights.get(stores.account, "c2").reason == WHY
        replaced, current = asked(stores, "c3"), asked(stores, "c3", 2)
        for campaign, late in (("c1", done), ("c2", failed), ("c3", replaced)):
            before = stores.preflights.get(stores.account, campaign)
            assert not stores.preflights.progress(stores.account, campaign, late.preflight_id, 3)
            stores.preflights.finish(stores.account, campaign, late.preflight_id, 3, (), NOON)
            stores.preflights.fail(stores.account, campaign, late.preflight_id, WHY, NOON)
            assert stores.preflights.get(stores.account, campaign) == before
        assert stores.preflights.get(stores.account, "c3") == current

    def test_a_new_wish_shows_nothing_of_the_last_one(self, stores: Stores) -> None:
        first = asked(stores)
        stores.preflights.finish(stores.account, "c1", first.preflight_id, 2, FOUND, NOON)
        assert stores.preflights.get(stores.account, asked(stores).campaign_id).missing == ()

    def test_another_accounts_is_not_there(self, stores: Stores) -> None:
        wish = asked(stores)
        with pytest.raises(NotFound):
            stores.preflights.get(stores.stranger, "c1")
        assert not stores.preflights.progress(stores.stranger, "c1", wish.preflight_id, 3)
        stores.preflights.fail(stores.stranger, "c1", wish.preflight_id, WHY, NOON)
        stores.preflights.remove(stores.stranger, "c1")
        assert stores.preflights.get(stores.account, "c1") == wish

    def test_no_late_write_brings_a_removed_one_back(self, stores: Stores) -> None:
        wish = asked(stores)
        for _ in range(2):
            stores.preflights.remove(stores.account, "c1")
        assert not stores.preflights.progress(stores.account, "c1", wish.preflight_id, 3)
        stores.preflights.finish(stores.account, "c1", wish.preflight_id, 3, FOUND, NOON)
        stores.preflights.fail(stores.account, "c1", wish.preflight_id, WHY, NOON)
        with pytest.raises(NotFound):
            stores.preflights.get(stores.account, "c1")
