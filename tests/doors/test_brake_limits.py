"""The rates at which a deployment brakes: read from its environment, the agreed ones when it says nothing."""

import pytest

from chalicelib import wiring
from chalicelib.domain.brake import LIMITS
from chalicelib.settings import Settings
from tests.environment import environment


def limits(monkeypatch: pytest.MonkeyPatch, env: dict[str, str]) -> dict[str, tuple[float, float]]:
    """Warning and pause by the reason's code, as a function with that environment has them."""
    monkeypatch.setattr(wiring, "settings", lambda: Settings.from_environment(environment(**env)))
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    return {limit.code: (limit.warning, limit.pause) for limit in wiring.brake_ports().limits}


@pytest.mark.parametrize("env", [{}, {"BRAKE_BOUNCE_PERCENT": "", "BRAKE_COMPLAINT_PERCENT": ""}])
def test_who_says_nothing_gets_the_agreed_limits(
    monkeypatch: pytest.MonkeyPatch, env: dict[str, str]
) -> None:
    agreed = {limit.code: (limit.warning, limit.pause) for limit in LIMITS}
    assert limits(monkeypatch, env) == {code: pytest.approx(shares) for code, shares in agreed.items()}


def test_a_deployment_says_its_own_in_percent(monkeypatch: pytest.MonkeyPatch) -> None:
    env = {"BRAKE_BOUNCE_PERCENT": "4", "BRAKE_COMPLAINT_PERCENT": "0.15"}
    assert limits(monkeypatch, env) == {
        "bounce_rate": pytest.approx((0.02, 0.04)),
        "complaint_rate": pytest.approx((0.0005, 0.0015)),
    }
