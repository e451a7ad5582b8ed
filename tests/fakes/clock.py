"""A clock that stands still until somebody sets it."""

from datetime import UTC, datetime, timedelta

MONDAY_NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class HandClock:
    """Port ``Clock``."""

    def __init__(self, now: datetime = MONDAY_NOON) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def set(self, now: datetime) -> None:
        self._now = now

    def wait(self, **units: float) -> datetime:
        """Let time pass, ``wait(minutes=2)``; returns the new time."""
        self._now += timedelta(**units)
        return self._now
