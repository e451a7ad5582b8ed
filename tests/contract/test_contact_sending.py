"""Contract of ``ContactStore``: release, claim, settle. Each is a promise that somebody relies on."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.campaign import CampaignStatus
from chalicelib.domain.contact import ContactStatus
from chalicelib.domain.delivery import Reason, Stage
from chalicelib.ports import SendOrder, Settlement
from tests.contract.conftest import Stores
from tests.contract.store_builders import (
    BUSY,
    LEASE_END,
    NOON,
    UNKNOWN,
    add_campaign,
    assert_totals_are_rows,
    back,
    listed,
    order,
    pending,
    people,
    release,
    rows,
    sent,
    unknown,
    wish,
)

NOT_SENT, PENDING, SENT, ERROR = (
    ContactStatus.NOT_SENT,
    ContactStatus.PENDING,
    ContactStatus.SENT,
    ContactStatus.ERROR,
)
REFUSED = Settlement(
    ERROR, NOON, Reason("mailbox_unknown", "No such mailbox.", Stage.RCPT, 550, "5.1.1", "no")
)
SECOND = timedelta(seconds=1)


def status(stores: Stores, campaign_id: str, contact: str = "ann") -> ContactStatus:
    return stores.contacts.get(stores.account, campaign_id, contact).status


def claimed(stores: Stores, *names: str) -> str:
    """The id of a campaign whose contacts are claimed, each with its own name as token."""
    one = pending(stores, *names)
    for name in names:
        assert stores.contacts.claim(stores.account, order(stores, one, name), name, 1, NOON)
    return one


class TestRelease:
    def test_a_released_contact_has_slot_line_lease_and_the_next_attempt(self, stores: Stores) -> None:
        one = pending(stores, "ann")
        found = stores.contacts.get(stores.account, one, "ann")
        assert (found.status, found.attempt, found.line_id, found.claim, found.due) == (
            PENDING,
            1,
            "line1",
            None,
            None,
        )
        assert (found.slot_at, found.lease_until) == (NOON, LEASE_END)
        assert_totals_are_rows(stores, one)

    def test_who_was_released_does_not_wait_any_more(self, stores: Stores) -> None:
        one = pending(stores, "ann")
        assert stores.contacts.waiting(stores.account, one, NOON + timedelta(days=1), 10) == []
        for attempt in (0, 1):
            assert stores.contacts.release(stores.account, one, [release("ann", attempt=attempt)]) == []
        assert stores.contacts.get(stores.account, one, "ann").attempt == 1

    @pytest.mark.parametrize("change", [{"generation": 2}, {"attempt": 1}])
    def test_a_contact_that_moved_on_is_not_released(self, stores: Stores, change: dict[str, int]) -> None:
        one = add_campaign(stores)
        stores.contacts.add(stores.account, one, people("ann", "bob"))
        released = stores.contacts.release(
            stores.account, one, [release("ann", **change), release("nobody"), release("bob")]
        )
        assert [item.contact_id for item in released] == ["bob"]
        assert status(stores, one) is NOT_SENT
        assert len(rows(stores, one)) == 2
        assert_totals_are_rows(stores, one)

    @pytest.mark.parametrize("campaign_status", [CampaignStatus.PAUSED, CampaignStatus.DELETING])
    def test_nobody_is_released_unless_the_campaign_runs(
        self, stores: Stores, campaign_status: CampaignStatus
    ) -> None:
        one = add_campaign(stores)
        stores.contacts.add(stores.account, one, people("ann"))
        stores.campaigns.move(stores.account, one, [CampaignStatus.IN_PROGRESS], campaign_status, NOON)
        assert stores.contacts.release(stores.account, one, [release("ann")]) == []
        assert status(stores, one) is NOT_SENT

    def test_more_than_one_transaction_carries_are_released(self, stores: Stores) -> None:
        names = [f"p{number:03d}" for number in range(100)]
        assert assert_totals_are_rows(stores, pending(stores, *names)).by_status[PENDING] == 100

    def test_two_dispatchers_release_a_contact_once(self, stores: Stores) -> None:
        one = add_campaign(stores)
        names = [f"p{number}" for number in range(10)]
        stores.contacts.add(stores.account, one, people(*names))
        releases = [release(name) for name in names]
        with ThreadPoolExecutor(2) as pool:
            both = list(pool.map(lambda _: stores.contacts.release(stores.account, one, releases), range(2)))
        assert sorted(item.contact_id for item in both[0] + both[1]) == names
        assert_totals_are_rows(stores, one)

    def test_a_lease_that_ran_out_is_found(self, stores: Stores) -> None:
        one = pending(stores, "ann", "bob")
        stores.contacts.claim(stores.account, order(stores, one, "ann"), "t", 1, NOON)
        assert stores.contacts.overdue(stores.account, one, LEASE_END - SECOND, 10) == []
        found = stores.contacts.overdue(stores.account, one, LEASE_END, 10)
        assert {contact.contact_id: contact.claim for contact in found} == {"ann": "t", "bob": None}
        assert len(stores.contacts.overdue(stores.account, one, LEASE_END, 1)) == 1

    def test_the_unclaimed_are_found(self, stores: Stores) -> None:
        one = pending(stores, "ann", "bob")
        stores.contacts.claim(stores.account, order(stores, one, "ann"), "t", 1, NOON)
        (found,) = stores.contacts.pending(stores.account, one, 10)
        assert (found.contact_id, found.slot_at, found.line_id) == ("bob", NOON, "line1")


class TestClaim:
    def test_a_claim_returns_the_whole_contact(self, stores: Stores) -> None:
        one = pending(stores, "ann")
        contact = stores.contacts.claim(stores.account, order(stores, one, "ann"), "t", 7, NOON)
        assert contact == stores.contacts.get(stores.account, one, "ann")
        assert contact is not None
        assert (contact.claim, contact.content_version, contact.status) == ("t", 7, PENDING)
        assert contact.person.first_name == "ann"
        assert_totals_are_rows(stores, one)

    def test_only_the_first_claim_succeeds(self, stores: Stores) -> None:
        one = claimed(stores, "ann")
        assert stores.contacts.claim(stores.account, order(stores, one, "ann"), "second", 1, NOON) is None
        assert stores.contacts.get(stores.account, one, "ann").claim == "ann"

    def test_of_many_at_the_same_time_one_wins(self, stores: Stores) -> None:
        one = pending(stores, "ann")
        wanted = order(stores, one, "ann")
        with ThreadPoolExecutor(4) as pool:
            won = list(
                pool.map(lambda n: stores.contacts.claim(stores.account, wanted, f"t{n}", 1, NOON), range(8))
            )
        (winner,) = [contact for contact in won if contact]
        assert stores.contacts.get(stores.account, one, "ann").claim == winner.claim

    @pytest.mark.parametrize("change", [{"generation": 2}, {"attempt": 2}, {"attempt": 0}])
    def test_an_order_of_another_release_claims_nothing(self, stores: Stores, change: dict[str, int]) -> None:
        one = pending(stores, "ann")
        assert (
            stores.contacts.claim(stores.account, order(stores, one, "ann", **change), "t", 1, NOON) is None
        )
        assert stores.contacts.get(stores.account, one, "ann").claim is None

    def test_nothing_is_claimed_when_the_lease_is_over(self, stores: Stores) -> None:
        one = pending(stores, "ann")
        wanted = order(stores, one, "ann")
        assert stores.contacts.claim(stores.account, wanted, "t", 1, LEASE_END) is None
        assert stores.contacts.claim(stores.account, wanted, "t", 1, LEASE_END - SECOND) is not None

    def test_who_is_not_pending_is_not_claimed(self, stores: Stores) -> None:
        one = pending(stores, "ann")
        wanted = order(stores, one, "ann")
        stores.contacts.settle(stores.account, wanted, None, back())
        assert stores.contacts.claim(stores.account, wanted, "t", 1, NOON) is None
        assert stores.contacts.claim(stores.account, order(stores, one, "nobody"), "t", 1, NOON) is None
        assert len(rows(stores, one)) == 1

    def test_an_order_of_another_account_claims_nothing(self, stores: Stores) -> None:
        one = pending(stores, "ann")
        foreign = replace(order(stores, one, "ann"), account_id=stores.stranger)
        assert stores.contacts.claim(stores.stranger, foreign, "t", 1, NOON) is None
        assert not stores.contacts.settle(stores.stranger, foreign, None, sent())
        assert stores.contacts.get(stores.account, one, "ann").claim is None


class TestSettle:
    def test_sent(self, stores: Stores) -> None:
        one = claimed(stores, "ann")
        assert stores.contacts.settle(stores.account, order(stores, one, "ann"), "ann", sent())
        found = stores.contacts.get(stores.account, one, "ann")
        assert (found.status, found.sent_at, found.reason, found.lease_until) == (SENT, NOON, None, None)
        assert stores.contacts.overdue(stores.account, one, LEASE_END, 10) == []
        assert_totals_are_rows(stores, one)

    def test_refused(self, stores: Stores) -> None:
        one = claimed(stores, "ann")
        assert stores.contacts.settle(stores.account, order(stores, one, "ann"), "ann", REFUSED)
        found = stores.contacts.get(stores.account, one, "ann")
        assert (found.status, found.reason, found.sent_at) == (ERROR, REFUSED.reason, None)
        assert assert_totals_are_rows(stores, one).unknown == 0

    def test_unknown_is_an_error_that_is_counted_apart(self, stores: Stores) -> None:
        one = claimed(stores, "ann")
        assert stores.contacts.settle(stores.account, order(stores, one, "ann"), "ann", unknown())
        found = stores.contacts.get(stores.account, one, "ann")
        assert (found.status, found.reason, found.sent_at, found.outcome_unknown) == (
            ERROR,
            UNKNOWN,
            NOON,
            True,
        )
        totals = assert_totals_are_rows(stores, one)
        assert (totals.by_status[ERROR], totals.unknown) == (1, 1)

    def test_back_to_not_sent_until_due(self, stores: Stores) -> None:
        one = claimed(stores, "ann")
        assert stores.contacts.settle(stores.account, order(stores, one, "ann"), "ann", back(5, failures=1))
        found = stores.contacts.get(stores.account, one, "ann")
        assert (found.status, found.claim, found.lease_until, found.slot_at) == (NOT_SENT, None, None, None)
        assert (found.failures, found.reason, found.attempt) == (1, BUSY, 1)
        assert found.due == NOON + timedelta(minutes=5)
        before, after = NOON + timedelta(minutes=4), NOON + timedelta(minutes=6)
        assert stores.contacts.waiting(stores.account, one, before, 10) == []
        (waiting,) = stores.contacts.waiting(stores.account, one, after, 10)
        assert (waiting.contact_id, waiting.generation, waiting.attempt) == ("ann", 1, 1)
        assert_totals_are_rows(stores, one)

    def test_going_back_without_news_keeps_failures_and_reason(self, stores: Stores) -> None:
        one = claimed(stores, "ann")
        stores.contacts.settle(stores.account, order(stores, one, "ann"), "ann", back(0, failures=3))
        stores.contacts.release(stores.account, one, [release("ann", attempt=1)])
        again = order(stores, one, "ann", attempt=2)
        assert stores.contacts.settle(stores.account, again, None, Settlement(NOT_SENT, NOON))
        found = stores.contacts.get(stores.account, one, "ann")
        assert (found.failures, found.reason) == (3, BUSY)

    @pytest.mark.parametrize("token", ["another", None])
    def test_only_the_holder_of_the_claim_settles(self, stores: Stores, token: str | None) -> None:
        one = claimed(stores, "ann")
        for settlement in (sent(), REFUSED, unknown(), back()):
            assert not stores.contacts.settle(stores.account, order(stores, one, "ann"), token, settlement)
        assert status(stores, one) is PENDING
        assert_totals_are_rows(stores, one)

    def test_a_token_does_not_settle_what_nobody_claimed(self, stores: Stores) -> None:
        one = pending(stores, "ann")
        assert not stores.contacts.settle(stores.account, order(stores, one, "ann"), "t", sent())
        assert status(stores, one) is PENDING

    @pytest.mark.parametrize("first", [sent(), REFUSED, unknown(), back()])
    def test_nothing_is_settled_twice(self, stores: Stores, first: Settlement) -> None:
        one = claimed(stores, "ann")
        wanted = order(stores, one, "ann")
        assert stores.contacts.settle(stores.account, wanted, "ann", first)
        assert not stores.contacts.settle(stores.account, wanted, "ann", back())
        assert not stores.contacts.settle(stores.account, wanted, None, back())
        assert status(stores, one) is first.status
        assert_totals_are_rows(stores, one)

    @pytest.mark.parametrize("change", [{"generation": 2}, {"attempt": 2}])
    def test_an_order_of_another_release_settles_nothing(
        self, stores: Stores, change: dict[str, int]
    ) -> None:
        one = pending(stores, "ann")
        assert not stores.contacts.settle(stores.account, order(stores, one, "ann", **change), None, back())
        assert status(stores, one) is PENDING

    @pytest.mark.parametrize("evidence", [sent(), REFUSED, unknown()])
    def test_evidence_heals_what_the_sweeper_called_unknown(
        self, stores: Stores, evidence: Settlement
    ) -> None:
        one = claimed(stores, "ann")
        wanted = order(stores, one, "ann")
        assert stores.contacts.settle(stores.account, wanted, "ann", unknown())
        assert stores.contacts.settle(stores.account, wanted, "ann", evidence)
        found = stores.contacts.get(stores.account, one, "ann")
        assert (found.status, found.reason) == (evidence.status, evidence.reason)
        assert assert_totals_are_rows(stores, one).unknown == (evidence == unknown())

    def test_only_its_own_sender_heals_an_unknown(self, stores: Stores) -> None:
        one = claimed(stores, "ann")
        wanted: SendOrder = order(stores, one, "ann")
        stores.contacts.settle(stores.account, wanted, "ann", unknown())
        assert not stores.contacts.settle(stores.account, wanted, "another", sent())
        assert not stores.contacts.settle(stores.account, wanted, "ann", back())
        assert status(stores, one) is ERROR

    def test_what_is_certain_is_not_changed_by_late_evidence(self, stores: Stores) -> None:
        one = claimed(stores, "ann")
        wanted = order(stores, one, "ann")
        stores.contacts.settle(stores.account, wanted, "ann", REFUSED)
        assert not stores.contacts.settle(stores.account, wanted, "ann", sent())
        assert status(stores, one) is ERROR


class TestReopen:
    """Error → Not sent in a new generation: the only way back, and only because a person asked."""

    def in_error(self, stores: Stores, *names: str, to: Settlement = REFUSED) -> str:
        one = claimed(stores, *names)
        for name in names:
            stores.contacts.settle(stores.account, order(stores, one, name), name, to)
        return one

    def reopen(self, stores: Stores, campaign_id: str, token: str = "wish") -> int | None:
        wish(stores, campaign_id, token)
        return stores.contacts.reopen(
            stores.account, campaign_id, rows(stores, campaign_id), token, NOON + timedelta(hours=1)
        )

    @pytest.mark.parametrize("to", [REFUSED, unknown(), listed()])
    def test_a_reopened_contact_waits_in_a_new_generation_in_which_nothing_happened(
        self, stores: Stores, to: Settlement
    ) -> None:
        one = self.in_error(stores, "ann", to=to)
        assert self.reopen(stores, one) == 1
        found = stores.contacts.get(stores.account, one, "ann")
        assert (found.status, found.generation, found.failures) == (NOT_SENT, 2, 0)
        assert (found.claim, found.reason, found.sent_at, found.slot_at) == (None, None, None, None)
        assert found.due == NOON + timedelta(hours=1)
        totals = assert_totals_are_rows(stores, one)
        assert (totals.unknown, totals.suppressed) == (0, 0)
        late = order(stores, one, "ann")
        assert stores.contacts.claim(stores.account, late, "late", 1, NOON) is None
        assert not stores.contacts.settle(stores.account, late, "ann", sent())
        (waiting,) = stores.contacts.waiting(stores.account, one, NOON + timedelta(hours=2), 10)
        assert waiting.generation == 2

    def test_a_wish_reopens_nobody_twice(self, stores: Stores) -> None:
        one = self.in_error(stores, "ann", "bob")
        stale = rows(stores, one)
        assert self.reopen(stores, one) == 2
        assert stores.contacts.reopen(stores.account, one, stale, "wish", NOON) == 0
        for name in ("ann", "bob"):
            again = order(stores, one, name, generation=2, attempt=2)
            stores.contacts.release(stores.account, one, [release(name, generation=2, attempt=1)])
            stores.contacts.claim(stores.account, again, name, 1, NOON)
            stores.contacts.settle(stores.account, again, name, REFUSED)
        assert self.reopen(stores, one) == 0
        wish(stores, one, "a new wish")
        assert stores.contacts.reopen(stores.account, one, stale, "a new wish", NOON) == 0
        assert self.reopen(stores, one, "a new wish") == 2
        assert_totals_are_rows(stores, one)

    def test_only_error_is_reopened_and_only_while_the_campaign_runs(self, stores: Stores) -> None:
        one = claimed(stores, "ann")
        stores.contacts.add(stores.account, one, people("bob"))
        assert self.reopen(stores, one) == 0
        stores.contacts.settle(stores.account, order(stores, one, "ann"), "ann", REFUSED)
        assert stores.contacts.reopen(stores.stranger, one, rows(stores, one), "wish", NOON) is None
        stores.campaigns.move(stores.account, one, [CampaignStatus.IN_PROGRESS], CampaignStatus.PAUSED, NOON)
        assert stores.contacts.reopen(stores.account, one, rows(stores, one), "wish", NOON) is None
        assert status(stores, one) is ERROR

    def test_only_the_wish_that_the_campaign_has_reopens(self, stores: Stores) -> None:
        one = self.in_error(stores, "ann")
        seen = rows(stores, one)
        assert stores.contacts.reopen(stores.account, one, seen, "never", NOON) is None
        wish(stores, one, "first")
        wish(stores, one, "second")
        assert stores.contacts.reopen(stores.account, one, seen, "first", NOON) is None
        stores.campaigns.drop_resend(stores.account, one)
        assert stores.contacts.reopen(stores.account, one, seen, "second", NOON) is None
        assert status(stores, one) is ERROR

    @pytest.mark.parametrize("evidence", [REFUSED, listed()])
    def test_evidence_that_comes_between_reading_and_reopening_does_not_upset_the_totals(
        self, stores: Stores, evidence: Settlement
    ) -> None:
        one = self.in_error(stores, "ann", to=unknown())
        seen = rows(stores, one)
        stores.contacts.settle(stores.account, order(stores, one, "ann"), "ann", evidence)
        wish(stores, one)
        stores.contacts.reopen(stores.account, one, seen, "wish", NOON)
        assert_totals_are_rows(stores, one)
