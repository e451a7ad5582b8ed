"""Fields of a message's header (RFC 5322), built so that nobody's text is ever syntax.

What is not plain ASCII, or looks like an encoded word, is encoded by us (RFC 2047): a parser down the road
then finds our encoding and not the sender's (Python's own was led to a new header that way, CVE-2024-6923).
"""

import re
from binascii import b2a_base64
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256

import idna

from chalicelib.domain.delivery import Reason, Scope

LINE_LIMIT = 78  # characters without CRLF, where words allow it (RFC 5322, 2.1.1)
HARD_LINE_LIMIT = 998
LOCAL_PART_LIMIT = 64  # bytes (RFC 5321, 4.5.3.1)
ADDRESS_LIMIT = 254

_FOLD = "\r\n "
_PHRASE_LIMIT = 60  # characters of a name in plain ASCII on one line
_WORD_BYTES = 39  # of UTF-8 in one encoded word; 64 characters then, so "Subject: " fits before it
_ATEXT = r"A-Za-z0-9!#$%&'*+/=?^_`{|}~-"
_UTEXT = rf"\u00a0-\U0010ffff{_ATEXT}"  # RFC 6532
_LOCAL_PART = re.compile(rf"[{_UTEXT}]+(?:\.[{_UTEXT}]+)*").fullmatch
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*").fullmatch
_PLAIN_ADDRESS = re.compile(rf"[{_ATEXT}]+(?:\.[{_ATEXT}]+)*@{_LABEL}(?:\.{_LABEL})*").fullmatch
_ATOMS = re.compile(rf"[{_ATEXT}]+(?: [{_ATEXT}]+)*").fullmatch
_MESSAGE_ID = re.compile(rf"<[.{_ATEXT}]+@{_LABEL}(?:\.{_LABEL})*>").fullmatch
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_EXTRA = frozenset(
    {
        *("list-id", "list-help", "list-owner", "list-archive", "list-post", "list-subscribe"),
        *("list-unsubscribe", "list-unsubscribe-post", "feedback-id", "precedence", "auto-submitted"),
    }
)
_OWN_EXTRA = re.compile(r"x-postline-[a-z0-9-]{1,40}").fullmatch

ExtraHeaders = tuple[tuple[str, str], ...]
"""Names and values of further fields, in their order."""


class CannotComposeError(ValueError):
    """No correct message can be made. ``reason`` is for the person who sends, ``scope`` whom it concerns."""

    def __init__(self, code: str, text: str, scope: Scope) -> None:
        super().__init__(f"{code}: {text}")
        self.reason = Reason(code, text)
        self.scope = scope


def subject_field(subject: str) -> str:
    """``Subject: …`` CRLF for one trimmed line of any text."""
    if _is_plain(subject):
        if len(subject) <= LINE_LIMIT - len("Subject: "):
            return f"Subject: {subject}\r\n"
        lines = _folded("Subject", subject)
        if max(map(len, lines)) <= LINE_LIMIT:
            return _FOLD.join(lines) + "\r\n"
    return f"Subject: {_encoded_words(subject)}\r\n"


def mailbox_field(name: str, display_name: str, address: str) -> str:
    """``From: Display Name <address>`` CRLF; the address as ``wire_address`` gives it."""
    if not display_name:
        return f"{name}: {address}\r\n"
    phrase = f"{name}: {_phrase(display_name)}"
    last_line = len(phrase) - phrase.rfind("\n") + len(address) + 2
    return f"{phrase}{' ' if last_line <= LINE_LIMIT else _FOLD}<{address}>\r\n"


def extra_fields(headers: ExtraHeaders) -> str:
    """Fields for lists and tracking, each CRLF-terminated.

    Only names we know of are let through, each once, and values of plain ASCII: they are made by us, so
    anything else is a fault of ours. Raises ValueError.
    """
    names = [name.lower() for name, _ in headers]
    if len(set(names)) != len(names):
        raise ValueError("a header is given twice")
    return "".join(_extra_field(name, value) for name, value in headers)


def _extra_field(name: str, value: str) -> str:
    if not name.isascii() or (name.lower() not in _EXTRA and not _OWN_EXTRA(name.lower())):
        raise ValueError(f"not a header we send: {name[:60]!r}")
    if not value or value != value.strip() or not _is_plain(value):
        raise ValueError(f"{name} must be printable ASCII without encoded words")
    lines = _folded(name, value)
    if max(map(len, lines)) >= HARD_LINE_LIMIT:
        raise ValueError(f"{name} has a line of more than {HARD_LINE_LIMIT} characters")
    return _FOLD.join(lines) + "\r\n"


