"""What stands behind all doors in these tests."""

import pytest

from chalicelib import wiring
from chalicelib.adapters.clock import SystemClock
from chalicelib.domain.access import ALL_SCOPES
from chalicelib.domain.quota import usual_limit
from chalicelib.flow.audit import AuditPorts
from chalicelib.flow.request_rate import RequestRate
from tests.environment import environment
from tests.fakes.audit import FakeAuditStore
from tests.fakes.clock import HandClock
from tests.fakes.usage import FakeUsageStore


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    """What every function is told of."""
    for name, value in environment().items():
        monkeypatch.setenv(name, value)


@pytest.fixture(autouse=True)
def trail(monkeypatch: pytest.MonkeyPatch) -> FakeAuditStore:
    """The audit trail of all accounts; its clock runs."""
    store = FakeAuditStore()
    monkeypatch.setattr(wiring, "audit_ports", lambda: AuditPorts(store, SystemClock()))
    return store


@pytest.fixture(autouse=True)
def request_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has asked for anything yet."""

    def fails(error: Exception) -> None:
        raise error

    made = RequestRate(FakeUsageStore(), usual_limit, HandClock(), fails)
    monkeypatch.setattr(wiring, "request_rate", lambda: made)
    monkeypatch.setattr(wiring, "usage", FakeUsageStore)


@pytest.fixture(autouse=True)
def scopes_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the authorizer says is still so: nobody was removed since."""
    monkeypatch.setattr(wiring, "scopes_now", lambda *_: ALL_SCOPES)


@pytest.fixture(autouse=True)
def cursor_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key for each month, that KMS would make."""
    monkeypatch.setattr(wiring, "cursor_key", lambda number: b"key %d" % number)
