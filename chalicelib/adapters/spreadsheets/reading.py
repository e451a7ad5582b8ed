"""A file's rows, whatever kind of file it is. Its name says nothing; its content decides."""

from collections.abc import Iterator
from pathlib import Path

from chalicelib.adapters.spreadsheets.csv_reader import read_csv
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
_HTML = (b"<!doctype html", b"<html", b"<head", b"<meta", b"<table", b"<style")
_XML = b"<?xml"


def read_rows(path: Path, *, memory_limit: int = MEMORY_LIMIT) -> Iterator[SheetRow | RejectedRow]:
    """Stream the rows of a text file, a workbook's first visible sheet or a page's first table.

    Rows of text are numbered by the line they begin on, those of sheets and tables by themselves; blank ones
    are included. Memory stays flat here; a workbook
    is unpacked in a child process that may take ``memory_limit`` bytes of address space. Raises FileRejected,
    at once or on the way. Close the iterator when leaving it early: it holds a file or a child.
    """
    with path.open("rb") as file:
        head = file.read(1024)
    if head.startswith((_ZIP, _EMPTY_ZIP)):
        return read_xlsx(path, memory_limit)
    if head.startswith(_OFFICE_97):
        return read_xls(path, memory_limit)
    markup = _markup(head)
    if markup.startswith(_HTML):
        return read_html(path)
    kind = next((kind for magic, kind in _OTHERS.items() if head.startswith(magic)), None)
    if markup.startswith(_XML):
        kind = "an XML document"
    if kind is not None:
        raise FileRejected(
            "not_a_workbook", f"This is {kind}. Save it as an Excel workbook (.xlsx) or as CSV."
        )
    return read_csv(path)


def _markup(head: bytes) -> bytes:
    """The beginning in lower-case ASCII, whatever encoding it is in: tags need no more to be known."""
    return head.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe").lstrip().lower()
