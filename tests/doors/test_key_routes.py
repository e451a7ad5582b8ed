"""API keys as a customer makes and lists them."""

import json
from collections.abc import Collection
from typing import Any

import pytest

from app import app
from chalicelib import wiring
from chalicelib.domain.access import ALL_SCOPES, Scope
from chalicelib.flow.accounts import authenticate, note_use
from tests.doors.in_process import Context
from tests.doors.test_routes import request
from tests.fakes.world import ACCOUNT, World


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    monkeypatch.setattr(wiring, "accounts", lambda: made.accounts)
    monkeypatch.setattr(wiring, "clock", made.clock)
    return made


def call(
    method: str, body: object = None, scopes: Collection[Scope] = ALL_SCOPES
) -> tuple[int, dict[str, Any]]:
    text = None if body is None else json.dumps(body)
    answer = app(request(method, "/api-keys", text, account=ACCOUNT, scopes=scopes), Context())
    return answer["statusCode"], json.loads(answer["body"])


def test_a_key_is_made_with_scopes_and_an_expiry_and_listed_with_its_last_use(world: World) -> None:
    status, made = call(
        "POST", {"name": "ci", "scopes": ["send", "read"], "expires_at": "2099-12-31T00:00:00+01:00"}
    )
    assert (status, set(made)) == (201, {"key_id", "api_key"})
    (shown,) = call("GET")[1]["items"]
    assert shown["scopes"] == ["read", "send"]
    assert shown["expires_at"] == "2099-12-30T23:00:00Z"
    assert (shown["used_at"], shown["revoked_at"]) == (None, None)
    assert made["api_key"].startswith(f"{shown['prefix']}_")
    note_use(authenticate(made["api_key"], world.accounts, world.clock), world.accounts, world.clock)
    (shown,) = call("GET")[1]["items"]
    assert shown["used_at"] is not None
    assert made["api_key"].rpartition("_")[2] not in json.dumps(shown)


@pytest.mark.usefixtures("world")
def test_a_key_without_a_wish_has_what_its_maker_has() -> None:
    call("POST", {"name": "all"}, {Scope.ADMIN, Scope.READ})
    (shown,) = call("GET")[1]["items"]
    assert shown["scopes"] == ["admin", "read"]


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"scopes": ["admin", "send"]}, "scopes"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["everything"]}, "scopes[0]"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "2099-01-01T00:00:00"}, "expires_at"),
        ({"name": ""}, "name"),
    ],
)
def test_a_wrong_wish_is_refused_by_name(wrong: dict[str, object], field: str) -> None:
    status, problem = call("POST", {"name": "key", **wrong}, {Scope.ADMIN, Scope.READ})
    assert (status, [error["field"] for error in problem["errors"]]) == (422, [field])
    assert call("GET")[1]["items"] == []
