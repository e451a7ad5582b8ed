"""Contract of ``ContactStore``: adding, reading, removing."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.adapters.dynamodb import contact_reads, reading
from chalicelib.domain.campaign import CampaignStatus
from chalicelib.domain.contact import ContactStatus, Person
from chalicelib.domain.job import ImportProgress, JobState
from chalicelib.errors import Conflict, Invalid, NotFound, Outdated
from tests.contract.conftest import Stores
from tests.contract.store_builders import (
    NOON,
    add_campaign,
    assert_totals_are_rows,
    import_job,
    order,
    pending,
    people,
    rows,
    sent,
)

NOT_SENT, PENDING = ContactStatus.NOT_SENT, ContactStatus.PENDING
START = ImportProgress()


def names(stores: Stores, campaign_id: str) -> set[str]:
    return {contact.contact_id for contact in rows(stores, campaign_id)}


def running_import(stores: Stores, campaign_id: str) -> str:
    job = import_job(campaign_id)
    stores.imports.add(stores.account, job)
    stores.imports.begin(stores.account, job.import_id, NOON)
    return job.import_id


class TestAdding:
    def test_a_contact_is_read_as_it_was_added(self, stores: Stores) -> None:
        one = add_campaign(stores)
        person = Person("ann@mail.example", "Ann", "Lee", "M.", "1", "2", "3")
        stores.contacts.add(stores.account, one, [replace(people("ann")[0], person=person)])
        found = stores.contacts.get(stores.account, one, "ann")
        assert (found.person, found.status, found.generation, found.attempt) == (person, NOT_SENT, 1, 0)
        assert found.due == NOON - timedelta(hours=1)

    def test_more_than_one_transaction_carries_are_added(self, stores: Stores) -> None:
        one = add_campaign(stores)
        many = [f"p{number:03d}" for number in range(200)]
        assert stores.contacts.add(stores.account, one, people(*many)) == 200
        assert names(stores, one) == set(many)
        assert_totals_are_rows(stores, one)

    def test_whoever_is_there_stays_as_they_are(self, stores: Stores) -> None:
        one = pending(stores, "ann", "bob")
        assert stores.contacts.add(stores.account, one, people("ann", "bob", "cid", "cid")) == 1
        assert stores.contacts.get(stores.account, one, "ann").status is PENDING
        assert assert_totals_are_rows(stores, one).contacts == 3

    def test_adding_nobody_is_nothing(self, stores: Stores) -> None:
        assert stores.contacts.add(stores.account, add_campaign(stores), []) == 0

    @pytest.mark.parametrize("status", [None, CampaignStatus.DELETING])
    def test_nobody_is_added_to_a_campaign_that_is_gone(
        self, stores: Stores, status: CampaignStatus | None
    ) -> None:
        one = add_campaign(stores, status) if status else "nothing"
        with pytest.raises(NotFound):
            stores.contacts.add(stores.account, one, people("ann"))
        assert rows(stores, one) == []

    def test_nobody_is_added_to_another_accounts_campaign(self, stores: Stores) -> None:
        one = add_campaign(stores)
        with pytest.raises(NotFound):
            stores.contacts.add(stores.stranger, one, people("ann"))
        assert rows(stores, one) == []


class TestImporting:
    def test_a_piece_and_its_checkpoint_are_stored_together(self, stores: Stores) -> None:
        one = add_campaign(stores)
        stores.contacts.add(stores.account, one, people("ann"))
        job = running_import(stores, one)
        read = ImportProgress(next_row=4, rows=4, rejected=1)
        stored = stores.contacts.add_imported(
            stores.account, one, job, people("ann", "bob", "bob"), START, read
        )
        assert stored == replace(read, added=1, duplicates=2)
        assert stores.imports.get(stores.account, job).progress == stored
        assert assert_totals_are_rows(stores, one).contacts == 2

    def test_those_of_the_added_that_are_suppressed_are_counted(self, stores: Stores) -> None:
        one = add_campaign(stores)
        stores.contacts.add(stores.account, one, people("ann"))
        job = running_import(stores, one)
        piece = [replace(new, suppressed=new.contact_id != "cid") for new in people("ann", "bob", "cid")]
        read = ImportProgress(next_row=3, rows=3)
        stored = stores.contacts.add_imported(stores.account, one, job, piece, START, read)
        assert stored == replace(read, added=2, duplicates=1, suppressed=1)
        more = ImportProgress(next_row=4, rows=4, added=2, duplicates=1, suppressed=1)
        dan = [replace(new, suppressed=True) for new in people("dan")]
        stored = stores.contacts.add_imported(stores.account, one, job, dan, stored, more)
        assert stores.imports.get(stores.account, job).progress == stored
        assert (stored.added, stored.suppressed) == (3, 2)

    def test_the_place_on_a_walk_over_dialogs_moves_with_it(self, stores: Stores) -> None:
        one = add_campaign(stores)
        job = running_import(stores, one)
        first = ImportProgress(next_row=1, rows=1, place="3:ann@mail.example")
        stored = stores.contacts.add_imported(stores.account, one, job, people("ann"), START, first)
        second = replace(stored, place="7:")
        assert stores.contacts.add_imported(stores.account, one, job, [], stored, second) == second
        assert stores.imports.get(stores.account, job).progress == replace(first, added=1, place="7:")

    def test_a_piece_without_a_contact_moves_the_checkpoint(self, stores: Stores) -> None:
        one = add_campaign(stores)
        job = running_import(stores, one)
        read = ImportProgress(next_row=2, rows=2, rejected=2)
        assert stores.contacts.add_imported(stores.account, one, job, [], START, read) == read
        stores.contacts.add(stores.account, one, people("ann"))
        second = ImportProgress(next_row=3, rows=3, rejected=2)
        stored = stores.contacts.add_imported(stores.account, one, job, people("ann"), read, second)
        assert stored == replace(second, duplicates=1)

    def test_a_run_that_was_overtaken_stores_nothing(self, stores: Stores) -> None:
        one = add_campaign(stores)
        job = running_import(stores, one)
        read = ImportProgress(next_row=1, rows=1)
        stored = stores.contacts.add_imported(stores.account, one, job, people("ann"), START, read)
        with pytest.raises(Outdated):
            stores.contacts.add_imported(stores.account, one, job, people("bob"), START, read)
        assert names(stores, one) == {"ann"}
        assert stores.imports.get(stores.account, job).progress == stored

    def test_a_job_that_does_not_run_stores_nothing(self, stores: Stores) -> None:
        one = add_campaign(stores)
        job = import_job(one, state=JobState.FAILED)
        stores.imports.add(stores.account, job)
        for import_id in (job.import_id, "nothing"):
            with pytest.raises(Outdated):
                stores.contacts.add_imported(
                    stores.account, one, import_id, people("ann"), START, ImportProgress(1, 1)
                )
        assert rows(stores, one) == []

    def test_a_deleted_campaign_takes_no_piece(self, stores: Stores) -> None:
        one = add_campaign(stores, CampaignStatus.DELETING)
        job = running_import(stores, one)
        with pytest.raises(NotFound):
            stores.contacts.add_imported(stores.account, one, job, people("ann"), START, ImportProgress(1, 1))
        assert stores.imports.get(stores.account, job).progress == START
        assert rows(stores, one) == []


class TestReading:
    def test_many_are_found_by_id_and_others_are_not(self, stores: Stores) -> None:
        one, other = add_campaign(stores), add_campaign(stores)
        many = [f"p{number:03d}" for number in range(120)]
        stores.contacts.add(stores.account, one, people(*many))
        stores.contacts.add(stores.account, other, people("else"))
        found = stores.contacts.find(stores.account, one, [*many, "else", "nobody"])
        assert sorted(contact.contact_id for contact in found) == many
        assert found[0] == stores.contacts.get(stores.account, one, found[0].contact_id)
        assert stores.contacts.find(stores.stranger, one, many) == []
        assert stores.contacts.find(stores.account, one, []) == []

    def test_pages_show_everybody_once(self, stores: Stores) -> None:
        one = add_campaign(stores)
        many = [f"p{number}" for number in range(50)]
        stores.contacts.add(stores.account, one, people(*many))
        seen, cursor = [], None
        for _ in range(60):
            page = stores.contacts.page(stores.account, one, cursor, 7)
            assert len(page.items) <= 7
            seen += [contact.contact_id for contact in page.items]
            cursor = page.cursor
            if cursor is None:
                break
        assert sorted(seen) == sorted(many)
        assert cursor is None

    def test_pages_of_one_status(self, stores: Stores) -> None:
        one = pending(stores, "ann", "bob")
        stores.contacts.add(stores.account, one, people("cid"))
        for status, expected in (
            (PENDING, {"ann", "bob"}),
            (NOT_SENT, {"cid"}),
            (ContactStatus.ERROR, set()),
        ):
            page = stores.contacts.page(stores.account, one, None, 100, status)
            assert {contact.contact_id for contact in page.items} == expected

    def test_a_page_of_one_status_looks_at_so_many_rows_and_goes_on_from_there(
        self, dynamodb: Stores, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(reading, "SCANNED_ENOUGH", 10)
        monkeypatch.setattr(contact_reads, "_READ_AT_ONCE", 5)
        one = pending(dynamodb, *(f"p{number}" for number in range(60)))
        dynamodb.contacts.add(dynamodb.account, one, people("ann", "bob"))
        seen, cursor, pages = [], None, 0
        while pages == 0 or cursor:
            page = dynamodb.contacts.page(dynamodb.account, one, cursor, 2, NOT_SENT)
            seen += [contact.contact_id for contact in page.items]
            cursor, pages = page.cursor, pages + 1
        assert sorted(seen) == ["ann", "bob"]
        assert pages >= 4

    def test_pages_of_one_status_show_everybody_once(self, stores: Stores) -> None:
        many = [f"p{number}" for number in range(40)]
        one = pending(stores, *many)
        seen, cursor, pages = [], None, 0
        while pages == 0 or cursor:
            page = stores.contacts.page(stores.account, one, cursor, 3, PENDING)
            assert len(page.items) <= 3
            seen += [contact.contact_id for contact in page.items]
            cursor, pages = page.cursor, pages + 1
        assert sorted(seen) == sorted(many)

    @pytest.mark.parametrize(
        "cursor", ["", "x", "bm90IGpzb24", "WzFd", "Wzk5LCAiIl0", "Wy0xLCAiIl0", "W3RydWUsICIiXQ"]
    )
    def test_an_edited_cursor_is_refused(self, stores: Stores, cursor: str) -> None:
        with pytest.raises(Invalid):
            stores.contacts.page(stores.account, add_campaign(stores), cursor, 2)

    def test_the_cursor_of_another_campaign_shows_nothing_of_it(self, stores: Stores) -> None:
        foreign, own = add_campaign(stores), add_campaign(stores)
        stores.contacts.add(stores.account, foreign, people(*(f"f{number}" for number in range(20))))
        stores.contacts.add(stores.account, own, people("ann"))
        cursor = stores.contacts.page(stores.account, foreign, None, 3).cursor
        shown = stores.contacts.page(stores.account, own, cursor, 100).items
        assert {contact.contact_id for contact in shown} <= {"ann"}

    def test_another_account_finds_nobody(self, stores: Stores) -> None:
        one = pending(stores, "ann")
        stores.contacts.add(stores.account, one, people("bob"))
        stranger, late = stores.stranger, NOON + timedelta(days=1)
        assert stores.contacts.page(stranger, one, None, 10).items == []
        assert stores.contacts.totals(stranger, one).contacts == 0
        assert stores.contacts.waiting(stranger, one, late, 10) == []
        assert stores.contacts.pending(stranger, one, 10) == []
        assert stores.contacts.overdue(stranger, one, late, 10) == []
        for contact in ("ann", "bob"):
            with pytest.raises(NotFound):
                stores.contacts.get(stranger, one, contact)
            with pytest.raises(NotFound):
                stores.contacts.remove(stranger, one, contact)
        stores.contacts.purge(stranger, one)
        assert names(stores, one) == {"ann", "bob"}

    def test_who_waits_longest_comes_first(self, stores: Stores) -> None:
        one = add_campaign(stores)
        first, second = people("zoe", "ann")
        today = replace(people("bob")[0], added_at=NOON)
        stores.contacts.add(stores.account, one, [today, second, first])
        later = NOON + timedelta(seconds=1)
        order_of = [contact.contact_id for contact in stores.contacts.waiting(stores.account, one, later, 10)]
        assert order_of == ["zoe", "ann", "bob"]
        assert len(stores.contacts.waiting(stores.account, one, later, 2)) == 2
        assert stores.contacts.waiting(stores.account, one, NOON - timedelta(hours=2), 10) == []


class TestRemoving:
    def test_a_contact_that_waits_can_be_edited(self, stores: Stores) -> None:
        one = add_campaign(stores)
        stores.contacts.add(stores.account, one, people("ann"))
        before = stores.contacts.get(stores.account, one, "ann")
        edited = stores.contacts.edit(stores.account, one, "ann", Person("other@x.example", p1="Gold"))
        assert edited == stores.contacts.get(stores.account, one, "ann")
        assert edited == replace(before, person=Person(before.person.email, p1="Gold"))

    def test_a_contact_that_is_pending_or_gone_is_not_edited(self, stores: Stores) -> None:
        one = pending(stores, "ann")
        with pytest.raises(Conflict):
            stores.contacts.edit(stores.account, one, "ann", Person("", p1="Gold"))
        with pytest.raises(NotFound):
            stores.contacts.edit(stores.account, one, "bob", Person("", p1="Gold"))
        with pytest.raises(NotFound):
            stores.contacts.edit(stores.stranger, one, "ann", Person("", p1="Gold"))
        assert names(stores, one) == {"ann"}

    def test_a_contact_that_waits_is_removed_for_good(self, stores: Stores) -> None:
        one = add_campaign(stores)
        stores.contacts.add(stores.account, one, people("ann", "bob"))
        stores.contacts.remove(stores.account, one, "ann")
        with pytest.raises(NotFound):
            stores.contacts.remove(stores.account, one, "ann")
        assert names(stores, one) == {"bob"}
        assert assert_totals_are_rows(stores, one).contacts == 1

    def test_a_contact_that_is_pending_or_sent_stays(self, stores: Stores) -> None:
        one = pending(stores, "ann", "bob")
        stores.contacts.claim(stores.account, order(stores, one, "bob"), "t", 1, NOON)
        stores.contacts.settle(stores.account, order(stores, one, "bob"), "t", sent())
        for name in ("ann", "bob"):
            with pytest.raises(Conflict):
                stores.contacts.remove(stores.account, one, name)
        assert assert_totals_are_rows(stores, one).contacts == 2

    def test_a_purge_leaves_nothing_and_may_be_repeated(self, stores: Stores) -> None:
        one, other = pending(stores, "ann", "bob", "cid"), pending(stores, "dan")
        stores.contacts.purge(stores.account, one)
        stores.contacts.purge(stores.account, one)
        assert rows(stores, one) == []
        assert stores.contacts.totals(stores.account, one).contacts == 0
        assert names(stores, other) == {"dan"}

    def test_no_late_write_brings_a_purged_contact_back(self, stores: Stores) -> None:
        one = pending(stores, "ann")
        late = order(stores, one, "ann")
        stores.contacts.claim(stores.account, late, "t", 1, NOON)
        stores.contacts.purge(stores.account, one)
        assert not stores.contacts.settle(stores.account, late, "t", sent())
        assert not stores.contacts.settle(stores.account, late, None, sent())
        assert stores.contacts.claim(stores.account, late, "t2", 1, NOON) is None
        assert rows(stores, one) == []
        assert stores.contacts.totals(stores.account, one).contacts == 0
