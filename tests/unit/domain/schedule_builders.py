"""What the tests of the schedule build things with, and their own idea of when a timetable is open."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import settings

from chalicelib.domain.ledger import Ledger, LineLimits
from chalicelib.domain.schedule import Lane
from chalicelib.domain.timetable import Timetable, Weekday

EVERY_DAY = frozenset(Weekday)

# The same examples in every run: a red build is a change, not luck.
few = settings(max_examples=60, derandomize=True, deadline=None, database=None)
many = settings(few, max_examples=250)


def timetable(
    hours: str = "09:00-18:00",
    *,
    start: str = "2026-03-02",
    end: str = "2026-12-31",
    zone: str = "UTC",
    days: frozenset[Weekday] = EVERY_DAY,
    gap: tuple[int, int] = (0, 0),
) -> Timetable:
    opens, closes = hours.split("-")
    return Timetable(
        working_days=days,
        start_date=date.fromisoformat(start),
        end_date=date.fromisoformat(end),
        start_time=time.fromisoformat(opens),
        end_time=time.fromisoformat(closes),
        time_zone=zone,
        gap_min=gap[0],
        gap_max=gap[1],
    )


def lane(line_id: str = "a", *, available_from: datetime | None = None, **limits: int | None) -> Lane:
    return Lane(line_id, LineLimits(**limits), Ledger(), available_from)


def at(text: str) -> datetime:
    """An instant in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def oracle_is_open(table: Timetable, instant: datetime) -> bool:
    """Written apart from the code under test: plain comparison of wall times."""
    wall = instant.astimezone(ZoneInfo(table.time_zone)).replace(tzinfo=None)
    for day in (wall.date(), wall.date() - timedelta(days=1)):
        ends_on = day + timedelta(days=1) if table.end_time <= table.start_time else day
        opens, closes = datetime.combine(day, table.start_time), datetime.combine(ends_on, table.end_time)
        allowed = day.weekday() in table.working_days and table.start_date <= day <= table.end_date
        if allowed and opens <= wall < closes:
            return True
    return False
