"""What every door's tests need: a trail to write acts into."""

import pytest

from chalicelib import wiring
from chalicelib.adapters.clock import SystemClock
from chalicelib.flow.audit import AuditPorts
from tests.fakes.audit import FakeAuditStore


@pytest.fixture(autouse=True)
def trail(monkeypatch: pytest.MonkeyPatch) -> FakeAuditStore:
    """The audit trail of all accounts; its clock runs."""
    store = FakeAuditStore()
    monkeypatch.setattr(wiring, "audit_ports", lambda: AuditPorts(store, SystemClock()))
    return store
