"""Contract of ``SuppressionStore``, and its adapter when DynamoDB is busy, or answers late or in parts."""

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest
from pynamodb.exceptions import PynamoDBException

from chalicelib.adapters.dynamodb import reading, suppressions
from chalicelib.adapters.dynamodb.tables import SuppressionRow
from chalicelib.domain.job import SUPPRESSION_LIST, ImportProgress
from chalicelib.domain.suppression import Suppression, SuppressionReason
from chalicelib.errors import Invalid, NotFound, Outdated
from tests.contract.conftest import Stores
from tests.contract.losing import (
    client_of,
    first_call_refused,
    first_reply_lost,
    keys_left_unprocessed,
    transactions,
)
from tests.contract.store_builders import NOON, import_job

UNSUBSCRIBED, BOUNCED, COMPLAINED, ADDED = SuppressionReason


def suppressed(
    name: str = "ann", reason: SuppressionReason = BOUNCED, minutes: int = 0, campaign_id: str | None = None
) -> Suppression:
    key = f"{name}@mail.example"
    return Suppression(key, key.title(), reason, NOON + timedelta(minutes=minutes), campaign_id)


def entry(stores: Stores, name: str = "ann") -> Suppression:
    key = f"{name}@mail.example"
    return stores.suppressions.find(stores.account, [key])[key]


def names(stores: Stores, limit: int = 2, **filters: object) -> list[str]:
    """The names on all pages; each page but the last leads on."""
    seen, cursor = [], None
    for _ in range(100):
        page = stores.suppressions.page(stores.account, cursor, limit, **filters)  # type: ignore[arg-type]
        assert len(page.items) <= limit
        seen += [one.key.partition("@")[0] for one in page.items]
        cursor = page.cursor
        if cursor is None:
            return seen
    raise AssertionError("the list has no end")


