"""Requests that are wrong get a problem document that says all that is wrong at once, and do nothing."""

import json
from typing import Any

import pytest

from local.stack import Stack
from tests.stack.api import Answer, wait_for
from tests.stack.customer import ALWAYS, Customer

CAMPAIGN = {"name": "N", "line_ids": ["x"], "schedule": ALWAYS}


@pytest.fixture(scope="module")
def anyone(stack: Stack) -> Customer:
    return Customer.new(stack)


@pytest.fixture(scope="module")
def campaign(anyone: Customer) -> str:
    return anyone.campaign()


@pytest.mark.parametrize(
    ("raw", "status", "code"),
    [
        (b"name=Line", 400, "not_json"),
        (b'{"name": "N"', 400, "not_json"),
        (b'{"name": NaN}', 400, "not_json"),
        (b'{"name": Infinity}', 400, "not_json"),
        (b'{"name": "one", "name": "two"}', 400, "not_json"),
        (b'{"smtp": {"host": "a", "host": "b"}}', 400, "not_json"),
        (b"[" * 100_000 + b"]" * 100_000, 400, "not_json"),
        (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, 400, "not_json"),
        (b'{"name": "' + b"a" * 1_000_000 + b'"}', 413, "too_large"),
        (b"[]", 422, "invalid"),
        (b"null", 422, "invalid"),
        (b'"text"', 422, "invalid"),
        (b"{}", 422, "invalid"),
        (b"", 422, "invalid"),
    ],
)
def test_a_body_that_is_not_understood(anyone: Customer, raw: bytes, status: int, code: str) -> None:
    answer = anyone.api.call("POST", "/lines", raw=raw)
    assert (answer.status, answer.code) == (status, code)
    assert anyone.api.call("GET", "/lines").status == 200


def test_another_content_type_is_refused(anyone: Customer) -> None:
    answer = anyone.api.call("POST", "/lines", raw=b"<a/>", headers={"Content-Type": "application/xml"})
    assert (answer.status, answer.code) == (415, "unsupported_media_type")


def test_all_wrong_fields_are_told_at_once(anyone: Customer) -> None:
    wrong = {
        "name": "",
        "from_address": "not an address",
        "from_name": "two\nlines",
        "smtp": {"host": "http://x/", "port": 0, "security": "ssl2", "username": 5, "password": ""},
        "limits": {"per_day": -1, "per_year": 1},
        "extra": True,
    }
    assert anyone.api.call("POST", "/lines", wrong).wrong_fields == {
        "name",
        "from_address",
        "from_name",
        "smtp.host",
        "smtp.port",
        "smtp.security",
        "smtp.username",
        "smtp.password",
        "limits.per_day",
        "limits.per_year",
        "extra",
    }
    assert anyone.api.get("/account")["name"] == "A customer"


def test_all_wrong_fields_of_a_schedule(anyone: Customer) -> None:
    schedule = {
        "working_days": ["monday"],
        "start_date": "2026-02-30",
        "end_date": "1999-01-01",
        "start_time": "9 o'clock",
        "end_time": "10:00:01",
        "time_zone": "Mars/Olympus",
        "interval": {"min_seconds": 5, "max_seconds": 1},
    }
    answer = anyone.api.call("POST", "/campaigns", {**CAMPAIGN, "schedule": schedule})
    assert answer.wrong_fields == {
        "schedule.working_days[0]",
        "schedule.start_date",
        "schedule.end_date",
        "schedule.start_time",
        "schedule.end_time",
        "schedule.time_zone",
        "schedule.interval.max_seconds",
    }


def test_a_line_that_is_not_proven_carries_no_campaign(anyone: Customer) -> None:
    line = anyone.unconnected_line()
    answer = anyone.api.call("POST", "/campaigns", {**CAMPAIGN, "line_ids": [line, "none"]})
    assert answer.wrong_fields == {"line_ids[0]", "line_ids[1]"}


@pytest.mark.parametrize(
    "email",
    [
        "",
        "nobody",
        "two@@example.com",
        "new\nline@example.com",
        "a@b.example\r\nBcc: c@d.example",
        "Name <a@b.example>",
    ],
)
def test_one_wrong_address_adds_nobody(anyone: Customer, campaign: str, email: str) -> None:
    contacts = [{"email": anyone.address("good")}, {"email": email}]
    answer = anyone.api.call("POST", f"/campaigns/{campaign}/contacts", {"contacts": contacts})
    assert answer.wrong_fields == {"contacts[1].email"}
    assert anyone.contacts(campaign) == []


