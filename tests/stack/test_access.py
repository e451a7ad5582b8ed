"""Who may do what: keys open one account, policies open to a function what it needs and nothing else."""

import base64
import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from local.stack import Stack
from tests.stack.api import Answer, Api, wait_for
from tests.stack.customer import Customer, table
from tests.stack.person import Person

PROBE = """
import boto3
from base64 import b64decode
from botocore.exceptions import ClientError
def handler(event, context):
    values = {k: b64decode(v[7:]) if str(v).startswith("base64:") else v for k, v in event["values"].items()}
    try:
        getattr(boto3.client(event["service"]), event["operation"])(**values)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "allowed"
"""
Call = Callable[[str, str, dict[str, Any]], str]


def acting_as(stack: Stack, function: str) -> Call:
    """Make calls of AWS with the role of a function."""
    functions = stack.client("lambda")
    found = functions.get_function_configuration(FunctionName=stack.resource(function))
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("probe.py", PROBE)
    functions.create_function(
        FunctionName=f"probe-{function}",
        Runtime="python3.11",
        Handler="probe.handler",
        Role=found["Role"],
        Code={"ZipFile": package.getvalue()},
        Layers=[layer["Arn"] for layer in found["Layers"]],
        Timeout=30,
    )

    def call(service: str, operation: str, values: dict[str, Any]) -> str:
        event = json.dumps({"service": service, "operation": operation, "values": values}).encode()
        answer = functions.invoke(FunctionName=f"probe-{function}", Payload=event)
        return str(json.loads(answer["Payload"].read()))

    return call


def test_each_function_is_held_to_its_own_policy(customer: Customer) -> None:
    stack = customer.stack
    line_id = customer.line()
    line = next(row for row in table(stack, "LineTable") if row["line_id"] == line_id)
    password = {
        "CiphertextBlob": "base64:" + base64.b64encode(bytes(line["password"])).decode(),
        "EncryptionContext": {"account": customer.account_id, "line": line_id},
    }
    secret = {"KeyId": stack.resource("SecretKey"), "Plaintext": "x"}
    contacts = {"TableName": stack.resource("ContactTable")}
    upload = {"Bucket": stack.outputs["FileBucketName"], "Key": "uploads/a/b/c"}
    order = {"QueueUrl": stack.resource("SendQueue"), "MessageBody": "{}"}

    api = acting_as(stack, "APIHandler")
    assert api("kms", "encrypt", secret) == "allowed"
    assert api("kms", "decrypt", password) == "AccessDeniedException"
    assert api("dynamodb", "scan", contacts) == "AccessDeniedException"
    assert api("s3", "get_object", upload) == "AccessDenied"
    event = {"QueueUrl": stack.resource("SesEventQueue"), "MessageBody": "{}"}
    assert "AccessDenied" in api("sqs", "send_message", event)

    link_key = {"KeyId": stack.resource("LinkKey"), "Plaintext": "x"}
    assert api("kms", "encrypt", link_key) == "AccessDeniedException"
    row = {"ring": {"S": "links"}, "number": {"N": "99"}}
    put = {"TableName": stack.resource("LinkKeyTable"), "Item": row}
    assert api("dynamodb", "put_item", put) == "AccessDeniedException"

    entry = {"account_id": {"S": customer.account_id}, "entry_id": {"S": "x"}}
    trail = {"TableName": stack.resource("AuditTable"), "Key": entry}
    assert api("dynamodb", "delete_item", trail) == "AccessDeniedException"
    assert (
        api("lambda", "invoke", {"FunctionName": stack.resource("OperateService")}) == "AccessDeniedException"
    )

    connector = acting_as(stack, "ConnectLines")
    assert connector("kms", "decrypt", password) == "allowed"
    elsewhere = {**password, "EncryptionContext": {"account": customer.account_id, "line": "another"}}
    assert connector("kms", "decrypt", elsewhere) == "InvalidCiphertextException"
    assert connector("kms", "encrypt", secret) == "AccessDeniedException"

    customer.api.post("/domains", {"domain": "sender.example"})
    (row,) = (row for row in table(stack, "DomainTable") if row["account_id"] == customer.account_id)
    dkim_key = {
        "CiphertextBlob": "base64:" + base64.b64encode(bytes(row["keys"][0]["private_key"])).decode(),
        "EncryptionContext": {"account": customer.account_id, "domain": "sender.example"},
    }
    assert api("kms", "decrypt", dkim_key) == "AccessDeniedException"
    assert connector("kms", "decrypt", dkim_key | {"EncryptionContext": password["EncryptionContext"]}) == (
        "InvalidCiphertextException"
    )
    checker = acting_as(stack, "CheckDns")
    assert checker("kms", "decrypt", dkim_key) == "AccessDeniedException"
    assert checker("dynamodb", "scan", contacts) == "AccessDeniedException"

    importer = acting_as(stack, "ImportUploads")
    assert importer("kms", "decrypt", password) == "AccessDeniedException"
    assert importer("s3", "put_object", upload) == "AccessDenied"
    assert "AccessDenied" in importer("sqs", "send_message", order)


