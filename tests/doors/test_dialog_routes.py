"""The routes of dialogs, on a world in memory: what they take, what they refuse, and how they answer."""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from app import app
from chalicelib import wiring
from chalicelib.blueprints.api.description import VERSION
from chalicelib.blueprints.api.openapi import openapi_document
from chalicelib.blueprints.api.routing import ROUTES
from chalicelib.domain.access import ALL_SCOPES
from chalicelib.domain.dialog import MAX_CHOSEN, MAX_TAGS
from chalicelib.flow.imports import MAX_UPLOAD
from tests.doors.in_process import Context
from tests.doors.test_routes import authorized
from tests.fakes.world import ACCOUNT, STRANGER, World

DIALOGS = "/lines/{line_id}/dialogs"


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any

    @property
    def wrong_fields(self) -> set[str]:
        assert self.status == 422, self
        return {error["field"] for error in self.body["errors"]}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    made.add_line()
    monkeypatch.setattr(wiring, "dialog_ports", lambda: made.dialog_ports)
    monkeypatch.setattr(wiring, "dialog_source_ports", lambda: made.dialog_source_ports)
    monkeypatch.setattr(wiring, "contact_ports", lambda: made.contact_ports)
    monkeypatch.setattr(wiring, "cursor_key", lambda number: b"key %d" % number)
    return made


def call(
    method: str,
    path: str,
    body: object = None,
    query: dict[str, str] | None = None,
    *,
    account: str = ACCOUNT,
    line: str = "line1",
    campaign: str = "",
) -> Answer:
    """A request as API Gateway hands it over (Lambda proxy integration)."""
    event = {
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": {"Content-Type": "application/json"},
        "multiValueHeaders": {"Content-Type": ["application/json"]},
        "multiValueQueryStringParameters": {k: [v] for k, v in query.items()} if query else None,
        "pathParameters": {
            name: value
            for name, value in (("line_id", line), ("campaign_id", campaign), ("import_id", "i"))
            if f"{{{name}}}" in path
        },
        "stageVariables": None,
        "body": None if body is None else json.dumps(body),
        "isBase64Encoded": False,
        "requestContext": {
            "httpMethod": method,
            "resourcePath": path,
            "authorizer": authorized(account, *ALL_SCOPES),
        },
    }
    answer = app(event, Context())
    return Answer(answer["statusCode"], json.loads(answer["body"]) if answer["body"] else None)


def emails(query: dict[str, str] | None = None, **whose: str) -> list[str]:
    answer = call("GET", DIALOGS, query=query, **whose)  # type: ignore[arg-type]
    assert answer.status == 200, answer
    return [one["email"] for one in answer.body["items"]]


ANN = {
    "email": "Ann@mail.example",
    "first_name": "Ann",
    "p1": "Gold",
    "extra": {"City": "Roma"},
    "tags": ["VIP", " spring  sale ", "vip"],
    "last_message_at": "2026-03-01T10:00:00+01:00",
}


