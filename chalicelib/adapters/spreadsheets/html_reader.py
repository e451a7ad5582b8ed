"""Tables of web pages that call themselves Excel files, as Bitrix24's export does.

The rows of the first table that has any are streamed; text in scripts and styles is none, tags within a cell
are passed over. Nothing is fetched and nothing is run.
"""

import codecs
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from chalicelib.adapters.spreadsheets.sniff import sniff_encoding
from chalicelib.domain.contact_file import FileRejected, SheetRow

_BLOCK = 1 << 16
_MAX_CELL = 1 << 16  # characters of a cell that are kept, far more than a contact's field may have
_MAX_PENDING = 1 << 20  # characters the parser may hold back, waiting for the end of a tag
_MAX_CELLS = 2_000  # of one row
_CHARSET = re.compile(rb"charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]{1,40})", re.IGNORECASE)
_HEAD = 4_096
_BREAKS = frozenset({"br", "p", "div"})
_SILENT = frozenset({"script", "style", "template"})


def read_html(path: Path) -> Iterator[SheetRow]:
    """Yield the rows of the first table with rows, numbered from 1, blank ones included.

    Raises FileRejected: not_a_workbook when there is no table or the page can't be followed, undecodable,
    nul_bytes.
    """
    table = _Table()
    with path.open(encoding=_encoding(path), newline="") as file:
        while not table.is_over and (block := file.read(_BLOCK)):
            table.feed(block)
            if len(table.rawdata) > _MAX_PENDING:
                raise _no_table("it has a tag that never ends")
            yield from table.taken()
    if not table.is_over:
        table.close()
        yield from table.taken()
    if not table.rows:
        raise _no_table("it has no table in it")


def _no_table(why: str) -> FileRejected:
    text = f"This is a web page, whatever its name says, and {why}. Save the contacts as .xlsx or as CSV."
    return FileRejected("not_a_workbook", text)


def _encoding(path: Path) -> str:
    """What the page declares, if all of it can be read so; else what it looks like."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    declared = _CHARSET.search(head)
    if declared and not head.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            name = codecs.lookup(declared[1].decode("ascii")).name
            decoder = codecs.getincrementaldecoder(name)()
            with path.open("rb") as file:
                while block := file.read(_BLOCK):
                    decoder.decode(block)
        except (LookupError, UnicodeError):
            return sniff_encoding(path)
        return name
    return sniff_encoding(path)


class _Table(HTMLParser):
    """Collects the cells of the first table with rows. ``rows`` counts those that ended."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.rows = 0
        self.is_over = False
        self._depth = 0
        self._silent = 0
        self._row: list[str] | None = None
        self._cell: list[str] | None = None
        self._length = 0
        self._ready: list[SheetRow] = []

    def taken(self) -> list[SheetRow]:
        """The rows that are complete since the last call."""
        ready, self._ready = self._ready, []
        return ready

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self.is_over:
            return
        if tag == "table":
            self._depth += 1
        elif tag in _SILENT:
            self._silent += 1
        elif self._depth == 1:
            self._begin(tag, attrs)

    def _begin(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self._end_row()
            self._row = []
        elif tag in {"td", "th"}:
            self._end_cell()
            self._row = [] if self._row is None else self._row
            self._row.extend([""] * (_span(attrs) - 1))
            self._cell, self._length = [], 0
        elif tag in _BREAKS and self._cell:
            self._cell.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if self.is_over:
            return
        if tag == "table" and self._depth:
            self._depth -= 1
            if not self._depth:
                self._end_row()
                self.is_over = self.rows > 0
        elif tag in _SILENT:
            self._silent = max(0, self._silent - 1)
        elif self._depth == 1 and tag in {"td", "th"}:
            self._end_cell()
        elif self._depth == 1 and tag == "tr":
            self._end_row()

    def handle_data(self, data: str) -> None:
        if self._cell is not None and not self._silent and self._length < _MAX_CELL:
            self._cell.append(data[: _MAX_CELL - self._length])
            self._length += len(data)

    def close(self) -> None:
        """The page is over, whether its table was closed or not."""
        super().close()
        self._end_row()

    def _end_cell(self) -> None:
        if self._cell is not None and self._row is not None:
            if len(self._row) >= _MAX_CELLS:
                raise _no_table("it has a row that never ends")
            self._row.append("".join(self._cell).strip(" \t\r\n\u00a0"))
        self._cell = None

    def _end_row(self) -> None:
        self._end_cell()
        if self._row is not None:
            self.rows += 1
            self._ready.append(SheetRow(self.rows, self._row))
        self._row = None


def _span(attrs: list[tuple[str, str | None]]) -> int:
    """How many columns a cell stands over (HTML, colspan), within reason."""
    text = next((value for name, value in attrs if name == "colspan"), None) or "1"
    return min(max(int(text), 1), 100) if text.isascii() and text.isdigit() and len(text) < 4 else 1  # noqa: PLR2004
