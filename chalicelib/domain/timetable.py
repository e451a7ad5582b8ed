"""When a campaign may send: its days and hours in its own time zone.

One rule decides everything: an instant is open if its *local* wall time lies in a window of a working day.
Only instants are turned into wall times, never the other way round, because a wall time may happen twice or
not at all when clocks change. What follows from the rule:

* clocks go back: an hour that happens twice is open both times;
* clocks go forward: a window whose start is skipped opens at the first instant whose local time is past the
  start and before the end; a window that is skipped altogether doesn't exist that day;
* a window crosses midnight if its end is before its start, and belongs to the day it starts on: the night of
  the end date is still worked to its end, the night before the start date is not worked at all.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import IntEnum
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_SECOND = timedelta(seconds=1)
_DAY = 86_400
_FIRST_YEAR, _LAST_YEAR = 1970, 9998  # a day of margin on both sides of what datetime can say


class Weekday(IntEnum):
    """A day of the week, numbered as `datetime.weekday()` numbers it."""

    MONDAY = 0
    TUESDAY = 1
    WEDNESDAY = 2
    THURSDAY = 3
    FRIDAY = 4
    SATURDAY = 5
    SUNDAY = 6


@dataclass(frozen=True, slots=True)
class Timetable:
    """The days, hours and gaps a customer chose for a campaign.

    Dates (both included) and times (the end excluded) are wall time in the IANA zone `time_zone`. Equal start
    and end time mean the whole 24 hours from the start; an end before the start crosses midnight. `gap_min`
    and `gap_max` are whole seconds between two messages.

    Dates the wrong way round, or no working day between them: a timetable that is never open, not an error.

    Raises ValueError for gaps that are negative or the wrong way round, for times that carry a zone or a
    fraction of a second, and for dates outside the years 1970-9998; ZoneInfoNotFoundError (a KeyError) or
    another error of zoneinfo for a zone that doesn't exist: ask `is_time_zone` first.
    """

    working_days: frozenset[Weekday]
    start_date: date
    end_date: date
    start_time: time
    end_time: time
    time_zone: str
    gap_min: int
    gap_max: int

    def __post_init__(self) -> None:
        if not 0 <= self.gap_min <= self.gap_max:
            raise ValueError("gap_min and gap_max must be 0 <= gap_min <= gap_max")
        if any(moment.tzinfo or moment.microsecond for moment in (self.start_time, self.end_time)):
            raise ValueError("start_time and end_time must be wall time in whole seconds")
        if any(not _FIRST_YEAR <= day.year <= _LAST_YEAR for day in (self.start_date, self.end_date)):
            raise ValueError(f"start_date and end_date must be in the years {_FIRST_YEAR}-{_LAST_YEAR}")
        ZoneInfo(self.time_zone)

    def is_open(self, instant: datetime) -> bool:
        """Whether a message may leave at this aware instant: the definition; the rest only finds it fast."""
        local = _aware(instant).astimezone(ZoneInfo(self.time_zone))
        today = _day_number(local.date())
        wall = today * _DAY + _seconds(local.time())
        # A window lasts 24 hours at most, so only today's and last night's can cover this moment.
        return any(opens <= wall < closes for opens, closes in self._windows(today - 1, today))

    def next_open(self, instant: datetime) -> datetime | None:
        """The first whole second at or after the aware `instant` that is open (UTC); None if none is left."""
        stretch = next(self.stretches(ceil_second(instant)), None)
        return utc(stretch[0]) if stretch else None

    def ends_at(self) -> datetime | None:
        """The instant the last window closes, in UTC; None if there is never a window."""
        for utc_day in reversed(self._utc_days()):
            if stretches := self._stretches_of(utc_day):
                return utc(stretches[-1][1])
        return None

    def local_date(self, instant: datetime) -> date:
        """The calendar date the campaign's wall clock shows at this aware instant."""
        return _aware(instant).astimezone(ZoneInfo(self.time_zone)).date()

    def stretches(self, start: int) -> Iterator[tuple[int, int]]:
        """The open time from `start` on, in order, as (first second open, first closed), in POSIX seconds.

        Two stretches may touch: a window is cut where a UTC day begins and where the zone's offset changes.
        """
        days = self._utc_days()
        for utc_day in range(max(days.start, start // _DAY), days.stop):
            for opens, closes in self._stretches_of(utc_day):
                if closes > start:
                    yield max(opens, start), closes

    def _utc_days(self) -> range:
        """Every UTC day that can hold a second of a window: local days are less than a day off."""
        if not self.working_days:
            return range(0)
        return range(_day_number(self.start_date) - 1, _day_number(self.end_date) + 3)

    def _stretches_of(self, utc_day: int) -> list[tuple[int, int]]:
        """The open stretches of one UTC day. In a span the offset is fixed: one wall time, one instant."""
        found = []
        for begin, end, offset in _spans(self.time_zone, utc_day):
            first, last = (begin + offset) // _DAY, (end - 1 + offset) // _DAY
            for opens, closes in self._windows(first - 1, last):
                stretch = max(begin, opens - offset), min(end, closes - offset)
                if stretch[0] < stretch[1]:
                    found.append(stretch)
        return found

    def _windows(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """The windows of the working days from day number `first` to `last`, in wall seconds since 1970."""
        opens, closes = _seconds(self.start_time), _seconds(self.end_time)
        if closes <= opens:
            closes += _DAY
        first, last = max(first, _day_number(self.start_date)), min(last, _day_number(self.end_date))
        for day in range(first, last + 1):
            if _weekday(day) in self.working_days:
                yield day * _DAY + opens, day * _DAY + closes


def is_time_zone(name: str) -> bool:
    """Whether this is the name of a zone in the time zone database."""
    return name in _time_zones()


def ceil_second(instant: datetime) -> int:
    """The first whole POSIX second at or after an aware instant. Raises ValueError if it is naive."""
    return -((_EPOCH - _aware(instant)) // _SECOND)


def floor_second(instant: datetime) -> int:
    """The last whole POSIX second at or before an aware instant. Raises ValueError if it is naive."""
    return (_aware(instant) - _EPOCH) // _SECOND


def utc(second: int) -> datetime:
    """The aware UTC instant of a POSIX second."""
    return datetime.fromtimestamp(second, UTC)


@lru_cache(maxsize=4096)
def _spans(time_zone: str, utc_day: int) -> tuple[tuple[int, int, int], ...]:
    """A UTC day cut where the zone's offset changes: (begin, end, offset), all in seconds.

    No zone has ever changed its offset twice within three days, so a day has at most one cut, and its two
    ends show whether it has one.
    """
    zone = ZoneInfo(time_zone)
    begin, end = utc_day * _DAY, (utc_day + 1) * _DAY
    before, after = _offset(zone, begin), _offset(zone, end)
    if before == after:
        return ((begin, end, before),)
    cut = _change(zone, begin, end)
    return ((begin, cut, before), (cut, end, after)) if cut < end else ((begin, end, before),)


def _change(zone: ZoneInfo, low: int, high: int) -> int:
    """The first second with the offset of `high`, by bisection; `low` still has another one."""
    after = _offset(zone, high)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _offset(zone, middle) == after else (middle, high)
    return high


def _offset(zone: ZoneInfo, second: int) -> int:
    wall = datetime.fromtimestamp(second, zone)
    return floor_second(wall.replace(tzinfo=UTC)) - second


@lru_cache(maxsize=1)
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _aware(instant: datetime) -> datetime:
    if instant.utcoffset() is None:
        raise ValueError("an instant needs a time zone")
    return instant


def _day_number(day: date) -> int:
    return day.toordinal() - _EPOCH_DAY


def _weekday(day_number: int) -> int:
    return (day_number + _EPOCH_DAY - 1) % 7  # ordinal 1, 0001-01-01, was a Monday


def _seconds(wall: time) -> int:
    return wall.hour * 3600 + wall.minute * 60 + wall.second
