"""The operator's door: orders it knows are carried out, all others are answered with what is wrong."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib import wiring
from chalicelib.blueprints.operator import operate_service
from chalicelib.domain.account import Account, ApiKey
from chalicelib.domain.audit import SERVICE
from chalicelib.domain.brake import Brake
from chalicelib.domain.delivery import Reason
from chalicelib.domain.quota import USUAL, Quota
from chalicelib.errors import NotFound
from chalicelib.flow.health import HealthPorts
from chalicelib.flow.link_keys import LinkKeyPorts
from local.operate import orders
from tests.doors.in_process import Context
from tests.fakes.audit import FakeAuditStore
from tests.fakes.clock import HandClock
from tests.fakes.link_keys import FakeLinkKeyBox, FakeLinkKeyStore
from tests.fakes.queues import FakeQueueGauge
from tests.fakes.world import ACCOUNT, World


@dataclass
class Accounts:
    """An account store that can only grow."""

    accounts: list[Account] = field(default_factory=list)
    keys: list[ApiKey] = field(default_factory=list)

    def add(self, account: Account) -> None:
        self.accounts.append(account)

    def add_key(self, key: ApiKey, most: int) -> bool:
        self.keys.append(key)
        return len(self.keys) <= most


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
    assert store.keys[0].opens_with(secret, datetime.now(UTC))
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
        {"action": "set_quota", "account_id": "a", "quota": "mails", "limit": 5},
        {"action": "set_quota", "account_id": "a", "quota": "lines", "limit": -1},
        {"action": "set_quota", "account_id": "a", "quota": "lines"},
        {"action": "show_brakes"},
        {"action": "lift_brake", "account_id": "a"},
        {"action": "lift_brake", "account_id": "a", "line_id": "l", "campaign_id": "c"},
        {"action": "lift_brake", "account_id": "a", "line_id": "unknown"},
        {"action": "lift_brake", "account_id": "a", "campaign_id": "unknown"},
        {"action": "show_audit", "limit": 0},
        {"action": "show_audit", "since": "yesterday"},
        {"action": "show_health", "account_id": "a"},
    ],
)
def test_a_bad_order_is_told_what_is_wrong_and_does_nothing(
    monkeypatch: pytest.MonkeyPatch, order: Any
) -> None:
    store = Accounts()
    monkeypatch.setattr(wiring, "accounts", lambda: store)
    monkeypatch.setattr(wiring, "lines", NoLines)
    monkeypatch.setattr(wiring, "brake_ports", lambda: World().brake_ports)
    answer = operate_service(order, Context())
    assert answer.keys() == {"error"}
    assert answer["error"]
    assert store == Accounts()


def braked(monkeypatch: pytest.MonkeyPatch) -> tuple[World, str]:
    """A world whose line and campaign are braked, and the campaign's id."""
    world = World()
    campaign_id = world.running(1)
    brake = Brake(Reason("bounce_rate", "6 of 100 bounced."), world.clock.now())
    world.lines.pull_brake(ACCOUNT, "line1", brake, None)
    world.campaigns.pull_brake(ACCOUNT, campaign_id, brake, None)
    monkeypatch.setattr(wiring, "brake_ports", lambda: world.brake_ports)
    return world, campaign_id


def test_brakes_are_shown_with_what_they_stop_and_why(monkeypatch: pytest.MonkeyPatch) -> None:
    world, campaign_id = braked(monkeypatch)
    rest = {
        "state": "pulled",
        "since": world.clock.now().isoformat(),
        "text": "6 of 100 bounced.",
        "accepted": 0,
        "bounce_rate": None,
        "complaint_rate": None,
    }
    assert operate_service({"action": "show_brakes", "account_id": ACCOUNT}, Context()) == {
        "brakes": [
            {"line_id": "line1", "name": "Line line1", **rest},
            {"campaign_id": campaign_id, "name": "Spring", **rest},
        ]
    }
    assert operate_service({"action": "show_brakes", "account_id": "other"}, Context()) == {"brakes": []}


def test_a_brake_is_lifted_once_and_only_the_one_that_was_named(monkeypatch: pytest.MonkeyPatch) -> None:
    world, campaign_id = braked(monkeypatch)
    lift = {"action": "lift_brake", "account_id": ACCOUNT}
    lifted_at = world.clock.now().isoformat()
    answer = operate_service({**lift, "line_id": "line1"}, Context())
    assert answer == {"line_id": "line1", "lifted_at": lifted_at}
    assert world.lines.get(ACCOUNT, "line1").brake is None
    assert world.campaigns.get(ACCOUNT, campaign_id).brake
    assert operate_service({**lift, "campaign_id": campaign_id}, Context())["lifted_at"] == lifted_at
    assert operate_service({**lift, "campaign_id": campaign_id}, Context()).keys() == {"error"}