def date_text(at: datetime) -> str:
    """An instant as RFC 5322 writes it, in UTC. Raises ValueError when ``at`` is not aware."""
    if at.tzinfo is not UTC:
        if at.utcoffset() is None:
            raise ValueError("a message's date must be aware")
        at = at.astimezone(UTC)
    return (
        f"{_DAYS[at.weekday()]}, {at.day:02} {_MONTHS[at.month - 1]} {at.year:04}"
        f" {at.hour:02}:{at.minute:02}:{at.second:02} +0000"
    )


def checked_message_id(message_id: str) -> str:
    """The id itself. Raises ValueError unless it is ``<dot-atom@domain>`` in ASCII, on one line."""
    if not _MESSAGE_ID(message_id) or "=?" in message_id or len(message_id) > ADDRESS_LIMIT:
        raise ValueError("not a Message-ID")
    return message_id


def message_id_for(campaign_id: str, contact_id: str, generation: int, from_domain: str) -> str:
    """The Message-ID of all attempts of one generation, so that a receiver can fold a duplicate.

    It tells nothing of the ids it is made of. ``from_domain`` may be an international one.
    """
    digest = sha256("\0".join((campaign_id, contact_id, str(generation))).encode()).hexdigest()[:32]
    return f"<{wire_address(f'{digest}@{from_domain}', Scope.LINE)}>"


def needs_smtputf8(address: str) -> bool:
    """Whether the local part is not ASCII: only servers with SMTPUTF8 (RFC 6531) take such an address."""
    return not address.rpartition("@")[0].isascii()


def wire_address(address: str, scope: Scope) -> str:
    """``local@domain`` with an international domain as A-labels (IDNA 2008 after UTS 46).

    The local part is taken as it is, and may be any dot-atom of RFC 5322 or RFC 6532. Anything that could be
    two addresses, a comment, a quoted string or an encoded word is refused: CannotComposeError.
    """
    local, _, domain = address.rpartition("@")
    if not _PLAIN_ADDRESS(address):
        if not _LOCAL_PART(local) or not (local.isascii() or local.isprintable()):
            raise _bad_address(scope)
        ascii_domain = _ascii_domain(domain)
        if ascii_domain is None:
            raise _bad_address(scope)
        address = f"{local}@{ascii_domain}"
    if "=?" in local or len(address) > ADDRESS_LIMIT or len(local.encode()) > LOCAL_PART_LIMIT:
        raise _bad_address(scope)
    return address


def _bad_address(scope: Scope) -> CannotComposeError:
    return CannotComposeError("address_invalid", "This is not an address that mail can be sent to.", scope)


@lru_cache(maxsize=1024)
def _ascii_domain(domain: str) -> str | None:
    if len(domain) > ADDRESS_LIMIT:
        return None
    try:
        ascii_domain = idna.encode(domain, uts46=True).decode("ascii")
    except UnicodeError:
        return None
    return ascii_domain if _DOMAIN(ascii_domain) else None


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable() and "=?" not in text


def _folded(name: str, value: str) -> list[str]:
    """The lines of a field, broken at single spaces; a long word stays whole on a long line."""
    if " " not in value:
        return [f"{name}: {value}"]
    first, *words = re.split(r"(?<! ) (?! )", value)
    lines = [f"{name}: {first}"]
    for word in words:
        if len(lines[-1]) + len(word) + 2 <= LINE_LIMIT:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _phrase(text: str) -> str:
    if not _is_plain(text) or len(text) > _PHRASE_LIMIT:
        return _encoded_words(text)
    if _ATOMS(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _encoded_words(text: str) -> str:
    return _FOLD.join(_encoded_word(chunk) for chunk in _chunks(text.encode()))


def _encoded_word(chunk: bytes) -> str:
    return f"=?utf-8?b?{b2a_base64(chunk, newline=False).decode()}?="


def _chunks(raw: bytes) -> Iterator[bytes]:
    """Cut between characters: each encoded word must decode by itself (RFC 2047, 5)."""
    start = 0
    while len(raw) - start > _WORD_BYTES:
        end = start + _WORD_BYTES
        while raw[end] & 0xC0 == 0x80:  # noqa: PLR2004 - a continuation byte is 10xxxxxx
            end -= 1
        yield raw[start:end]
        start = end
    yield raw[start:]
