"""What a text file is written in.

In this order: a byte order mark; UTF-16 if NULs stand on one side of the byte pairs only; UTF-8 if nearly all
of the file is; otherwise one of the two single-byte code pages that spreadsheets still save in, told
apart by ``_single_byte``. Fields that a program cut off in the middle of a character make no other encoding
of it: such rows are told one by one (``damage``).
"""

import codecs
import re
from dataclasses import dataclass
from pathlib import Path

from chalicelib.adapters.spreadsheets.damage import TELLING, UNDECODED
from chalicelib.domain.contact_file import FileRejected

_BLOCK = 1 << 16
_SAMPLE = 1 << 18  # bytes with non-ASCII text that are looked at to tell code pages apart
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_UTF16_SHARE = 0.2  # of the pairs that hold an ASCII sign: delimiters and addresses alone make more than this
_BEARABLE = 10  # a byte that can't be read on so many signs above ASCII, or a NUL on so many signs
_HOPELESS = 1_000  # bytes that can't be read, and more than could: it is not worth going on

# Letters above ASCII: all of Cyrillic in cp1251, the accented letters in cp1252.
_HIGH_RUN = re.compile(rb"([A-Za-z]?)([\xa8\xb8\xc0-\xff]+)(?=([A-Za-z]?))")
_UTF8_SIGN = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_HIGH_BYTE = re.compile(rb"[\x80-\xff]")


def sniff_encoding(path: Path) -> str:
    """Name the codec that reads the file, having tried it on all of it, in blocks of 64 KiB.

    Raises FileRejected: ``undecodable`` or ``nul_bytes``, with the line of the first such byte, when there
    are more of them than damaged rows explain. UTF-16 must have none that can't be decoded: a byte that is
    missing turns all that follows into other signs.
    """
    with path.open("rb") as file:
        head = file.read(_BLOCK)
    encoding = _by_mark(head) or _utf16_without_mark(head)
    if encoding is not None:
        _survey(path, encoding).judge()
        return encoding
    found = _survey(path, "utf-8")
    if not found.is_readable:
        return _code_page(path, found)
    found.judge()
    return "utf-8"


def is_written_in(path: Path, encoding: str) -> bool:
    """Whether all of the file can be read so, without any damage."""
    found = _survey(path, encoding, errors="strict")
    return not (found.undecoded or found.nuls)


def _by_mark(head: bytes) -> str | None:
    return next((name for mark, name in _BOMS if head.startswith(mark)), None)


def _utf16_without_mark(head: bytes) -> str | None:
    even, odd = head[::2].count(0), head[1::2].count(0)
    if odd and not even and odd >= _UTF16_SHARE * (len(head) // 2):
        return "utf-16-le"
    if even and not odd and even >= _UTF16_SHARE * (len(head) // 2):
        return "utf-16-be"
    return None


@dataclass(slots=True)
class _Survey:
    """What decoding a file came upon. ``signs`` counts those above ASCII that could be decoded."""

    encoding: str
    length: int = 0
    lines: int = 0
    signs: int = 0
    undecoded: int = 0
    undecoded_line: int = 0
    nuls: int = 0
    nul_line: int = 0

    @property
    def is_readable(self) -> bool:
        """Whether this is the encoding, for all that may be damaged."""
        return self.undecoded * _BEARABLE <= self.signs

    @property
    def is_hopeless(self) -> bool:
        return self.undecoded > max(self.signs, _HOPELESS)

    def judge(self) -> None:
        """Raise FileRejected for what is no text in this encoding."""
        if self.nuls * _BEARABLE > self.length:
            text = f"Line {self.nul_line} has NUL bytes in it: this is not a text file."
            raise FileRejected("nul_bytes", text)
        if not self.is_readable:
            name = self.encoding.removesuffix("-sig").upper()
            text = f"Line {self.undecoded_line} is not valid {name}, in which the rest of the file is. "
            raise FileRejected("undecodable", text + "Save the file again as UTF-8.")

    def add(self, text: str) -> None:
        """Count what the next piece has."""
        if not text.isascii():
            undecoded = UNDECODED.findall(text)
            self.signs += len(text) - len(text.encode("ascii", "ignore")) - len(undecoded)
            if undecoded:
                self.undecoded_line = self.undecoded_line or self._line_of(text, text.index(undecoded[0]))
                self.undecoded += len(undecoded)
        if "\0" in text:
            self.nul_line = self.nul_line or self._line_of(text, text.index("\0"))
            self.nuls += text.count("\0")
        self.lines += text.count("\n")
        self.length += len(text)

    def break_off(self, block: bytes, at: int) -> None:
        """Nothing after this byte can be decoded."""
        self.undecoded_line = self.lines + block.count(b"\n", 0, at) + 1
        self.undecoded += max(self.signs, 1)

    def _line_of(self, text: str, at: int) -> int:
        return self.lines + text.count("\n", 0, at) + 1


def _survey(path: Path, encoding: str, errors: str = TELLING) -> _Survey:
    """Decode the file and count what is no text, so that it is known before rows are taken."""
    if encoding.startswith("utf-16"):
        errors = "strict"
    decoder = codecs.getincrementaldecoder(encoding)(errors)
    found = _Survey(encoding)
    with path.open("rb") as file:
        while not found.is_hopeless:
            block = file.read(_BLOCK)
            try:
                found.add(decoder.decode(block, final=not block))
            except UnicodeDecodeError as error:
                found.break_off(error.object, error.start)
                break
            if not block:
                break
    return found


def _code_page(path: Path, as_utf_8: _Survey) -> str:
    sample = _non_ascii_sample(path)
    if _is_damaged_utf8(sample):
        as_utf_8.judge()
    first = _single_byte(sample)
    second = "cp1252" if first == "cp1251" else "cp1251"
    found = _survey(path, first)
    if not found.is_readable:
        found = _survey(path, second)
    found.judge()
    return found.encoding


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
