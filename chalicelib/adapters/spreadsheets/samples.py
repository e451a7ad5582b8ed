"""The sample contact files that a customer downloads, fills in and uploads again."""

import csv
import io
from pathlib import Path
from tempfile import TemporaryDirectory

from chalicelib.adapters.spreadsheets.xlsx_writer import WorkbookWriter
from chalicelib.domain.contact_file import SAMPLE_HEADER, SAMPLE_ROWS


def sample_csv() -> bytes:
    """Comma-separated UTF-8 with a byte order mark, without which Excel takes it for its own code page."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows((SAMPLE_HEADER, *SAMPLE_ROWS))
    return text.getvalue().encode("utf-8-sig")


def sample_xlsx() -> bytes:
    """The same rows as an Excel workbook with one sheet, "Contacts"."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "sample.xlsx")
        with WorkbookWriter(path) as workbook:
            workbook.sheet("Contacts", SAMPLE_HEADER)
            for row in SAMPLE_ROWS:
                workbook.append(row)
        return path.read_bytes()
