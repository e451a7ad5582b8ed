"""Pausing, editing and deleting in the middle of a campaign: what is queued is not sent any more."""

import time
from contextlib import suppress
from dataclasses import fields

from chalicelib.settings import Tables
from tests.stack.altered import trigger_off
from tests.stack.api import upload, wait_for
from tests.stack.customer import Customer, csv_file, table

PEOPLE = [f"person-{number}" for number in range(500)]
PER_SECOND = 40
STOPS_WITHIN = 5.0  # seconds from the reply until the last message may arrive


def launched(customer: Customer) -> str:
    """A campaign on its way: some have their mail, most have not."""
    campaign = customer.campaign(customer.line(per_second=PER_SECOND))
    customer.add(campaign, PEOPLE)
    customer.launch(campaign)
    wait_for(lambda: len(customer.mail()) >= 10, "the first mail arrives")
    return campaign


def test_a_pause_stops_within_seconds_and_a_resume_finishes_with_what_was_edited(customer: Customer) -> None:
    campaign = launched(customer)
    with trigger_off(customer.stack, "DispatchCampaign"):  # nobody calls them back: the senders must look
        assert customer.api.post(f"/campaigns/{campaign}/pause")["status"] == "paused"
        time.sleep(STOPS_WITHIN)
        arrived = len(customer.mail())
        time.sleep(2)
        assert len(customer.mail()) == arrived
    totals = customer.when(campaign, lambda t: t["pending"] == 0, "the queued ones are called back")
    assert 10 <= arrived < len(PEOPLE), "it was paused in the middle"
    assert (totals["sent"], totals["not_sent"]) == (arrived, len(PEOPLE) - arrived)
    customer.assert_totals_are_true(campaign)
    assert len(customer.mail()) == arrived

    before = {recipient for recipient, _ in customer.mail()}
    edited = customer.api.patch(f"/campaigns/{campaign}", {"subject": "Again for [firstName]"})
    assert (edited["status"], edited["content_version"]) == ("paused", 2)
    customer.launch(campaign)
    assert customer.finished(campaign)["sent"] == len(PEOPLE)
    assert customer.received() == dict.fromkeys(PEOPLE, 1)
    for recipient, message in customer.mail():
        name = recipient.partition("@")[0]
        assert message["Subject"] == (f"For {name}" if recipient in before else f"Again for {name}")
    versions = {contact["email"]: contact["content_version"] for contact in customer.contacts(campaign)}
    assert versions == {email: 1 if email in before else 2 for email in versions}
    state = customer.api.get(f"/campaigns/{campaign}/report")["status"]
    assert state in {"in_progress", "finished"}
    customer.visit(campaign)
    wait_for(
        lambda: customer.api.get(f"/campaigns/{campaign}/report")["status"] == "finished", "it is finished"
    )


def test_what_is_edited_while_it_runs_goes_to_those_not_sent_to_yet(customer: Customer) -> None:
    campaign = launched(customer)
    edited = customer.api.patch(f"/campaigns/{campaign}", {"subject": "Now for [firstName]"})
    assert (edited["status"], edited["content_version"]) == ("in_progress", 2)
    assert customer.finished(campaign)["sent"] == len(PEOPLE)
    assert customer.received() == dict.fromkeys(PEOPLE, 1)
    versions = {contact["email"]: contact["content_version"] for contact in customer.contacts(campaign)}
    assert set(versions.values()) == {1, 2}
    for recipient, message in customer.mail():
        start = "For" if versions[recipient] == 1 else "Now for"
        assert message["Subject"] == f"{start} {recipient.partition('@')[0]}"


def test_a_file_that_comes_after_its_campaign_was_deleted_does_not_stay(customer: Customer) -> None:
    campaign = customer.campaign()
    _, form = customer.form(campaign)
    customer.api.delete(f"/campaigns/{campaign}")
    wait_for(lambda: not traces(customer, campaign), "the campaign is gone")
    assert upload(form, csv_file("late@late.example")).status == 204
    wait_for(lambda: not traces(customer, campaign), "the file is gone, too")


def test_a_pause_calls_back_what_waits_for_a_sender(customer: Customer) -> None:
    campaign = customer.campaign()
    customer.add(campaign, ["one", "two"])
    with trigger_off(customer.stack, "SendEmails"):
        customer.launch(campaign)
        customer.when(campaign, lambda t: t["pending"] == 2, "both are released")
        customer.api.post(f"/campaigns/{campaign}/pause")
        customer.when(campaign, lambda t: t["not_sent"] == 2, "both are called back")
    customer.launch(campaign)
    assert customer.finished(campaign)["sent"] == 2
    assert customer.received() == {"one": 1, "two": 1}


def test_a_deleted_campaign_vanishes_with_all_its_rows_and_files(customer: Customer) -> None:
    campaign = launched(customer)
    other = customer.campaign(customer.api.get(f"/campaigns/{campaign}")["line_ids"][0])
    customer.add(other, ["stays"])
    export = customer.api.post(f"/campaigns/{campaign}/exports")
    customer.ended(f"/exports/{export['export_id']}")
    customer.api.post(f"/campaigns/{campaign}/preflight")
    customer.ended(f"/campaigns/{campaign}/preflight")
    customer.api.delete(f"/campaigns/{campaign}")
    assert customer.api.call("GET", f"/campaigns/{campaign}").code == "campaign_not_found"
    assert customer.api.call("GET", f"/exports/{export['export_id']}").status == 404
    left: list[str] = []

    def is_gone() -> bool:
        left[:] = traces(customer, campaign)
        return not left

    with suppress(AssertionError):
        wait_for(is_gone, "everything of it is gone")
    assert left == []
    arrived = len(customer.mail())
    time.sleep(STOPS_WITHIN)
    assert len(customer.mail()) <= arrived + PER_SECOND
    settled = len(customer.mail())
    time.sleep(2)
    assert len(customer.mail()) == settled < len(PEOPLE)
    assert traces(customer, campaign) == []
    assert [contact["email"] for contact in customer.contacts(other)] == [customer.address("stays")]
    assert max(customer.received().values()) == 1


def traces(customer: Customer, campaign: str) -> list[str]:
    """Where the campaign is still named: rows of any table, keys of any file. Not the trail."""
    resources = customer.stack.client("cloudformation").describe_stack_resources(StackName="postline")
    tables = [
        resource["LogicalResourceId"]
        for resource in resources["StackResources"]
        if resource["ResourceType"] == "AWS::DynamoDB::Table"
    ]
    assert len(tables) == len(fields(Tables))
    tables.remove("AuditTable")
    found = [
        f"{name}: {row}" for name in tables for row in table(customer.stack, name) if campaign in str(row)
    ]
    bucket = customer.stack.outputs["FileBucketName"]
    pages = customer.stack.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return found + [o["Key"] for page in pages for o in page.get("Contents", []) if campaign in o["Key"]]
