"""A file's rows, whatever kind of file it is. Its name says nothing; its content decides."""

import re
from collections.abc import Iterator
from pathlib import Path

from chalicelib.adapters.spreadsheets.csv_reader import read_csv
from chalicelib.adapters.spreadsheets.header import within_header
from chalicelib.adapters.spreadsheets.html_reader import read_html
from chalicelib.adapters.spreadsheets.workbook_reader import MEMORY_LIMIT, read_xls, read_xlsx
from chalicelib.domain.contact_file import FileRejected, RejectedRow, SheetRow

_OFFICE_97 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # also the container of password-protected .xlsx files
_ZIP = b"PK\x03\x04"
_EMPTY_ZIP = b"PK\x05\x06"
_OTHERS = {
    b"\x1f\x8b": "a gzip archive",
    b"%PDF-": "a PDF document",
}
_HEAD = 4_096
_XML = b"<?xml"
# What may stand before a page, and how a page may begin then; a comment that goes on is one's own beginning.
_PROLOG = re.compile(rb"(?:\s++|<\?[^>]*+>|<!--.*?-->)*+", re.DOTALL)
_PAGE = re.compile(
    rb"<!--|<!doctype\s+html|<(?:html|head|body|meta|base|link|title|style|script|table|div|span|p|br|hr|center|b|font|form"
    rb"|h[1-6]|section|main|article|header|pre)[\s/>]"
)


def read_rows(path: Path, *, memory_limit: int = MEMORY_LIMIT) -> Iterator[SheetRow | RejectedRow]:
    """Stream the rows of a text file, a workbook's first visible sheet or a page's first table.

    Rows of text are numbered by the line they begin on, those of sheets and tables by themselves; blank ones
    are included. Memory stays flat here; a workbook
    is unpacked in a child process that may take ``memory_limit`` bytes of address space. Raises FileRejected,
    at once or on the way. Close the iterator when leaving it early: it holds a file or a child.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if head.startswith((_ZIP, _EMPTY_ZIP)):
        return within_header(read_xlsx(path, memory_limit))
    if head.startswith(_OFFICE_97):
        return within_header(read_xls(path, memory_limit))
    markup = _markup(head)
    if _is_page(markup):
        return within_header(read_html(path))
    kind = next((kind for magic, kind in _OTHERS.items() if head.startswith(magic)), None)
    if markup.startswith(_XML):
        kind = "an XML document"
    if kind is not None:
        raise FileRejected(
            "not_a_workbook", f"This is {kind}. Save it as an Excel workbook (.xlsx) or as CSV."
        )
    return read_csv(path)


def _is_page(markup: bytes) -> bool:
    prolog = _PROLOG.match(markup)
    return _PAGE.match(markup, prolog.end() if prolog else 0) is not None


def _markup(head: bytes) -> bytes:
    """The beginning in lower-case ASCII, whatever encoding it is in: tags need no more to be known."""
    return head.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe").lstrip().lower()
