"""Workbooks of any length in flat memory, in which text stays text.

openpyxl's write-only mode streams rows to a temporary file. It makes a formula of any string that begins with
``=`` and an error of ``#N/A``, raises on control characters and cuts long strings silently; all four are
settled here, before it sees the value.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ERROR_CODES, TYPE_STRING, Cell
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

MAX_SHEET_ROWS = 1_048_576  # Excel's limit, header included
MAX_TEXT = 32_767  # Excel's limit of characters in a cell
Value = str | int | float | bool | datetime | None

# Not allowed in XML 1.0, whatever the escape; lone surrogates can't be encoded at all.
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class WorkbookWriter:
    """A workbook that appears at ``path`` when the ``with`` block ends well, and not at all otherwise.

    Begin a sheet before the first row. A sheet that is full goes on in another, "Contacts 2", under the same
    header.
    """

    def __init__(self, path: Path, *, max_sheet_rows: int = MAX_SHEET_ROWS) -> None:
        self._path = path
        self._max_sheet_rows = max_sheet_rows
        self._workbook = Workbook(write_only=True)
        self._sheet: WriteOnlyWorksheet | None = None
        self._title = ""
        self._header: Sequence[str] = ()
        self._part = self._rows = 0

    def sheet(self, title: str, header: Sequence[str]) -> None:
        """Begin a sheet; rows go there from now on. A title: up to 31 characters, none of ``[]:*?/\\``."""
        self._title, self._header, self._part = title, header, 0
        self._next_part()

    def append(self, row: Iterable[Value]) -> None:
        """Write one row. Instants must be aware and are shown in UTC, for Excel knows no time zones."""
        if self._rows >= self._max_sheet_rows:
            self._next_part()
        self._write(row)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._workbook.save(self._path)  # even after an error: only this removes openpyxl's temporary files
        if kind is not None:
            self._path.unlink()

    def _next_part(self) -> None:
        self._part += 1
        title = self._title if self._part == 1 else f"{self._title} {self._part}"
        self._sheet = self._workbook.create_sheet(title)
        self._sheet.freeze_panes = "A2"
        self._rows = 0
        self._write(self._header)

    def _write(self, row: Iterable[Value]) -> None:
        if self._sheet is None:
            raise ValueError("begin a sheet before the first row")
        self._sheet.append([_cell(self._sheet, value) for value in row])
        self._rows += 1


def _cell(sheet: WriteOnlyWorksheet, value: Value) -> Value | Cell:
    if isinstance(value, datetime):
        return _naive_utc(value)
    if not isinstance(value, str):
        return value
    text = _ILLEGAL.sub("", value)
    if len(text) > MAX_TEXT:
        text = text[: MAX_TEXT - 1] + "…"
    if not text.startswith("=") and text not in ERROR_CODES:
        return text
    cell = WriteOnlyCell(sheet, text)
    cell.data_type = TYPE_STRING
    return cell


def _naive_utc(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return instant.astimezone(UTC).replace(tzinfo=None)