def test_a_new_key_for_links_is_told_by_its_number_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ports = LinkKeyPorts(FakeLinkKeyStore(), FakeLinkKeyBox(), HandClock(), lambda size: b"s" * size)
    monkeypatch.setattr(wiring, "link_key_ports", lambda: ports)
    assert operate_service({"action": "rotate_link_key"}, Context()) == {"key": 1}
    assert operate_service({"action": "rotate_link_key"}, Context()) == {"key": 2}
    assert "sss" not in capsys.readouterr().out


def test_an_account_gets_a_limit_of_its_own_and_the_usual_one_again(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    monkeypatch.setattr(wiring, "accounts", lambda: world.accounts)
    wish = {"action": "set_quota", "account_id": ACCOUNT, "quota": "lines"}
    assert operate_service({**wish, "limit": 5}, Context())["quotas"]["lines"] == 5
    assert wiring.limit_of(ACCOUNT, Quota.LINES) == 5
    answer = operate_service({**wish, "limit": None}, Context())
    assert answer == {"account_id": ACCOUNT, "quotas": {}}
    assert wiring.limit_of(ACCOUNT, Quota.LINES) == USUAL[Quota.LINES]
    assert operate_service({**wish, "account_id": "unknown", "limit": 5}, Context()).keys() == {"error"}


def trail_of(account_id: str, **filters: object) -> list[dict[str, Any]]:
    answer = operate_service({"action": "show_audit", "account_id": account_id, **filters}, Context())
    found: list[dict[str, Any]] = answer["entries"]
    return found


def test_what_an_operator_does_to_an_account_is_in_its_trail(
    monkeypatch: pytest.MonkeyPatch, trail: FakeAuditStore
) -> None:
    braked(monkeypatch)
    operate_service({"action": "lift_brake", "account_id": ACCOUNT, "line_id": "line1"}, Context())
    operate_service({"action": "show_brakes", "account_id": ACCOUNT}, Context())
    (lifted,) = trail_of(ACCOUNT)
    assert (lifted["action"], lifted["outcome"]) == ("brake_lifted", "done")
    assert lifted["actor"] == {"kind": "operator", "id": "a-request"}
    assert lifted["subject"] == {"account_id": ACCOUNT, "line_id": "line1"}
    operate_service({"action": "lift_brake", "account_id": ACCOUNT, "line_id": "line1"}, Context())
    codes = {entry["outcome"]: entry["code"] for entry in trail_of(ACCOUNT)}
    assert codes == {"done": None, "refused": "not_braked"}
    assert trail_of("another") == trail_of(SERVICE) == []


def test_a_changed_plan_is_named_and_what_concerns_no_account_is_in_the_services_trail(
    monkeypatch: pytest.MonkeyPatch, trail: FakeAuditStore
) -> None:
    world, accounts = World(), Accounts()
    world.add_line()
    monkeypatch.setattr(wiring, "lines", lambda: world.lines)
    monkeypatch.setattr(wiring, "accounts", lambda: accounts)
    order = {"action": "set_line_plan", "account_id": ACCOUNT, "line_id": "line1", "plan": "purchased"}
    operate_service(order, Context())
    (changed,) = trail_of(ACCOUNT, act="line_plan_changed")
    assert {type(value) for value in changed["subject"].values()} == {str}  # a table takes no enum
    assert changed["subject"] == {"account_id": ACCOUNT, "line_id": "line1", "plan": "purchased"}
    made = operate_service({"action": "create_account", "name": "Oak & Linen"}, Context())
    (created,) = trail_of(SERVICE)
    assert (created["action"], created["subject"]) == ("account_created", {"account_id": made["account_id"]})
    (own,) = trail_of(made["account_id"])
    assert {**own, "entry_id": ""} == {**created, "entry_id": "", "at": own["at"]}
    assert made["api_key"].rpartition("_")[2] not in repr(vars(trail))
    assert "Oak" not in repr(vars(trail))


def test_an_order_that_cannot_be_written_down_is_not_carried_out(
    monkeypatch: pytest.MonkeyPatch, trail: FakeAuditStore
) -> None:
    world, _ = braked(monkeypatch)
    trail.begins = False
    with pytest.raises(TimeoutError):
        operate_service({"action": "lift_brake", "account_id": ACCOUNT, "line_id": "line1"}, Context())
    assert world.lines.get(ACCOUNT, "line1").brake


def test_every_order_is_an_act_unless_it_only_reads() -> None:
    reading = {name for name, model in orders().items() if model.audit is None}  # type: ignore[attr-defined]
    assert reading == {"show_brakes", "show_health", "show_audit"}


def test_health_is_told_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    world, gauge = World(), FakeQueueGauge()
    ports = HealthPorts(gauge, world.campaigns, world.contacts, world.clock)
    monkeypatch.setattr(wiring, "health_ports", lambda: ports)
    assert json.loads(json.dumps(operate_service({"action": "show_health"}, Context()))) == {
        "fine": True,
        "queues": {"send": {"waiting": 0, "in_flight": 0, "delayed": 0}},
        "dead_letters": {"dead_send": 0},
        "active_campaigns": 0,
        "looked_at": 0,
        "stuck": [],
    }
