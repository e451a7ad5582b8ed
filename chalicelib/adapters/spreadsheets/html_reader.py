"""Tables of web pages that call themselves Excel files, as Bitrix24's export does.

The rows of the first table that has any are streamed; text in scripts and styles is none, tags within a cell
are passed over. Nothing is fetched and nothing is run.
"""

import codecs
import re
from collections.abc import Iterator
from pathlib import Path

from chalicelib.adapters.spreadsheets.damage import TELLING, damaged
from chalicelib.adapters.spreadsheets.markup import Markup, Tag, unreadable_page
from chalicelib.adapters.spreadsheets.sniff import is_written_in, sniff_encoding
from chalicelib.domain.contact_file import RejectedRow, SheetRow

_BLOCK = 1 << 16
_MAX_CELL = 1 << 16  # characters of a cell that are kept, far more than a contact's field may have
_MAX_CELLS = 2_000  # of one row
_COLUMN_SPAN = re.compile(r"""(?:\A|[\s/"'])colspan\s*=\s*["']?\s*([0-9]{1,3})(?![0-9])""", re.IGNORECASE)
_MAX_SPAN = 100
_CHARSET = re.compile(
    rb"(?:charset|\A\s*<\?xml[^<>]{1,100}encoding)\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]{1,40})", re.IGNORECASE
)
_HEAD = 4_096
_CELLS = frozenset({"td", "th"})
_BREAKS = frozenset({"br", "p", "div"})
# By Python's names. Of UTF-16 no page can say in ASCII that it is written in it.
_ENCODINGS = frozenset(
    {
        *("utf-8", "koi8-r", "koi8-u", "cp866", "mac-cyrillic", "tis-620"),
        *("gb18030", "gbk", "gb2312", "big5", "shift_jis", "cp932", "euc_jp", "euc_kr"),
        *(f"cp125{number}" for number in range(9)),
        *(f"iso8859-{number}" for number in range(2, 17)),
    }
)
_CALLED_LATIN = frozenset({"ascii", "iso8859-1"})  # means windows-1252 (encoding.spec.whatwg.org, 4.2)


def read_html(path: Path) -> Iterator[SheetRow | RejectedRow]:
    """Yield the rows of the first table with rows, numbered from 1, blank ones included.

    Raises FileRejected: not_a_workbook when there is no table or the page can't be followed, undecodable,
    nul_bytes.
    """
    table = _Table()
    with path.open(encoding=_encoding(path), errors=TELLING, newline="") as file:
        for token in Markup(iter(lambda: file.read(_BLOCK), "")):
            row = table.take(token)
            if row is not None:
                yield damaged(row.number, row.cells) or row
            if table.is_over:
                return
    row = table.end_row()  # whether its table was closed or not
    if row is not None:
        yield damaged(row.number, row.cells) or row
    if not table.rows:
        raise unreadable_page("it has no table in it")


def _encoding(path: Path) -> str:
    """What the page declares, if that is one of text and all can be read so; else what it looks like."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    declared = _CHARSET.search(head)
    marked = head.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    name = _text_encoding(declared[1].decode("ascii")) if declared and not marked else None
    return name if name and is_written_in(path, name) else sniff_encoding(path)


def _text_encoding(label: str) -> str | None:
    """Python's name of a declared encoding; None for what is none of text, as its ``hex`` and ``zlib``."""
    try:
        name = codecs.lookup(label).name
    except (LookupError, ValueError):
        return None
    if name in _CALLED_LATIN:
        return "cp1252"
    return name if name in _ENCODINGS else None


class _Table:
    """Collects the cells of the first table with rows. ``rows`` counts those that ended."""

    def __init__(self) -> None:
        self.rows = 0
        self.is_over = False
        self._depth = 0
        self._row: list[str] | None = None
        self._cell: list[str] | None = None
        self._length = 0

    def take(self, token: Tag | str) -> SheetRow | None:
        """Go on by one token; returns the row that it ends."""
        if isinstance(token, str):
            self._add(token)
            return None
        return self._end(token.name) if token.is_end else self._begin(token)

    def end_row(self) -> SheetRow | None:
        """The row that was begun, if there is one."""
        self._end_cell()
        if self._row is None:
            return None
        self.rows += 1
        row, self._row = SheetRow(self.rows, self._row), None
        return row

    def _begin(self, tag: Tag) -> SheetRow | None:
        ended = None
        if tag.name == "table":
            self._depth += 1
        elif self._depth == 1 and tag.name == "tr":
            ended = self.end_row()
            self._row = []
        elif self._depth == 1 and tag.name in _CELLS:
            self._end_cell()
            self._row = [] if self._row is None else self._row
            self._row.extend([""] * (_span(tag) - 1))
            self._cell, self._length = [], 0
        elif self._depth == 1 and tag.name in _BREAKS and self._cell:
            self._add("\n")
        return ended

    def _end(self, name: str) -> SheetRow | None:
        ended = None
        if name == "table" and self._depth:
            self._depth -= 1
            if not self._depth:
                ended = self.end_row()
                self.is_over = self.rows > 0
        elif self._depth == 1 and name in _CELLS:
            self._end_cell()
        elif self._depth == 1 and name == "tr":
            ended = self.end_row()
        return ended

    def _add(self, text: str) -> None:
        if self._cell is not None and self._length < _MAX_CELL:
            self._cell.append(text[: _MAX_CELL - self._length])
            self._length += len(text)

    def _end_cell(self) -> None:
        if self._cell is not None and self._row is not None:
            if len(self._row) >= _MAX_CELLS:
                raise unreadable_page("it has a row that never ends")
            self._row.append("".join(self._cell).strip(" \t\r\n\u00a0"))
        self._cell = None


def _span(tag: Tag) -> int:
    """How many columns a cell stands over (HTML, colspan), within reason."""
    found = _COLUMN_SPAN.search(tag.attributes) if tag.attributes else None
    return min(max(int(found[1]), 1), _MAX_SPAN) if found else 1
