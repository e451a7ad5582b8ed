"""A file's rows, whatever kind of file it is. Its name says nothing; its content decides."""

from collections.abc import Iterator
from pathlib import Path

from chalicelib.adapters.spreadsheets.csv_reader import read_csv
from chalicelib.adapters.spreadsheets.xlsx_reader import MEMORY_LIMIT, read_xlsx
from chalicelib.domain.contact_file import FileRejected, RejectedRow, SheetRow

_OFFICE_97 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # also the container of password-protected .xlsx files
_ZIP = b"PK\x03\x04"
_EMPTY_ZIP = b"PK\x05\x06"
_OTHERS = {
    _OFFICE_97: "an old .xls workbook or one with a password",
    b"\x1f\x8b": "a gzip archive",
    b"%PDF-": "a PDF document",
}
_HTML = (b"<!doctype", b"<html", b"<meta", b"<table", b"<?xml")


def read_rows(path: Path, *, memory_limit: int = MEMORY_LIMIT) -> Iterator[SheetRow | RejectedRow]:
    """Stream the rows of a CSV file or the first visible sheet of an XLSX workbook, blank rows included.

    CSV rows are numbered by the line they begin on, XLSX rows as in the sheet. Memory stays flat here; a
    workbook is unpacked in a child process that may take ``memory_limit`` bytes of address space. Raises
    FileRejected, at once or on the way. Close the iterator when leaving it early: it holds a file or a child.
    """
    with path.open("rb") as file:
        head = file.read(1024)
    if head.startswith((_ZIP, _EMPTY_ZIP)):
        return read_xlsx(path, memory_limit)
    kind = next((kind for magic, kind in _OTHERS.items() if head.startswith(magic)), None)
    if kind is None and head.removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith(_HTML):
        kind = "a web page, whatever its name says"
    if kind is not None:
        raise FileRejected(
            "not_a_workbook", f"This is {kind}. Save it as an Excel workbook (.xlsx) or as CSV."
        )
    return read_csv(path)
