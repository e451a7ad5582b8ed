"""How many requests an account makes in a minute: counted roughly, for next to nothing.

The gateway's own plans limit by keys of the gateway, of which a region has too few. Each process counts what
it answers, and tells the account's row of every tenth: so who asks seldom costs nothing, and who asks often a
tenth of a write for each request. Who is over the limit waits for the next minute.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.domain.quota import Quota
from chalicelib.ports import Clock, LimitOf, UsageStore

STEP = 10  # requests of a process between two writes
_REMEMBERED = 1_000  # accounts
_MINUTE = timedelta(minutes=1)


@dataclass(slots=True)
class _Minute:
    start: datetime
    requests: int = 0
    is_over: bool = False


class RequestRate:
    """The count of one process. ``on_fault`` hears of a store that fails: nobody waits because of that."""

    def __init__(
        self, usage: UsageStore, limit_of: LimitOf, clock: Clock, on_fault: Callable[[Exception], None]
    ) -> None:
        self._usage = usage
        self._limit_of = limit_of
        self._clock = clock
        self._on_fault = on_fault
        self._minutes: dict[str, _Minute] = {}

    def wait(self, account_id: str) -> int:
        """Count one request; the seconds that the account has to wait before the next one, mostly 0."""
        now = self._clock.now()
        minute = self._minute(account_id, now.replace(second=0, microsecond=0))
        minute.requests += 1
        if minute.requests % STEP == 0 and not minute.is_over:
            minute.is_over = self._is_over(account_id, minute.start)
        return -((now - minute.start - _MINUTE) // timedelta(seconds=1)) if minute.is_over else 0

    def _minute(self, account_id: str, start: datetime) -> _Minute:
        minute = self._minutes.get(account_id)
        if minute is None or minute.start != start:
            if len(self._minutes) >= _REMEMBERED:
                self._minutes.clear()
            minute = self._minutes[account_id] = _Minute(start)
        return minute

    def _is_over(self, account_id: str, start: datetime) -> bool:
        try:
            total = self._usage.count_requests(account_id, start, STEP)
            return total > self._limit_of(account_id, Quota.REQUESTS_PER_MINUTE)
        except Exception as error:  # noqa: BLE001  (a count that is missed is no reason to refuse anybody)
            self._on_fault(error)
            return False
