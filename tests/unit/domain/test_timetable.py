from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.timetable import Timetable, Weekday, floor_second, is_time_zone, utc
from tests.unit.domain.schedule_builders import EVERY_DAY, at, few, many, oracle_is_open, timetable

ZONES = sorted(available_timezones())
MINUTE = timedelta(minutes=1)

# A gap or a fold at local midnight, a shift that isn't an hour, negative or Ramadan time, far offsets.
HARD_ZONES = [
    *("Africa/Cairo", "America/Havana", "America/Santiago", "Asia/Beirut", "Atlantic/Azores", "America/Nuuk"),
    *("America/Scoresbysund", "Australia/Lord_Howe", "Antarctica/Troll", "Africa/Casablanca", "Asia/Gaza"),
    *("Europe/Dublin", "Europe/Moscow", "Asia/Almaty", "America/Asuncion", "Asia/Kolkata", "Asia/Kathmandu"),
    *("Pacific/Kiritimati", "Pacific/Pago_Pago", "Europe/Kyiv"),
]


def closes_after(table: Timetable, instant: datetime) -> datetime:
    """The first instant (UTC) after the open `instant` that is closed."""
    stretches = table.stretches(floor_second(instant))
    _, closes = next(stretches)
    for opens, later in stretches:
        if opens > closes:
            break
        closes = later
    return utc(closes)


