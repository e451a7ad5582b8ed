"""Where the table of a file begins, for people write titles above it, and how wide it is.

What columns are for is told by ``file_columns``; here it is only asked whether a row names one for addresses.
"""

from collections.abc import Iterator

from chalicelib.domain.contact_file import RejectedRow, SheetRow
from chalicelib.domain.file_columns import propose

_LOOKED_AT = 10  # rows with content among which the header is looked for
_ENOUGH = 2  # names that make a header of a row, whatever they are


def below_titles(rows: Iterator[SheetRow | RejectedRow]) -> Iterator[SheetRow | RejectedRow]:
    """The rows from the header on, if that is among the first: the row that names a column for addresses.

    What is above it, each row with fewer cells, is a title. Nothing is left out where a row with an address
    comes first, or no such header. Blank rows above are dropped.
    """
    above: list[SheetRow | RejectedRow] = []
    most = 0
    for row in rows:
        cells = row.cells if isinstance(row, SheetRow) else [row.value]
        filled = sum(1 for cell in cells if cell.strip())
        if not filled:
            continue
        if isinstance(row, SheetRow) and filled > most and _names_addresses(cells):
            above = [row]
            break
        above.append(row)
        most = max(most, filled)
        if len(above) == _LOOKED_AT or any("@" in cell for cell in cells) or isinstance(row, RejectedRow):
            break
    yield from above
    yield from rows


def within_header(rows: Iterator[SheetRow | RejectedRow]) -> Iterator[SheetRow | RejectedRow]:
    """The same without the cells beside the last column that has a name: notes, as are those under no name.

    Only for tables whose cells can't have slipped, as those of text can by a delimiter too many.
    """
    width: int | None = None
    for row in rows:
        if isinstance(row, RejectedRow):
            yield row
            continue
        width = _width(row.cells) if width is None else width
        yield SheetRow(row.number, row.cells[:width]) if 0 < width < len(row.cells) else row


def _width(header: list[str]) -> int:
    """How many columns the header has; 0 where the first row may be none."""
    named = [number for number, name in enumerate(header, start=1) if name.strip()]
    is_header = _names_addresses(header) or (
        len(named) >= _ENOUGH and not any("@" in name for name in header)
    )
    return named[-1] if is_header else 0


def _names_addresses(cells: list[str]) -> bool:
    columns = propose(cells, [])
    return bool(columns.email_order) and not columns.headless
