"""What a function does seldom, and the tests of the deployed package don't.

A line through SES, jobs that were given up, a brake that one bounce pulls, a password that was changed, a
removal that was lost.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from local.certificates import server_context
from local.stack import OPERATOR
from security.isolation import FOR_LATER
from tests.contract.faulty_imap import PASSWORD, USER, FaultyImap, Message
from tests.doors.events import TICK
from tests.stack.altered import trigger_off
from tests.stack.api import download, upload, wait_for
from tests.stack.customer import Customer, table
from tests.stack.test_attachments import put
from tests.stack.test_bounces import contact, report_on, sent
from tests.stack.test_brakes import bounced, in_state
from tests.stack.test_dkim import DOMAIN
from tests.stack.test_events import tell
from tests.unit.flow.bounce_builders import REPORT

LONG_AGO = "2026-01-01T00:00:00.000Z"
ACCEPTED = 60
ONE_TOO_FEW = 4  # bounces that pull no brake, whoever counts them before the next one


def a_line_through_ses_sends_and_its_identity_goes_with_it(customer: Customer) -> None:
    """A new identity, its tenant, a message that is put off once, the review of the identity, its end."""
    address = f"news@{customer.domain}"
    new = {"name": "SES", "from_address": address, "ses": {"identity": customer.domain}}
    line = customer.api.post("/lines", new)["line_id"]
    customer.api.post(f"/lines/{line}/connect")
    _in_state(customer, line, "connected")
    _change(customer, "LineTable", {"line_id": line}, check_at=LONG_AGO)
    customer.stack.invoke("StartDispatch", TICK)
    campaign = customer.campaign(line)
    customer.add(campaign, ["one", "throttle+two"])
    customer.launch(campaign)
    customer.when(campaign, lambda totals: totals["delivered"] >= 1, "it is delivered")
    customer.api.delete(f"/lines/{line}")
    customer.queue("ConnectQueue", {"account_id": customer.account_id, "identity": customer.domain})
    wait_for(lambda: not _rows(customer, "IdentityTable"), "the identity is given up")


def an_identity_that_is_anothers_is_refused(customer: Customer) -> None:
    """Two accounts want the same domain: the one that comes second is refused, and the claim is contested."""
    identity = f"wanted-{customer.domain}"
    new = {"name": "SES", "from_address": f"news@{identity}", "ses": {"identity": identity}}
    customer.api.post("/lines", new)
    refused = Customer.new(customer.stack).api.call("POST", "/lines", new)
    assert refused.status in {409, 422}, refused


def a_sample_file_is_downloaded(customer: Customer) -> None:
    """The link to a sample file leads to it, by the right of who signed the link."""
    assert download(customer.api.get("/sample-files/csv")["url"])


def a_file_that_nobody_sends_is_deleted(customer: Customer) -> None:
    """An attachment that no content ever had goes, with its bytes."""
    campaign = customer.campaign()
    file = put(customer, campaign, "unused.txt", b"x")
    customer.api.delete(f"/campaigns/{campaign}/attachments/{file['attachment_id']}")


def one_event_pulls_both_brakes(customer: Customer) -> None:
    """A bounce that SES tells of is one too many: the campaign that runs is paused."""
    _pull_brakes(
        customer, lambda campaign, bounced, _: tell(customer, campaign, bounced, "bounce_permanent_general")
    )


def one_returned_message_pulls_both_brakes(customer: Customer) -> None:
    """A bounce that comes as mail is one too many, from an address that is suppressed already."""

    def receive(_: str, __: str, raw: bytes) -> None:
        customer.api.post("/suppressions", {"addresses": [customer.address("one")]})
        key = f"inbound/{customer.account_id}"
        bucket = customer.stack.resource("FileBucket")
        customer.stack.client("s3").put_object(Bucket=bucket, Key=key, Body=raw)

    _pull_brakes(customer, receive)


def _pull_brakes(customer: Customer, tell_of: Callable[[str, str, bytes], None]) -> None:
    line, campaign, mail = sent(customer, "one")
    gone = contact(customer, campaign, "one", "sent")["contact_id"]
    customer.visit(campaign)
    wait_for(lambda: in_state(customer, campaign, "finished"), "it is finished")
    customer.api.patch(f"/campaigns/{campaign}", {"schedule": FOR_LATER})
    customer.add(campaign, ["late"])
    customer.launch(campaign)
    for kind, subject in (("campaign", campaign), ("line", line)):
        _accepted(customer, kind, subject)
        bounced(customer, kind, subject, ONE_TOO_FEW)
    tell_of(campaign, gone, report_on(mail["one"]))
    wait_for(lambda: in_state(customer, campaign, "paused"), "the campaign is paused")
    wait_for(lambda: customer.api.get(f"/lines/{line}")["brake"]["state"] == "pulled", "the line is braked")


def _accepted(customer: Customer, kind: str, subject: str) -> None:
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    customer.stack.client("dynamodb").update_item(
        TableName=customer.stack.resource("BrakeTable"),
        Key={
            "subject": {"S": f"{customer.account_id}#{kind}#{subject}"},
            "hour": {"S": hour.isoformat(timespec="milliseconds").replace("+00:00", "Z")},
        },
        UpdateExpression="ADD accepted :many SET expires_at = if_not_exists(expires_at, :never)",
        ExpressionAttributeValues={":many": {"N": str(ACCEPTED)}, ":never": {"N": "4102444800"}},
    )


def a_bounce_is_known_by_its_return_path_alone(customer: Customer) -> None:
    """Its server quotes nothing of the message: the address that it writes to is all that names it."""
    campaign = customer.campaign(customer.line(return_path=f"bounces+{{token}}@{customer.domain}"))
    customer.add(campaign, ["one"])
    customer.launch(campaign)
    customer.finished(campaign)
    arrived = customer.stack.mailbox.maildir.messages()
    (to,) = (mail.sender for mail in arrived if customer.address("one") in mail.recipients)
    said = {"recipient": customer.address("one"), "action": "failed", "status": "5.1.1"}
    raw = REPORT.format(to=to, envelope="", header="", **said).encode()
    tls = server_context(customer.stack.mailbox.ca_file.parent)
    with FaultyImap({5: Message(datetime.now(UTC).date(), raw)}, tls=tls) as server:
        mailbox = {"host": "127.0.0.1", "port": server.port, "username": USER, "password": PASSWORD}
        (line,) = customer.api.get(f"/campaigns/{campaign}")["line_ids"]
        customer.api.post(f"/lines/{line}/bounce-mailbox", mailbox)
        contact(customer, campaign, "one", "error")


def a_campaign_waits_for_an_import_into_it(customer: Customer) -> None:
    """All have their mail, and an import has not begun yet: a visit asks the import, and doesn't finish."""
    line = customer.line()
    campaign = customer.campaign(line)
    customer.add(campaign, ["one"])
    with trigger_off(customer.stack, "ImportUploads"):
        customer.api.post(f"/campaigns/{campaign}/imports/dialogs", {"line_id": line})
        customer.launch(campaign)
        customer.when(campaign, lambda totals: totals["sent"] == 1, "it is sent")
        customer.visit(campaign)
        assert customer.api.get(f"/campaigns/{campaign}")["status"] == "in_progress"
    customer.finished(campaign)