class TestSuppressionStore:
    def test_an_address_is_found_as_it_was_added(self, stores: Stores) -> None:
        ann = suppressed(reason=UNSUBSCRIBED, campaign_id="c1")
        assert stores.suppressions.add(stores.account, [ann]) == 1
        found = stores.suppressions.find(stores.account, ["ann@mail.example", "bob@mail.example"])
        assert found == {"ann@mail.example": ann}

    def test_nothing_is_found_of_nothing(self, stores: Stores) -> None:
        assert stores.suppressions.find(stores.account, []) == {}
        assert stores.suppressions.add(stores.account, []) == 0

    def test_another_accounts_list_is_not_there(self, stores: Stores) -> None:
        stores.suppressions.add(stores.account, [suppressed()])
        assert stores.suppressions.find(stores.stranger, ["ann@mail.example"]) == {}
        assert stores.suppressions.page(stores.stranger, None, 10).items == []
        with pytest.raises(NotFound):
            stores.suppressions.remove(stores.stranger, "ann@mail.example")
        assert entry(stores) == suppressed()

    def test_many_are_added_and_found_at_once_and_counted_once(self, stores: Stores) -> None:
        many = [suppressed(f"n{number:03}") for number in range(205)]
        stores.suppressions.add(stores.account, many[::7])
        assert stores.suppressions.add(stores.account, many + many) == len(many) - len(many[::7])
        keys = [one.key for one in many]
        assert stores.suppressions.find(stores.account, keys + keys) == {one.key: one for one in many}

    def test_the_first_reason_stays_and_a_later_one_is_kept_beside_it(self, stores: Stores) -> None:
        first, later = suppressed(reason=UNSUBSCRIBED), suppressed(reason=COMPLAINED, minutes=5)
        assert stores.suppressions.add(stores.account, [first]) == 1
        assert stores.suppressions.add(stores.account, [later]) == 0
        found = entry(stores)
        assert (found.reason, found.added_at, found.also) == (UNSUBSCRIBED, NOON, {COMPLAINED})

    def test_the_order_of_arrival_makes_no_difference(self, stores: Stores) -> None:
        events = [
            suppressed(reason=UNSUBSCRIBED, minutes=3, campaign_id="c1"),
            suppressed(reason=COMPLAINED, minutes=2, campaign_id="c2"),
            suppressed(reason=BOUNCED, minutes=2),
            suppressed(reason=UNSUBSCRIBED, minutes=1),
        ]
        ends = set()
        for order in itertools.permutations(events):
            for one in order:
                stores.suppressions.add(stores.account, [one])
            ends.add(entry(stores))
            stores.suppressions.remove(stores.account, "ann@mail.example")
        stores.suppressions.add(stores.account, events)
        (end,) = ends | {entry(stores)}
        assert (end.reason, end.added_at) == (UNSUBSCRIBED, NOON + timedelta(minutes=1))
        assert end.also == {COMPLAINED, BOUNCED}

    def test_who_was_removed_is_written_to_again_and_may_come_back(self, stores: Stores) -> None:
        stores.suppressions.add(stores.account, [suppressed(reason=UNSUBSCRIBED)])
        stores.suppressions.remove(stores.account, "ann@mail.example")
        assert stores.suppressions.find(stores.account, ["ann@mail.example"]) == {}
        with pytest.raises(NotFound):
            stores.suppressions.remove(stores.account, "ann@mail.example")
        assert stores.suppressions.add(stores.account, [suppressed(minutes=9)]) == 1
        assert entry(stores) == suppressed(minutes=9)

    def test_pages_follow_the_keys(self, stores: Stores) -> None:
        everybody = ["bob", "ann", "eve", "dan", "cid"]
        stores.suppressions.add(stores.account, [suppressed(name) for name in everybody])
        assert names(stores) == ["ann", "bob", "cid", "dan", "eve"]
        assert names(stores, limit=5) == names(stores, limit=6) == sorted(everybody)

    def test_a_prefix_and_a_reason_choose(self, stores: Stores) -> None:
        reasons = {"ann": BOUNCED, "anna": UNSUBSCRIBED, "anne": BOUNCED, "bob": BOUNCED}
        stores.suppressions.add(stores.account, [suppressed(*pair) for pair in reasons.items()])
        stores.suppressions.add(stores.account, [suppressed("anna", COMPLAINED, 1)])
        assert names(stores, prefix="ann") == ["ann", "anna", "anne"]
        assert names(stores, prefix="ann", reason=BOUNCED) == ["ann", "anne"]
        assert names(stores, limit=1, reason=BOUNCED) == ["ann", "anne", "bob"]
        assert names(stores, reason=COMPLAINED) == names(stores, reason=UNSUBSCRIBED) == ["anna"]
        assert names(stores, prefix="zoe") == []

    @pytest.mark.parametrize("cursor", ["", "x", "WzFd", "WyIiXQ", "WyJcdWQ4MDAiXQ", "WyJhIGIiXQ"])
    def test_an_edited_cursor_is_refused(self, stores: Stores, cursor: str) -> None:
        with pytest.raises(Invalid):
            stores.suppressions.page(stores.account, cursor, 2)

    def test_a_cursor_skips_in_the_callers_own_list_only(self, dynamodb: Stores) -> None:
        dynamodb.suppressions.add(dynamodb.account, [suppressed(name) for name in ("ann", "bob", "cid")])
        dynamodb.suppressions.add(dynamodb.stranger, [suppressed(name) for name in ("ann", "zoe")])
        cursor = dynamodb.suppressions.page(dynamodb.account, None, 2).cursor
        page = dynamodb.suppressions.page(dynamodb.stranger, cursor, 2)
        assert [one.key for one in page.items] == ["zoe@mail.example"]

    def test_a_cursor_of_another_prefix_is_refused(self, dynamodb: Stores) -> None:
        """DynamoDB refuses a start outside of the keys that are asked for; that would be a fault of ours."""
        dynamodb.suppressions.add(dynamodb.account, [suppressed(name) for name in ("ann", "bob", "cid")])
        cursor = dynamodb.suppressions.page(dynamodb.account, None, 2).cursor
        with pytest.raises(Invalid):
            dynamodb.suppressions.page(dynamodb.account, cursor, 2, prefix="zoe")


class TestImportedPieces:
    def test_a_piece_moves_the_checkpoint_and_counts_once(self, stores: Stores) -> None:
        job = begun(stores)
        stores.suppressions.add(stores.account, [suppressed("ann")])
        piece = [suppressed("ann", COMPLAINED, 1), suppressed("bob"), suppressed("bob")]
        read = ImportProgress(next_row=4, rows=4, rejected=1)
        stored = stores.suppressions.add_imported(stores.account, job, piece, ImportProgress(), read)
        assert stored == replace(read, added=1, duplicates=2)
        assert stores.imports.get(stores.account, job).progress == stored
        assert (entry(stores).also, entry(stores, "bob")) == ({COMPLAINED}, suppressed("bob"))

    def test_a_run_that_was_overtaken_adds_nothing(self, stores: Stores) -> None:
        job = begun(stores)
        read = ImportProgress(next_row=1, rows=1)
        stores.suppressions.add_imported(stores.account, job, [suppressed()], ImportProgress(), read)
        for piece in ([suppressed("bob")], [suppressed("ann"), suppressed("bob")], []):
            with pytest.raises(Outdated):
                stores.suppressions.add_imported(stores.account, job, piece, ImportProgress(), read)
        assert names(stores) == ["ann"]

    def test_a_piece_without_addresses_moves_the_checkpoint(self, stores: Stores) -> None:
        job = begun(stores)
        read = ImportProgress(next_row=2, rows=2, rejected=2)
        assert stores.suppressions.add_imported(stores.account, job, [], ImportProgress(), read) == read
        assert stores.imports.get(stores.account, job).progress == read

    def test_a_whole_piece_fits_into_one_transaction(self, dynamodb: Stores) -> None:
        job = begun(dynamodb)
        piece = [suppressed(f"n{number:02}") for number in range(suppressions.PIECE)]
        read = ImportProgress(next_row=len(piece), rows=len(piece))
        with first_reply_lost(transactions(), "TransactWriteItems") as calls:
            stored = dynamodb.suppressions.add_imported(dynamodb.account, job, piece, ImportProgress(), read)
        assert (len(calls), stored.added) == (2, len(piece))


