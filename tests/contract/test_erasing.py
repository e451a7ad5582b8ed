"""Contract of what an erasure asks of stores: nothing readable is left, every total equals its rows."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.adapters.dynamodb.tables import ContactRow, PersonalDataRow, SuppressionRow
from chalicelib.domain.contact import Contact, ContactStatus, Person
from chalicelib.domain.job import JobState
from chalicelib.domain.personal_data import JobKind, PersonalDataJob, without_person
from chalicelib.domain.suppression import ERASED, Suppression, SuppressionReason
from chalicelib.errors import NotFound
from tests.contract.conftest import Stores
from tests.contract.losing import first_reply_lost, transactions
from tests.contract.store_builders import (
    BUSY,
    NOON,
    add_campaign,
    assert_totals_are_rows,
    back,
    new_id,
    order,
    pending,
    people,
    release,
    rows,
    sent,
    unknown,
)
from tests.contract.test_sample_store import add as add_sample

NOT_SENT, PENDING, SENT, DELIVERED, OPENED, ERROR = ContactStatus
KEY = "ann@mail.example"
ANN = Suppression(KEY, "Ann@mail.example", SuppressionReason.COMPLAINED, NOON, "campaign1")


def only(stores: Stores, one: str) -> Contact:
    (contact,) = rows(stores, one)
    return contact


class TestErasedContact:
    def test_one_that_waits_ends_in_error_and_waits_no_more(self, stores: Stores) -> None:
        one = add_campaign(stores)
        stores.contacts.add(stores.account, one, people("ann"))
        seen = only(stores, one)
        assert stores.contacts.erase(stores.account, one, seen)
        contact = only(stores, one)
        assert (contact.status, contact.reason, contact.person) == (ERROR, ERASED, Person(""))
        totals = assert_totals_are_rows(stores, one)
        assert (totals.by_status[ERROR], totals.suppressed) == (1, 1)
        assert stores.contacts.waiting(stores.account, one, NOON, 10) == []
        assert stores.contacts.release(stores.account, one, [release("ann")]) == []

    def test_one_in_the_queue_is_not_claimed_any_more(self, stores: Stores) -> None:
        one = pending(stores, "ann")
        assert stores.contacts.erase(stores.account, one, only(stores, one))
        assert stores.contacts.claim(stores.account, order(stores, one, "ann"), "t", 1, NOON) is None
        assert stores.contacts.pending(stores.account, one, 10) == []
        assert assert_totals_are_rows(stores, one).by_status[ERROR] == 1

    def test_a_claim_that_was_faster_keeps_its_message(self, stores: Stores) -> None:
        one = pending(stores, "ann")
        seen = only(stores, one)
        assert stores.contacts.claim(stores.account, order(stores, one, "ann"), "t", 1, NOON)
        assert not stores.contacts.erase(stores.account, one, seen)
        claimed = only(stores, one)
        assert (claimed.status, claimed.erased) == (PENDING, False)
        assert stores.contacts.erase(stores.account, one, claimed)
        contact = only(stores, one)
        assert (contact.status, contact.claim, contact.person) == (PENDING, "t", Person(""))
        assert stores.contacts.settle(stores.account, order(stores, one, "ann"), "t", sent())
        assert (only(stores, one).status, only(stores, one).person) == (SENT, Person(""))
        assert assert_totals_are_rows(stores, one).by_status[SENT] == 1

    def test_a_claim_that_ended_meanwhile_is_met_again(self, stores: Stores) -> None:
        one = pending(stores, "ann")
        stores.contacts.claim(stores.account, order(stores, one, "ann"), "t", 1, NOON)
        seen = only(stores, one)
        assert stores.contacts.settle(stores.account, order(stores, one, "ann"), "t", back())
        assert not stores.contacts.erase(stores.account, one, seen)
        assert stores.contacts.erase(stores.account, one, only(stores, one))
        assert only(stores, one).status is ERROR
        assert_totals_are_rows(stores, one)

    @pytest.mark.parametrize("settled", ["sent", "unknown"])
    def test_what_became_of_it_stays_and_no_word_of_the_server(self, stores: Stores, settled: str) -> None:
        one = pending(stores, "ann")
        stores.contacts.claim(stores.account, order(stores, one, "ann"), "t", 1, NOON)
        outcome = (
            replace(sent(), remote_id="4Xq9")
            if settled == "sent"
            else replace(unknown(), reason=replace(BUSY, code="outcome_unknown"))
        )
        stores.contacts.settle(stores.account, order(stores, one, "ann"), "t", outcome)
        before, totals = only(stores, one), stores.contacts.totals(stores.account, one)
        assert stores.contacts.erase(stores.account, one, before)
        contact = only(stores, one)
        assert contact == without_person(before)
        assert (contact.status, contact.sent_at) == (before.status, before.sent_at)
        assert BUSY.reply_text not in repr(contact)
        assert contact.remote_id is None
        assert assert_totals_are_rows(stores, one) == totals

    def test_neither_a_row_nor_another_accounts_is_made_or_changed(self, stores: Stores) -> None:
        one = add_campaign(stores)
        stores.contacts.add(stores.account, one, people("ann"))
        assert not stores.contacts.erase(stores.stranger, one, only(stores, one))
        assert not stores.contacts.erase(stores.account, one, Contact("nobody", Person("x@mail.example")))
        assert [contact.person.email for contact in rows(stores, one)] == ["ann@mail.example"]

    def test_its_row_holds_nothing_of_the_person(self, dynamodb: Stores) -> None:
        one = add_campaign(dynamodb)
        (ann,) = people("ann")
        person = replace(ann.person, p1="Street 1", extra=(("town", "York"),))
        dynamodb.contacts.add(dynamodb.account, one, [replace(ann, person=person)])
        dynamodb.contacts.erase(dynamodb.account, one, only(dynamodb, one))
        (row,) = (row.to_simple_dict() for row in ContactRow.scan() if one in row.bucket)
        assert row.keys() == {
            "bucket",
            "contact_id",
            "email",
            "status",
            "generation",
            "attempt",
            "failures",
            "reason",
        }
        assert row["email"] == ""

    def test_a_reply_that_is_lost_moves_the_totals_once(self, dynamodb: Stores) -> None:
        one = add_campaign(dynamodb)
        dynamodb.contacts.add(dynamodb.account, one, people("ann"))
        with first_reply_lost(transactions(), "TransactWriteItems") as lost:
            assert dynamodb.contacts.erase(dynamodb.account, one, only(dynamodb, one))
        assert lost
        assert assert_totals_are_rows(dynamodb, one).by_status[ERROR] == 1


class TestErasedAddress:
    def test_it_is_found_by_the_address_only(self, stores: Stores) -> None:
        stores.suppressions.add(stores.account, [ANN])
        assert stores.suppressions.erase(stores.account, KEY, NOON + timedelta(days=1))
        found = stores.suppressions.find(stores.account, [KEY, "bob@mail.example"])
        assert found == {KEY: replace(ANN, address=KEY, campaign_id=None, erased=True)}
        assert stores.suppressions.page(stores.account, None, 10).items == []
        assert stores.suppressions.page(stores.account, None, 10, prefix="ann").items == []

    def test_one_that_was_on_no_list_is_remembered_too_and_twice_is_once(self, stores: Stores) -> None:
        assert not stores.suppressions.erase(stores.account, KEY, NOON)
        assert not stores.suppressions.erase(stores.account, KEY, NOON + timedelta(days=1))
        (found,) = stores.suppressions.find(stores.account, [KEY]).values()
        assert (found.erased, found.added_at) == (True, NOON)

    def test_what_puts_it_back_readable_is_taken_off_again(self, stores: Stores) -> None:
        stores.suppressions.erase(stores.account, KEY, NOON)
        stores.suppressions.add(stores.account, [ANN])
        assert stores.suppressions.find(stores.account, [KEY]) == {KEY: ANN}
        assert stores.suppressions.erase(stores.account, KEY, NOON)
        assert stores.suppressions.find(stores.account, [KEY])[KEY].erased

    def test_taking_it_off_takes_it_off_both(self, stores: Stores) -> None:
        stores.suppressions.erase(stores.account, KEY, NOON)
        stores.suppressions.add(stores.account, [ANN])
        stores.suppressions.remove(stores.account, KEY)
        assert stores.suppressions.find(stores.account, [KEY]) == {}
        with pytest.raises(NotFound):
            stores.suppressions.remove(stores.account, KEY)

    def test_another_account_knows_nothing_of_it(self, stores: Stores) -> None:
        stores.suppressions.erase(stores.account, KEY, NOON)
        assert stores.suppressions.find(stores.stranger, [KEY]) == {}
        with pytest.raises(NotFound):
            stores.suppressions.remove(stores.stranger, KEY)

    def test_many_are_found_at_once(self, stores: Stores) -> None:
        keys = [f"n{number:03}@mail.example" for number in range(130)]
        for key in keys[::2]:
            stores.suppressions.erase(stores.account, key, NOON)
        assert stores.suppressions.find(stores.account, keys).keys() == set(keys[::2])

    def test_its_row_holds_no_address(self, dynamodb: Stores) -> None:
        dynamodb.suppressions.add(dynamodb.account, [ANN])
        dynamodb.suppressions.erase(dynamodb.account, KEY, NOON)
        of_account = [row for row in SuppressionRow.scan() if dynamodb.account in row.account_id]
        assert len(of_account) == 1
        assert "ann" not in repr(of_account[0].to_simple_dict()).lower()


class TestErasedSample:
    def test_all_are_told_and_one_is_removed(self, stores: Stores) -> None:
        one, other = add_sample(stores.samples, stores.account), add_sample(stores.samples, stores.account)
        stores.samples.count(stores.account, NOON, 5)
        assert {sample.sample_id for sample in stores.samples.all(stores.account)} == {
            one.sample_id,
            other.sample_id,
        }
        assert list(stores.samples.all(stores.stranger)) == []
        stores.samples.remove(stores.stranger, one.sample_id)
        stores.samples.remove(stores.account, other.sample_id)
        stores.samples.remove(stores.account, other.sample_id)
        assert list(stores.samples.all(stores.account)) == [one]
        assert not stores.samples.claim(stores.account, other.sample_id, "token", NOON)


def add_job(stores: Stores) -> PersonalDataJob:
    job = PersonalDataJob(
        new_id(), JobKind.ERASURE, JobState.QUEUED, NOON, "Ann@mail.example", "ann@mail.example"
    )
    stores.personal_data.add(stores.account, job)
    return job


class TestPersonalDataStore:
    def test_it_is_read_as_it_was_stored_and_by_nobody_else(self, stores: Stores) -> None:
        job = add_job(stores)
        assert stores.personal_data.get(stores.account, job.job_id) == job
        with pytest.raises(NotFound):
            stores.personal_data.get(stores.stranger, job.job_id)
        assert stores.personal_data.begin(stores.stranger, job.job_id) is None
        assert not stores.personal_data.note(stores.stranger, job.job_id, "mark", {"contacts": 1})

    def test_it_runs_again_and_again_until_it_is_over(self, stores: Stores) -> None:
        job = add_job(stores)
        key = stores.account, job.job_id
        assert not stores.personal_data.note(*key, "mark", {"contacts": 1})
        running = replace(job, state=JobState.RUNNING)
        assert stores.personal_data.begin(*key) == running
        assert stores.personal_data.note(*key, "mark", {"contacts": 1})
        assert stores.personal_data.begin(*key) == replace(running, mark="mark", found={"contacts": 1})
        stores.personal_data.finish(*key, NOON)
        done = stores.personal_data.get(*key)
        assert done == replace(
            job,
            state=JobState.DONE,
            mark="mark",
            found={"contacts": 1},
            finished_at=NOON,
            address=None,
            key=None,
        )
        assert stores.personal_data.begin(*key) is None
        assert not stores.personal_data.note(*key, "mark", {})
        stores.personal_data.fail(*key, BUSY, NOON)
        assert stores.personal_data.get(*key) == done

    def test_one_that_failed_keeps_no_address(self, stores: Stores) -> None:
        job = add_job(stores)
        stores.personal_data.fail(stores.account, job.job_id, BUSY, NOON)
        failed = stores.personal_data.get(stores.account, job.job_id)
        assert (failed.state, failed.reason, failed.address, failed.key) == (
            JobState.FAILED,
            BUSY,
            None,
            None,
        )

    def test_what_there_is_not_is_not_made(self, stores: Stores) -> None:
        stores.personal_data.finish(stores.account, "nothing", NOON)
        assert stores.personal_data.begin(stores.account, "nothing") is None
        with pytest.raises(NotFound):
            stores.personal_data.get(stores.account, "nothing")

    def test_it_expires_by_itself(self, dynamodb: Stores) -> None:
        job = add_job(dynamodb)
        row = PersonalDataRow.get(dynamodb.account, job.job_id)
        assert row.expires_at == NOON + timedelta(days=30)
