"""Nobody gets two mails, whatever fails at the hand-over; who may have got one is told apart."""

import time
from collections import Counter

import pytest

from local.stack import Stack
from tests.doors.events import failed_ids, sqs_event
from tests.stack.altered import LossyProxy, altered_build, sender_through
from tests.stack.api import wait_for
from tests.stack.customer import Customer, let_leases_run_out, orders_of

DIES_AFTER_HAND_OVER = """
import os as _os
from chalicelib.flow.send import Sender as _Sender

_record = _Sender._record


def _die_or_record(self, order, token, contact, outcome):
    if contact.person.email.startswith("crash"):
        _os._exit(1)
    _record(self, order, token, contact, outcome)


_Sender._record = _die_or_record
"""
DIES_BEFORE_HAND_OVER = """
import os as _os
from chalicelib.adapters.smtp import SmtpSender as _Channel

_deliver = _Channel.deliver


def _die_or_deliver(self, line, envelope, *rest):
    if envelope.recipient.startswith("crash"):
        _os._exit(1)
    return _deliver(self, line, envelope, *rest)


_Channel.deliver = _die_or_deliver
"""


def contact_named(customer: Customer, campaign: str, local_part: str) -> dict[str, object]:
    email = customer.address(local_part)
    return next(c for c in customer.contacts(campaign) if c["email"] == email)


def deliver_again(customer: Customer, campaign: str) -> None:
    """Give the sender every message of the campaign a second time, each twice in one batch."""
    for order in orders_of(customer.rows(campaign)):
        assert failed_ids(customer.stack.invoke("SendEmails", sqs_event(order, order))) == []


@pytest.mark.parametrize(
    ("build", "mails"), [(DIES_AFTER_HAND_OVER, 1), (DIES_BEFORE_HAND_OVER, 0)], ids=["after", "before"]
)
def test_a_sender_that_dies_around_the_hand_over_leaves_an_unknown_outcome(
    bench: Stack, build: str, mails: int
) -> None:
    customer = Customer.new(bench)
    campaign = customer.campaign()
    others = [f"other-{number}" for number in range(4)]
    customer.add(campaign, ["crash", *others])
    with altered_build(bench, "SendEmails", build):
        customer.launch(campaign)
        wait_for(lambda: has_died(customer, campaign), "the sender dies")
    # what it had taken along stays out of sight for half an hour: then the rows decide
    let_leases_run_out(customer, campaign)
    customer.visit(campaign)
    customer.when(campaign, lambda t: t["outcome_unknown"] == 1, "the sweep finds it")
    customer.visit(campaign)
    totals = customer.finished(campaign)

    assert (totals["sent"], totals["error"], totals["outcome_unknown"]) == (4, 1, 1)
    crashed = contact_named(customer, campaign, "crash")
    assert (crashed["status"], crashed["reason"]["code"]) == ("error", "outcome_unknown")  # type: ignore[index]
    deliver_again(customer, campaign)
    customer.visit(campaign)
    assert customer.finished(campaign) == totals
    assert customer.received() == Counter({"crash": mails, **dict.fromkeys(others, 1)})


def has_died(customer: Customer, campaign: str) -> bool:
    """Whether the contact it dies with is claimed, and nothing moves any more."""
    before = customer.rows(campaign)
    time.sleep(1)
    return customer.rows(campaign) == before and any(
        row.get("claim") for row in before if "crash" in row["email"]
    )


def test_lost_replies_of_the_database_send_nothing_twice_and_lose_nobody(bench: Stack) -> None:
    customer = Customer.new(bench)
    campaign = customer.campaign()
    contacts = customer.add(campaign, ["one", "two", "three"])
    losses = [
        (operation, contact.encode())
        for contact in contacts
        for operation in ("UpdateItem", "TransactWriteItems")
    ]
    proxy = LossyProxy(bench.emulator.endpoint, losses)
    with proxy.running(), sender_through(bench, proxy.endpoint):
        customer.launch(campaign)
        totals = customer.finished(campaign)
        assert sorted(proxy.lost) == sorted(losses)
    assert (totals["sent"], totals["error"]) == (3, 0)
    assert customer.received() == dict.fromkeys(["one", "two", "three"], 1)


def test_a_connection_cut_after_the_final_dot_is_an_unknown_outcome_for_good(customer: Customer) -> None:
    campaign = customer.campaign()
    customer.add(campaign, ["drop-after-dot+anna", "ben"])
    customer.launch(campaign)
    totals = customer.finished(campaign)
    assert (totals["sent"], totals["error"], totals["outcome_unknown"]) == (1, 1, 1)
    contact = contact_named(customer, campaign, "drop-after-dot+anna")
    assert contact["outcome_unknown"]
    deliver_again(customer, campaign)
    customer.visit(campaign)
    assert customer.finished(campaign) == totals
    assert customer.received() == {"drop-after-dot+anna": 1, "ben": 1}


def test_a_refusal_is_an_error_that_shows_what_the_server_said(customer: Customer) -> None:
    campaign = customer.campaign()
    customer.add(campaign, ["refuse+nobody", "somebody"])
    customer.launch(campaign)
    totals = customer.finished(campaign)
    assert (totals["sent"], totals["error"], totals["outcome_unknown"]) == (1, 1, 0)
    contact = contact_named(customer, campaign, "refuse+nobody")
    reason = {name: contact["reason"][name] for name in ("stage", "reply_code", "enhanced", "reply_text")}  # type: ignore[index]
    assert reason == {
        "stage": "rcpt",
        "reply_code": 550,
        "enhanced": "5.1.1",
        "reply_text": "No such mailbox here",
    }
    assert customer.received() == {"somebody": 1}


def test_a_greylisted_contact_waits_for_its_time(customer: Customer) -> None:
    campaign = customer.campaign()
    customer.add(campaign, ["greylist+later", "now"])
    customer.launch(campaign)
    totals = customer.when(campaign, lambda t: t["sent"] == 1 and t["pending"] == 0, "it is put off")
    assert totals["not_sent"] == 1
    customer.assert_totals_are_true(campaign)
    contact = contact_named(customer, campaign, "greylist+later")
    assert (contact["status"], contact["attempts"]) == ("not_sent", 1)
    assert str(contact["next_attempt_at"]) > str(contact_named(customer, campaign, "now")["sent_at"])
    assert contact["reason"]["reply_code"] == 450  # type: ignore[index]
    customer.visit(campaign)
    assert customer.received() == {"now": 1}