def an_erasure_takes_a_preflight_along(customer: Customer) -> None:
    """The preflight shows a subject as somebody would read it, who is erased then."""
    campaign = customer.campaign(subject="For [param1]")
    customer.add(campaign, ["one"])
    customer.api.post(f"/campaigns/{campaign}/preflight")
    assert customer.ended(f"/campaigns/{campaign}/preflight")["missing"]
    asked = customer.api.post("/personal-data/erasures", {"address": customer.address("one")})
    customer.ended(f"/personal-data/jobs/{asked['job_id']}")
    assert customer.api.call("GET", f"/campaigns/{campaign}/preflight").status == 404


def a_password_that_was_changed_takes_the_line_out_of_use(customer: Customer) -> None:
    """The server refuses the login while a campaign is sent: the line fails, and its contacts wait."""
    line = customer.line()
    campaign = customer.campaign(line)
    customer.add(campaign, ["one"])
    _change(customer, "LineTable", {"line_id": line}, username="nobody")
    customer.launch(campaign)
    _in_state(customer, line, "failed")


def what_can_not_be_composed_pauses_its_campaign(customer: Customer) -> None:
    """Content that the API would not have taken: every contact would fail, so none is tried."""
    campaign = customer.campaign()
    customer.add(campaign, ["one"])
    (content,) = (row for row in table(customer.stack, "ContentTable") if campaign in str(row))
    keys = {name: content[name] for name in _keys_of(customer, "ContentTable")}
    _change_by_key(customer, "ContentTable", keys, html="{{ 1 +")
    customer.launch(campaign)
    wait_for(lambda: in_state(customer, campaign, "paused"), "the campaign is paused")


def a_removal_that_was_lost_is_asked_for_again(customer: Customer) -> None:
    """A campaign that is being deleted, with a test message, and no message about it in any queue."""
    campaign = customer.campaign()
    customer.add(campaign, ["one"])
    customer.api.post(f"/campaigns/{campaign}/tests", {"to": customer.address("tester")})
    _change(customer, "CampaignTable", {"campaign_id": campaign}, status="deleting")
    customer.visit(campaign)
    wait_for(lambda: not _rows(customer, "CampaignTable"), "the campaign is removed, test messages first")


def the_daily_round_looks_at_every_domain(customer: Customer) -> None:
    """The domains of all accounts are looked at without anybody asking."""
    domain = f"{customer.account_id.lower()}.{DOMAIN}"
    customer.api.post("/domains", {"domain": domain})
    customer.stack.invoke("StartChecks", TICK)
    wait_for(
        lambda: customer.api.get(f"/domains/{domain}")["keys"][0]["checked_at"], "its record was looked for"
    )


