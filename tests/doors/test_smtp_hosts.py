"""Where a customer may have us connect to: what the line's route takes, and what the sender is made of."""

import json
from typing import Any

import pytest

from app import app
from chalicelib import wiring
from chalicelib.blueprints.api.line_models import SmtpInput
from chalicelib.settings import Settings
from tests.contract.faulty_smtp import PASSWORD, FaultySmtp
from tests.contract.smtp_builders import line
from tests.doors.in_process import Context
from tests.doors.test_routes import request
from tests.environment import environment

ALLOWED = "Use one of the ports 25, 465, 587, 2525."


@pytest.fixture(autouse=True)
def deployment(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment of the functions, which a test may fill."""
    env: dict[str, str] = {}
    monkeypatch.setattr(wiring, "settings", lambda: Settings.from_environment(environment(**env)))
    return env


def smtp(host: str, port: int) -> dict[str, Any]:
    return {"host": host, "port": port, "username": "u", "password": "p"}


def wrong(host: str, port: int) -> dict[str, str]:
    """What the route says of each field."""
    body = {"name": "Shop", "from_address": "shop@example.com", "smtp": smtp(host, port)}
    answer = app(request("POST", "/lines", json.dumps(body)), Context())
    assert answer["statusCode"] == 422
    return {error["field"]: error["message"] for error in json.loads(answer["body"])["errors"]}


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "8.8.8.8",
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f.1",
        "::1",
        "[::1]",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "ｌocalhost",
        "metadata",
        "127.0.0.1\0.example.com",
    ],
)
def test_what_is_no_full_name_is_refused(host: str) -> None:
    message = "Give a host name such as smtp.example.com, not an address, a scheme or a port."
    assert wrong(host, 587) == {"smtp.host": message}


@pytest.mark.parametrize("port", [1, 22, 80, 443, 2526, 6379, 65535])
def test_other_ports_are_refused_with_those_allowed(port: int) -> None:
    assert wrong("smtp.example.com", port) == {"smtp.port": ALLOWED}


def test_both_are_told_at_once() -> None:
    assert wrong("169.254.169.254", 80).keys() == {"smtp.host", "smtp.port"}


@pytest.mark.parametrize("port", [25, 465, 587, 2525])
def test_mail_ports_of_full_names_are_taken(port: int) -> None:
    given = SmtpInput.model_validate(smtp("Smtp.Example.com", port))
    assert (given.host, given.port) == ("smtp.example.com", port)


def test_a_deployment_may_list_private_hosts(deployment: dict[str, str]) -> None:
    deployment["SMTP_PRIVATE_HOSTS"] = " 127.0.0.1, MailHog,, "
    assert wiring.private_smtp_hosts() == {"127.0.0.1", "mailhog"}
    for host in ("127.0.0.1", "mailhog", "MAILHOG"):
        assert SmtpInput.model_validate(smtp(host, 40_001)).port == 40_001
    assert wrong("127.0.0.2", 587).keys() == {"smtp.host"}
    assert wrong("smtp.example.com", 40_001) == {"smtp.port": ALLOWED}


def test_the_sender_of_a_deployment_is_held_to_public_addresses(deployment: dict[str, str]) -> None:
    with FaultySmtp() as server:
        proof = wiring.smtp_sender().prove(line(server.port), PASSWORD)
        assert proof.reason is not None
        assert (proof.reason.code, server.connections) == ("host_not_allowed", 0)
        deployment["SMTP_PRIVATE_HOSTS"] = "localhost"
        assert wiring.smtp_sender().prove(line(server.port), PASSWORD).reason is None
