"""Delimited text, one record at a time, in memory that doesn't grow with the file (RFC 4180 and its kin)."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from chalicelib.adapters.spreadsheets.sniff import sniff_delimiter, sniff_encoding
from chalicelib.domain.contact_file import FileRejected, RejectedRow, SheetRow, rejected

# Characters: 50 cells of 1,024 with every sign doubled fit. It is csv's own limit of a field, too, which only
# a field of several lines can therefore exceed.
MAX_LINE = 131_072
MAX_RECORD_LINES = 50  # more than this inside one pair of quotes is a quote that was never closed
_SEP_LINE = re.compile(r'"?sep=([,;\t|])"?[\r\n]*', re.IGNORECASE)


def read_csv(path: Path) -> Iterator[SheetRow | RejectedRow]:
    """Yield the records of a text file, numbered by the line each begins on; blank lines have no cells.

    LF, CR LF and CR end a line. Raises FileRejected: undecodable, nul_bytes, line_too_long, unclosed_quote.
    """
    encoding = sniff_encoding(path)
    with path.open(encoding=encoding, newline="") as file:
        lines = _Lines(file)
        delimiter = _declared_delimiter(lines) or sniff_delimiter(lines.peek())
        yield from _records(lines, delimiter)


class _Lines(Iterator[str]):
    """The lines of a file for csv.reader, watched: how long they are, and how many make up a record."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._ahead: str | None = None
        self.number = 0
        self._begins_at = 1
        self.last = ""

    def peek(self) -> str:
        """The next line that isn't blank, without taking it; blank ones before it are passed over."""
        while self._ahead is None or (self._ahead and self._ahead.isspace()):
            self.number += self._ahead is not None
            self._ahead = self._file.readline(MAX_LINE + 1)
        return self._ahead

    def begin_record(self) -> int:
        """Note that the next line begins a record; returns its number."""
        self._begins_at = self.number + 1
        return self._begins_at

    def __next__(self) -> str:
        line = self._file.readline(MAX_LINE + 1) if self._ahead is None else self._ahead
        self._ahead = None
        inside_record = self.number >= self._begins_at
        if not line and not inside_record:
            raise StopIteration
        self.number += 1
        if inside_record and (not line or self.number - self._begins_at >= MAX_RECORD_LINES):
            raise unclosed_quote(self._begins_at)
        if len(line) > MAX_LINE:
            text = f"Line {self.number} is longer than {MAX_LINE:,} characters: this is no contact list."
            raise FileRejected("line_too_long", text)
        self.last = line
        return line


def unclosed_quote(line: int) -> FileRejected:
    """The quote that opens in this line swallows the lines after it."""
    return FileRejected("unclosed_quote", f"A quotation mark that opens in line {line} is never closed.")


def _declared_delimiter(lines: _Lines) -> str | None:
    """The delimiter of a ``sep=;`` line, which Excel writes and reads; the line is taken if it is one."""
    declared = _SEP_LINE.fullmatch(lines.peek())
    if declared is None:
        return None
    next(lines)
    return declared[1]


def _records(lines: _Lines, delimiter: str) -> Iterator[SheetRow | RejectedRow]:
    reader = csv.reader(lines, delimiter=delimiter, strict=True, skipinitialspace=True)
    while True:
        number = lines.begin_record()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            if lines.number > number:
                raise unclosed_quote(number) from None
            text = "A quotation mark stands in the middle of a value; double it or remove it."
            yield rejected(number, lines.last.strip(), "misplaced_quote", text)
            continue
        yield _swallowed(number, lines.number, cells, delimiter) or SheetRow(number, cells)


def _swallowed(first: int, last: int, cells: list[str], delimiter: str) -> RejectedRow | None:
    """A cell that looks as if it had whole rows in it: two stray quotes that happen to make a pair."""
    for cell in cells if last > first else ():
        if any("@" in line and delimiter in line for line in cell.splitlines()[1:]):
            text = (
                f"Lines {first} to {last} were read as one row because of a quotation mark; is one missing?"
            )
            return rejected(first, cell, "unclosed_quote", text)
    return None
