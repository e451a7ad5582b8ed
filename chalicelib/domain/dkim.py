"""DKIM signatures (RFC 6376) by rsa-sha256 (RFC 8301), relaxed/relaxed: what is hashed, and the field.

Relaxed, because relays fold fields and trim blanks on the way. No ``l=``: what follows the signed part
could be anybody's. From, To, Subject and Date stand in ``h=`` once more than they stand in the message, so
that a second one added on the way, which readers may show instead, breaks the signature (RFC 6376, 8.15).
"""

import re
from base64 import b64encode
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from itertools import chain

from chalicelib.domain.delivery import Message

_SIGNED = (
    *("from", "to", "subject", "date", "message-id", "mime-version", "content-type", "reply-to"),
    *("list-unsubscribe", "list-unsubscribe-post", "list-id", "feedback-id"),
)
_NO_MORE_OF = ("from", "to", "subject", "date")
_FOLD = "\r\n "
_LINE_LIMIT = 72
_BLANKS = b" \t\r\n"
_RUN = re.compile(rb"\t[ \t]*| [ \t]+")  # a single space is as it should be
_FIELD_END = re.compile(rb"\r\n(?![ \t])")


@dataclass(frozen=True, slots=True)
class DkimKey:
    """A key that may sign for a domain. ``sign`` is RSASSA-PKCS1-v1_5 with SHA-256."""

    domain: str
    selector: str
    sign: Callable[[bytes], bytes] = field(repr=False)


def signed(message: Message, key: DkimKey, at: datetime, unsigned: Collection[str] = ()) -> Message:
    """The message with its signature's field before it. ``at`` is aware; CRLF lines, and nothing changes.

    ``unsigned`` names fields, in lower case, that the line's server is known to replace.
    """
    if isinstance(message, bytes):
        head, body = _split(message)
        return signature_field(head, (body,), key, at, unsigned) + message
    head, body = _split(message.own)
    field = signature_field(head, chain((body,), message.shared), key, at, unsigned)
    return replace(message, own=field + message.own)


def signature_field(
    head: bytes, body: Iterable[bytes], key: DkimKey, at: datetime, unsigned: Collection[str] = ()
) -> bytes:
    """``DKIM-Signature: …`` CRLF for a header (without the empty line) and a body that comes in pieces."""
    names, fields = _chosen(head, unsigned)
    start = (
        f"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d={key.domain};{_FOLD}"
        f"s={key.selector}; t={int(at.timestamp())};{_FOLD}"
        f"h={_wrapped(names)};{_FOLD}bh={b64encode(body_hash(body)).decode()};{_FOLD}b="
    )
    hashed = b"\r\n".join([*fields, _relaxed_field(start.encode())])
    signature = b64encode(key.sign(hashed)).decode()
    starts = range(0, len(signature), _LINE_LIMIT)
    lines = [signature[first : first + _LINE_LIMIT] for first in starts]
    return f"{start}{_FOLD.join(lines)}\r\n".encode()


def body_hash(body: Iterable[bytes]) -> bytes:
    """SHA-256 of the body in relaxed form (RFC 6376, 3.4.4), however it is cut into pieces.

    Blanks and line ends at the end of what has come are held back: what they become depends on what follows.
    """
    digest, held, empty = sha256(), b"", True
    for piece in body:
        text = held + piece
        kept = text.rstrip(_BLANKS)
        held = text[len(kept) :]
        if kept:
            digest.update(_relaxed_body(kept))
            empty = False
    if not empty:
        digest.update(b"\r\n")
    return digest.digest()


def _split(message: bytes) -> tuple[bytes, bytes]:
    head, _, body = message.partition(b"\r\n\r\n")
    return head + b"\r\n", body


def _relaxed_body(text: bytes) -> bytes:
    if b"\t" in text or b"  " in text:
        text = _RUN.sub(b" ", text)
    return text.replace(b" \r\n", b"\r\n")


def _relaxed_field(text: bytes) -> bytes:
    name, _, value = text.partition(b":")
    unfolded = value.replace(b"\r\n", b"")
    return name.strip().lower() + b":" + _RUN.sub(b" ", unfolded).strip(b" \t")


def _chosen(head: bytes, unsigned: Collection[str]) -> tuple[list[str], list[bytes]]:
    """The names for ``h=``, and the fields they stand for: of several of one name the last comes first."""
    by_name: dict[str, list[bytes]] = {}
    for text in _FIELD_END.split(head):
        relaxed = _relaxed_field(text)
        by_name.setdefault(relaxed.partition(b":")[0].decode("latin-1"), []).append(relaxed)
    names, fields = [], []
    for name in _SIGNED:
        if name not in unsigned:
            for relaxed in reversed(by_name.get(name, [])):
                names.append(name)
                fields.append(relaxed)
    return [*names, *(name for name in _NO_MORE_OF if name not in unsigned)], fields


def _wrapped(names: list[str]) -> str:
    lines = [""]
    for name in names:
        if len(lines[-1]) + len(name) > _LINE_LIMIT:
            lines.append("")
        lines[-1] += f"{name}:"
    return _FOLD.join(lines).removesuffix(":")