def test_what_lacks_contacts_is_not_launched(anyone: Customer, campaign: str) -> None:
    answer = anyone.api.call("POST", f"/campaigns/{campaign}/launch")
    assert (answer.status, answer.code) == (409, "not_ready")
    assert answer.body["allowed"] == ["no_contacts"]


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=201",
        "limit=many",
        "limit=5&size=5",
        "status=lost",
    ],
)
def test_a_wrong_query_is_told(anyone: Customer, campaign: str, query: str) -> None:
    answer = anyone.api.call("GET", f"/campaigns/{campaign}/contacts?{query}")
    assert answer.status == 422
    assert answer.wrong_fields <= {"limit", "size", "status"}


def test_an_edited_cursor_is_refused(customer: Customer) -> None:
    campaign = customer.campaign()
    customer.add(campaign, ["one", "two", "three"])
    for path in (f"/campaigns/{campaign}/contacts", "/lines", "/campaigns", f"/campaigns/{campaign}/imports"):
        for cursor in ("AAAA", "W10", "%00", "e30", "WyJhIiwgImIiLCAiYyJd", "!", "é".encode().hex()):
            answer = customer.api.call("GET", f"{path}?cursor={cursor}")
            assert (answer.status, answer.code) == (400, "cursor"), (path, cursor, answer)
    path = f"/campaigns/{campaign}/contacts"
    cursor = customer.api.get(f"{path}?limit=1")["next_cursor"]
    assert len(customer.api.get(f"{path}?cursor={cursor}")["items"]) == 2
    for edited in (f"{path}?cursor={cursor[1:]}", f"{path}?status=sent&cursor={cursor}"):
        assert customer.api.call("GET", edited).code == "cursor"


def test_a_change_of_what_was_changed_meanwhile_is_refused(anyone: Customer, campaign: str) -> None:
    seen = anyone.api.call("GET", f"/campaigns/{campaign}")
    change = {"If-Match": seen.headers["etag"]}
    body = json.dumps({"name": "Mine"}).encode()
    assert anyone.api.call("PATCH", f"/campaigns/{campaign}", raw=body, headers=change).status == 200
    late: Answer = anyone.api.call("PATCH", f"/campaigns/{campaign}", raw=body, headers=change)
    assert (late.status, late.code) == (412, "outdated")
    wrong = anyone.api.call("PATCH", f"/campaigns/{campaign}", raw=body, headers={"If-Match": '"one"'})
    assert wrong.wrong_fields == {"If-Match"}


@pytest.mark.parametrize(
    ("host", "port", "field"),
    [("169.254.169.254", 587, "host"), ("localhost", 25, "host"), ("mail.example.com", 22, "port")],
)
def test_a_line_leads_to_a_public_mail_server(anyone: Customer, host: str, port: int, field: str) -> None:
    smtp = {"host": host, "port": port, "username": "u", "password": "p"}
    new = {"name": "Line", "from_address": "news@sender.example", "smtp": smtp}
    assert anyone.api.call("POST", "/lines", new).wrong_fields == {f"smtp.{field}"}


def test_a_name_that_leads_inside_is_not_dialled(stack: Stack, anyone: Customer) -> None:
    line = anyone.unconnected_line()
    stack.client("dynamodb").update_item(  # the API takes no such name; what one resolves to can change
        TableName=stack.resource("LineTable"),
        Key={"account_id": {"S": anyone.account_id}, "line_id": {"S": line}},
        UpdateExpression="SET host = :host",
        ExpressionAttributeValues={":host": {"S": "localhost"}},
    )
    anyone.api.post(f"/lines/{line}/connect")

    def ended() -> Any:
        connection = anyone.api.get(f"/lines/{line}")["connection"]
        return connection if connection["state"] != "connecting" else None

    connection = wait_for(ended, "the proof ends")
    assert (connection["state"], connection["reason"]["code"]) == ("failed", "host_not_allowed")
    assert (connection["reason"]["stage"], connection["reason"]["reply_text"]) == ("resolve", None)
