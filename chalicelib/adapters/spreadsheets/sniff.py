"""What a text file is written in: its encoding and its delimiter.

Encoding, in this order: a byte order mark; UTF-16 if NULs stand on one side of the byte pairs only; UTF-8 if
all of the file is; otherwise one of the two single-byte code pages that spreadsheets still save in, told
apart by ``_single_byte``. ``csv.Sniffer`` is not used: it takes letters for delimiters.
"""

import codecs
import re
from pathlib import Path

from chalicelib.domain.contact_file import FileRejected

_BLOCK = 1 << 16
_SAMPLE = 1 << 18  # bytes with non-ASCII text that are looked at to tell code pages apart
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_UTF16_SHARE = 0.2  # of the pairs that hold an ASCII sign: delimiters and addresses alone make more than this
_DELIMITERS = ",;\t|"

# Letters above ASCII: all of Cyrillic in cp1251, the accented letters in cp1252.
_HIGH_RUN = re.compile(rb"([A-Za-z]?)([\xa8\xb8\xc0-\xff]+)(?=([A-Za-z]?))")
_UTF8_SIGN = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_HIGH_BYTE = re.compile(rb"[\x80-\xff]")


def sniff_encoding(path: Path) -> str:
    """Name the codec that reads all of the file, having tried it, in blocks of 64 KiB.

    Raises FileRejected: ``undecodable`` with the line of the first bad byte, or ``nul_bytes``.
    """
    with path.open("rb") as file:
        head = file.read(_BLOCK)
    encoding = _by_mark(head) or _utf16_without_mark(head)
    if encoding is not None:
        _try(path, encoding)
        return encoding
    try:
        _try(path, "utf-8")
    except FileRejected as damaged:
        if damaged.code != "undecodable":
            raise
        return _code_page(path, damaged)
    return "utf-8"


def is_written_in(path: Path, encoding: str) -> bool:
    """Whether all of the file can be read so; raises FileRejected: nul_bytes."""
    try:
        _try(path, encoding)
    except FileRejected as error:
        if error.code != "undecodable":
            raise
        return False
    return True


def sniff_delimiter(line: str) -> str:
    """The one of comma, semicolon, tab and bar that occurs most often outside quotes; comma if none does."""
    bare = re.sub(r'"[^"]*"', "", line)
    return max(_DELIMITERS, key=bare.count)


def _by_mark(head: bytes) -> str | None:
    return next((name for mark, name in _BOMS if head.startswith(mark)), None)


def _utf16_without_mark(head: bytes) -> str | None:
    even, odd = head[::2].count(0), head[1::2].count(0)
    if odd and not even and odd >= _UTF16_SHARE * (len(head) // 2):
        return "utf-16-le"
    if even and not odd and even >= _UTF16_SHARE * (len(head) // 2):
        return "utf-16-be"
    return None


def _try(path: Path, encoding: str) -> None:
    """Decode the whole file and look for NULs, so that neither turns up when rows are already taken."""
    decoder = codecs.getincrementaldecoder(encoding)()
    line = 1
    with path.open("rb") as file:
        while True:
            block = file.read(_BLOCK)
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                line += error.object.count(b"\n", 0, error.start)
                raise FileRejected("undecodable", _undecodable_text(encoding, line)) from None
            if "\0" in text:
                line += text.count("\n", 0, text.index("\0"))
                raise FileRejected("nul_bytes", f"Line {line} has NUL bytes in it: this is not a text file.")
            if not block:
                return
            line += text.count("\n")


def _undecodable_text(encoding: str, line: int) -> str:
    name = encoding.removesuffix("-sig").upper()
    return f"Line {line} is not valid {name}, in which the rest of the file is. Save the file again as UTF-8."


def _code_page(path: Path, damaged: FileRejected) -> str:
    sample = _non_ascii_sample(path)
    if _is_damaged_utf8(sample):
        raise damaged
    first = _single_byte(sample)
    try:
        _try(path, first)
    except FileRejected as error:
        if error.code != "undecodable":
            raise
        first = "cp1252" if first == "cp1251" else "cp1251"
        _try(path, first)
    return first


def _non_ascii_sample(path: Path) -> bytes:
    """Blocks of the file that have non-ASCII bytes, so that a long ASCII beginning tells nothing wrong."""
    sample = bytearray()
    with path.open("rb") as file:
        while len(sample) < _SAMPLE and (block := file.read(_BLOCK)):
            if not block.isascii():
                sample += block
    return bytes(sample)


def _is_damaged_utf8(sample: bytes) -> bool:
    """Whether most non-ASCII signs are proper UTF-8: they hardly ever are by chance in a code page."""
    signs = _UTF8_SIGN.findall(sample)
    stray = len(_HIGH_BYTE.findall(sample)) - sum(map(len, signs))
    return len(signs) > stray


def _single_byte(sample: bytes) -> str:
    """cp1251 or cp1252, by the company that letters above ASCII keep.

    In Russian text they stand together and never touch an ASCII letter; in French or German each stands
    among ASCII letters. Letters are counted on either side; a lone one (``Ö;``) says nothing.
    """
    cyrillic = latin = 0
    for before, run, after in _HIGH_RUN.findall(sample):
        if before or after:
            latin += len(run)
        elif len(run) > 1:
            cyrillic += len(run)
    return "cp1251" if cyrillic > latin else "cp1252"
