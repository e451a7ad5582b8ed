"""Reading mail that anybody may have sent: MIME (RFC 2045-2047) in bounded work, and nothing ever raises.

Python's own parser recurses as deep as a message nests and tests each line against every open boundary;
a message made for it costs minutes. Here everything has a limit, and what is beyond it isn't looked at.
"""

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass

SIZE_LIMIT = 512 * 1024  # bytes: a report says what it has to say at its beginning
DEPTH_LIMIT = 5
PART_LIMIT = 30  # in the whole message
FIELD_LIMIT = 300  # in one header
VALUE_LIMIT = 4_000  # characters of one field

_BLANK_LINE = re.compile(rb"(?:\A|\n)\r?\n")
_FIELD = re.compile(r"([!-9;-~]{1,100})[ \t]*:[ \t]*(.*)", re.DOTALL)
_ENCODED_WORD = re.compile(r"=\?([!->@-~]{1,40})\?([BbQq])\?([!->@-~ ]{0,400})\?=(?:[ \t]+(?==\?))?")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")
# Codecs that only map characters. Others of Python's (punycode, idna, unicode_escape) cost or do more.
_CHARSET = re.compile(
    r"us-ascii|utf-?8|utf-?16(?:le|be)?|iso-8859-\d{1,2}|latin-?1|(?:windows-|cp)12\d\d|koi8-[ru]|cp866"
    r"|gb2312|gbk|gb18030|big5|shift[_-]jis|iso-2022-jp|euc-jp|euc-kr|tis-620"
)


@dataclass(frozen=True, slots=True)
class Part:
    """One part, or the whole message. ``fields`` have names in lower case and unfolded values; ``body`` is
    freed of its transfer encoding and empty where there are ``parts``.
    """

    fields: tuple[tuple[str, str], ...]
    body: bytes
    parts: tuple["Part", ...] = ()

    def all(self, name: str) -> list[str]:
        """The values of a field, in order; ``name`` in lower case."""
        return [value for field, value in self.fields if field == name]

    def first(self, name: str) -> str:
        """The field's first value, or an empty text."""
        return next(iter(self.all(name)), "")

    @property
    def content_type(self) -> str:
        """``type/subtype`` in lower case; text/plain where there is none."""
        return self.first("content-type").partition(";")[0].strip().lower() or "text/plain"

    def parameter(self, name: str) -> str:
        """A parameter of Content-Type, without its quotes; empty where there is none."""
        found = re.search(
            rf";\s*{name}\s*=\s*(?:\"([^\"]{{0,200}})\"|([^\s;\"]{{1,200}}))",
            self.first("content-type"),
            re.IGNORECASE,
        )
        return (found[1] or found[2] or "") if found else ""

    @property
    def text(self) -> str:
        """The body as text, in the charset it names if that is one of mail's."""
        return decoded(self.body, self.parameter("charset"))

    def walk(self) -> Iterator["Part"]:
        """The part itself and all inside it; a message that is enclosed counts as one leaf."""
        yield self
        for part in self.parts:
            yield from part.walk()


def parse_message(raw: bytes) -> Part:
    """The message in parts, as far as the limits go."""
    return _part(raw[:SIZE_LIMIT], DEPTH_LIMIT, [PART_LIMIT])


def parse_fields(block: bytes) -> tuple[tuple[str, str], ...]:
    """The fields of a header, up to its blank line; lines that are none are passed over."""
    return _fields(_halves(block)[0])


def decoded(raw: bytes, charset: str = "") -> str:
    """Bytes as text; a charset that isn't one of mail's is taken for UTF-8, then for Latin-1."""
    name = charset.strip().lower()
    try:
        if _CHARSET.fullmatch(name):
            return raw.decode(name, "replace")
        return raw.decode("utf-8")
    except (LookupError, ValueError):
        return raw.decode("latin-1")


def readable(value: str) -> str:
    """A field's value with its encoded words (RFC 2047) decoded; what can't be stays as it is."""
    return _ENCODED_WORD.sub(_word, value)


def _word(found: re.Match[str]) -> str:
    try:
        encoded = found[3].encode("ascii")
        raw = _base64(encoded) if found[2] in "Bb" else binascii.a2b_qp(encoded, header=True)
    except ValueError:
        return found[0]
    return decoded(raw, found[1].partition("*")[0])


def _part(raw: bytes, depth: int, budget: list[int]) -> Part:
    head, body = _halves(raw)
    part = Part(_fields(head), b"")
    boundary = part.parameter("boundary").rstrip()
    if part.content_type.startswith("multipart/") and boundary and depth:
        inside = []
        for piece in _pieces(body, boundary.encode("utf-8", "replace")):
            if not budget[0]:
                break
            budget[0] -= 1
            inside.append(_part(piece, depth - 1, budget))
        return Part(part.fields, b"", tuple(inside))
    return Part(part.fields, _unencoded(body, part.first("content-transfer-encoding")))


def _halves(raw: bytes) -> tuple[bytes, bytes]:
    found = _BLANK_LINE.search(raw)
    return (raw[: found.start()], raw[found.end() :]) if found else (raw, b"")


def _fields(head: bytes) -> tuple[tuple[str, str], ...]:
    unfolded: list[list[str]] = []
    for line in decoded(head[: FIELD_LIMIT * VALUE_LIMIT]).replace("\r", "").split("\n"):
        if line[:1] in (" ", "\t") and unfolded:
            unfolded[-1].append(line.strip())
        elif len(unfolded) == FIELD_LIMIT:
            break
        else:
            unfolded.append([line])
    found = (_FIELD.fullmatch(" ".join(lines)[:VALUE_LIMIT]) for lines in unfolded)
    return tuple((match[1].lower(), match[2].strip()) for match in found if match)


def _pieces(body: bytes, boundary: bytes) -> Iterator[bytes]:
    """What stands between the delimiters (RFC 2046, 5.1.1), without the line end that belongs to them."""
    delimiter = re.compile(rb"(?:\A|\r?\n)--" + re.escape(boundary) + rb"(--)?[ \t]*(?=\r?\n|\Z)")
    start: int | None = None
    for found in delimiter.finditer(body):
        if start is not None:
            yield _opened(body[start : found.start()])
        if found[1]:
            return
        start = found.end()
    if start is not None:
        yield _opened(body[start:])


def _opened(piece: bytes) -> bytes:
    """Without the end of the delimiter's own line."""
    return piece.removeprefix(b"\r").removeprefix(b"\n")


def _unencoded(body: bytes, encoding: str) -> bytes:
    match encoding.strip().lower():
        case "base64":
            return _base64(body)
        case "quoted-printable":
            return binascii.a2b_qp(body)
        case _:
            return body


def _base64(text: bytes) -> bytes:
    kept = _NOT_BASE64.sub(b"", text.partition(b"=")[0] if text.rstrip().endswith(b"=") else text)
    kept = kept[: len(kept) - (len(kept) % 4 == 1)]
    return binascii.a2b_base64(kept + b"=" * (-len(kept) % 4))
