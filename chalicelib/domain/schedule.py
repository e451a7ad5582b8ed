"""When and through which line the next messages of a campaign leave.

`next_slots` is the only place that knows. The dispatcher hands out what it returns, and the plan shown
before launch is made of nothing else, so the plan is what happens. It is a pure function: clock, random seed
and everything remembered come in as arguments, and everything to remember comes out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import blake2b
from itertools import islice
from struct import unpack

from chalicelib.domain.ledger import BUCKETS, Ledger, LineLimits
from chalicelib.domain.timetable import Timetable, ceil_second, floor_second, utc

_NEVER = 1 << 62  # a POSIX second nobody reaches; an integer, so that comparing needs no case for None
_DRAWS = 8  # random numbers taken from one digest, because hashing costs more than the rest of a gap


@dataclass(frozen=True, slots=True)
class Lane:
    """A line as one campaign sees it.

    `available_from` is an aware instant, such as when an open circuit breaker closes; None means now.
    """

    line_id: str
    limits: LineLimits
    ledger: Ledger
    available_from: datetime | None = None


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a campaign's schedule stands.

    `last` is the last slot given out (None before the first), `drawn` how many were given out, `turn` the
    position, in the campaign's list of lines, of the line whose turn is next.
    """

    last: datetime | None = None
    drawn: int = 0
    turn: int = 0


@dataclass(frozen=True, slots=True)
class Slot:
    """Leave to send one message through a line at a whole UTC second.

    `number` counts the slots of the campaign from 0.
    """

    at: datetime
    line_id: str
    number: int


@dataclass(frozen=True, slots=True)
class Allotment:
    """The slots given out, in order, and the cursor and lanes to remember for the next call."""

    slots: tuple[Slot, ...]
    cursor: Cursor
    lanes: tuple[Lane, ...]


def next_slots(
    timetable: Timetable,
    lanes: Sequence[Lane],
    cursor: Cursor,
    now: datetime,
    seed: bytes,
    count: int,
    until: datetime,
) -> Allotment:
    """Give out a campaign's next slots: at most `count`, none before `now` or after `until` (aware instants).

    A slot is at the first whole second that is not before `now`, not before the last slot plus a gap, open in
    the timetable, and within the limits of some line. The gap before slot k is drawn evenly from
    `gap_min`..`gap_max` by a hash of `seed` (at most 64 bytes) and k, so it doesn't matter how calls are cut:
    slots that don't fit in `count` or `until` use up nothing and come unchanged in a later call.

    Late: after an outage the next slot is at `now`, and pacing goes on from there; nothing is caught up.

    Turns: the line whose turn it is takes the slot; if it can't at that second, the next one in order that
    can takes it, and the turn passes to the line after that one. A skipped line isn't owed anything: it is
    asked again when the round comes back to it. Only if no line can, the slot moves to the earliest open
    second at which one can.

    `lanes` is the *whole* list of the campaign's lines, always in the same order, because `cursor.turn` is a
    position in it. A line that can't be used for now is passed with an `available_from` after `until`, not
    left out, which would shift the turn of the others.

    The lanes returned carry what was given out, without the buckets that were over at `now`.

    Raises ValueError if a line is listed twice, an instant is naive, or the seed is too long.
    """
    if len({lane.line_id for lane in lanes}) != len(lanes):
        raise ValueError("a line can be in a campaign only once")
    desks = [_Desk(lane, now) for lane in lanes]
    pace = _Pace(timetable, seed, ceil_second(now), floor_second(until))
    slots = tuple(islice(_give_out(pace, desks, cursor), max(count, 0)))
    return Allotment(slots, _moved(cursor, slots, lanes), tuple(desk.closed() for desk in desks))


def _give_out(pace: "_Pace", desks: "Sequence[_Desk]", cursor: Cursor) -> Iterator[Slot]:
    """Slot after slot until none fits; each is booked just before it is yielded."""
    last = None if cursor.last is None else ceil_second(cursor.last)
    number, turn = cursor.drawn, cursor.turn
    while True:
        at, position = _first_chance(pace, desks, turn, pace.ready(last, number))
        if at > pace.end:
            return
        desk = desks[position]
        desk.take(at)
        yield Slot(utc(at), desk.line_id, number)
        last, number, turn = at, number + 1, position + 1


