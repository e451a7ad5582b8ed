"""No log holds an address, a name, a text or a secret, in good days and in bad ones; no answer a secret."""

import io
import zipfile
from collections.abc import Mapping
from typing import Any

from local.certificates import server_context
from local.emulator import ROOT
from local.stack import Stack
from security.isolation import settle_in
from security.requests import operations
from tests.contract.faulty_imap import USER, FaultyImap, quote
from tests.doors.events import TICK, failed_ids, sqs_event
from tests.stack.api import Api, download, upload, wait_for
from tests.stack.customer import Customer, csv_file
from tests.stack.test_attachments import put
from tests.stack.test_events import tell

CANARY = "canary7f3a"


def test_what_people_entrust_to_us_is_in_no_log(stack: Stack, customer: Customer) -> None:
    line = customer.line()
    campaign = customer.campaign(
        line,
        name=f"{CANARY} name",
        subject=f"{CANARY} [firstName|x]",
        html=f"<p>{CANARY}</p>",
        text=f"{CANARY} text",
    )
    rows = (
        f"{fault}{CANARY}@{customer.domain},{CANARY},{CANARY},{CANARY},{CANARY},,"
        for fault in ("", "refuse+", "greylist+", "drop-after-dot+")
    )
    customer.import_file(campaign, csv_file(*rows, f"{CANARY} is no address,,,,,,"))
    customer.import_file(campaign, f"{CANARY}\r\n{CANARY}".encode())
    for body in (
        f'{{"{CANARY}": "{CANARY}"}}',
        f'"{CANARY}',
        f'{{"name": "{CANARY}", "smtp": {{"password": "{CANARY}"}}}}',
    ):
        assert customer.api.call("POST", "/lines", raw=body.encode()).status >= 400
    assert customer.api.call("GET", f"/campaigns/{CANARY}?cursor={CANARY}").status >= 400
    assert Api(stack.api_url, f"pl_{CANARY}_{CANARY}").call("GET", "/account").status == 403
    order: dict[str, object] = dict.fromkeys(["account_id", "campaign_id", "contact_id", "line_id"], "x")
    order |= {"slot_at": CANARY, "generation": 1, "attempt": 1}
    messages = sqs_event(f"{CANARY} is no order", order | {"account_id": [CANARY]}, order)
    for function in ("SendEmails", "DispatchCampaign", "ImportUploads"):
        assert len(failed_ids(stack.invoke(function, messages))) >= 2
    stack.invoke("OperateService", {"action": CANARY, "name": CANARY})
    wrong = customer.api.post(
        "/lines",
        {
            "name": CANARY,
            "from_address": f"{CANARY}@example.com",
            "smtp": {
                "host": stack.mailbox.host,
                "port": stack.mailbox.port,
                "username": f"{CANARY}-user",
                "password": f"{CANARY}-password",
            },
        },
    )
    customer.api.post(f"/lines/{wrong['line_id']}/connect")
    customer.api.post(f"/lines/{wrong['line_id']}/password", {"password": f"{CANARY}-another"})
    for kind, name in (("exports", CANARY), ("erasures", f"gone-{CANARY}")):
        job = customer.api.post(f"/personal-data/{kind}", {"address": f"{name}@{customer.domain}"})
        customer.ended(f"/personal-data/jobs/{job['job_id']}")
    customer.api.post("/domains", {"domain": f"{CANARY}.example"})
    customer.api.post(f"/domains/{CANARY}.example/check")
    customer.api.post(f"/lines/{line}/advice")
    wait_for(lambda: customer.api.get(f"/lines/{line}/advice")["state"] == "done", "there is advice")
    refused_mailbox(customer, customer.unconnected_line(), f"{CANARY}-imap")
    put(customer, campaign, f"{CANARY}.txt", CANARY.encode())
    customer.launch(campaign)
    customer.when(campaign, lambda t: (t["sent"], t["error"], t["not_sent"]) == (1, 2, 1), "all are tried")
    tell(customer, campaign, customer.contacts(campaign)[0]["contact_id"], "bounce_permanent_general")
    export = customer.api.post(f"/campaigns/{campaign}/exports")
    customer.ended(f"/exports/{export['export_id']}")
    wait_for(
        lambda: customer.api.get(f"/lines/{wrong['line_id']}")["connection"]["state"] == "failed",
        "it is refused",
    )
    customer.api.delete(f"/campaigns/{customer.campaign(line, name=CANARY)}")
    customer.queue("AbandonedJobQueue", {"account_id": customer.account_id, "import_id": CANARY})
    for function in ("StartDispatch", "StartChecks", "StartBounceReading"):
        stack.invoke(function, TICK)
    for function in functions_of(stack):  # a line comes into the log some time after it was written
        wait_for(lambda name=function: '"event"' in "".join(stack.logs(name)), f"{function} has worked")
    secrets = {CANARY, customer.domain, customer.key, stack.mailbox.password, stack.mailbox.username + '"'}
    logged = {name: "\n".join(stack.logs(name)) for name in functions_of(stack)}
    assert [name for name, text in logged.items() if '"event"' not in text] == [], "each has something to say"
    assert [(name, text) for name, text in logged.items() for secret in secrets if secret in text] == []


