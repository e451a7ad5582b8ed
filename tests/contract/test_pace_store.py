"""Contract of ``PaceStore``."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.domain.ledger import Ledger
from chalicelib.domain.schedule import Cursor
from chalicelib.ports import Pace
from tests.contract.conftest import Stores
from tests.contract.store_builders import NOON

LEDGER = Ledger({1: 2}, {3: 4}, {5: 6}, {7: 8})
CURSOR = Cursor(NOON, 3, 1)


def taken(pace: Pace, cursor: Cursor = CURSOR) -> Pace:
    return replace(pace, cursor=cursor, ledgers=dict.fromkeys(pace.ledgers, LEDGER))


def fails(stores: Stores, at: datetime) -> int | None:
    """The line fails once and rests for a minute."""
    return stores.pace.line_failed(stores.account, "l1", at, at + timedelta(minutes=1))


class TestPaceStore:
    def test_what_nobody_has_paced_yet_is_new(self, stores: Stores) -> None:
        pace = stores.pace.load(stores.account, "c1", ["l1", "l2"])
        assert pace.cursor == Cursor()
        assert pace.ledgers == {"l1": Ledger(), "l2": Ledger()}
        assert pace.resting_until == {}

    def test_a_reservation_is_remembered(self, stores: Stores) -> None:
        pace = stores.pace.load(stores.account, "c1", ["l1"])
        assert stores.pace.reserve(stores.account, "c1", taken(pace))
        again = stores.pace.load(stores.account, "c1", ["l1"])
        assert (again.cursor, again.ledgers) == (CURSOR, {"l1": LEDGER})
        assert stores.pace.reserve(stores.account, "c1", taken(again, Cursor()))
        assert stores.pace.load(stores.account, "c1", ["l1"]).cursor == Cursor()

    def test_who_comes_second_reserves_nothing(self, stores: Stores) -> None:
        for _ in range(2):  # first with rows that are not there yet, then with rows that are
            pace = stores.pace.load(stores.account, "c1", ["l1"])
            assert stores.pace.reserve(stores.account, "c1", taken(pace))
            assert not stores.pace.reserve(stores.account, "c1", taken(pace, Cursor(None, 99, 0)))
            assert stores.pace.load(stores.account, "c1", ["l1"]).cursor == CURSOR

    def test_another_campaign_of_the_same_line_counts(self, stores: Stores) -> None:
        first = stores.pace.load(stores.account, "c1", ["l1", "l2"])
        second = stores.pace.load(stores.account, "c2", ["l2", "l3"])
        assert stores.pace.reserve(stores.account, "c1", taken(first))
        assert not stores.pace.reserve(stores.account, "c2", taken(second))
        untouched = stores.pace.load(stores.account, "c2", ["l3"])
        assert (untouched.cursor, untouched.ledgers["l3"]) == (Cursor(), Ledger())

    def test_of_two_dispatchers_at_once_one_reserves(self, stores: Stores) -> None:
        pace = stores.pace.load(stores.account, "c1", ["l1"])
        with ThreadPoolExecutor(2) as pool:
            won = list(pool.map(lambda _: stores.pace.reserve(stores.account, "c1", taken(pace)), range(2)))
        assert sorted(won) == [False, True]

    def test_failures_in_a_row_are_counted_until_the_line_works(self, stores: Stores) -> None:
        assert [fails(stores, NOON + timedelta(minutes=m)) for m in range(3)] == [1, 2, 3]
        stores.pace.rest_line(stores.account, "l1", NOON + timedelta(minutes=5))
        stores.pace.line_worked(stores.account, "l1")
        assert stores.pace.load(stores.account, "c1", ["l1"]).resting_until == {}
        assert fails(stores, NOON) == 1

    def test_one_failure_that_many_senders_meet_is_counted_once(self, stores: Stores) -> None:
        assert [fails(stores, NOON) for _ in range(3)] == [1, None, None]
        rest = stores.pace.load(stores.account, "c1", ["l1"]).resting_until
        assert rest == {"l1": NOON + timedelta(minutes=1)}
        assert fails(stores, NOON + timedelta(minutes=1)) == 2

    def test_failures_long_ago_are_not_in_a_row(self, stores: Stores) -> None:
        assert fails(stores, NOON) == 1
        assert fails(stores, NOON + timedelta(minutes=29)) == 2
        assert fails(stores, NOON + timedelta(hours=1)) == 1

    def test_a_line_rests_and_its_ledger_stays(self, stores: Stores) -> None:
        until = NOON + timedelta(minutes=5)
        stores.pace.rest_line(stores.account, "l1", until)
        pace = stores.pace.load(stores.account, "c1", ["l1"])
        assert pace.resting_until == {"l1": until}
        assert stores.pace.reserve(stores.account, "c1", taken(pace))
        assert stores.pace.load(stores.account, "c1", ["l1"]).resting_until == {"l1": until}

    def test_another_account_has_its_own_pace(self, stores: Stores) -> None:
        stores.pace.reserve(stores.account, "c1", taken(stores.pace.load(stores.account, "c1", ["l1"])))
        stores.pace.rest_line(stores.account, "l1", NOON)
        fails(stores, NOON)
        foreign = stores.pace.load(stores.stranger, "c1", ["l1"])
        assert (foreign.cursor, foreign.ledgers, foreign.resting_until) == (Cursor(), {"l1": Ledger()}, {})
        assert stores.pace.line_failed(stores.stranger, "l1", NOON, NOON) == 1
        stores.pace.forget(stores.stranger, "c1")
        stores.pace.forget_line(stores.stranger, "l1")
        assert stores.pace.load(stores.account, "c1", ["l1"]).cursor == CURSOR

    def test_a_forgotten_campaign_leaves_the_ledgers_of_its_lines(self, stores: Stores) -> None:
        stores.pace.reserve(stores.account, "c1", taken(stores.pace.load(stores.account, "c1", ["l1"])))
        stores.pace.forget(stores.account, "c1")
        pace = stores.pace.load(stores.account, "c1", ["l1"])
        assert (pace.cursor, pace.ledgers) == (Cursor(), {"l1": LEDGER})
        stores.pace.forget_line(stores.account, "l1")
        assert stores.pace.load(stores.account, "c1", ["l1"]).ledgers == {"l1": Ledger()}
