"""Cursors of all lists: what a page returned goes on there and nowhere else."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from app import app
from chalicelib import wiring
from chalicelib.blueprints.api.cursors import is_list
from chalicelib.blueprints.api.routing import ROUTES
from chalicelib.domain.access import Actor, ActorKind
from chalicelib.domain.campaign import CampaignStatus
from chalicelib.domain.cursor_seal import seal
from chalicelib.domain.dialog import DialogChange
from chalicelib.domain.sending_domain import SendingDomain
from chalicelib.flow.audit import recorded
from chalicelib.flow.dialogs import start_dialog_file, tell_dialogs
from chalicelib.flow.imports import start_import
from chalicelib.flow.suppressions import start_list_import
from tests.doors.in_process import Context
from tests.doors.test_routes import request
from tests.fakes.world import ACCOUNT, STRANGER, World

IDS = {"campaign_id": "", "line_id": "line1"}
LISTS = sorted(declared.path for declared in ROUTES if declared.method == "GET" and is_list(declared.query))
PORTS = ("campaign", "contact", "dialog", "list", "line", "brake")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """Two of everything that is listed."""
    made = World()
    monkeypatch.setattr(wiring, "clock", made.clock)
    monkeypatch.setattr(wiring, "cursor_key", lambda number: b"key %d" % number)
    for name in PORTS:
        monkeypatch.setattr(wiring, f"{name}_ports", lambda name=name: getattr(made, f"{name}_ports"))
    monkeypatch.setattr(wiring, "lines", lambda: made.lines)
    monkeypatch.setattr(wiring, "domains", lambda: made.domains)
    for number in ("1", "2"):
        made.add_line(f"line{number}")
        made.domains.add(ACCOUNT, SendingDomain(f"shop{number}.example", (), made.clock.now()))
        made.suppress(f"ann{number}@mail.example")
        change = DialogChange(f"ann{number}@mail.example", f"ann{number}@mail.example")
        tell_dialogs(ACCOUNT, "line1", [change], made.dialog_ports)
        start_dialog_file(ACCOUNT, "line1", "a", "csv", made.dialog_ports)
        start_list_import(ACCOUNT, "a", "csv", made.list_ports)
        campaign = made.add_campaign(2)
        IDS["campaign_id"] = campaign.campaign_id
    for _ in range(2):
        with recorded(ACCOUNT, Actor(ActorKind.KEY, "key1"), "tried", {}, wiring.audit_ports()):
            pass
        start_import(ACCOUNT, IDS["campaign_id"], "a", "csv", made.contact_ports)
    return made


def read(path: str, query: Mapping[str, str], account: str = ACCOUNT, **ids: str) -> tuple[int, Any]:
    event = request("GET", path, account=account)
    event["multiValueQueryStringParameters"] = {name: [value] for name, value in query.items()} or None
    event["pathParameters"] = {**IDS, **ids}
    event["pathParameters"] = {
        name: value for name, value in event["pathParameters"].items() if f"{{{name}}}" in path
    } or None
    answer = app(event, Context())
    return answer["statusCode"], json.loads(answer["body"])


def first_cursor(path: str, **query: str) -> str:
    status, page = read(path, {"limit": "1", **query})
    assert status == 200, page
    assert len(page["items"]) == 1
    cursor: str = page["next_cursor"]
    return cursor


def refused(answer: tuple[int, Any]) -> bool:
    return (answer[0], answer[1].get("code")) == (400, "cursor")


def test_there_are_lists() -> None:
    assert len(LISTS) == 10, LISTS


@pytest.mark.parametrize("path", LISTS)
class TestEveryList:
    def test_its_cursor_goes_on_with_pages_of_any_size(self, world: World, path: str) -> None:
        first = read(path, {"limit": "1"})[1]["items"]
        status, rest = read(path, {"limit": "50", "cursor": first_cursor(path)})
        assert status == 200
        assert first + rest["items"] == read(path, {})[1]["items"]
        assert rest["next_cursor"] is None

    def test_a_cursor_of_another_list_is_refused(self, world: World, path: str) -> None:
        for other in LISTS:
            if other != path:
                assert refused(read(path, {"cursor": first_cursor(other)})), other

    def test_a_cursor_of_another_account_is_refused(self, world: World, path: str) -> None:
        assert refused(read(path, {"cursor": first_cursor(path)}, STRANGER))

    def test_an_edited_cursor_is_refused(self, world: World, path: str) -> None:
        cursor = first_cursor(path)
        place = cursor.rpartition(".")[2]
        for edited in (
            place,
            cursor[1:],
            cursor[:-1],
            cursor + "A",
            cursor.replace(".", "", 1),
            "",
            "é",
            "x",
        ):
            assert refused(read(path, {"cursor": edited})), edited


@pytest.mark.parametrize(
    ("path", "filtered"),
    [
        ("/campaigns/{campaign_id}/contacts", {"status": "not_sent"}),
        ("/suppressions", {"prefix": "ann"}),
        ("/suppressions", {"reason": "unsubscribed"}),
        ("/lines/{line_id}/dialogs", {"prefix": "ann"}),
    ],
)
def test_a_cursor_is_good_for_what_was_asked_for_only(
    world: World, path: str, filtered: dict[str, str]
) -> None:
    cursor, whole = first_cursor(path, **filtered), first_cursor(path)
    assert read(path, {"cursor": cursor, **filtered})[0] == 200
    assert refused(read(path, {"cursor": cursor}))
    assert refused(read(path, {"cursor": whole, **filtered}))


def test_a_cursor_is_good_for_its_own_campaign_only(world: World) -> None:
    path = "/campaigns/{campaign_id}/contacts"
    other = world.add_campaign(2).campaign_id
    assert world.campaigns.status(ACCOUNT, other) is CampaignStatus.DRAFT
    assert refused(read(path, {"cursor": first_cursor(path)}, campaign_id=other))


def test_a_place_that_the_store_does_not_know_is_a_cursor_that_is_refused(world: World) -> None:
    """Nobody can make one; but an update of ours may come to name places in another way."""
    own = json.dumps([ACCOUNT, "/lines", {}, {}])
    cursor = seal(own, "another way", world.clock.now(), wiring.cursor_key)
    assert refused(read("/lines", {"cursor": cursor}))
    assert read("/lines", {"cursor": first_cursor("/lines"), "limit": "0"})[0] == 422
