"""`make operator`: its commands are the orders, and what is typed becomes the order as its model wants it."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from chalicelib.blueprints.operator import Order
from local.operate import _parser, main, order_of, orders

ACCEPTS: TypeAdapter[Any] = TypeAdapter(Order)


def typed(*words: str) -> dict[str, Any]:
    return order_of(vars(_parser().parse_args(words)))


def test_every_order_is_a_command_that_says_what_it_does(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    shown = capsys.readouterr().out
    for name, model in orders().items():
        assert name in shown
        assert model.__doc__
        with pytest.raises(SystemExit) as ended:
            main([name, "--help"])
        assert ended.value.code == 0


@pytest.mark.parametrize(
    ("words", "order"),
    [
        (["create_account", "--name", "Oak & Linen"], {"name": "Oak & Linen"}),
        (
            ["create_account", "--name", "A", "--line-plan", "purchased"],
            {"name": "A", "line_plan": "purchased"},
        ),
        (["lift_brake", "--account-id", "a", "--line-id", "l"], {"account_id": "a", "line_id": "l"}),
        (["show_audit", "--act", "line_deleted", "--limit", "5"], {"act": "line_deleted", "limit": "5"}),
        (["show_audit", "--cursor", "null"], {"cursor": None}),
        (["rotate_link_key"], {}),
    ],
)
def test_what_is_typed_becomes_an_order_that_is_understood(words: list[str], order: dict[str, Any]) -> None:
    assert typed(*words) == {"action": words[0], **order}
    ACCEPTS.validate_python(typed(*words))


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["drop_everything"],
        ["create_account"],
        ["create_account", "--name", "A", "--line-plan", "golden"],
        ["set_line_plan", "--account-id", "a", "--line-id", "l"],
    ],
)
def test_what_is_no_order_is_told_before_anything_is_asked_of_the_service(words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2


def test_without_a_stack_it_says_how_to_get_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rotate_link_key"], tmp_path) == 1
    assert "make run" in capsys.readouterr().err