def windows(table: Timetable, begin: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """The open time in [begin, end) as the timetable tells it."""
    found = []
    opens = table.next_open(begin)
    while opens is not None and opens < end:
        closes = closes_after(table, opens)
        found.append((opens, min(closes, end)))
        opens = table.next_open(closes)
    return found


def oracle_windows(
    table: Timetable, begin: datetime, end: datetime, step: timedelta = MINUTE
) -> list[tuple[datetime, datetime]]:
    """The same, by looking at every step: minutes are enough where offsets are whole minutes."""
    found: list[tuple[datetime, datetime]] = []
    instant = begin
    while instant < end:
        if oracle_is_open(table, instant):
            if found and found[-1][1] == instant:
                found[-1] = found[-1][0], instant + step
            else:
                found.append((instant, instant + step))
        instant += step
    return found


def clock_changes(zone: str, year: int) -> list[datetime]:
    """The starts of the UTC days of a year in which the zone's offset changes."""
    tz = ZoneInfo(zone)
    days = [datetime(year, 1, 1, tzinfo=UTC) + timedelta(days=n) for n in range(366)]
    offsets = [day.astimezone(tz).utcoffset() for day in days]
    return [day for day, (before, after) in zip(days, pairwise(offsets), strict=False) if before != after]


@st.composite
def moments_and_timetables(draw: st.DrawFn, zones: list[str]) -> tuple[datetime, Timetable]:
    """A timetable of a few days near a day the clocks change, if the zone has one, and an instant near it."""
    zone = draw(st.sampled_from(zones))
    changes = clock_changes(zone, draw(st.sampled_from([2025, 2026, 2027])))
    day = draw(st.sampled_from(changes)) if changes else at("2026-05-10")
    begin = day.date() - timedelta(days=draw(st.integers(0, 3)))
    minutes = st.integers(0, 1439).map(lambda minute: time(minute // 60, minute % 60))
    table = Timetable(
        working_days=draw(st.frozensets(st.sampled_from(Weekday))),
        start_date=begin,
        end_date=begin + timedelta(days=draw(st.integers(-1, 5))),
        start_time=draw(minutes),
        end_time=draw(minutes),
        time_zone=zone,
        gap_min=0,
        gap_max=0,
    )
    return day + timedelta(minutes=draw(st.integers(-1440, 1440))), table


@many
@given(moments_and_timetables(ZONES))
def test_windows_are_what_looking_at_every_minute_finds(case: tuple[datetime, Timetable]) -> None:
    begin, table = case
    end = begin + timedelta(days=2)
    assert windows(table, begin, end) == oracle_windows(table, begin, end)


@few
@given(moments_and_timetables(HARD_ZONES))
def test_the_same_in_the_zones_known_to_be_hard(case: tuple[datetime, Timetable]) -> None:
    begin, table = case
    end = begin + timedelta(days=2)
    assert windows(table, begin, end) == oracle_windows(table, begin, end)


def test_every_zone_on_every_day_its_clocks_change() -> None:
    seen = set()
    for zone in ZONES:
        for day in clock_changes(zone, 2026) or [at("2026-05-10")]:
            hours_of_day = [day + timedelta(hours=hour) for hour in range(25)]
            offsets = tuple(hour.astimezone(ZoneInfo(zone)).utcoffset() for hour in hours_of_day)
            if (day, offsets) not in seen:  # many zones are the same zone by another name
                seen.add((day, offsets))
                check_windows_around(day, zone)
    assert len(seen) > 50


def check_windows_around(day: datetime, zone: str) -> None:
    begin, end = day - timedelta(hours=3), day + timedelta(hours=30)
    for hours in ("00:00-02:30", "02:15-02:45", "23:15-01:15", "03:00-03:00"):
        table = timetable(hours, zone=zone, start=str(day.date() - timedelta(days=1)))
        assert windows(table, begin, end) == oracle_windows(table, begin, end), (zone, day, hours)


@many
@given(moments_and_timetables(ZONES), st.integers(0, 999_999))
def test_next_open_and_ends_at(case: tuple[datetime, Timetable], microsecond: int) -> None:
    instant, table = case[0].replace(microsecond=microsecond), case[1]
    opens, ends = table.next_open(instant), table.ends_at()
    assert table.is_open(instant) == oracle_is_open(table, instant)
    if opens is None:
        assert ends is None or ends <= instant + timedelta(seconds=1)
        return
    assert opens >= instant
    assert opens.microsecond == 0
    assert opens.utcoffset() == timedelta(0)
    assert table.is_open(opens)
    assert table.next_open(opens) == opens
    assert ends is not None
    assert table.is_open(ends - timedelta(seconds=1))
    assert not table.is_open(ends)
    assert table.next_open(ends) is None


def test_a_zone_whose_offset_had_seconds() -> None:
    # Monrovia was 44 min 30 s behind until 1972-01-07 00:00 local time, when its clocks went to UTC.
    table = timetable("23:30:10-00:50:20", zone="Africa/Monrovia", start="1972-01-05", end="1972-01-08")
    begin, end = at("1972-01-06T23:30"), at("1972-01-07T02:00")
    second = timedelta(seconds=1)
    assert windows(table, begin, end) == oracle_windows(table, begin, end, second)


# Kyiv: on 2026-03-29 03:00 (UTC+2) jumps to 04:00 (UTC+3); on 2026-10-25 04:00 (UTC+3) goes back to 03:00.
def test_a_window_that_the_clocks_skip_does_not_exist_that_day() -> None:
    table = timetable("03:15-03:45", zone="Europe/Kyiv", start="2026-03-28", end="2026-03-30")
    assert windows(table, at("2026-03-27"), at("2026-04-02")) == [
        (at("2026-03-28T01:15"), at("2026-03-28T01:45")),
        (at("2026-03-30T00:15"), at("2026-03-30T00:45")),
    ]


def test_a_window_whose_start_is_skipped_opens_at_the_change() -> None:
    table = timetable("03:30-06:00", zone="Europe/Kyiv", start="2026-03-29")
    opens = table.next_open(at("2026-03-28T12:00"))
    assert opens == at("2026-03-29T01:00")
    assert opens.astimezone(ZoneInfo("Europe/Kyiv")).time() == time(4)
    assert closes_after(table, opens) == at("2026-03-29T03:00")


def test_a_window_whose_end_is_skipped_closes_at_the_change() -> None:
    table = timetable("02:30-03:30", zone="Europe/Kyiv", start="2026-03-29", end="2026-03-29")
    assert windows(table, at("2026-03-28"), at("2026-03-31")) == [
        (at("2026-03-29T00:30"), at("2026-03-29T01:00"))
    ]


def test_an_hour_that_happens_twice_is_open_twice() -> None:
    table = timetable("03:00-04:00", zone="Europe/Kyiv", start="2026-10-25")
    assert table.next_open(at("2026-10-24T12:00")) == at("2026-10-25T00:00")
    assert closes_after(table, at("2026-10-25T00:00")) == at("2026-10-25T02:00")


def test_a_window_inside_the_repeated_hour_opens_twice() -> None:
    table = timetable("03:15-03:45", zone="Europe/Kyiv", start="2026-10-25", end="2026-10-25")
    assert windows(table, at("2026-10-24"), at("2026-10-27")) == [
        (at("2026-10-25T00:15"), at("2026-10-25T00:45")),
        (at("2026-10-25T01:15"), at("2026-10-25T01:45")),
    ]


def test_a_start_at_a_midnight_that_is_skipped() -> None:
    table = timetable("00:00-02:00", zone="Africa/Cairo", start="2026-04-24")
    opens = table.next_open(at("2026-04-23T12:00"))
    assert opens == at("2026-04-23T22:00")
    assert opens.astimezone(ZoneInfo("Africa/Cairo")) == datetime(
        2026, 4, 24, 1, tzinfo=ZoneInfo("Africa/Cairo")
    )


def test_clocks_that_go_back_across_midnight() -> None:
    # Cairo, 2026-10-30 00:00 (UTC+3) goes back to 2026-10-29 23:00 (UTC+2): that hour is Thursday's, twice.
    table = timetable("23:30-23:45", zone="Africa/Cairo", start="2026-10-29", end="2026-10-29")
    assert windows(table, at("2026-10-28"), at("2026-11-01")) == [
        (at("2026-10-29T20:30"), at("2026-10-29T20:45")),
        (at("2026-10-29T21:30"), at("2026-10-29T21:45")),
    ]


def test_a_change_of_half_an_hour() -> None:
    # Lord Howe, 2026-10-04 02:00 (UTC+10:30) jumps to 02:30 (UTC+11); 2026-04-05 02:00 goes back to 01:30.
    skipped = timetable("02:00-02:30", zone="Australia/Lord_Howe", start="2026-10-04", end="2026-10-04")
    assert skipped.next_open(at("2026-10-01")) is None
    assert skipped.ends_at() is None
    twice = timetable("01:30-02:00", zone="Australia/Lord_Howe", start="2026-04-05", end="2026-04-05")
    opens = twice.next_open(at("2026-04-01"))
    assert opens == at("2026-04-04T14:30")
    assert closes_after(twice, opens) - opens == timedelta(hours=1)


def test_a_day_that_a_zone_left_out() -> None:
    # Samoa had no Friday 2011-12-30.
    friday = timetable("00:00-00:00", zone="Pacific/Apia", start="2011-12-30", end="2011-12-30")
    assert friday.next_open(at("2011-12-01")) is None
    assert friday.ends_at() is None


def test_a_night_belongs_to_the_day_it_starts_on() -> None:
    monday = frozenset({Weekday.MONDAY})
    table = timetable("22:00-02:00", days=monday, start="2026-03-02", end="2026-03-09")
    assert windows(table, at("2026-03-01"), at("2026-03-20")) == [
        (at("2026-03-02T22:00"), at("2026-03-03T02:00")),
        (at("2026-03-09T22:00"), at("2026-03-10T02:00")),
    ]
    assert not table.is_open(at("2026-03-02T01:00"))  # Sunday's night
    assert table.ends_at() == at("2026-03-10T02:00")


def test_the_night_before_the_start_date_is_not_worked() -> None:
    table = timetable("22:00-02:00", start="2026-03-02")
    assert table.next_open(at("2026-03-02T00:30")) == at("2026-03-02T22:00")


def test_equal_times_are_the_whole_24_hours_from_the_start() -> None:
    table = timetable("09:00-09:00", start="2026-03-02", end="2026-03-02")
    assert windows(table, at("2026-03-01"), at("2026-03-05")) == [
        (at("2026-03-02T09:00"), at("2026-03-03T09:00"))
    ]


def test_days_that_touch_are_one_window() -> None:
    table = timetable("00:00-00:00", zone="Europe/Kyiv", start="2026-03-02", end="2026-12-31")
    assert closes_after(table, at("2026-03-05T12:34:56")) == table.ends_at() == at("2026-12-31T22:00")


def test_start_today_after_the_end_time_waits_for_tomorrow() -> None:
    table = timetable("09:00-18:00", zone="Europe/Kyiv", start="2026-03-02")
    assert table.next_open(at("2026-03-02T17:00")) == at("2026-03-03T07:00")


def test_an_end_date_in_the_past_leaves_nothing() -> None:
    table = timetable(start="2026-03-02", end="2026-03-04")
    assert table.next_open(at("2026-03-04T17:59:59")) == at("2026-03-04T17:59:59")
    assert table.next_open(at("2026-03-04T18:00")) is None
    assert table.next_open(at("2030-01-01")) is None


@pytest.mark.parametrize(
    "table",
    [
        timetable(days=frozenset({Weekday.SUNDAY}), start="2026-03-02", end="2026-03-07"),
        timetable(days=frozenset(), start="1970-01-01", end="9998-12-31"),
        timetable(start="2026-03-09", end="2026-03-02"),
    ],
    ids=["no working day in the range", "no working day at all", "dates the wrong way round"],
)
def test_never_open(table: Timetable) -> None:
    assert table.next_open(at("2026-03-01")) is None
    assert table.ends_at() is None


def test_a_fraction_of_a_second_counts() -> None:
    table = timetable("09:00-18:00", start="2026-03-02")
    assert table.next_open(at("2026-03-02T09:00:00.000001")) == at("2026-03-02T09:00:01")
    assert table.is_open(at("2026-03-02T17:59:59.999999"))
    assert table.next_open(at("2026-03-02T17:59:59.000001")) == at("2026-03-03T09:00")
    assert closes_after(table, at("2026-03-02T17:59:59.999999")) == at("2026-03-02T18:00")


def test_an_instant_may_come_in_any_zone() -> None:
    table = timetable("09:00-18:00", zone="Europe/Kyiv", start="2026-03-02")
    kyiv = datetime(2026, 3, 2, 8, tzinfo=ZoneInfo("Europe/Kyiv"))
    assert table.next_open(kyiv) == at("2026-03-02T07:00")
    assert table.local_date(at("2026-03-02T22:30")) == date(2026, 3, 3)


def test_far_away_dates_are_found_without_walking_every_minute() -> None:
    table = timetable("10:00-10:01", days=frozenset({Weekday.TUESDAY}), start="2026-01-01", end="2126-01-01")
    assert table.next_open(at("2000-01-01")) == at("2026-01-06T10:00")
    assert table.ends_at() == at("2126-01-01T10:01")


@pytest.mark.parametrize("question", ["is_open", "next_open", "local_date"])
def test_an_instant_without_a_zone_is_refused(question: str) -> None:
    with pytest.raises(ValueError, match="time zone"):
        getattr(timetable(), question)(datetime(2026, 3, 2, 12))  # noqa: DTZ001 - that is the point


@pytest.mark.parametrize(
    "wrong",
    [
        {"gap": (-1, 5)},
        {"gap": (5, 4)},
        {"hours": "09:00:00.5-18:00"},
        {"hours": "09:00+02:00-18:00"},
        {"start": "1969-12-31"},
        {"end": "9999-01-01"},
        {"zone": "../etc/passwd"},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - which sentence is of no interest here
        timetable(**wrong)


def test_zones_are_known_by_name() -> None:
    assert is_time_zone("Europe/Kyiv")
    assert not is_time_zone("Europe/Atlantis")
    with pytest.raises(KeyError):
        timetable(zone="Europe/Atlantis")


def test_weekdays_are_numbered_as_in_datetime() -> None:
    assert [Weekday(date(2026, 3, 2 + n).weekday()) for n in range(7)] == list(Weekday)
    assert sorted(EVERY_DAY) == list(range(7))
