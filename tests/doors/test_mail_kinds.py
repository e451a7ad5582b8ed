"""Marketing and transactional mail, as a customer says which it is: the reason is asked for and kept."""

import json
from typing import Any

import pytest

from app import app
from chalicelib import wiring
from tests.doors.in_process import Context
from tests.doors.test_routes import request
from tests.fakes.world import ACCOUNT, World

WHY = "It confirms an order."
NEW = {
    "name": "Orders",
    "line_ids": ["line1"],
    "subject": "Hi",
    "html": "<p>Hi</p>",
    "schedule": {
        "working_days": ["mon"],
        "start_date": "2026-01-01",
        "end_date": "2026-12-31",
        "start_time": "00:00",
        "end_time": "00:00",
        "time_zone": "UTC",
    },
}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    made.add_line()
    monkeypatch.setattr(wiring, "campaign_ports", lambda: made.campaign_ports)
    monkeypatch.setattr(wiring, "clock", made.clock)
    return made


def call(
    method: str,
    path: str,
    body: object,
    key: str = "key1",
    *,
    account: str = ACCOUNT,
    query: dict[str, str] | None = None,
    **ids: str,
) -> tuple[int, dict[str, Any]]:
    event = request(method, path, json.dumps(body), account=account)
    event["pathParameters"] = ids or None
    event["multiValueQueryStringParameters"] = {name: [value] for name, value in (query or {}).items()}
    event["requestContext"]["authorizer"]["actor_id"] = key
    answer = app(event, Context())
    return answer["statusCode"], json.loads(answer["body"] or "{}")


def change(campaign_id: str, body: object, key: str = "key1") -> tuple[int, dict[str, Any]]:
    return call("PATCH", "/campaigns/{campaign_id}", body, key, campaign_id=campaign_id)


def test_mail_is_marketing_until_somebody_says_why_it_is_not(world: World) -> None:
    status, made = call("POST", "/campaigns", NEW)
    assert (status, made["kind"], made["transactional"]) == (201, "marketing", None)
    assert made["tracking"] == {"opens": True}
    at = world.clock.now()
    status, changed = change(
        made["campaign_id"], {"kind": "transactional", "transactional_reason": WHY}, "key2"
    )
    decided = changed["transactional"]
    assert (status, changed["kind"]) == (200, "transactional")
    assert (decided["reason"], decided["decided_by"]) == (WHY, "key2")
    assert decided["decided_at"].startswith(at.isoformat()[:19])


def test_an_edit_that_says_nothing_of_it_keeps_who_decided_and_when(world: World) -> None:
    _, made = call("POST", "/campaigns", {**NEW, "kind": "transactional", "transactional_reason": WHY})
    world.clock.wait(hours=1)
    for body in ({"subject": "New"}, {"transactional_reason": WHY}, {"kind": "transactional"}):
        _, changed = change(made["campaign_id"], body, "key2")
        assert changed["transactional"] == made["transactional"]
    _, changed = change(made["campaign_id"], {"transactional_reason": "Another reason."}, "key2")
    assert changed["transactional"]["decided_by"] == "key2"
    _, changed = change(made["campaign_id"], {"kind": "marketing", "tracking": {"opens": False}})
    assert (changed["transactional"], changed["tracking"]) == (None, {"opens": False})


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "transactional"},
        {"kind": "transactional", "transactional_reason": None},
        {"kind": "transactional", "transactional_reason": ""},
        {"kind": "transactional", "transactional_reason": "  "},
        {"kind": "transactional", "transactional_reason": "x" * 501},
        {"kind": "marketing", "transactional_reason": WHY},
        {"transactional_reason": WHY},
        {"kind": "newsletter"},
        {"tracking": {"opens": "perhaps"}},
        {"tracking": {"clicks": True}},
    ],
)
def test_kind_and_reason_that_do_not_go_together_are_refused_by_name(
    world: World, wrong: dict[str, object]
) -> None:
    _, made = call("POST", "/campaigns", NEW)
    for status, problem in (
        call("POST", "/campaigns", {**NEW, **wrong}),
        change(made["campaign_id"], wrong),
    ):
        assert status == 422
        (error,) = problem["errors"]
        assert error["field"].split(".")[0] in {"kind", "transactional_reason", "tracking"}
