"""What a campaign is going to do, shown before launch: made of the slots the dispatcher would get."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from chalicelib.domain.schedule import Cursor, Lane, Slot, next_slots
from chalicelib.domain.timetable import Timetable

_PIECE = 5_000  # slots held in memory at once, whatever the number of contacts


@dataclass(frozen=True, slots=True)
class DayCount:
    """How many messages leave through a line on a date of the campaign's wall clock."""

    day: date
    line_id: str
    count: int


@dataclass(frozen=True, slots=True)
class Plan:
    """`total` contacts have a slot, `not_fitting` have none before the end; `first` and `last` slot are UTC.

    `days` is in order of date, then of the campaign's lines, without the days on which nothing leaves. A date
    is the one the wall clock shows when the message leaves: after midnight a night counts for the next date.
    """

    total: int
    first: datetime | None
    last: datetime | None
    days: tuple[DayCount, ...]
    not_fitting: int


def plan(
    timetable: Timetable,
    lanes: Sequence[Lane],
    cursor: Cursor,
    now: datetime,
    seed: bytes,
    contacts: int,
) -> Plan:
    """The plan for `contacts` messages from the aware instant `now` on; arguments as for `next_slots`."""
    tally: Counter[tuple[date, str]] = Counter()
    first = last = None
    for slot in slots_ahead(timetable, lanes, cursor, now, seed, contacts):
        first, last = first or slot.at, slot.at
        tally[timetable.local_date(slot.at), slot.line_id] += 1
    total = tally.total()
    return Plan(total, first, last, _in_order(tally, lanes), contacts - total)


def slots_ahead(
    timetable: Timetable,
    lanes: Sequence[Lane],
    cursor: Cursor,
    now: datetime,
    seed: bytes,
    contacts: int,
) -> Iterator[Slot]:
    """The slots of `contacts` messages until the last window closes, one by one, in little memory."""
    until = timetable.ends_at()
    while until and contacts > 0:
        piece = next_slots(timetable, lanes, cursor, now, seed, min(contacts, _PIECE), until)
        yield from piece.slots
        if not piece.slots:
            return
        # Asked from the last slot on, the answer is the same as from `now`, and the buckets before it go.
        cursor, lanes, now = piece.cursor, piece.lanes, piece.slots[-1].at
        contacts -= len(piece.slots)


def _in_order(tally: Counter[tuple[date, str]], lanes: Sequence[Lane]) -> tuple[DayCount, ...]:
    rank = {lane.line_id: position for position, lane in enumerate(lanes)}
    keys = sorted(tally, key=lambda key: (key[0], rank[key[1]]))
    return tuple(DayCount(day, line_id, tally[day, line_id]) for day, line_id in keys)
