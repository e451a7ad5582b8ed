"""A write whose reply is lost is told apart from a write that lost; a busy AWS is asked again."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.adapters.dynamodb.tables import CampaignRow, ContactRow, ImportRow, PaceRow, SampleRow
from chalicelib.domain.campaign import CampaignStatus
from chalicelib.domain.contact import ContactStatus
from chalicelib.domain.job import ImportProgress
from chalicelib.domain.schedule import Cursor
from tests.contract.conftest import Stores
from tests.contract.losing import (
    client_of,
    first_call_refused,
    first_reply_lost,
    first_transaction_cancelled,
    transaction_in_progress,
    transactions,
)
from tests.contract.store_builders import (
    NOON,
    add_campaign,
    assert_totals_are_rows,
    back,
    import_job,
    order,
    pending,
    people,
    release,
    rows,
    sent,
)
from tests.contract.test_sample_store import add as add_sample

TRANSACTION = "TransactWriteItems"
CONFLICT = "TransactionConflictException"
BOTOCORE_GIVES_UP = 4  # calls after which it asks no more, and we do


def test_a_claim_whose_reply_is_lost_is_still_a_claim(dynamodb: Stores) -> None:
    one = pending(dynamodb, "ann")
    with first_reply_lost(client_of(ContactRow), "UpdateItem") as calls:
        contact = dynamodb.contacts.claim(dynamodb.account, order(dynamodb, one, "ann"), "mine", 1, NOON)
    assert len(calls) == 2
    assert contact is not None
    assert (contact.claim, contact.person.first_name) == ("mine", "ann")
    assert dynamodb.contacts.claim(dynamodb.account, order(dynamodb, one, "ann"), "other", 1, NOON) is None


def test_a_contact_whose_settlement_lost_its_reply_is_counted_once(dynamodb: Stores) -> None:
    one = pending(dynamodb, "ann")
    wanted = order(dynamodb, one, "ann")
    dynamodb.contacts.claim(dynamodb.account, wanted, "mine", 1, NOON)
    with first_reply_lost(transactions(), TRANSACTION) as calls:
        assert dynamodb.contacts.settle(dynamodb.account, wanted, "mine", sent())
    assert len(calls) == 2
    assert assert_totals_are_rows(dynamodb, one).by_status[ContactStatus.SENT] == 1


def test_a_test_message_whose_claim_lost_its_reply_is_still_claimed_once(dynamodb: Stores) -> None:
    sample = add_sample(dynamodb.samples, dynamodb.account)
    with first_reply_lost(client_of(SampleRow), "UpdateItem") as calls:
        assert dynamodb.samples.claim(dynamodb.account, sample.sample_id, "mine", NOON)
    assert len(calls) == 2
    assert not dynamodb.samples.claim(dynamodb.account, sample.sample_id, "other", NOON)


def test_contacts_whose_addition_lost_its_reply_are_counted_once(dynamodb: Stores) -> None:
    one = add_campaign(dynamodb)
    with first_reply_lost(transactions(), TRANSACTION):
        assert dynamodb.contacts.add(dynamodb.account, one, people("ann", "bob")) == 2
    assert assert_totals_are_rows(dynamodb, one).contacts == 2


def test_an_imported_piece_whose_reply_is_lost_is_counted_once(dynamodb: Stores) -> None:
    one = add_campaign(dynamodb)
    job = import_job(one)
    dynamodb.imports.add(dynamodb.account, job)
    dynamodb.imports.begin(dynamodb.account, job.import_id, NOON)
    read = ImportProgress(next_row=2, rows=2)
    with first_reply_lost(transactions(), TRANSACTION) as calls:
        stored = dynamodb.contacts.add_imported(
            dynamodb.account, one, job.import_id, people("ann", "bob"), ImportProgress(), read
        )
    assert len(calls) == 2
    assert stored == replace(read, added=2)
    assert dynamodb.imports.get(dynamodb.account, job.import_id).progress == stored
    assert assert_totals_are_rows(dynamodb, one).contacts == 2


def test_an_imported_piece_that_is_still_in_progress_is_sent_again_as_the_same_transaction(
    dynamodb: Stores,
) -> None:
    """As another one it would find the checkpoint moved, by itself, and leave the import to nobody."""
    one = add_campaign(dynamodb)
    job = import_job(one)
    dynamodb.imports.add(dynamodb.account, job)
    dynamodb.imports.begin(dynamodb.account, job.import_id, NOON)
    read = ImportProgress(next_row=2, rows=2)
    with transaction_in_progress(BOTOCORE_GIVES_UP) as calls:
        stored = dynamodb.contacts.add_imported(
            dynamodb.account, one, job.import_id, people("ann", "bob"), ImportProgress(), read
        )
    assert len(calls) == BOTOCORE_GIVES_UP + 1
    assert stored == replace(read, added=2)
    assert assert_totals_are_rows(dynamodb, one).contacts == 2


def test_released_contacts_whose_reply_is_lost_are_released_once(dynamodb: Stores) -> None:
    one = add_campaign(dynamodb)
    dynamodb.contacts.add(dynamodb.account, one, people("ann"))
    with first_reply_lost(transactions(), TRANSACTION):
        released = dynamodb.contacts.release(dynamodb.account, one, [release("ann")])
    assert [item.contact_id for item in released] == ["ann"]
    assert rows(dynamodb, one)[0].attempt == 1


def test_a_reservation_whose_reply_is_lost_stands(dynamodb: Stores) -> None:
    pace = replace(dynamodb.pace.load(dynamodb.account, "c1", ["l1"]), cursor=Cursor(NOON, 1, 0))
    with first_reply_lost(transactions(), TRANSACTION):
        assert dynamodb.pace.reserve(dynamodb.account, "c1", pace)
    assert dynamodb.pace.load(dynamodb.account, "c1", ["l1"]).cursor == Cursor(NOON, 1, 0)


@pytest.mark.parametrize("code", ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"])
def test_a_transaction_that_met_another_is_tried_again(dynamodb: Stores, code: str) -> None:
    one = pending(dynamodb, "ann")
    with first_transaction_cancelled(code, 2) as calls:
        assert dynamodb.contacts.settle(dynamodb.account, order(dynamodb, one, "ann"), None, back())
    assert len(calls) == 2
    assert_totals_are_rows(dynamodb, one)


def begun(stores: Stores, one: str) -> object:
    job = import_job(one)
    stores.imports.add(stores.account, job)
    return stores.imports.begin(stores.account, job.import_id, NOON)


def rested(stores: Stores) -> object:
    stores.pace.rest_line(stores.account, "l1", NOON + timedelta(minutes=1))
    return stores.pace.load(stores.account, "c1", ["l1"]).resting_until


SINGLE_WRITES: dict[str, tuple[type, Callable[[Stores, str], object]]] = {
    "claim": (
        ContactRow,
        lambda stores, one: stores.contacts.claim(stores.account, order(stores, one, "ann"), "t", 1, NOON),
    ),
    "pause": (
        CampaignRow,
        lambda stores, one: stores.campaigns.move(
            stores.account, one, [CampaignStatus.IN_PROGRESS], CampaignStatus.PAUSED, NOON
        ),
    ),
    "begin an import": (ImportRow, begun),
    "rest a line": (PaceRow, lambda stores, one: rested(stores)),
    "count a failure": (
        PaceRow,
        lambda stores, one: stores.pace.line_failed(stores.account, "l1", NOON, NOON),
    ),
}


@pytest.mark.parametrize("name", SINGLE_WRITES)
def test_a_single_write_that_met_a_transaction_is_tried_again(dynamodb: Stores, name: str) -> None:
    """DynamoDB refuses any write to an item that a transaction is working on; botocore doesn't repeat it."""
    one = pending(dynamodb, "ann")
    model, write = SINGLE_WRITES[name]
    with first_call_refused(client_of(model), "UpdateItem", CONFLICT) as calls:
        assert write(dynamodb, one)
    assert len(calls) >= 2
