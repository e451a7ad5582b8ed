"""The operator at the command line, against the deployed package; and how the service answers for itself."""

import json
from pathlib import Path
from typing import Any

import pytest

from local.operate import main
from local.stack import Stack
from tests.stack.customer import Customer


@pytest.fixture
def folder(stack: Stack, tmp_path: Path) -> Path:
    """What `make run` leaves for who speaks to its stack."""
    known = stack.emulator.credentials
    values = {"access_key_id": known.access_key_id, "secret_access_key": known.secret_access_key}
    (tmp_path / "credentials.json").write_text(json.dumps(values))
    (tmp_path / "port").write_text(stack.emulator.endpoint.rpartition(":")[2])
    return tmp_path


def operate(folder: Path, capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> Any:
    assert main(words, folder) == code
    return json.loads(capsys.readouterr().out)


def test_orders_are_typed_carried_out_and_in_the_trail(
    stack: Stack, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = operate(folder, capsys, "create_account", "--name", "Oak & Linen")
    customer = Customer(stack, made["account_id"], made["api_key"])
    line = customer.unconnected_line()
    of_account = ("--account-id", customer.account_id)
    plan = operate(folder, capsys, "set_line_plan", *of_account, "--line-id", line, "--plan", "purchased")
    assert plan["plan"] == customer.api.get(f"/lines/{line}")["plan"] == "purchased"
    lift = ("lift_brake", *of_account, "--line-id", line)
    assert operate(folder, capsys, *lift, code=1)["error"]
    told = operate(folder, capsys, "show_audit", *of_account)["entries"]
    assert [(entry["actor"]["kind"], entry["action"], entry["outcome"]) for entry in told] == [
        ("operator", "brake_lifted", "refused"),
        ("operator", "line_plan_changed", "done"),
        ("api_key", "line_created", "done"),
        ("operator", "account_created", "done"),
    ]
    shown = customer.api.get("/audit")["items"]
    assert [entry["entry_id"] for entry in shown] == [entry["entry_id"] for entry in told]
    of_service = operate(folder, capsys, "show_audit", "--act", "account_created")["entries"]
    assert of_service[0]["subject"] == {"account_id": customer.account_id}


def test_health_looks_at_all_queues_and_at_no_contact(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    health = operate(folder, capsys, "show_health")
    assert len(health["queues"]) == 10
    assert health["dead_letters"].keys() == {
        "dead_dispatch",
        "dead_send",
        "dead_removal",
        "dead_bounces",
        "dead_jobs",
        "dead_events",
    }
    assert health["looked_at"] <= health["active_campaigns"]


def test_no_key_of_an_account_gives_orders(customer: Customer) -> None:
    paths = customer.api.get("/openapi.json")["paths"]
    assert [path for path in paths if "operat" in path] == []
    order = {"action": "create_account", "name": "Mine"}
    for path in ("/operator", "/operate", "/operate_service", "/accounts"):
        assert customer.api.call("POST", path, order).status in {403, 404}
