"""Brakes in the deployed package: what bounces too often stops, says why, and goes on when it is lifted."""

from datetime import UTC, datetime
from typing import Any

from local.stack import OPERATOR
from tests.stack.api import wait_for
from tests.stack.customer import Customer

PEOPLE = [f"person-{number}" for number in range(60)]
BOUNCES = 6  # of 60 messages, twice the limit


def sent_campaign(customer: Customer, line: str) -> str:
    """A finished campaign all of whose mail was accepted, and counted."""
    campaign = customer.campaign(line)
    customer.add(campaign, PEOPLE)
    customer.launch(campaign)
    assert customer.finished(campaign)["sent"] == len(PEOPLE)
    customer.visit(campaign)
    wait_for(lambda: in_state(customer, campaign, "finished"), "it is finished")
    wait_for(lambda: brake(customer, campaign)["accepted"] == len(PEOPLE), "all accepted ones are counted")
    return campaign


def in_state(customer: Customer, campaign: str, state: str) -> dict[str, Any] | None:
    report: dict[str, Any] = customer.api.get(f"/campaigns/{campaign}/report")
    return report if report["status"] == state else None


def brake(customer: Customer, campaign: str) -> dict[str, Any]:
    shown: dict[str, Any] = customer.api.get(f"/campaigns/{campaign}/report")["brake"]
    return shown


def bounced(customer: Customer, kind: str, subject: str, count: int = BOUNCES) -> None:
    """Count bounces of what was sent in this hour, as the events of a provider do."""
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    customer.stack.client("dynamodb").update_item(
        TableName=customer.stack.resource("BrakeTable"),
        Key={
            "subject": {"S": f"{customer.account_id}#{kind}#{subject}"},
            "hour": {"S": hour.isoformat(timespec="milliseconds").replace("+00:00", "Z")},
        },
        UpdateExpression="ADD bounced :bounces SET expires_at = if_not_exists(expires_at, :never)",
        ExpressionAttributeValues={":bounces": {"N": str(count)}, ":never": {"N": "4102444800"}},
    )


def operate(customer: Customer, **order: str) -> Any:
    return customer.stack.invoke(OPERATOR, {"account_id": customer.account_id, **order})


def paused(customer: Customer, campaign: str) -> dict[str, Any]:
    """The report once a visit of the dispatcher has paused the campaign."""
    customer.visit(campaign)
    return wait_for(lambda: in_state(customer, campaign, "paused"), "it pauses")


def test_bounces_pause_a_campaign_until_the_operator_lifts_its_brake(customer: Customer) -> None:
    line = customer.line()
    campaign = sent_campaign(customer, line)
    bounced(customer, "campaign", campaign)
    shown = brake(customer, campaign)
    assert (shown["accepted"], shown["bounced"], shown["bounce_rate"]) == (60, 6, 0.1)
    customer.add(campaign, ["late"])
    customer.launch(campaign)
    report = paused(customer, campaign)
    assert report["paused_because"]["code"] == "bounce_rate"
    assert "6 of 60 messages of the last 3 days bounced for good: 10 %" in report["paused_because"]["text"]
    assert report["brake"]["state"] == "pulled"
    assert report["brake"]["since"]

    refusal = customer.api.call("POST", f"/campaigns/{campaign}/launch")
    assert (refusal.status, refusal.body["allowed"]) == (409, ["braked"])
    (pulled,) = operate(customer, action="show_brakes")["brakes"]
    assert (pulled["campaign_id"], pulled["state"]) == (campaign, "pulled")
    assert operate(customer, action="lift_brake", campaign_id=campaign)["lifted_at"]
    assert brake(customer, campaign)["state"] == "ok"
    customer.launch(campaign)
    assert customer.finished(campaign)["sent"] == len(PEOPLE) + 1
    assert customer.received() == dict.fromkeys([*PEOPLE, "late"], 1)


def test_a_braked_line_gives_no_slot_and_the_other_line_goes_on(customer: Customer) -> None:
    line, other = customer.line(), customer.line()
    sent_campaign(customer, line)
    bounced(customer, "line", line)
    stopped, both = customer.campaign(line), customer.campaign(line_ids=[line, other])
    customer.add(stopped, ["stopped"])
    customer.add(both, ["one", "two", "three"])
    customer.launch(stopped)
    report = paused(customer, stopped)
    assert report["paused_because"]["text"].startswith("No line of the campaign can send. 6 of 60 messages")
    assert customer.api.get(f"/lines/{line}")["brake"]["state"] == "pulled"
    assert {shown["brake"]["state"] for shown in customer.api.get("/lines")["items"]} == {"pulled", "ok"}
    customer.launch(both)
    customer.finished(both)
    assert {contact["line_id"] for contact in customer.contacts(both)} == {other}

    operate(customer, action="lift_brake", line_id=line)
    assert customer.api.get(f"/lines/{line}")["brake"]["accepted"] == 0
    customer.launch(stopped)
    assert customer.finished(stopped)["sent"] == 1
