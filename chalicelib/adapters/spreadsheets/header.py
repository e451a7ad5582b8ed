"""How wide the table of a workbook or a page is: people write notes beside it.

Where its header stands, below a title or not, is ``file_header``'s to say.
"""

from collections.abc import Iterator

from chalicelib.domain.contact_file import FileRejected, RejectedRow, SheetRow, has_content
from chalicelib.domain.file_columns import propose
from chalicelib.domain.file_header import LOOKED_AT, header_place

_ENOUGH = 2  # names that make a header of a row, whatever they are


def within_header(rows: Iterator[SheetRow | RejectedRow]) -> Iterator[SheetRow | RejectedRow]:
    """The same without the cells beside the last column that has a name: notes, as are those under no name.

    Only for tables whose cells can't have slipped, as those of text can by a delimiter too many.
    """
    first: list[SheetRow | RejectedRow] = []
    failure = None
    try:
        first.extend(_first(rows))
    except FileRejected as error:  # what came before it is read all the same
        failure = error
    width = _width(first)
    yield from (_cut(row, width) for row in first)
    if failure is not None:
        raise failure
    yield from (_cut(row, width) for row in rows)


def _first(rows: Iterator[SheetRow | RejectedRow]) -> Iterator[SheetRow | RejectedRow]:
    """The rows among which the header is."""
    filled = 0
    while filled < LOOKED_AT and (row := next(rows, None)) is not None:
        filled += isinstance(row, SheetRow) and has_content(row.cells)
        yield row


def _cut(row: SheetRow | RejectedRow, width: int) -> SheetRow | RejectedRow:
    if isinstance(row, RejectedRow) or not 0 < width < len(row.cells):
        return row
    return SheetRow(row.number, row.cells[:width])


def _width(first: list[SheetRow | RejectedRow]) -> int:
    """How many columns the header has; 0 where there may be none."""
    filled = [row.cells for row in first if isinstance(row, SheetRow) and has_content(row.cells)]
    if not filled:
        return 0
    header = filled[header_place(filled)]
    named = [number for number, name in enumerate(header, start=1) if name.strip()]
    is_header = _names_addresses(header) or (
        len(named) >= _ENOUGH and not any("@" in name for name in header)
    )
    return named[-1] if is_header else 0


def _names_addresses(cells: list[str]) -> bool:
    columns = propose(cells, [])
    return bool(columns.email_order) and not columns.headless