def test_a_dialog_is_told_and_shown(world: World) -> None:
    first = call("POST", DIALOGS, ANN)
    assert (first.status, first.body["outcome"]) == (200, "created")
    shown = first.body["dialog"]
    assert (shown["email"], shown["first_name"], shown["last_name"]) == ("Ann@mail.example", "Ann", "")
    assert (shown["tags"], shown["extra"]) == (["spring sale", "VIP"], {"City": "Roma"})
    assert (shown["last_message_at"], shown["created_at"]) == ("2026-03-01T09:00:00Z", "2026-03-02T12:00:00Z")
    assert call("POST", DIALOGS, ANN).body["outcome"] == "unchanged"
    assert call("POST", DIALOGS, {"email": "ann@mail.example"}).body["outcome"] == "unchanged"
    emptied = {"email": "ann@mail.example", "first_name": None, "tags": None, "extra": None}
    after = call("POST", DIALOGS, emptied).body
    assert (after["outcome"], after["dialog"]["first_name"]) == ("updated", "")
    assert (after["dialog"]["tags"], after["dialog"]["extra"], after["dialog"]["p1"]) == ([], {}, "Gold")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"email": "nonsense"}, "email"),
        ({"email": None}, "email"),
        ({"first_name": "a\nb"}, "first_name"),
        ({"p1": "x" * 1_025}, "p1"),
        ({"extra": {"a[b": "c"}}, "extra.a[b.[key]"),
        ({"tags": ["a", "b,c"]}, "tags[1]"),
        ({"tags": ["x" * 65]}, "tags[0]"),
        ({"tags": [""]}, "tags[0]"),
        ({"tags": [f"t{number}" for number in range(MAX_TAGS + 1)]}, "tags"),
        ({"tags": "VIP"}, "tags"),
        ({"last_message_at": "2026-03-01T10:00:00"}, "last_message_at"),
        ({"last_message_at": "0001-01-01T00:00:00+23:00"}, "last_message_at"),
        ({"last_message_at": "2027-03-01T10:00:00Z"}, "last_message_at"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_wrong_field_is_named_alone_and_in_bulk(
    world: World, change: dict[str, object], field: str
) -> None:
    wrong = {**ANN, **change}
    assert call("POST", DIALOGS, wrong).wrong_fields == {field}
    bulk = call("POST", f"{DIALOGS}/bulk", {"dialogs": [{"email": "a@mail.example"}, wrong]})
    assert (bulk.status, bulk.body["created"], bulk.body["invalid"]) == (200, 1, 1)
    assert [item["outcome"] for item in bulk.body["items"]] == ["created", "invalid"]
    (error,) = bulk.body["items"][1]["errors"]
    assert (error["field"], bool(error["code"]), bool(error["message"])) == (field, True, True)
    assert emails() == ["a@mail.example"]


@pytest.mark.parametrize("item", [None, 5, "ann@mail.example", [], [[]], {}, {"email": {}}, True])
def test_an_item_that_is_no_dialog_is_invalid_and_no_fault_of_ours(world: World, item: object) -> None:
    bulk = call("POST", f"{DIALOGS}/bulk", {"dialogs": [item, {"email": "a@mail.example"}]})
    assert (bulk.status, bulk.body["created"], bulk.body["invalid"]) == (200, 1, 1)


def test_a_thousand_are_taken_at_once_and_not_one_more(world: World) -> None:
    many = [{"email": f"n{number}@mail.example"} for number in range(1_001)]
    assert call("POST", f"{DIALOGS}/bulk", {"dialogs": many}).wrong_fields == {"dialogs"}
    assert call("POST", f"{DIALOGS}/bulk", {"dialogs": []}).wrong_fields == {"dialogs"}
    answer = call("POST", f"{DIALOGS}/bulk", {"dialogs": many[:-1]})
    assert (answer.status, answer.body["created"], len(answer.body["items"])) == (200, 1_000, 1_000)


def test_tags_are_edited_in_bulk(world: World) -> None:
    people = [{"email": f"{name}@mail.example", "tags": ["old"]} for name in ("ann", "bob")]
    call("POST", f"{DIALOGS}/bulk", {"dialogs": people})
    wish = {
        "emails": ["ann@mail.example", "x", "BOB@mail.example", "eve@mail.example"],
        "add": ["New", "old"],
        "remove": ["OLD"],
    }
    answer = call("POST", f"{DIALOGS}/tags", wish).body
    assert [item["outcome"] for item in answer["items"]] == ["updated", "invalid", "updated", "missing"]
    assert (answer["updated"], answer["missing"], answer["invalid"]) == (2, 1, 1)
    assert answer["items"][1]["errors"][0]["field"] == "email"
    assert emails({"all_of": "new", "none_of": "old"}) == ["ann@mail.example", "bob@mail.example"]
    again = call("POST", f"{DIALOGS}/tags", wish).body
    assert (again["unchanged"], again["updated"]) == (2, 0)
    assert call("POST", f"{DIALOGS}/tags", {"emails": ["a"], "add": ["a;b"]}).wrong_fields == {"add[0]"}


def test_the_list_is_searched_and_filtered(world: World) -> None:
    tags = {"ann": ["A", "B"], "anna": ["a"], "bob": ["B"], "cid": []}
    people = [{"email": f"{name}@mail.example", "tags": own} for name, own in tags.items()]
    call("POST", f"{DIALOGS}/bulk", {"dialogs": people})
    assert emails({"prefix": "ANN"}) == ["ann@mail.example", "anna@mail.example"]
    assert emails({"email": "Bob@mail.example"}) == ["bob@mail.example"]
    assert emails({"any_of": "a, b", "none_of": "B"}) == ["anna@mail.example"]
    page = call("GET", DIALOGS, query={"limit": "3"}).body
    assert len(page["items"]) == 3
    assert emails({"cursor": page["next_cursor"]}) == ["cid@mail.example"]
    for query, field in (
        ({"any_of": "x" * 65}, "any_of"),
        ({"none_of": ",".join(f"t{number}" for number in range(MAX_CHOSEN + 1))}, "none_of"),
        ({"email": "x"}, "email"),
        ({"limit": "201"}, "limit"),
        ({"tag": "a"}, "tag"),
    ):
        assert call("GET", DIALOGS, query=query).wrong_fields == {field}


def test_a_dialog_is_deleted_by_its_address(world: World) -> None:
    call("POST", DIALOGS, ANN)
    assert call("DELETE", DIALOGS, query={"email": "ann@MAIL.example"}).status == 204
    gone = call("DELETE", DIALOGS, query={"email": "ann@mail.example"})
    assert (gone.status, gone.body["code"]) == (404, "dialog_not_found")
    assert call("DELETE", DIALOGS).wrong_fields == {"email"}


def test_another_accounts_line_is_not_there(world: World) -> None:
    call("POST", DIALOGS, ANN)
    requests: list[tuple[str, str, object, dict[str, str] | None]] = [
        ("GET", DIALOGS, None, None),
        ("GET", DIALOGS, None, {"email": "ann@mail.example"}),
        ("POST", DIALOGS, ANN, None),
        ("POST", f"{DIALOGS}/bulk", {"dialogs": [ANN]}, None),
        ("POST", f"{DIALOGS}/tags", {"emails": ["ann@mail.example"], "remove": ["VIP"]}, None),
        ("DELETE", DIALOGS, None, {"email": "ann@mail.example"}),
        ("POST", f"{DIALOGS}/imports", {}, None),
        ("GET", f"{DIALOGS}/imports", None, None),
    ]
    for method, path, body, query in requests:
        answer = call(method, path, body, query, account=STRANGER)
        assert (answer.status, answer.body["code"]) == (404, "line_not_found"), (method, path)
    assert emails({"all_of": "VIP"}) == ["Ann@mail.example"]


def test_a_file_of_dialogs_is_asked_for(world: World) -> None:
    started = call("POST", f"{DIALOGS}/imports", {"file_name": "crm.xlsx", "file_type": "xlsx"})
    assert (started.status, bool(started.body["upload"]["url"])) == (201, True)
    (listed,) = call("GET", f"{DIALOGS}/imports").body["items"]
    assert (listed["import_id"], listed["line_id"]) == (started.body["import_id"], "line1")
    assert (listed["campaign_id"], listed["from_dialogs"], listed["updated"]) == (None, None, 0)
    assert call("POST", f"{DIALOGS}/imports", {"review": "yes"}).wrong_fields == {"review"}
    reviewed = call("POST", f"{DIALOGS}/imports", {"review": True}).body["import_id"]
    assert world.imports.get(ACCOUNT, reviewed).previews


def test_contacts_are_asked_for_from_dialogs(world: World) -> None:
    path, one = "/campaigns/{campaign_id}/imports/dialogs", world.add_campaign(0).campaign_id
    wish = {"line_id": "line1", "any_of": ["VIP", "vip"], "none_of": ["left"]}
    answer = call("POST", path, wish, campaign=one)
    assert (answer.status, answer.body["state"]) == (202, "queued")
    source = {"line_id": "line1", "any_of": ["VIP"], "all_of": [], "none_of": ["left"]}
    assert (answer.body["campaign_id"], answer.body["from_dialogs"]) == (one, source)
    (listed,) = call("GET", "/campaigns/{campaign_id}/imports", campaign=one).body["items"]
    assert listed == answer.body
    assert call("POST", path, {"line_id": "line2"}, campaign=one).wrong_fields == {"line_id"}
    assert call("POST", path, {}, campaign=one).wrong_fields == {"line_id"}
    assert call("POST", path, {**wish, "all_of": ["a,b"]}, campaign=one).wrong_fields == {"all_of[0]"}
    stranger = call("POST", path, wish, campaign=one, account=STRANGER)
    assert (stranger.status, stranger.body["code"]) == (404, "campaign_not_found")
    assert len(world.import_queue.take()) == 1


def test_the_description_tells_what_a_dialog_of_a_bulk_is() -> None:
    schemas = openapi_document(ROUTES, VERSION)["components"]["schemas"]
    items, dialog = schemas["DialogsInput"]["properties"]["dialogs"]["items"], schemas["DialogInput"]
    assert (items["properties"], items["required"]) == (dialog["properties"], ["email"])


def test_a_time_a_few_hours_ahead_is_a_matter_of_zones(world: World) -> None:
    ahead = (world.clock.now() + timedelta(hours=14)).isoformat()
    assert call("POST", DIALOGS, {**ANN, "last_message_at": ahead}).status == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"file_name": "a\r\nb.csv"},
        {"file_name": "a\u202eb.csv"},
        {"file_size": 0},
        {"file_size": MAX_UPLOAD + 1},
    ],
)
def test_a_file_has_a_name_of_one_line_and_a_size_that_can_be(world: World, wrong: dict[str, Any]) -> None:
    assert call("POST", f"{DIALOGS}/imports", wrong).wrong_fields == set(wrong)
    good = {"file_name": "Kunden Übersicht.csv", "file_size": MAX_UPLOAD}
    assert call("POST", f"{DIALOGS}/imports", good).status == 201