def begun(stores: Stores) -> str:
    job = import_job(SUPPRESSION_LIST)
    stores.imports.add(stores.account, job)
    assert stores.imports.begin(stores.account, job.import_id, NOON)
    return job.import_id


def test_a_filtered_page_is_handed_out_short(dynamodb: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    """With few matches among many rows, a page ends after a bounded number of them and leads on."""
    monkeypatch.setattr(suppressions, "_READ_AT_ONCE", 2)
    monkeypatch.setattr(reading, "SCANNED_ENOUGH", 4)
    rows = [suppressed(f"n{number}", BOUNCED if number == 8 else ADDED) for number in range(10)]
    dynamodb.suppressions.add(dynamodb.account, rows)
    first = dynamodb.suppressions.page(dynamodb.account, None, 5, BOUNCED)
    assert (first.items, first.cursor is None) == ([], False)
    assert names(dynamodb, limit=5, reason=BOUNCED) == ["n8"]


def test_addresses_whose_reply_is_lost_are_counted_once(dynamodb: Stores) -> None:
    with first_reply_lost(transactions(), "TransactWriteItems") as calls:
        assert dynamodb.suppressions.add(dynamodb.account, [suppressed("ann"), suppressed("bob")]) == 2
    assert len(calls) == 2
    assert names(dynamodb) == ["ann", "bob"]


def test_a_merge_whose_reply_is_lost_stands(dynamodb: Stores) -> None:
    dynamodb.suppressions.add(dynamodb.account, [suppressed()])
    with first_reply_lost(client_of(SuppressionRow), "PutItem") as calls:
        assert dynamodb.suppressions.add(dynamodb.account, [suppressed(reason=COMPLAINED, minutes=1)]) == 0
    assert len(calls) == 2
    assert entry(dynamodb).also == {COMPLAINED}


def test_a_merge_that_met_a_transaction_is_tried_again(dynamodb: Stores) -> None:
    dynamodb.suppressions.add(dynamodb.account, [suppressed()])
    with first_call_refused(client_of(SuppressionRow), "PutItem", "TransactionConflictException"):
        dynamodb.suppressions.add(dynamodb.account, [suppressed(reason=COMPLAINED, minutes=1)])
    assert entry(dynamodb).also == {COMPLAINED}


def test_what_says_nothing_new_is_not_written(dynamodb: Stores) -> None:
    dynamodb.suppressions.add(dynamodb.account, [suppressed()])
    with first_call_refused(client_of(SuppressionRow), "PutItem", "TransactionConflictException") as writes:
        dynamodb.suppressions.add(dynamodb.account, [suppressed(), suppressed(minutes=7)])
    assert (writes, entry(dynamodb)) == ([], suppressed())


def test_keys_left_unprocessed_are_asked_for_again(dynamodb: Stores) -> None:
    everybody = [suppressed(f"n{number}") for number in range(5)]
    dynamodb.suppressions.add(dynamodb.account, everybody)
    with keys_left_unprocessed(client_of(SuppressionRow), calls=2) as calls:
        found = dynamodb.suppressions.find(dynamodb.account, [one.key for one in everybody])
    assert len(calls) == 3
    assert found == {one.key: one for one in everybody}


def test_what_stays_unprocessed_is_not_taken_for_absent(
    dynamodb: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_TRIES", 3)
    dynamodb.suppressions.add(dynamodb.account, [suppressed()])
    with keys_left_unprocessed(client_of(SuppressionRow), calls=99), pytest.raises(TimeoutError):
        dynamodb.suppressions.find(dynamodb.account, ["ann@mail.example"])


def test_a_read_that_fails_is_not_taken_for_absent(dynamodb: Stores) -> None:
    client = client_of(SuppressionRow)
    with (
        first_call_refused(client, "BatchGetItem", "AccessDeniedException"),
        pytest.raises(PynamoDBException),
    ):
        dynamodb.suppressions.find(dynamodb.account, ["ann@mail.example"])