def test_a_password_moved_to_another_row_is_not_opened(customer: Customer) -> None:
    """Whoever could write the table would still get nobody else's password to a server of theirs."""
    stack = customer.stack
    customer.line()
    other = Customer.new(stack)
    own, foreign = other.unconnected_line(), other.unconnected_line()
    (password,) = (
        row["password"] for row in table(stack, "LineTable") if row["account_id"] == customer.account_id
    )
    (sibling,) = (row["password"] for row in table(stack, "LineTable") if row["line_id"] == own)
    for line, moved in ((foreign, password), (own, password), (foreign, sibling)):
        stack.client("dynamodb").update_item(
            TableName=stack.resource("LineTable"),
            Key={"account_id": {"S": other.account_id}, "line_id": {"S": line}},
            UpdateExpression="SET password = :moved",
            ExpressionAttributeValues={":moved": {"B": bytes(moved)}},
        )
        other.api.post(f"/lines/{line}/connect")
        connection = wait_for(lambda line=line: ended(other, line), "the line is tried")  # type: ignore[misc]
        assert (connection["state"], connection["reason"]["code"]) == ("failed", "password_unreadable")


def ended(customer: Customer, line: str) -> dict[str, Any] | None:
    connection: dict[str, Any] = customer.api.get(f"/lines/{line}")["connection"]
    return None if connection["state"] == "connecting" else connection


def test_no_key_a_wrong_key_and_a_revoked_key_open_nothing(customer: Customer) -> None:
    made = customer.api.post("/api-keys", {"name": "second"})
    key_id, secret = made["key_id"], made["api_key"].rpartition("_")[2]
    nobody = Api(customer.stack.api_url, None)
    for path in ("/account", "/campaigns", "/openapi.json", "/nowhere"):
        assert nobody.call("GET", path).status in {401, 403}
    for key in (
        "",
        "pl_",
        "nonsense",
        f"pl_{key_id}_{secret[:-1]}",
        f"pl_{key_id}_",
        f"pl_000000000000_{secret}",
        f"pl_{key_id}_{customer.key.rpartition('_')[2]}",
    ):
        assert Api(customer.stack.api_url, key).call("GET", "/account").status in {401, 403}
    customer.api.delete(f"/api-keys/{key_id}")
    assert Api(customer.stack.api_url, made["api_key"]).call("GET", "/account").status == 403
    assert customer.api.get("/account")["account_id"] == customer.account_id


@pytest.fixture(scope="module")
def owner(stack: Stack) -> dict[str, str]:
    """Ids of everything an account can have; the account is somebody else's for all who read them."""
    customer = Customer.new(stack)
    campaign = customer.campaign()
    (contact,) = customer.add(campaign, ["somebody"])
    (line,) = (line["line_id"] for line in customer.api.get("/lines")["items"])
    import_id, _ = customer.form(campaign)
    export = customer.api.post(f"/campaigns/{campaign}/exports")["export_id"]
    key = customer.api.get("/api-keys")["items"][0]["key_id"]
    domain = customer.api.post("/domains", {"domain": "owner.example"})
    attachment = customer.api.post(f"/campaigns/{campaign}/attachments", {"file_name": "plan.pdf"})
    customer.api.post(f"/lines/{line}/advice")
    customer.api.post(f"/lines/{line}/dialogs", {"email": "somebody@example.com"})
    guest = Person.new(stack, customer.address("guest"))
    token = customer.api.post("/invitations", {"email": guest.email, "role": "owner"})["token"]
    invited = customer.api.post("/invitations", {"email": guest.email, "role": "viewer"})
    return {
        "m": guest.api.post("/invitations/accept", {"token": token})["member_id"],
        "v": invited["invitation_id"],
        "c": campaign,
        "k": contact,
        "l": line,
        "i": import_id,
        "e": export,
        "a": key,
        "d": domain["domain"],
        "t": customer.api.post(f"/campaigns/{campaign}/tests", {"to": customer.address("tester")})["test_id"],
        "s": domain["keys"][0]["selector"],
        "f": attachment["attachment"]["attachment_id"],
        "j": customer.api.post("/personal-data/exports", {"address": customer.address("ann")})["job_id"],
        "account": customer.key,
    }


