"""Quoted-printable (RFC 2045, 6.7) in pieces that can be joined: each begins and ends at column 0.

A piece that doesn't end with a line break is ended by a soft one (``=`` CRLF), which decodes to nothing. So
a text cut anywhere can be encoded piece by piece, and joining the pieces is encoding the whole.
"""

import re
from binascii import hexlify
from collections.abc import Iterator

LINE_LIMIT = 76  # characters without CRLF (RFC 2045, rule 5)
_CUT = LINE_LIMIT - 3  # leaves room for the soft break and for one more escape at the start of the line
_SHORT = (LINE_LIMIT - 1) // 3  # bytes that fit on one line with all of them escaped

# A dot or "From " at the start of a line is safe with servers that do their part, and safer escaped.
_PLAIN = re.compile(rf"(?!\.|From )[ -<>-~]{{1,{LINE_LIMIT - 1}}}").fullmatch
_ESCAPED = re.compile(rb"[^\n\t -<>-~]+|[\t ](?=\n)")


def encode(text: str) -> bytes:
    """Encode text of ``\\n`` line breaks as UTF-8 in ASCII lines of at most 76 characters and CRLF.

    Raises UnicodeEncodeError for lone surrogates.
    """
    if not text:
        return b""
    if _PLAIN(text):
        return b"%b=\r\n" % text.encode()
    raw = text.encode()
    if len(raw) <= _SHORT and not text.isascii() and text.isprintable():
        return b"=%b=\r\n" % hexlify(raw, b"=").upper()
    return _encode_lines(raw)


def encode_url(url: str) -> bytes:
    """As ``encode``, many times as fast, for a URL of ours: ASCII, no space or ``=``, no dot first."""
    lines = ""
    while url:
        lines += f"{url[:_CUT]}=\r\n"
        url = url[_CUT:]
    return lines.replace("\r\n.", "\r\n=2E").encode("ascii")


def _encode_lines(raw: bytes) -> bytes:
    *lines, rest = _ESCAPED.sub(_escape, raw).split(b"\n")
    encoded = [b"=\r\n".join(_cut(line)) for line in lines]
    if rest:
        encoded.append(b"=\r\n".join([*_cut(rest), b""]))
        return b"\r\n".join(encoded)
    return b"\r\n".join([*encoded, b""])


def _escape(found: re.Match[bytes]) -> bytes:
    return b"=" + hexlify(found[0], b"=").upper()


def _cut(line: bytes) -> Iterator[bytes]:
    start = 0
    while len(line) - start > _CUT:
        end = start + _CUT
        escape = line.rfind(b"=", end - 2, end)  # one that would be torn apart
        end = escape if escape >= 0 else end
        yield _guard(line[start:end])
        start = end
    yield _guard(line[start:])


def _guard(line: bytes) -> bytes:
    if line.startswith(b"."):
        return b"=2E" + line[1:]
    return b"=46" + line[1:] if line.startswith(b"From ") else line
