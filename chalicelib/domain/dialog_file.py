"""Files of dialogs: a contact file, with tags and the time of the last message where it has such columns.

Nobody knows what an empty cell stands for, so it takes nothing away. Tags of a file come to those there are.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from chalicelib.domain.address import Rejection
from chalicelib.domain.contact_file import Candidate, Look, RejectedRow, Row, SheetRow, open_sheet, rejected
from chalicelib.domain.dialog import MAX_TAGS, DialogChange, split_tags, time_fault
from chalicelib.domain.file_columns import OF_DIALOGS, Choice, Use

_FIELDS = ("first_name", "last_name", "middle_name", "p1", "p2", "p3")
_DAY_FIRST = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(.*)", re.DOTALL)


def read_dialogs(
    rows: Iterable[SheetRow | RejectedRow], now: datetime, choice: Choice | None = None
) -> Iterator[DialogChange | RejectedRow]:
    """What becomes of each row below the header; ``now`` tells what is still to come. Raises FileRejected."""
    for row in open_sheet(rows, choice, OF_DIALOGS).contacts():
        yield row if isinstance(row, RejectedRow) else _told(row, now)


def look_at_dialogs(
    rows: Iterable[SheetRow | RejectedRow], now: datetime, choice: Choice | None = None
) -> Look:
    """The same file before it is taken in. Raises FileRejected, as its rows do."""
    sheet = open_sheet(rows, choice, OF_DIALOGS)
    return Look(sheet.columns, sheet.header_row, (_unless_refused(row, now) for row in sheet.contacts()))


def _unless_refused(row: Row, now: datetime) -> Row:
    told = row if isinstance(row, RejectedRow) else _told(row, now)
    return told if isinstance(told, RejectedRow) else row


def _told(row: Candidate, now: datetime) -> DialogChange | RejectedRow:
    cells = row.told.get(Use.TAGS, ())
    tags = split_tags("\n".join(cells))
    if isinstance(tags, Rejection):
        return rejected(row.row_number, ", ".join(cells), tags.code, tags.text)
    if len(tags) > MAX_TAGS:
        text = f"The row has {len(tags)} tags; {MAX_TAGS} is the most."
        return rejected(row.row_number, ", ".join(cells), "too_many_tags", text)
    said = next((cell.strip() for cell in row.told.get(Use.LAST_MESSAGE, ()) if cell.strip()), "")
    last = _last_message(said, now) if said else None
    if isinstance(last, Rejection):
        return rejected(row.row_number, said, last.code, last.text)
    person = row.person
    return DialogChange(
        row.key,
        person.email,
        fields={name: text for name in _FIELDS if (text := getattr(person, name))},
        extra=person.extra or None,
        more_tags=tags,
        last_message_at=last,
        left_out=row.left_out,
    )


def _last_message(text: str, now: datetime) -> datetime | Rejection:
    """ISO 8601, or day, month and year with full stops and a time; UTC where no other zone is named."""
    day_first = _DAY_FIRST.fullmatch(text)
    if day_first:
        day, month, year, rest = day_first.groups()
        text = f"{year}-{int(month):02}-{int(day):02}{rest}"
    try:
        found = datetime.fromisoformat(text)
        at = (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        form = "2026-05-31T09:30:00Z, 2026-05-31 09:30 or 31.05.2026 09:30"
        return Rejection("time_not_understood", f"Write the time of the last message like {form}.")
    return time_fault(at, now) or at
