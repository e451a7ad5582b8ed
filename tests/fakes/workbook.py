"""Workbooks that stay in memory, and a reader of the simplest files."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from chalicelib.domain.contact_file import FileRejected, RejectedRow, SheetRow

Value = str | int | float | bool | datetime | None


def read_lines(path: Path) -> Iterator[SheetRow | RejectedRow]:
    """Port ``ContactFileReader``: cells between semicolons; a line ``!broken`` spoils the whole file."""
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        if line == "!broken":
            raise FileRejected("unclosed_quote", "A quote is never closed.")
        yield SheetRow(number, line.split(";"))


class FakeWorkbook:
    """Port ``ReportWriter``: the file holds one line per row."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows: list[str] = []

    def sheet(self, title: str, header: Sequence[str]) -> None:
        self._rows += [f"# {title}", "|".join(header)]

    def append(self, row: Iterable[Value]) -> None:
        self._rows.append("|".join("" if value is None else str(value) for value in row))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._path.write_text("\n".join(self._rows))
