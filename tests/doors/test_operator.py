"""The operator's door: orders it knows are carried out, all others are answered with what is wrong."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from chalicelib import wiring
from chalicelib.blueprints.operator import operate_service
from chalicelib.domain.account import Account, ApiKey
from chalicelib.errors import NotFound
from tests.doors.in_process import Context


@dataclass
class Accounts:
    """An account store that can only grow."""

    accounts: list[Account] = field(default_factory=list)
    keys: list[ApiKey] = field(default_factory=list)

    def add(self, account: Account) -> None:
        self.accounts.append(account)

    def add_key(self, key: ApiKey) -> None:
        self.keys.append(key)


class NoLines:
    """A line store without lines."""

    def set_plan(self, account_id: str, line_id: str, plan: str) -> None:
        raise NotFound("line")


def test_an_account_comes_with_a_key_that_is_kept_as_a_hash(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    store = Accounts()
    monkeypatch.setattr(wiring, "accounts", lambda: store)
    made = operate_service({"action": "create_account", "name": "A", "line_plan": "purchased"}, Context())
    assert [(a.account_id, a.name, a.line_plan) for a in store.accounts] == [
        (made["account_id"], "A", "purchased")
    ]
    secret = made["api_key"].rpartition("_")[2]
    assert store.keys[0].opens_with(secret)
    assert secret not in repr(store.keys)
    assert secret not in capsys.readouterr().out


@pytest.mark.parametrize(
    "order",
    [
        {},
        [],
        "create_account",
        {"action": "drop_everything"},
        {"action": "create_account"},
        {"action": "create_account", "name": ""},
        {"action": "create_account", "name": "A", "line_plan": "golden"},
        {"action": "create_account", "name": "A", "extra": 1},
        {"action": "set_line_plan", "account_id": "a", "line_id": 5, "plan": "demo"},
        {"action": "set_line_plan", "account_id": "a", "line_id": "unknown", "plan": "demo"},
    ],
)
def test_a_bad_order_is_told_what_is_wrong_and_does_nothing(
    monkeypatch: pytest.MonkeyPatch, order: Any
) -> None:
    store = Accounts()
    monkeypatch.setattr(wiring, "accounts", lambda: store)
    monkeypatch.setattr(wiring, "lines", NoLines)
    answer = operate_service(order, Context())
    assert answer.keys() == {"error"}
    assert answer["error"]
    assert store == Accounts()