NAMES = {
    "c": "campaign_id",
    "k": "contact_id",
    "l": "line_id",
    "i": "import_id",
    "e": "export_id",
    "a": "key_id",
    "d": "domain",
    "t": "test_id",
    "s": "selector",
    "f": "attachment_id",
    "m": "member_id",
    "v": "invitation_id",
    "j": "job_id",
}
"""What an id is called in REQUESTS, and in the paths of the description."""
MAILBOX = {"host": "imap.example.com", "port": 993, "username": "bounces", "password": "a password"}
REQUESTS = [
    ("GET", "/campaigns/{c}", None),
    ("PATCH", "/campaigns/{c}", {"name": "Mine"}),
    ("DELETE", "/campaigns/{c}", None),
    ("POST", "/campaigns/{c}/launch", None),
    ("POST", "/campaigns/{c}/pause", None),
    ("POST", "/campaigns/{c}/resend", {}),
    ("DELETE", "/campaigns/{c}/resend", None),
    ("GET", "/campaigns/{c}/plan", None),
    ("GET", "/campaigns/{c}/report", None),
    ("POST", "/campaigns/{c}/attachments", {"file_name": "plan.pdf"}),
    ("GET", "/campaigns/{c}/attachments", None),
    ("DELETE", "/campaigns/{c}/attachments/{f}", None),
    ("GET", "/campaigns/{c}/contacts/{k}/preview", None),
    ("POST", "/campaigns/{c}/preview", {"person": {"email": "anna@example.com"}}),
    ("POST", "/campaigns/{c}/tests", {"to": "anna@example.com"}),
    ("GET", "/tests/{t}", None),
    ("POST", "/campaigns/{c}/preflight", None),
    ("GET", "/campaigns/{c}/preflight", None),
    ("GET", "/campaigns/{c}/contacts", None),
    ("POST", "/campaigns/{c}/contacts", {"contacts": [{"email": "anna@example.com"}]}),
    ("GET", "/campaigns/{c}/contacts/{k}", None),
    ("PATCH", "/campaigns/{c}/contacts/{k}", {"first_name": "Mine"}),
    ("DELETE", "/campaigns/{c}/contacts/{k}", None),
    ("POST", "/campaigns/{c}/imports", {}),
    ("GET", "/campaigns/{c}/imports", None),
    ("GET", "/imports/{i}", None),
    ("POST", "/imports/{i}/preview", {}),
    ("POST", "/imports/{i}/start", None),
    ("POST", "/campaigns/{c}/exports", None),
    ("GET", "/exports/{e}", None),
    ("GET", "/lines/{l}", None),
    ("POST", "/lines/{l}/connect", None),
    ("POST", "/lines/{l}/password", {"password": "another"}),
    ("GET", "/lines/{l}/advice", None),
    ("POST", "/lines/{l}/advice", None),
    ("POST", "/lines/{l}/bounce-mailbox", MAILBOX),
    ("DELETE", "/lines/{l}/bounce-mailbox", None),
    ("POST", "/lines/{l}/dialogs", {"email": "anna@example.com"}),
    ("POST", "/lines/{l}/dialogs/bulk", {"dialogs": [{"email": "anna@example.com"}]}),
    ("POST", "/lines/{l}/dialogs/tags", {"emails": ["somebody@example.com"], "add": ["mine"]}),
    ("GET", "/lines/{l}/dialogs", None),
    ("DELETE", "/lines/{l}/dialogs?email=somebody@example.com", None),
    ("POST", "/lines/{l}/dialogs/imports", {}),
    ("GET", "/lines/{l}/dialogs/imports", None),
    ("POST", "/campaigns/{c}/imports/dialogs", {"line_id": "{l}"}),
    ("DELETE", "/lines/{l}", None),
    ("GET", "/domains/{d}", None),
    ("POST", "/domains/{d}/check", None),
    ("POST", "/domains/{d}/keys", None),
    ("DELETE", "/domains/{d}/keys/{s}", None),
    ("DELETE", "/domains/{d}", None),
    ("DELETE", "/api-keys/{a}", None),
    ("PATCH", "/members/{m}", {"role": "viewer"}),
    ("DELETE", "/members/{m}", None),
    ("DELETE", "/invitations/{v}", None),
    ("GET", "/personal-data/jobs/{j}", None),
]


