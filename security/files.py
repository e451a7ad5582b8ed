"""Files that are no contact lists: each with its type, and the reason with which its import must fail."""

import io
import zipfile
from collections.abc import Iterator

GOOD = b"Email,First Name\r\nanna@example.com,Anna\r\n"


def refused() -> Iterator[tuple[str, str, bytes, str]]:
    """What it is, its type, its bytes, the code of the reason."""
    yield "nothing but blank lines", "csv", b"\r\n  \r\n", "empty_file"
    yield "a header only", "csv", b"Email,First Name\r\n", "header_only"
    yield "no column of addresses", "csv", b"Name,City\r\nAnna,Berlin\r\n", "no_email_column"
    yield "NUL bytes", "csv", b"Email\r\nanna@example.com\r\n" + b"\0" * 40 + b"\r\n", "nul_bytes"
    yield "an unclosed quote", "csv", b'Email,P1\r\nanna@example.com,"' + b"\r\n" * 2_000, "unclosed_quote"
    yield "a zip that is cut off", "xlsx", b"PK\x03\x04 but no more of a zip", "not_a_workbook"
    yield "a zip of something else", "xlsx", _zip({"readme.txt": b"hello"}), "not_a_workbook"
    yield "a zip that leads outside", "xlsx", _workbook({"../../evil.xml": b"x"}), "not_a_workbook"
    yield "a zip bomb", "xlsx", _workbook({"xl/media/a.bin": b"\0" * 260_000_000}), "file_too_large_unpacked"


def _zip(entries: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return packed.getvalue()


def _workbook(more: dict[str, bytes]) -> bytes:
    return _zip({"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<workbook/>", **more})