def _moved(cursor: Cursor, slots: Sequence[Slot], lanes: Sequence[Lane]) -> Cursor:
    if not slots:
        return cursor
    last = slots[-1]
    position = [lane.line_id for lane in lanes].index(last.line_id)
    return Cursor(last.at, last.number + 1, (position + 1) % len(lanes))


def _first_chance(pace: "_Pace", desks: "Sequence[_Desk]", turn: int, ready: int) -> tuple[int, int]:
    """The first open second from `ready` on at which a line has room, and that line's position."""
    at = pace.open_from(ready)
    while at <= pace.end:
        room, position = _whose(desks, turn, at)
        if room == at:
            return at, position
        at = pace.open_from(room)
    return _NEVER, 0


def _whose(desks: "Sequence[_Desk]", turn: int, at: int) -> tuple[int, int]:
    """`at` and the position of the line that takes it; if none can, the soonest second at which one can."""
    soonest = _NEVER
    for step in range(len(desks)):
        position = (turn + step) % len(desks)
        room = desks[position].room_from(at)
        if room == at:
            return at, position
        soonest = min(soonest, room)
    return soonest, turn


class _Pace:
    """The timetable during one call. Questions only move forward: the open stretch at hand answers most."""

    __slots__ = ("_closes", "_gaps", "_opens", "_start", "_stretches", "end")

    def __init__(self, timetable: Timetable, seed: bytes, start: int, end: int) -> None:
        self.end = end
        self._start = start
        self._gaps = _Gaps(seed, timetable.gap_min, timetable.gap_max)
        self._stretches = timetable.stretches(start)
        self._opens = self._closes = start

    def ready(self, last: int | None, number: int) -> int:
        """The first second slot `number` may have, as far as its gap and the call's `now` are concerned."""
        return self._start if last is None else max(self._start, last + self._gaps.before(number))

    def open_from(self, second: int) -> int:
        """The first open second from `second` on; `_NEVER` if there is none."""
        while self._closes <= second < _NEVER:
            self._opens, self._closes = next(self._stretches, (_NEVER, _NEVER))
        return max(second, self._opens)


class _Desk:
    """A lane during one call: its counts, changing, and the limits it has."""

    __slots__ = ("_counts", "_lane", "_limited", "_opens", "line_id")

    def __init__(self, lane: Lane, now: datetime) -> None:
        self._lane = lane
        self.line_id = lane.line_id
        self._opens = 0 if lane.available_from is None else ceil_second(lane.available_from)
        self._counts = {name: dict(counts) for name, counts in lane.ledger.pruned(now).by_bucket().items()}
        self._limited = [
            (BUCKETS[name], limit, self._counts[name])
            for name, limit in lane.limits.by_bucket().items()
            if limit is not None
        ]

    def room_from(self, second: int) -> int:
        """The first second from `second` on at which the line is available and no bucket is full."""
        room = max(second, self._opens)
        while (later := self._past_full(room)) > room:
            room = later
        return room

    def _past_full(self, second: int) -> int:
        """The end of a full bucket that holds `second`; `second` itself if there is none."""
        for size, limit, counts in self._limited:
            bucket = second // size
            if counts.get(bucket, 0) >= limit:
                return (bucket + 1) * size
        return second

    def take(self, second: int) -> None:
        for name, counts in self._counts.items():
            bucket = second // BUCKETS[name]
            counts[bucket] = counts.get(bucket, 0) + 1

    def closed(self) -> Lane:
        """The lane to remember."""
        return replace(self._lane, ledger=Ledger(**self._counts))


class _Gaps:
    """The random gaps of a campaign: a function of the seed and the slot's number, and of nothing else.

    A 64-bit number modulo the range is even to one part in 10**14, for a range of a day.
    """

    __slots__ = ("_block", "_draws", "_least", "_range", "_seed")

    def __init__(self, seed: bytes, least: int, most: int) -> None:
        self._seed, self._least, self._range = seed, least, most - least + 1
        self._block, self._draws = 0, self._drawn(0)

    def before(self, number: int) -> int:
        """The gap before slot `number`, in seconds."""
        block, position = divmod(number, _DRAWS)
        if block != self._block:
            self._block, self._draws = block, self._drawn(block)
        return self._least + self._draws[position] % self._range

    def _drawn(self, block: int) -> tuple[int, ...]:
        digest = blake2b(block.to_bytes(8, "big"), key=self._seed, digest_size=8 * _DRAWS).digest()
        return unpack(f">{_DRAWS}Q", digest)
