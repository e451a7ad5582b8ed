import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.ledger import Ledger, LineLimits
from chalicelib.domain.schedule import Allotment, Cursor, Lane, Slot, next_slots
from chalicelib.domain.timetable import Timetable, Weekday
from tests.unit.domain.schedule_builders import at, few, lane, many, oracle_is_open, timetable

NOON = at("2026-03-02T12:00")
FAR = at("2099-01-01")
SEED = b"a campaign"
FIRST_GAPS = [269, 780, 871, 963, 281, 443, 226, 385, 958, 577, 795]  # 0-999, seed b"seed"
SIZES = {"per_second": 1, "per_minute": 60, "per_hour": 3600, "per_day": 86_400}


def give(
    table: Timetable,
    lanes: Sequence[Lane],
    count: int = 10,
    *,
    cursor: Cursor = Cursor(),  # noqa: B008 - a frozen value
    now: datetime = NOON,
    until: datetime = FAR,
    seed: bytes = SEED,
) -> Allotment:
    return next_slots(table, lanes, cursor, now, seed, count, until)


def lines(allotment: Allotment) -> str:
    return "".join(slot.line_id for slot in allotment.slots)


def seconds(allotment: Allotment, start: datetime = NOON) -> list[int]:
    return [int((slot.at - start).total_seconds()) for slot in allotment.slots]


def gaps(slots: Sequence[Slot]) -> list[int]:
    return [int((later.at - earlier.at).total_seconds()) for earlier, later in pairwise(slots)]


