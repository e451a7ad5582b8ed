"""Delimited text, one record at a time, in memory that doesn't grow with the file (RFC 4180 and its kin)."""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

from chalicelib.adapters.spreadsheets.damage import TELLING, damaged
from chalicelib.adapters.spreadsheets.delimiters import (
    holds_addresses,
    may_delimit,
    sniff_delimiter,
    split_roughly,
)
from chalicelib.adapters.spreadsheets.sniff import sniff_encoding
from chalicelib.domain.contact_file import FileRejected, RejectedRow, SheetRow, rejected

# Characters: 50 cells of 1,024 with every sign doubled fit. It is csv's own limit of a field, too, which only
# a field of several lines can therefore exceed.
MAX_LINE = 131_072
MAX_RECORD = 1 << 20  # characters: more than this is a quote that was never closed, or no contact
MAX_SWALLOWED = 50  # lines that a stray quote may cost before the file is refused
_SAMPLE_LINES = 60
_SAMPLE = 1 << 18  # characters
_SEP_LINE = re.compile(r'"?sep=(.)"?[\r\n]*', re.IGNORECASE)


def read_csv(path: Path) -> Iterator[SheetRow | RejectedRow]:
    """Yield the records of a text file, numbered by the line each begins on; blank lines have no cells.

    LF, CR LF and CR end a line. Raises FileRejected: undecodable, nul_bytes, line_too_long, unclosed_quote.
    """
    encoding = sniff_encoding(path)
    with path.open(encoding=encoding, errors=TELLING, newline="") as file:
        sample = _sample(file)
    with path.open(encoding=encoding, errors=TELLING, newline="") as file:
        lines = _Lines(file)
        delimiter = _declared_delimiter(lines) or sniff_delimiter(sample)
        yield from _records(lines, delimiter)


def _sample(file: TextIO) -> list[str]:
    """The first lines that aren't blank, as many as tell the delimiter."""
    sample: list[str] = []
    size = 0
    while size < _SAMPLE and len(sample) < _SAMPLE_LINES and (line := file.readline(MAX_LINE + 1)):
        if not line.isspace():
            sample.append(line)
            size += len(line)
    return sample


class _Lines(Iterator[str]):
    """The lines of a file for csv.reader, watched: how long they are, and which make up a record."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._ahead: str | None = None
        self.number = 0
        self._size = 0
        self.record: list[str] = []

    def peek(self) -> str:
        """The next line that isn't blank, without taking it; blank ones before it are passed over."""
        while self._ahead is None or (self._ahead and self._ahead.isspace()):
            self.number += self._ahead is not None
            self._ahead = self._file.readline(MAX_LINE + 1)
        return self._ahead

    def begin_record(self) -> int:
        """Note that the next line begins a record; returns its number."""
        self._size = 0
        self.record = []
        return self.number + 1

    def __next__(self) -> str:
        line = self._file.readline(MAX_LINE + 1) if self._ahead is None else self._ahead
        self._ahead = None
        if not line and not self.record:
            raise StopIteration
        self.number += 1
        self._size += len(line)
        if self.record and (not line or self._size > MAX_RECORD):
            raise unclosed_quote(self.number - len(self.record))
        if len(line) > MAX_LINE:
            text = f"Line {self.number} is longer than {MAX_LINE:,} characters: this is no contact list."
            raise FileRejected("line_too_long", text)
        self.record.append(line)
        return line


def unclosed_quote(line: int) -> FileRejected:
    """The quote that opens in this line swallows the lines after it."""
    return FileRejected("unclosed_quote", f"A quotation mark that opens in line {line} is never closed.")


def _declared_delimiter(lines: _Lines) -> str | None:
    """The delimiter of a ``sep=;`` line, which Excel writes and reads; the line is taken if it is one."""
    declared = _SEP_LINE.fullmatch(lines.peek())
    if declared is None or not may_delimit(declared[1]):
        return None
    next(lines)
    return declared[1]


def _records(lines: _Lines, delimiter: str) -> Iterator[SheetRow | RejectedRow]:
    reader = csv.reader(lines, delimiter=delimiter, strict=True, skipinitialspace=True)
    width = 0
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
            yield rejected(number, lines.record[-1].strip(), "misplaced_quote", text)
            continue
        width = width if width > 1 else len(cells)
        swallowed = _swallowed(number, lines.record, cells, width, delimiter)
        yield swallowed or damaged(number, cells) or SheetRow(number, cells)


def _swallowed(
    number: int, lines: Sequence[str], cells: list[str], width: int, delimiter: str
) -> RejectedRow | None:
    """A record that seems to have whole rows in it: two stray quotes that happen to make a pair.

    A proper note of several lines may have addresses and delimiters in it, too; what gives a stray quote away
    is that rows stand in line with each other, or that cells are missing.
    """
    if len(lines) == 1 or width == 1:
        return None
    lacks = len(cells) < width and any("@" in line and delimiter in line for line in lines[1:])
    if not lacks and not _are_rows(lines, width, delimiter):
        return None
    if len(lines) > MAX_SWALLOWED:
        raise unclosed_quote(number)
    cell = next((cell for cell in cells if len(cell.splitlines()) > 1), "")
    last = number + len(lines) - 1
    text = f"Lines {number} to {last} were read as one row because of a quotation mark; is one missing?"
    return rejected(number, cell, "unclosed_quote", text)


def _are_rows(lines: Sequence[str], width: int, delimiter: str) -> bool:
    """Whether two of the lines have an address in one column, and one of them is a whole row by itself."""
    places: Counter[int] = Counter()
    of_whole: set[int] = set()
    for line in lines:
        cells = split_roughly(line, delimiter) if "@" in line else []
        if len(cells) > 1:
            found = {at for at, cell in enumerate(cells) if holds_addresses(cell)}
            places.update(found)
            of_whole |= found if len(cells) == width else set()
    return any(places[at] > 1 for at in of_whole)