def test_what_is_another_accounts_does_not_exist(customer: Customer, owner: dict[str, str]) -> None:
    for method, path, body in REQUESTS:
        foreign: Answer = customer.api.call(method, path.format(**owner), body)
        unknown = customer.api.call(method, path.format(**dict.fromkeys(owner, "0" * 22)), body)
        assert (foreign.status, foreign.body) == (404, unknown.body), (method, path)
    other = Api(customer.stack.api_url, owner["account"])
    assert other.get(f"/campaigns/{owner['c']}")["totals"]["contacts"] == 1
    assert len(other.get("/lines")["items"]) == 1
    assert {key["revoked_at"] for key in other.get("/api-keys")["items"]} == {None}
    assert [member["role"] for member in other.get("/members")["items"]] == ["owner"]
    assert len(other.get("/invitations")["items"]) == 1


def operations(api: Api) -> list[tuple[str, str, list[str]]]:
    """Every route that needs somebody to be known: method, path, and the scope that its caller needs."""
    return [
        (
            method.upper(),
            path,
            [scope for scheme in operation["security"] for scope in scheme.get("apiKey", [])],
        )
        for path, methods in api.get("/openapi.json")["paths"].items()
        for method, operation in methods.items()
        if operation["security"]
    ]


def place(path: str, ids: dict[str, str]) -> str:
    """The path with ids in it."""
    return path.format(**{name: ids[short] for short, name in NAMES.items()}, file_type="csv")


def test_a_viewers_key_reads_everything_and_learns_of_the_rest_only_that_it_may_not(
    customer: Customer, owner: dict[str, str]
) -> None:
    wish = {"name": "viewer", "scopes": ["read"]}
    url, owners = customer.stack.api_url, Api(customer.stack.api_url, owner["account"])
    viewer = Api(url, owners.post("/api-keys", wish)["api_key"])
    foreign = Api(url, customer.api.post("/api-keys", wish)["api_key"])
    unknown = dict.fromkeys(NAMES, "0" * 22)
    allowed = refused = 0
    for method, path, needed in operations(customer.api):
        if needed == ["read"]:
            assert viewer.call(method, place(path, unknown)).status in {200, 404}, (method, path)
            allowed += 1
        elif needed:
            answers = [
                viewer.call(method, place(path, owner), {}),
                viewer.call(method, place(path, unknown), {}),
                viewer.call(method, place(path, owner), raw=b"no JSON"),
                foreign.call(method, place(path, owner), {}),
            ]
            assert {(a.status, a.code) for a in answers} == {(403, "missing_scope")}, (method, path)
            assert all(answer.body == answers[0].body for answer in answers), (method, path)
            refused += 1
    assert allowed > 20
    assert refused > 40


def test_an_expired_key_and_none_open_no_route(customer: Customer, owner: dict[str, str]) -> None:
    expired = Api(customer.stack.api_url, customer.expired_key())
    nobody = Api(customer.stack.api_url, None)
    for method, path, _ in operations(customer.api):
        for caller in (nobody, expired):
            answer = caller.call(method, place(path, owner), {})
            assert answer.status in {401, 403}, (method, path)
            assert "code" not in answer.body, "the gateway says no, and no function of ours is asked"


def test_every_route_with_an_id_was_tried_on_another_account(customer: Customer) -> None:
    paths = customer.api.get("/openapi.json")["paths"]
    described = {(m.upper(), p) for p, methods in paths.items() for m in methods if "{" in p}
    tried = {
        (
            m,
            p.partition("?")[0].format(**{short: f"{{{name}}}" for short, name in NAMES.items()}),
        )
        for m, p, _ in REQUESTS
    }
    by_token = {
        (m, p) for m, p in described if p in {"/u/{token}", "/o/{token}", "/d/{token}/{attachment_id}"}
    }
    assert len(by_token) == 7
    assert described - tried == by_token | {("GET", "/sample-files/{file_type}")}
