"""What is asked of a workbook before anything unpacks it: is it one, and how large does it say it is.

An .xlsx is a ZIP archive (ECMA-376, part 2). Its directory is small and can be read cheaply; all that it
declares may be a lie, which is why the unpacking itself has limits of its own (``workbook_reader``).
"""

import lzma
import os
import struct
import zlib
from pathlib import Path, PurePosixPath
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from chalicelib.domain.contact_file import FileRejected

MAX_ENTRIES = 1_000
MAX_UNPACKED = 600 * 1024 * 1024  # bytes, all parts together: 1,000,000 rows of eight cells have 485 MiB
MAX_RATIO = 100  # of a part above _RATIO_FROM; text packs 10 to 30 to 1, zeros 1,000 to 1
_RATIO_FROM = 1024 * 1024
_MAX_DIRECTORY = 1024 * 1024  # bytes: 1,000 entries with names of a kilobyte
_PROLOG = 64 * 1024  # bytes of a part in which a DOCTYPE could stand; it comes before the root element
_ENCRYPTED = 0x1  # general purpose bit 0, APPNOTE 4.4.4

_END_RECORD = b"PK\x05\x06"
_END_RECORD_SIZE = 22
_ZIP64_LOCATOR = b"PK\x06\x07"
_ZIP64_LOCATOR_SIZE = 20
_ZIP64_RECORD = b"PK\x06\x06"
_ZIP64_RECORD_SIZE = 56
_TAIL = _ZIP64_RECORD_SIZE + _ZIP64_LOCATOR_SIZE + _END_RECORD_SIZE + 0xFFFF  # the longest comment
_DAMAGED = (
    BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    NotImplementedError,
    ValueError,
    OSError,
)


def check_workbook(path: Path) -> None:
    """Raise FileRejected: not_a_workbook, encrypted_workbook or file_too_large_unpacked."""
    try:
        with path.open("rb") as file:
            _check_directory_size(file)
        with ZipFile(path) as archive:
            _check_entries(archive.infolist())
            for entry in archive.infolist():
                _check_prolog(archive, entry)
    except _DAMAGED:
        raise not_a_workbook("it is damaged or was not saved to the end") from None


def not_a_workbook(why: str) -> FileRejected:
    """The verdict on a file that begins like a workbook and isn't one we can read."""
    text = f"This is not an Excel workbook that can be read: {why}. Save it again as .xlsx or as CSV."
    return FileRejected("not_a_workbook", text)


def encrypted_workbook() -> FileRejected:
    """The verdict on a workbook that only opens with a password."""
    return FileRejected("encrypted_workbook", "The workbook has a password. Save it without one.")


def too_large() -> FileRejected:
    """The verdict on a workbook that says it unpacks to more than is allowed."""
    text = f"The workbook unpacks to more than {MAX_UNPACKED >> 20} MB. Save the sheet as CSV, or split it."
    return FileRejected("file_too_large_unpacked", text)


def _check_directory_size(file: BinaryIO) -> None:
    """zipfile reads the whole directory into memory, so its size is looked at first, where zipfile looks."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _TAIL))
    tail = file.read()
    end = len(tail) - _END_RECORD_SIZE
    if not tail.startswith(_END_RECORD, max(0, end)):  # there is a comment behind it
        end = tail.rfind(_END_RECORD)
    if end < 0:
        raise BadZipFile
    (directory_size,) = struct.unpack_from("<L", tail, end + 12)
    locator = end - _ZIP64_LOCATOR_SIZE
    record = locator - _ZIP64_RECORD_SIZE
    if record >= 0 and tail.startswith(_ZIP64_LOCATOR, locator) and tail.startswith(_ZIP64_RECORD, record):
        (directory_size,) = struct.unpack_from("<Q", tail, record + 40)
    if directory_size > _MAX_DIRECTORY:
        raise not_a_workbook("it has too many parts")


def _check_entries(entries: list[ZipInfo]) -> None:
    names = {entry.filename for entry in entries}
    if len(entries) > MAX_ENTRIES:
        raise not_a_workbook("it has too many parts")
    if len(names) < len(entries) or not all(map(_is_plain, names)):
        raise not_a_workbook("the names of its parts are not those of a workbook")
    if any(entry.flag_bits & _ENCRYPTED for entry in entries):
        raise encrypted_workbook()
    if "xl/workbook.xml" not in names:
        raise not_a_workbook("it is another kind of archive")
    if any(entry.compress_type not in {ZIP_STORED, ZIP_DEFLATED} for entry in entries):
        raise not_a_workbook("it is packed in a way that workbooks are not")
    if sum(entry.file_size for entry in entries) > MAX_UNPACKED or any(map(_is_bomb, entries)):
        raise too_large()


def _is_plain(name: str) -> bool:
    parts = PurePosixPath(name)
    return not parts.is_absolute() and ".." not in parts.parts and "\\" not in name and ":" not in name


def _is_bomb(entry: ZipInfo) -> bool:
    return entry.file_size > _RATIO_FROM and entry.file_size > MAX_RATIO * entry.compress_size


def _check_prolog(archive: ZipFile, entry: ZipInfo) -> None:
    """Refuse document type declarations: workbooks have none, and entities are how XML is made to explode."""
    if not entry.filename.endswith((".xml", ".rels")):
        return
    with archive.open(entry) as part:
        if b"<!doctype" in part.read(_PROLOG).lower():
            raise not_a_workbook("one of its parts has a document type declaration")
