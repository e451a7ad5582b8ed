"""Mail that comes back changes its contact, whichever of three ways it takes into the deployed package."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any

from local.certificates import server_context
from tests.contract.faulty_imap import PASSWORD, USER, FaultyImap, Message
from tests.doors.events import TICK
from tests.stack.api import wait_for
from tests.stack.customer import Customer
from tests.unit.flow.bounce_builders import REPORT


def report_on(message: EmailMessage, action: str = "failed", status: str = "5.1.1") -> bytes:
    """What a server writes back about a message that it got."""
    return REPORT.format(
        to="news@sender.example",
        envelope="",
        recipient=message["To"],
        action=action,
        status=status,
        header=f"X-Postline-Return: {message['X-Postline-Return']}\n",
    ).encode()


def sent(customer: Customer, *names: str) -> tuple[str, str, dict[str, EmailMessage]]:
    """A line, a campaign of it, and the messages that arrived, by name."""
    line = customer.line()
    campaign = customer.campaign(line)
    customer.add(campaign, names)
    customer.launch(campaign)
    customer.finished(campaign)
    return line, campaign, {to.partition("@")[0]: message for to, message in customer.mail()}


def contact(customer: Customer, campaign: str, name: str, status: str) -> Mapping[str, Any]:
    """The contact, once it has this status."""

    def look() -> Mapping[str, Any] | None:
        (found,) = (c for c in customer.contacts(campaign) if c["email"] == customer.address(name))
        return found if found["status"] == status else None

    return wait_for(look, f"{name} is {status}")


def post(customer: Customer, raw: bytes) -> Mapping[str, Any]:
    answer = customer.api.call("POST", "/bounces", raw=raw, headers={"Content-Type": "message/rfc822"})
    assert answer.status == 200, answer
    shown: Mapping[str, Any] = answer.body
    return shown


def let_an_hour_pass(customer: Customer, line: str) -> None:
    """Make it an hour ago that the line's bounce mailbox was read."""
    customer.stack.client("dynamodb").update_item(
        TableName=customer.stack.resource("LineTable"),
        Key={"account_id": {"S": customer.account_id}, "line_id": {"S": line}},
        UpdateExpression="SET mailbox_reading.checked_at = :then",
        ExpressionAttributeValues={":then": {"S": (datetime.now(UTC) - timedelta(hours=1)).isoformat()}},
    )


def test_a_bounce_counts_whether_it_is_read_posted_or_received(customer: Customer) -> None:
    line, campaign, mail = sent(customer, "read", "posted", "received", "well")
    inbox = {5: Message(datetime.now(UTC).date(), report_on(mail["read"]))}
    tls = server_context(customer.stack.mailbox.ca_file.parent)
    with FaultyImap(inbox, tls=tls) as server:
        mailbox = {"host": "127.0.0.1", "port": server.port, "username": USER, "password": PASSWORD}
        customer.api.post(f"/lines/{line}/bounce-mailbox", mailbox)
        found = contact(customer, campaign, "read", "error")
        assert found["reason"]["code"] == "mailbox_unknown"
        shown = customer.api.get(f"/lines/{line}")["bounce_mailbox"]
        assert (shown["state"], shown["reason"]) == ("reading", None)
        visits = len(server.commands)
        let_an_hour_pass(customer, line)
        customer.stack.invoke("StartBounceReading", TICK)
        wait_for(lambda: len(server.commands) > visits or None, "the round reads the mailbox again")

    posted = post(customer, b"\n".join((report_on(mail["posted"]), "Grüße".encode("latin-1"))))
    assert posted["contact_id"] == contact(customer, campaign, "posted", "error")["contact_id"]

    bucket = customer.stack.resource("FileBucket")
    customer.stack.client("s3").put_object(
        Bucket=bucket, Key="inbound/1", Body=report_on(mail["received"], "delivered", "2.0.0")
    )
    contact(customer, campaign, "received", "delivered")
    contact(customer, campaign, "well", "sent")
    customer.assert_totals_are_true(campaign)

    stranger = Customer.new(customer.stack)
    assert post(stranger, report_on(mail["well"]))["contact_id"] is None
    contact(customer, campaign, "well", "sent")
