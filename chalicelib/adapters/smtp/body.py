"""A message as DATA carries it: lines ended by CRLF, leading dots doubled (RFC 5321, 2.3.8 and 4.5.2)."""

import re
from collections.abc import Iterable, Iterator

from chalicelib.domain.delivery import Message

PIECE = 64 * 1024

_BARE = re.compile(rb"\r(?!\n)|(?<!\r)\n")


def on_the_wire(message: Message) -> Iterator[bytes]:
    """What DATA carries of a message, without the ``.CRLF`` that ends it, in pieces."""
    if isinstance(message, bytes):
        yield from stuffed(pieces(message))
    else:
        yield from stuffed(pieces(message.own))
        yield from message.shared  # made for the wire: looking at every byte again costs more than sending it


def pieces(message: bytes) -> Iterator[bytes]:
    """The message in slices, so that no second copy of it is held."""
    return (message[start : start + PIECE] for start in range(0, len(message), PIECE))


def canonical(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same lines, each ended by CRLF, the last one too. No chunk ends between CR and LF.

    A bare CR or LF counts as a line end: passed on, the next server might see the end of the message
    where this one doesn't (SMTP smuggling, CVE-2023-51764).
    """
    held, end = b"", b"\r\n"
    for chunk in chunks:
        text = held + chunk
        held = text[-1:] if text.endswith(b"\r") else b""  # its LF may open the next chunk
        text = _crlf(text[: len(text) - len(held)])
        if text:
            end = text[-2:]
            yield text
    if held or end != b"\r\n":
        yield b"\r\n"


def stuffed(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The canonical message with dots at the start of lines doubled, without the ``.CRLF`` that ends it."""
    starts_line = True
    for chunk in canonical(chunks):
        doubled = chunk.replace(b"\r\n.", b"\r\n..")
        yield b"." + doubled if starts_line and chunk.startswith(b".") else doubled
        starts_line = chunk.endswith(b"\r\n")


def size(message: bytes) -> int:
    """Octets of the message as RFC 1870 counts them: with CRLF line ends, without doubled dots."""
    return sum(map(len, canonical(pieces(message))))


def _crlf(text: bytes) -> bytes:
    if text.count(b"\r") == text.count(b"\n") == text.count(b"\r\n"):
        return text
    return _BARE.sub(b"\r\n", text)
