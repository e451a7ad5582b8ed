"""The authorizer: one good key opens all routes of one account, anything else opens none."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from chalicelib import wiring
from chalicelib.blueprints.api.authorizer import authorize
from chalicelib.domain.access import Scope
from chalicelib.domain.account import ApiKey, KeyWish, mint_key
from tests.doors.in_process import Context

KEY, TEXT = mint_key("an-account", KeyWish("key"), datetime.now(UTC))
numbered = partial(pytest.mark.parametrize, ids=lambda _: "token")  # a key's text differs in each process


@dataclass
class OneKey:
    """An account store that knows one key."""

    key: ApiKey
    noted: list[str] = field(default_factory=list)

    def find_key(self, key_id: str) -> ApiKey | None:
        return self.key if key_id == self.key.key_id else None

    def note_key_use(self, account_id: str, key_id: str, now: datetime, before: datetime) -> None:
        assert (account_id, before) == (self.key.account_id, now - timedelta(hours=1))
        self.noted.append(key_id)


def answer_to(token: str) -> dict[str, Any]:
    event = {
        "type": "TOKEN",
        "authorizationToken": token,
        "methodArn": "arn:aws:execute-api:us-east-1:1:a/api/GET/x",
    }
    answer: dict[str, Any] = authorize(event, Context())
    return answer


def resources_of(answer: dict[str, Any]) -> list[str]:
    return [r for statement in answer["policyDocument"]["Statement"] for r in statement["Resource"]]


@numbered("token", [TEXT, f"Bearer {TEXT}", f"Bearer  {TEXT} "])
def test_a_good_key_opens_its_account(monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    store = OneKey(KEY)
    monkeypatch.setattr(wiring, "accounts", lambda: store)
    answer = answer_to(token)
    assert store.noted == [KEY.key_id]
    assert answer["context"] == {
        "account_id": "an-account",
        "actor_kind": "api_key",
        "actor_id": KEY.key_id,
        "scopes": "admin read send write",
    }
    assert answer["principalId"] == "an-account"
    assert any(resource.endswith("*") for resource in resources_of(answer))


@numbered(
    "token",
    [
        "",
        "Bearer ",
        "Bearer",
        "pl__",
        "x",
        TEXT[:-1],
        TEXT + "0",
        TEXT.upper(),
        f"Basic {TEXT}",
        TEXT.replace("pl", "pk"),
        "é" * 9,
    ],
)
def test_anything_else_opens_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], token: str
) -> None:
    monkeypatch.setattr(wiring, "accounts", lambda: OneKey(KEY))
    answer = answer_to(token)
    assert resources_of(answer) == []
    assert answer["context"] == {}
    assert TEXT[-20:] not in capsys.readouterr().out


@pytest.mark.parametrize("change", [{"revoked_at": KEY.created_at}, {"expires_at": KEY.created_at}])
def test_a_key_that_is_revoked_or_expired_opens_nothing(
    monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]
) -> None:
    store = OneKey(replace(KEY, **change))
    monkeypatch.setattr(wiring, "accounts", lambda: store)
    assert resources_of(answer_to(TEXT)) == []
    assert store.noted == []


def test_a_key_has_the_scopes_it_was_made_with(monkeypatch: pytest.MonkeyPatch) -> None:
    narrow = replace(KEY, scopes=frozenset({Scope.SEND, Scope.READ}))
    monkeypatch.setattr(wiring, "accounts", lambda: OneKey(narrow))
    assert answer_to(TEXT)["context"]["scopes"] == "read send"
