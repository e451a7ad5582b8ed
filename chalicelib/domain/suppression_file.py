"""Files of the suppression list: what an export writes, and how an import reads it back.

Any contact file will do: its addresses are put on the list. The columns of our own export tell more, and
what is in them is taken where it can be understood. A reason or date that can't be is no fault: the address
is to be suppressed all the same, and who is in a row that is rejected would be written to.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

from chalicelib.domain.contact_file import (
    Candidate,
    Look,
    RejectedRow,
    SheetRow,
    look_at_contacts,
    read_contacts,
)
from chalicelib.domain.csv_cells import marked, unmarked
from chalicelib.domain.file_columns import Choice
from chalicelib.domain.suppression import Suppression, SuppressionReason

HEADER = ("Email", "Reason", "Since (UTC)", "Campaign")
_WORDS = {reason.value: reason for reason in SuppressionReason}
_CAMPAIGN = re.compile(r"[0-9a-z]{22}")


def exported(suppression: Suppression) -> tuple[str, str, str, str]:
    """The row of an export: the reason that came first stands first, the date is ISO 8601."""
    reasons = (suppression.reason, *sorted(suppression.also))
    since = suppression.added_at.astimezone(UTC).isoformat()
    return marked(suppression.address), ", ".join(reasons), since, suppression.campaign_id or ""


def read_suppressions(
    rows: Iterable[SheetRow | RejectedRow], now: datetime, choice: Choice | None = None
) -> Iterator[Suppression | RejectedRow]:
    """What becomes of each row below the header; ``now`` dates those without a date. Raises FileRejected."""
    columns = _Columns()
    for row in read_contacts(columns.watch(rows), choice):
        yield row if isinstance(row, RejectedRow) else columns.suppression(row, now)


def look_at_suppressions(rows: Iterable[SheetRow | RejectedRow], choice: Choice | None = None) -> Look:
    """The same file before it is taken in. Raises FileRejected, as its rows do."""
    return look_at_contacts(_Columns().watch(rows), choice)


class _Columns:
    """Looks at the rows on their way to the reader of contacts, and keeps what it doesn't."""

    def __init__(self) -> None:
        self._places: Mapping[str, int] | None = None
        self._kept: dict[int, list[str]] = {}

    def watch(self, rows: Iterable[SheetRow | RejectedRow]) -> Iterator[SheetRow | RejectedRow]:
        """The same rows; in our own export, the addresses without the mark against formulas."""
        for row in rows:
            if isinstance(row, RejectedRow) or not any(map(str.strip, row.cells)):
                yield row
            elif self._places is None:
                names = {name.strip(): place for place, name in enumerate(row.cells)}
                self._places = names if names.keys() >= set(HEADER) else {}
                yield row
            else:
                yield self._keep(row)

    def _keep(self, row: SheetRow) -> SheetRow:
        if not self._places:
            return row
        self._kept[row.number] = row.cells
        place = self._places[HEADER[0]]
        cells = [_own(cell) if at == place else cell for at, cell in enumerate(row.cells)]
        return SheetRow(row.number, cells)

    def suppression(self, row: Candidate, now: datetime) -> Suppression:
        """The entry of a row that has an address."""
        for number in [number for number in self._kept if number < row.row_number]:
            del self._kept[number]
        reasons = [_WORDS[word] for word in self._cell(row, "Reason").split(", ") if word in _WORDS]
        first = reasons[0] if reasons else SuppressionReason.ADDED
        campaign = self._cell(row, "Campaign")
        return Suppression(
            row.key,
            row.person.email,
            first,
            _since(self._cell(row, "Since (UTC)"), now),
            campaign if _CAMPAIGN.fullmatch(campaign) else None,
            frozenset(reasons) - {first},
        )

    def _cell(self, row: Candidate, name: str) -> str:
        cells = self._kept.get(row.row_number, [])
        place = (self._places or {}).get(name, len(cells))
        return cells[place].strip() if place < len(cells) else ""


def _own(cell: str) -> str:
    """The address that was exported to this cell: in brackets if its apostrophe would count as a mark."""
    address = unmarked(cell)
    return f"<{address}>" if address.startswith("'") else address


def _since(text: str, now: datetime) -> datetime:
    """The date in a cell, in UTC where it names no other zone; ``now`` for none and for one yet to come."""
    try:
        found = datetime.fromisoformat(text)
        return min(found if found.tzinfo else found.replace(tzinfo=UTC), now).astimezone(UTC)
    except (ValueError, OverflowError):
        return now