def per_bucket(slots: Sequence[Slot], size: int) -> Counter[tuple[str, int]]:
    return Counter((slot.line_id, int(slot.at.timestamp()) // size) for slot in slots)


def assert_within_limits(slots: Sequence[Slot], lanes: Sequence[Lane]) -> None:
    limits = {lane.line_id: lane.limits for lane in lanes}
    for name, size in SIZES.items():
        for (line_id, bucket), count in per_bucket(slots, size).items():
            limit = getattr(limits[line_id], name)
            assert limit is None or count <= limit, (line_id, name, bucket, count)


def assert_ledgers_tell(lanes: Sequence[Lane], slots: Sequence[Slot]) -> None:
    for lane_after in lanes:
        for name, size in SIZES.items():
            told = getattr(lane_after.ledger, name.removeprefix("per_"))
            own = [slot for slot in slots if slot.line_id == lane_after.line_id]
            assert told == {bucket: count for (_, bucket), count in per_bucket(own, size).items()}


# --- random campaigns -------------------------------------------------------------------------------------

limit = st.none() | st.integers(1, 6)
all_limits = st.builds(
    LineLimits,
    per_second=limit,
    per_minute=limit,
    per_hour=st.none() | st.integers(3, 30),
    per_day=limit | st.just(40),
)
pauses = st.none() | st.integers(-60, 7200).map(lambda wait: NOON + timedelta(seconds=wait))
some_lanes = st.lists(
    st.builds(Lane, st.just("?"), all_limits, st.just(Ledger()), pauses), min_size=1, max_size=4
).map(lambda lanes: tuple(replace(lane, line_id="abcd"[place]) for place, lane in enumerate(lanes)))
some_gaps = st.tuples(st.integers(0, 90), st.integers(0, 90)).map(lambda pair: (min(pair), max(pair)))
some_timetables = st.builds(
    timetable,
    st.sampled_from(["09:00-18:00", "00:00-00:00", "13:07-12:31", "22:00-02:00", "12:00:10-12:00:40"]),
    zone=st.sampled_from(["UTC", "Europe/Kyiv", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Havana"]),
    end=st.sampled_from(["2026-03-03", "2026-03-09", "2026-12-31"]),
    days=st.frozensets(st.sampled_from(Weekday), min_size=4),
    gap=some_gaps,
)
nows = st.integers(-3600, 7200).map(lambda wait: NOON + timedelta(seconds=wait, milliseconds=wait % 1000))
untils = st.sampled_from([NOON + timedelta(minutes=10), NOON + timedelta(days=1), FAR])


def expected(
    table: Timetable, lanes: Sequence[Lane], now: datetime, count: int, until: datetime
) -> list[tuple[datetime, str]]:
    """The definition, second by second. The gaps are those of a campaign that nothing holds up."""
    free = timetable("00:00-00:00", gap=(table.gap_min, table.gap_max))
    free_gaps = [0, *gaps(give(free, [lane()], count).slots)]
    is_open = cache(lambda minute: [oracle_is_open(table, minute + timedelta(seconds=s)) for s in range(60)])
    taken: Counter[tuple[str, str, int]] = Counter()
    found: list[tuple[datetime, str]] = []
    start = now.replace(microsecond=0) + timedelta(seconds=1 if now.microsecond else 0)
    second, turn = start, 0
    until = min(until, now + timedelta(hours=30))

    limits = {
        one.line_id: [
            (name, size, most)
            for name, size in SIZES.items()
            if (most := getattr(one.limits, name)) is not None
        ]
        for one in lanes
    }

    def can(one: Lane) -> bool:
        stamp = int(second.timestamp())
        full = any(
            taken[one.line_id, name, stamp // size] >= most for name, size, most in limits[one.line_id]
        )
        return not full and (one.available_from is None or one.available_from <= second)

    while len(found) < count and second <= until:
        minute = second.replace(second=0)
        if not any(is_open(minute)):
            second = minute + timedelta(minutes=1)
            continue
        ready = is_open(minute)[second.second]
        order = [(turn + step) % len(lanes) for step in range(len(lanes))]
        position = next((place for place in order if can(lanes[place])), None) if ready else None
        if position is None:
            second += timedelta(seconds=1)
            continue
        taker = lanes[position]
        found.append((second, taker.line_id))
        taken.update((taker.line_id, name, int(second.timestamp()) // size) for name, size in SIZES.items())
        turn = (position + 1) % len(lanes)
        second += timedelta(seconds=free_gaps[len(found)] if len(found) < count else 0)
    return found


@few
@given(some_timetables, some_lanes, nows, untils)
def test_slots_are_what_going_second_by_second_finds(
    table: Timetable, lanes: tuple[Lane, ...], now: datetime, until: datetime
) -> None:
    found = give(table, lanes, 25, now=now, until=until).slots
    oracle = expected(table, lanes, now, 25, until)
    within_reach = [(slot.at, slot.line_id) for slot in found if slot.at <= now + timedelta(hours=30)]
    assert within_reach == oracle


@many
@given(some_timetables, some_lanes, nows, untils)
def test_every_slot_is_allowed(
    table: Timetable, lanes: tuple[Lane, ...], now: datetime, until: datetime
) -> None:
    allotment = give(table, lanes, 60, now=now, until=until)
    slots = allotment.slots
    assert all(oracle_is_open(table, slot.at) and now <= slot.at <= until for slot in slots)
    assert all(slot.at.microsecond == 0 and slot.at.utcoffset() == timedelta(0) for slot in slots)
    assert [slot.number for slot in slots] == list(range(len(slots)))
    assert all(gap >= table.gap_min for gap in gaps(slots))
    available = {lane.line_id: lane.available_from or now for lane in lanes}
    assert all(slot.at >= available[slot.line_id] for slot in slots)
    assert_within_limits(slots, lanes)
    assert_ledgers_tell(allotment.lanes, slots)
    assert give(table, lanes, 60, now=now, until=until) == allotment


@many
@given(
    some_timetables,
    some_lanes,
    nows,
    st.lists(st.integers(0, 20), max_size=5),
    st.lists(st.integers(0, 3600)),
)
def test_calls_in_pieces_give_the_same_slots(
    table: Timetable, lanes: tuple[Lane, ...], now: datetime, counts: list[int], steps: list[int]
) -> None:
    at_once = give(table, lanes, 60, now=now)
    pieces: list[Slot] = []
    state = Allotment((), Cursor(), lanes)
    clock = until = now
    for count, step in zip([*counts, 60, 60], [*steps, 60, 60, 60, 60, 60, 60, 60], strict=False):
        until += timedelta(seconds=step)
        wanted = min(count, 60 - len(pieces))
        state = give(table, state.lanes, wanted, cursor=state.cursor, now=clock, until=until)
        pieces += state.slots
        clock = state.cursor.last or clock
    state = give(table, state.lanes, 60 - len(pieces), cursor=state.cursor, now=clock)
    pieces += state.slots
    assert tuple(pieces) == at_once.slots
    assert state.cursor == at_once.cursor
    assert [one.ledger.pruned(clock) for one in state.lanes] == [
        one.ledger.pruned(clock) for one in at_once.lanes
    ]


@few
@given(some_lanes, some_timetables, some_timetables, st.lists(st.integers(0, 12), min_size=2, max_size=8))
def test_limits_hold_for_two_campaigns_of_the_same_lines(
    lanes: tuple[Lane, ...], one: Timetable, other: Timetable, counts: list[int]
) -> None:
    cursors = [Cursor(), Cursor()]
    given_out: list[Slot] = []
    for turn, count in enumerate(counts):
        who = turn % 2
        # The second campaign lists the lines the other way round; ledgers go through JSON in between.
        view = lanes if who == 0 else lanes[::-1]
        allotment = give((one, other)[who], view, count, cursor=cursors[who], seed=bytes([who]))
        cursors[who] = allotment.cursor
        given_out += allotment.slots
        after = allotment.lanes if who == 0 else allotment.lanes[::-1]
        lanes = tuple(
            replace(lane, ledger=Ledger.from_dict(json.loads(json.dumps(lane.ledger.to_dict()))))
            for lane in after
        )
    assert_within_limits(given_out, lanes)
    assert_ledgers_tell(lanes, given_out)


# --- gaps -------------------------------------------------------------------------------------------------


@many
@given(some_gaps, st.binary(max_size=64), st.integers(1, 4))
def test_gaps_are_in_range_when_nothing_holds_up(gap: tuple[int, int], seed: bytes, width: int) -> None:
    slots = give(
        timetable("00:00-00:00", gap=gap), [lane(name) for name in "abcd"[:width]], 40, seed=seed
    ).slots
    assert slots[0].at == NOON
    assert all(gap[0] <= found <= gap[1] for found in gaps(slots))


def test_gaps_are_drawn_evenly() -> None:
    found = Counter(gaps(give(timetable("00:00-00:00", gap=(3, 7)), [lane()], 10_001).slots))
    assert sorted(found) == [3, 4, 5, 6, 7]
    assert all(1850 <= count <= 2150 for count in found.values())


def test_gaps_depend_on_the_seed_and_never_change() -> None:
    table = timetable("00:00-00:00", gap=(0, 999))
    # Stored campaigns go on with the gaps they began with: these numbers must stay.
    assert gaps(give(table, [lane()], 12, seed=b"seed").slots) == FIRST_GAPS
    assert gaps(give(table, [lane()], 12, seed=b"seee").slots) != FIRST_GAPS


def test_the_gap_counts_from_a_slot_that_was_held_up() -> None:
    table = timetable("12:00:00-12:00:25", gap=(10, 10))
    assert seconds(give(table, [lane()], 5)) == [0, 10, 20, 86_400, 86_410]


def test_fixed_gaps() -> None:
    assert seconds(give(timetable(gap=(7, 7)), [lane()], 4)) == [0, 7, 14, 21]


# --- now, until, count ------------------------------------------------------------------------------------


def test_as_fast_as_the_line_allows() -> None:
    assert seconds(give(timetable(), [lane()], 5)) == [0, 0, 0, 0, 0]
    assert seconds(give(timetable(), [lane(per_second=2)], 5)) == [0, 0, 1, 1, 2]
    assert seconds(give(timetable(), [lane(per_second=2, per_minute=3)], 7)) == [0, 0, 1, 60, 60, 61, 120]
    assert seconds(give(timetable(), [lane(per_hour=2)], 5)) == [0, 0, 3600, 3600, 7200]


def test_the_limit_of_a_day_is_that_of_the_utc_day() -> None:
    table = timetable("00:00-00:00", zone="Asia/Kathmandu", start="2026-03-01")
    assert seconds(give(table, [lane(per_day=2)], 5)) == [0, 0, 43_200, 43_200, 129_600]


def test_room_that_comes_while_the_window_is_closed_waits_for_the_window() -> None:
    table = timetable("09:00-18:00", start="2026-03-02")
    found = give(table, [lane(per_day=1)], 3)
    assert [slot.at for slot in found.slots] == [NOON, at("2026-03-03T09:00"), at("2026-03-04T09:00")]


def test_after_an_outage_nothing_is_caught_up() -> None:
    table = timetable(gap=(60, 60))
    before = give(table, [lane()], 3)
    later = NOON + timedelta(hours=2, milliseconds=1)
    after = give(table, before.lanes, 3, cursor=before.cursor, now=later)
    assert seconds(after, NOON + timedelta(hours=2)) == [1, 61, 121]
    assert [slot.number for slot in after.slots] == [3, 4, 5]


def test_an_outage_past_the_window_waits_for_the_next_one() -> None:
    before = give(timetable(gap=(60, 60)), [lane()], 3)
    after = give(timetable(gap=(60, 60)), before.lanes, 2, cursor=before.cursor, now=at("2026-03-02T18:00"))
    assert [slot.at for slot in after.slots] == [at("2026-03-03T09:00"), at("2026-03-03T09:01")]


def test_until_is_the_last_second_given_out_and_costs_nothing() -> None:
    table, lanes = timetable(gap=(10, 10)), [lane()]
    some = give(table, lanes, until=NOON + timedelta(seconds=20))
    assert seconds(some) == [0, 10, 20]
    none = give(
        table, some.lanes, cursor=some.cursor, now=NOON, until=NOON + timedelta(seconds=29, milliseconds=999)
    )
    assert none == Allotment((), some.cursor, some.lanes)
    assert seconds(give(table, none.lanes, 1, cursor=none.cursor)) == [30]


@pytest.mark.parametrize("count", [0, -1])
def test_nothing_asked_nothing_given(count: int) -> None:
    assert give(timetable(), [lane()], count) == Allotment((), Cursor(), (lane(),))


def test_nothing_to_give() -> None:
    over = timetable(start="2026-02-01", end="2026-02-03")
    assert give(over, [lane()]) == Allotment((), Cursor(), (lane(),))
    assert give(timetable(), []) == Allotment((), Cursor(), ())
    assert give(timetable(), [lane()], now=FAR, until=NOON).slots == ()


# --- turns ------------------------------------------------------------------------------------------------


@few
@given(some_gaps, st.integers(1, 4), st.integers(0, 9), st.integers(0, 3))
def test_lines_alternate_strictly(gap: tuple[int, int], width: int, first: int, turn: int) -> None:
    lanes = [lane(name) for name in "abcd"[:width]]
    one = give(timetable(gap=gap), lanes, first, cursor=Cursor(turn=turn % width))
    two = give(timetable(gap=gap), one.lanes, 12, cursor=one.cursor)
    order = "abcd"[:width]
    assert lines(one) + lines(two) == ((order[turn % width :] + order * 30)[: first + 12])


def test_a_full_line_is_skipped_and_takes_its_turn_when_the_round_comes_back() -> None:
    lanes = [lane("a"), lane("b", per_minute=2), lane("c")]
    found = give(timetable(gap=(5, 5)), lanes, 16)
    # From second 60 (the 13th slot) b has room again. It is owed nothing for the turns it missed.
    assert lines(found) == "abcabcacacac" + "abca"


def test_the_turn_passes_on_after_the_line_that_took_it() -> None:
    lanes = [lane("a"), lane("b", available_from=NOON + timedelta(seconds=1)), lane("c")]
    found = give(timetable(), lanes, 1, cursor=Cursor(turn=1))
    assert lines(found) == "c"
    assert found.cursor.turn == 0


def test_a_line_with_an_open_breaker_comes_back() -> None:
    lanes = [lane("a"), lane("b", available_from=NOON + timedelta(seconds=25))]
    assert lines(give(timetable(gap=(10, 10)), lanes, 7)) == "aaababa"


def test_if_no_line_can_the_slot_waits_for_the_first_that_can() -> None:
    lanes = [
        lane("a", available_from=NOON + timedelta(seconds=90)),
        lane("b", available_from=NOON + timedelta(seconds=30)),
    ]
    found = give(timetable(gap=(20, 20)), lanes, 6)
    assert list(zip(lines(found), seconds(found), strict=True)) == [
        *[("b", 30), ("b", 50), ("b", 70)],
        *[("a", 90), ("b", 110), ("a", 130)],
    ]


def test_turn_survives_a_line_that_is_passed_as_unavailable() -> None:
    lanes = [lane("a"), lane("b"), lane("c")]
    one = give(timetable(), lanes, 1)
    away = [replace(each, available_from=FAR) if each.line_id == "b" else each for each in one.lanes]
    two = give(timetable(), away, 2, cursor=one.cursor)
    back = [replace(each, available_from=None) for each in two.lanes]
    assert (
        lines(one) + lines(two) + lines(give(timetable(), back, 3, cursor=two.cursor)) == "a" + "ca" + "bca"
    )


def test_a_line_removed_from_the_campaign_leaves_a_turn_that_still_works() -> None:
    assert lines(give(timetable(), [lane("a"), lane("b")], 3, cursor=Cursor(turn=3))) == "bab"


def test_a_line_is_in_a_campaign_once() -> None:
    with pytest.raises(ValueError, match="only once"):
        give(timetable(), [lane("a"), lane("a")])


# --- limits and ledgers -----------------------------------------------------------------------------------


def test_what_another_campaign_reserved_is_respected() -> None:
    other = give(timetable(gap=(10, 10)), [lane(per_second=1)], 4)
    mine = give(timetable(gap=(5, 5)), other.lanes, 6)
    assert seconds(mine) == [1, 6, 11, 16, 21, 26]
    assert other.lanes[0].ledger.second != mine.lanes[0].ledger.second


def test_counts_are_kept_for_limits_that_come_later() -> None:
    before = give(timetable(), [lane()], 30)
    limited = replace(before.lanes[0], limits=LineLimits(per_day=32))
    after = give(timetable(), [limited], 3, cursor=before.cursor)
    assert [slot.at.day for slot in after.slots] == [2, 2, 3]


def test_a_ledger_forgets_only_what_is_over() -> None:
    ledger = give(timetable(gap=(30, 30)), [lane()], 5, now=at("2026-03-02T12:59:00")).lanes[0].ledger
    kept = ledger.pruned(at("2026-03-02T12:59:59.999"))
    assert [sum(counts.values()) for counts in kept.by_bucket().values()] == [3, 5, 5, 5]
    kept = ledger.pruned(at("2026-03-02T13:00:00"))
    assert [sum(counts.values()) for counts in kept.by_bucket().values()] == [3, 3, 3, 5]
    assert ledger.pruned(FAR) == Ledger()


def test_giving_out_prunes_what_is_over() -> None:
    before = give(timetable(gap=(60, 60)), [lane()], 30)
    after = give(timetable(), before.lanes, 0, now=NOON + timedelta(minutes=20))
    assert sum(after.lanes[0].ledger.second.values()) == 10
    assert sum(after.lanes[0].ledger.day.values()) == 30


counts = st.dictionaries(st.integers(0, 1 << 40), st.integers(1, 1_000_000))


@few
@given(st.builds(Ledger, counts, counts, counts, counts))
def test_a_ledger_survives_storage(ledger: Ledger) -> None:
    row = json.loads(json.dumps(ledger.to_dict()))
    assert Ledger.from_dict(row) == ledger
    as_dynamodb_returns_it = {
        name: {bucket: Decimal(count) for bucket, count in stored.items()} for name, stored in row.items()
    }
    assert Ledger.from_dict(as_dynamodb_returns_it).to_dict() == row


def test_a_row_without_a_size_is_read() -> None:
    assert Ledger.from_dict({}) == Ledger()


def test_the_lanes_passed_in_are_not_changed() -> None:
    first = lane(per_day=5)
    give(timetable(), [first])
    assert first == lane(per_day=5)


@pytest.mark.parametrize("name", list(SIZES))
def test_a_limit_of_nothing_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        LineLimits(**{name: 0})


def test_a_seed_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="key"):
        give(timetable(), [lane()], seed=bytes(65))
