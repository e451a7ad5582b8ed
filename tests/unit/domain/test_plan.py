import tracemalloc
from collections import Counter
from datetime import date, datetime, timedelta

from chalicelib.domain.plan import DayCount, Plan, plan, slots_ahead
from chalicelib.domain.schedule import Cursor, Lane, Slot, next_slots
from chalicelib.domain.timetable import Timetable
from tests.unit.domain.schedule_builders import at, lane, timetable

NOW = at("2026-03-02T08:00")
SEED = b"a campaign"


def dispatched(table: Timetable, lanes: tuple[Lane, ...], contacts: int, minutes: int) -> list[Slot]:
    """What a dispatcher hands out that ticks every minute and reserves two minutes ahead."""
    cursor, clock, slots = Cursor(), NOW, list[Slot]()
    for _ in range(minutes):
        ahead = clock + timedelta(minutes=2)
        allotment = next_slots(table, lanes, cursor, clock, SEED, contacts - len(slots), ahead)
        cursor, lanes = allotment.cursor, allotment.lanes
        slots += allotment.slots
        clock += timedelta(minutes=1)
    return slots


def test_the_plan_is_what_the_dispatcher_does() -> None:
    table = timetable("10:00-12:00", zone="Europe/Kyiv", end="2026-03-04", gap=(1, 9))
    lanes = (lane("a", per_minute=4, per_day=1000), lane("b", per_hour=300))
    slots = dispatched(table, lanes, 5000, minutes=3 * 24 * 60)
    assert list(slots_ahead(table, lanes, Cursor(), NOW, SEED, 5000)) == slots
    days = Counter((slot.at.date(), slot.line_id) for slot in slots)
    expected = tuple(DayCount(*key, count) for key, count in sorted(days.items()))
    told = plan(table, lanes, Cursor(), NOW, SEED, 5000)
    assert told == Plan(len(slots), slots[0].at, slots[-1].at, expected, 5000 - len(slots))
    assert 0 < told.not_fitting < 5000


def test_a_small_plan_by_hand() -> None:
    table = timetable("09:00-09:01", end="2026-03-03", gap=(20, 20))
    told = plan(table, [lane("b"), lane("a", per_day=1)], Cursor(), NOW, SEED, 10)
    first, second = date(2026, 3, 2), date(2026, 3, 3)
    assert told == Plan(
        total=6,
        first=at("2026-03-02T09:00"),
        last=at("2026-03-03T09:00:40"),
        days=(
            DayCount(first, "b", 2),
            DayCount(first, "a", 1),
            DayCount(second, "b", 2),
            DayCount(second, "a", 1),
        ),
        not_fitting=4,
    )


def test_days_are_those_of_the_wall_clock() -> None:
    table = timetable(
        "23:30-00:30", zone="Asia/Kathmandu", start="2026-03-02", end="2026-03-02", gap=(900, 900)
    )
    told = plan(table, [lane()], Cursor(), NOW, SEED, 4)
    assert told.days == (DayCount(date(2026, 3, 2), "a", 2), DayCount(date(2026, 3, 3), "a", 2))


def test_a_running_campaign_is_planned_from_where_it_stands() -> None:
    table = timetable("09:00-09:01", end="2026-03-02", gap=(20, 20))
    given = next_slots(table, [lane()], Cursor(), NOW, SEED, 1, at("2030-01-01"))
    told = plan(table, given.lanes, given.cursor, NOW, SEED, 9)
    assert (told.total, told.first, told.not_fitting) == (2, at("2026-03-02T09:00:20"), 7)


def test_no_contacts_no_lines_no_window() -> None:
    table, over = timetable(), timetable(start="2026-02-01", end="2026-02-03")
    closed = timetable(days=frozenset())
    assert plan(table, [lane()], Cursor(), NOW, SEED, 0) == Plan(0, None, None, (), 0)
    for nothing in (plan(table, [], Cursor(), NOW, SEED, 7), plan(over, [lane()], Cursor(), NOW, SEED, 7)):
        assert nothing == Plan(0, None, None, (), 7)
    assert plan(closed, [lane()], Cursor(), NOW, SEED, 7) == Plan(0, None, None, (), 7)


def memory_of(contacts: int, table: Timetable, now: datetime) -> int:
    tracemalloc.start()
    told = plan(table, [lane("a", per_minute=50), lane("b")], Cursor(), now, SEED, contacts)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert told.total == contacts
    return peak


def test_memory_does_not_grow_with_the_number_of_contacts() -> None:
    table = timetable("00:00-00:00", gap=(0, 2))
    memory_of(100, table, NOW)
    assert memory_of(60_000, table, NOW) < 1.5 * memory_of(15_000, table, NOW)