def refused_mailbox(customer: Customer, line: str, password: str) -> Mapping[str, Any]:
    """The line's bounce mailbox as it is shown, after its server refused the password by quoting it."""
    tls = server_context(customer.stack.mailbox.ca_file.parent)
    with FaultyImap(faults={"authenticate": [quote] * 20}, tls=tls, password=password) as server:
        mailbox = {"host": "127.0.0.1", "port": server.port, "username": USER, "password": password}
        customer.api.post(f"/lines/{line}/bounce-mailbox", mailbox)

        def look() -> Mapping[str, Any] | None:
            shown: Mapping[str, Any] = customer.api.get(f"/lines/{line}")["bounce_mailbox"]
            return shown if shown["reason"] else None

        return wait_for(look, "the server refuses")


def functions_of(stack: Stack) -> list[str]:
    found = stack.client("cloudformation").describe_stack_resources(StackName="postline")["StackResources"]
    return [
        resource["LogicalResourceId"]
        for resource in found
        if resource["ResourceType"] == "AWS::Lambda::Function"
    ]


def test_a_fault_of_ours_and_a_refused_upload_tell_nothing(customer: Customer) -> None:
    stack, campaign = customer.stack, customer.campaign()
    _, form = customer.form(campaign)
    changed = upload(form, f"{CANARY}".encode(), key=f"uploads/{CANARY}")
    assert changed.status == 403
    stack.client("dynamodb").update_item(
        TableName=stack.resource("CampaignTable"),
        Key={"account_id": {"S": customer.account_id}, "campaign_id": {"S": campaign}},
        UpdateExpression="SET #status = :nonsense",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={":nonsense": {"S": f"{CANARY}@{customer.domain}"}},
    )
    answer = customer.api.ask("GET", f"/campaigns/{campaign}")
    assert (answer.status, answer.code) == (500, "internal")
    assert CANARY not in str(answer)
    logged = "\n".join(stack.logs("APIHandler"))
    assert '"request_failed"' in logged
    assert CANARY not in logged
    assert customer.domain not in logged


def test_no_answer_export_or_artefact_tells_a_secret(customer: Customer) -> None:
    stack, api, secret = customer.stack, customer.api, f"{CANARY}-password"
    tenant = settle_in(customer)
    smtp = {"host": "mail.example.com", "port": 587, "username": "u", "password": secret}
    new = {"name": "N", "from_address": "news@sender.example", "smtp": smtp}
    line = api.post("/lines", new)["line_id"]
    shown = refused_mailbox(customer, line, secret)
    assert shown["reason"]["reply_text"] == "bad credentials: *** in ***"
    told = [
        str(api.call(route.method, route.address({**tenant.ids, "line_id": line, "file_type": "csv"})))
        for route in operations(api.get("/openapi.json"))
        if route.method == "GET" and not route.is_public
    ]
    for wrong in (
        {"port": 1},
        {"host": "localhost"},
        {"password": secret * 100},
        {"security": "none at all"},
    ):
        answer = api.call("POST", "/lines", {**new, "smtp": {**smtp, **wrong}})
        assert answer.wrong_fields == {f"smtp.{field}" for field in wrong}
        told += [str(answer)]
    suppressed = api.post("/suppressions/exports")["export_id"]
    exports = [
        customer.ended(f"/exports/{export}")["url"] for export in (tenant.ids["export_id"], suppressed)
    ]
    told += [_unpacked(download(url)) for url in exports]
    told += [file.read_text(errors="replace") for file in stack.emulator.decisions.parent.glob("*.log")]
    told += [stack.emulator.decisions.read_text(), (ROOT / "build" / "sam.yaml").read_text()]
    assert len(told) > 30
    key = customer.key.rpartition("_")[2]
    for sealed in (secret, key, stack.mailbox.password, stack.emulator.credentials.secret_access_key):
        assert [text[:300] for text in told if sealed in text] == []


def _unpacked(file: bytes) -> str:
    """What can be read in a workbook's parts, or in any other file."""
    if not zipfile.is_zipfile(io.BytesIO(file)):
        return file.decode(errors="replace")
    with zipfile.ZipFile(io.BytesIO(file)) as parts:
        return "\n".join(parts.read(name).decode(errors="replace") for name in parts.namelist())
