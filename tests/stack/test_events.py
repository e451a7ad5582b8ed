"""Events of SES through the deployed queue, function and policy, to where a customer sees them."""

import json
from pathlib import Path

from tests.stack.customer import Customer, table

FILES = Path(__file__).parents[1] / "events"


def tell(customer: Customer, campaign: str, contact: str, *names: str) -> None:
    """Queue events as the topic does, in the envelope of SNS."""
    tags = {"account": customer.account_id, "campaign": campaign, "contact": contact}
    for name in names:
        message = json.loads((FILES / f"{name}.json").read_text())
        ours = tags | {"generation": "1", "attempt": "1"}
        message["mail"]["tags"].update({tag: [value] for tag, value in ours.items()})
        customer.queue("SesEventQueue", {"Type": "Notification", "Message": json.dumps(message)})


def suppressed(customer: Customer) -> dict[str, set[str]]:
    """The customer's suppression list: the reasons by address."""
    rows = table(customer.stack, "SuppressionTable")
    return {
        row["address"]: {row["reason"], *row.get("also", ())}
        for row in rows
        if row["account_id"] == customer.account_id
    }


def test_events_move_contacts_and_totals_and_fill_the_suppression_list(customer: Customer) -> None:
    campaign = customer.campaign()
    reader, bounced, unhappy, doubtful = customer.add(
        campaign, ["reader", "bounced", "unhappy", "drop-after-dot+doubt"]
    )
    customer.launch(campaign)
    assert customer.finished(campaign)["outcome_unknown"] == 1

    customer.queue("SesEventQueue", "Successfully validated SNS topic for Amazon SES event publishing.")
    customer.queue("SesEventQueue", "nobody can read this")
    tell(customer, campaign, "0" * 26, "delivery")
    tell(customer, campaign, doubtful, "send", "of_a_type_to_come")
    tell(customer, campaign, unhappy, "complaint", "subscription", "complaint", "delivery")
    tell(customer, campaign, bounced, "bounce_permanent_general", "delivery", "bounce_permanent_general")
    tell(customer, campaign, reader, "open_by_apples_proxy", "open", "delivery", "bounce_transient_general")

    expected = {"sent": 1, "delivered": 1, "opened": 1, "error": 1, "outcome_unknown": 0, "bounced": 1}
    expected |= {"machine_opened": 1, "complained": 1, "unsubscribed": 1}
    customer.when(campaign, lambda totals: totals.items() >= expected.items(), "all events are tracked")
    customer.assert_totals_are_true(campaign)
    found = {contact["contact_id"]: contact for contact in customer.contacts(campaign)}
    assert {name: found[name]["status"] for name in (reader, bounced, unhappy, doubtful)} == {
        reader: "opened",
        bounced: "error",
        unhappy: "delivered",
        doubtful: "sent",
    }
    assert found[bounced]["reason"]["code"] == "mailbox_unknown"
    assert found[reader]["machine_opened_at"] is not None
    assert suppressed(customer) == {
        customer.address("bounced"): {"bounced"},
        customer.address("unhappy"): {"complained", "unsubscribed"},
    }
