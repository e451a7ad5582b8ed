"""How many requests an account makes: many processes stay near the limit, and a fault stops nobody."""

from dataclasses import dataclass, field

from chalicelib.domain.quota import Quota
from chalicelib.flow.request_rate import STEP, RequestRate
from tests.fakes.clock import HandClock
from tests.fakes.usage import FakeUsageStore

LIMIT = 100
ACCOUNT, OTHER = "acc1", "acc2"


@dataclass
class Service:
    """Processes that share a store. ``writes`` counts how often it was told of requests."""

    clock: HandClock = field(default_factory=HandClock)
    usage: FakeUsageStore = field(default_factory=FakeUsageStore)
    faults: list[Exception] = field(default_factory=list)
    asked: list[Quota] = field(default_factory=list)

    def limit_of(self, account_id: str, quota: Quota) -> int:
        self.asked.append(quota)
        return LIMIT

    def process(self) -> RequestRate:
        return RequestRate(self.usage, self.limit_of, self.clock, self.faults.append)


def answered(process: RequestRate, requests: int, account: str = ACCOUNT) -> int:
    return sum(process.wait(account) == 0 for _ in range(requests))


def test_who_is_over_the_limit_waits_for_the_next_minute() -> None:
    service = Service()
    service.clock.wait(seconds=18)
    process = service.process()
    assert answered(process, 200) == LIMIT + STEP - 1
    assert process.wait(ACCOUNT) == 42
    assert process.wait(OTHER) == 0
    service.clock.wait(seconds=42)
    assert answered(process, 50) == 50


def test_processes_count_together() -> None:
    service = Service()
    processes = [service.process() for _ in range(4)]
    total = sum(answered(process, 1) for _ in range(100) for process in processes)
    assert LIMIT <= total <= LIMIT + len(processes) * STEP


def test_who_asks_seldom_costs_nothing() -> None:
    service = Service()
    process = service.process()
    for _ in range(20):
        assert answered(process, STEP - 1) == STEP - 1
        service.clock.wait(minutes=1)
    assert service.asked == []
    assert answered(process, STEP) == STEP
    assert service.asked == [Quota.REQUESTS_PER_MINUTE]


def test_a_store_that_fails_stops_nobody() -> None:
    service = Service()

    def broken(account_id: str, quota: Quota) -> int:
        raise TimeoutError(account_id)

    process = RequestRate(service.usage, broken, service.clock, service.faults.append)
    assert answered(process, 500) == 500
    assert len(service.faults) == 50


def test_a_process_remembers_so_many_accounts_and_no_more() -> None:
    process = Service().process()
    for number in range(3_000):
        assert process.wait(f"acc{number}") == 0
    assert len(process._minutes) <= 1_000