def the_operator_looks_after_an_account(customer: Customer) -> None:
    """Every order that changes or shows something of an account or of the service."""
    line, of_account = customer.unconnected_line(), {"account_id": customer.account_id}
    orders: tuple[dict[str, object], ...] = (
        {"action": "set_line_plan", **of_account, "line_id": line, "plan": "demo"},
        {"action": "set_quota", **of_account, "quota": "lines", "limit": 5},
        {"action": "show_brakes", **of_account},
        {"action": "show_audit", **of_account},
        {"action": "show_health"},
    )
    for order in orders:
        answer = customer.stack.invoke(OPERATOR, order)
        assert "error" not in answer, answer


def a_file_that_nobody_looked_at_goes_with_its_campaign(customer: Customer) -> None:
    """An attachment was uploaded, and its campaign is deleted before anybody reads it. Stops reading them."""
    campaign = customer.campaign()
    wanted = {"Bucket": customer.stack.resource("FileBucket")}
    wanted["Prefix"] = f"attachment-uploads/{customer.account_id}/{campaign}/"
    files = customer.stack.client("s3")
    with trigger_off(customer.stack, "PrepareAttachments"):
        started = customer.api.post(f"/campaigns/{campaign}/attachments", {"file_name": "late.txt"})
        assert upload(started["upload"], b"x").status == 204
        assert files.list_objects_v2(**wanted)["KeyCount"] == 1
        customer.api.delete(f"/campaigns/{campaign}")
        wait_for(lambda: files.list_objects_v2(**wanted)["KeyCount"] == 0, "the file is removed")


def jobs_that_were_given_up_say_so(customer: Customer) -> None:
    """Messages that failed too often: whoever waits for their jobs is told. Stops proofs for a while."""
    campaign, line = customer.campaign(), customer.unconnected_line()
    import_id, _ = customer.form(campaign)
    jobs: list[Mapping[str, Any]] = [
        {"import_id": import_id},
        {"export_id": "x"},
        {"campaign_id": campaign, "preflight_id": "x"},
        {"advice_for": line},
        {"line_id": line},
        {"personal_data_id": "x"},
    ]
    attachment = customer.api.post(f"/campaigns/{campaign}/attachments", {"file_name": "late.pdf"})[
        "attachment"
    ]
    key = f"attachment-uploads/{customer.account_id}/{campaign}/{attachment['attachment_id']}"
    with trigger_off(customer.stack, "ConnectLines"):
        customer.api.post(f"/lines/{line}/connect")
        for job in jobs:
            customer.queue("AbandonedJobQueue", {"account_id": customer.account_id, **job})
        customer.queue("AbandonedJobQueue", {"Records": [{"s3": {"object": {"key": key}}}]})
        _in_state(customer, line, "failed")
    assert customer.ended(f"/imports/{import_id}")["reason"]["code"] == "gave_up"
    (shown,) = customer.api.get(f"/campaigns/{campaign}/attachments")["items"]
    assert shown["state"] == "failed"


def _in_state(customer: Customer, line: str, state: str) -> None:
    wait_for(
        lambda: customer.api.get(f"/lines/{line}")["connection"]["state"] == state, f"the line is {state}"
    )


def _rows(customer: Customer, logical_id: str) -> list[dict[str, Any]]:
    return [row for row in table(customer.stack, logical_id) if customer.account_id in str(row)]


def _change(customer: Customer, logical_id: str, key: Mapping[str, str], **texts: str) -> None:
    _change_by_key(customer, logical_id, {"account_id": customer.account_id, **key}, **texts)


def _change_by_key(customer: Customer, logical_id: str, key: Mapping[str, Any], **texts: str) -> None:
    """Set texts of a row behind the product's back."""
    customer.stack.client("dynamodb").update_item(
        TableName=customer.stack.resource(logical_id),
        Key={
            name: {"S": value} if isinstance(value, str) else {"N": str(value)} for name, value in key.items()
        },
        UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in texts),
        ExpressionAttributeNames={f"#{name}": name for name in texts},
        ExpressionAttributeValues={f":{name}": {"S": text} for name, text in texts.items()},
    )


def _keys_of(customer: Customer, logical_id: str) -> list[str]:
    tables = customer.stack.client("dynamodb")
    schema = tables.describe_table(TableName=customer.stack.resource(logical_id))["Table"]["KeySchema"]
    return [key["AttributeName"] for key in schema]


AT_ANY_TIME: tuple[Callable[[Customer], None], ...] = (
    a_line_through_ses_sends_and_its_identity_goes_with_it,
    an_identity_that_is_anothers_is_refused,
    a_sample_file_is_downloaded,
    a_file_that_nobody_sends_is_deleted,
    one_event_pulls_both_brakes,
    one_returned_message_pulls_both_brakes,
    a_bounce_is_known_by_its_return_path_alone,
    an_erasure_takes_a_preflight_along,
    a_password_that_was_changed_takes_the_line_out_of_use,
    what_can_not_be_composed_pauses_its_campaign,
    a_removal_that_was_lost_is_asked_for_again,
    the_daily_round_looks_at_every_domain,
    the_operator_looks_after_an_account,
)
ALONE: tuple[Callable[[Customer], None], ...] = (
    a_campaign_waits_for_an_import_into_it,
    a_file_that_nobody_looked_at_goes_with_its_campaign,
    jobs_that_were_given_up_say_so,
)
