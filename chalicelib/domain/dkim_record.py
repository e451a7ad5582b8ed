"""The TXT record that holds a DKIM key (RFC 6376, 3.6.1): what to publish, and whether it was."""

import re
from base64 import b64decode
from binascii import Error
from enum import StrEnum

from chalicelib.domain.dns_answers import Answer
from chalicelib.domain.tag_list import read_tags

_BLANK = re.compile(r"\s+")
_INTEGER, _SEQUENCE, _BIT_STRING = 0x02, 0x30, 0x03


class Published(StrEnum):
    """How the record in DNS stands to the key it is for."""

    YES = "yes"
    NO = "no"  # there is certainly none
    DIFFERENT = "different"  # there is one, and no verifier would find our key with it
    UNCHECKED = "unchecked"  # nobody answered


def record_name(selector: str, domain: str) -> str:
    """Where the record stands."""
    return f"{selector}._domainkey.{domain}"


def record_value(public_key: str) -> str:
    """What it says. ``public_key`` is the base64 of a SubjectPublicKeyInfo."""
    return f"v=DKIM1; k=rsa; p={public_key}"


def compare(answer: Answer, public_key: str) -> Published:
    """Whether what DNS answered for the record's name lets a verifier use this key."""
    if answer.failed:
        return Published.UNCHECKED
    if not answer.values:
        return Published.NO
    tags = read_tags(answer.values[0]) if len(answer.values) == 1 else None
    return Published.YES if tags is not None and _serves(tags, public_key) else Published.DIFFERENT


def is_testing(answer: Answer) -> bool:
    """Whether the record asks verifiers to treat the mail as unsigned (``t=y``)."""
    tags = read_tags(answer.values[0]) if len(answer.values) == 1 else None
    return tags is not None and "y" in _flags(tags.get("t", ""))


def key_bits(answer: Answer) -> int | None:
    """Length of the RSA key in the one record there is; None when it holds none that can be read."""
    tags = read_tags(answer.values[0]) if len(answer.values) == 1 else None
    try:
        return _modulus_bits(b64decode(_BLANK.sub("", (tags or {}).get("p", "")), validate=True))
    except (Error, ValueError, IndexError):
        return None


def _serves(tags: dict[str, str], public_key: str) -> bool:
    """RFC 6376, 6.1.2. A verifier folds blanks inside ``p=``; absent tags mean what we use."""
    return (
        ("v" not in tags or next(iter(tags.items())) == ("v", "DKIM1"))
        and tags.get("k", "rsa") == "rsa"
        and "sha256" in _flags(tags.get("h", "sha256"))
        and not _flags(tags.get("s", "*")).isdisjoint({"*", "email"})
        and _BLANK.sub("", tags.get("p", "")) == public_key
    )


def _flags(text: str) -> set[str]:
    return {flag.strip() for flag in text.split(":")}


def _modulus_bits(der: bytes) -> int:
    """SubjectPublicKeyInfo (RFC 5280, 4.1) around RSAPublicKey (RFC 8017, A.1.1), or the latter alone."""
    inside = _content(der, _SEQUENCE)
    if inside[0] == _SEQUENCE:
        algorithm = _content(inside, _SEQUENCE)
        rest = inside[inside.index(algorithm) + len(algorithm) :]
        inside = _content(_content(rest, _BIT_STRING)[1:], _SEQUENCE)
    return int.from_bytes(_content(inside, _INTEGER)).bit_length()


def _content(der: bytes, tag: int) -> bytes:
    """The content of the first element, which must have this tag (X.690, 8.1)."""
    if der[0] != tag:
        raise ValueError("another element was expected")
    length, start = der[1], 2
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(der[2:start])
    if len(der) < start + length:
        raise ValueError("cut short")
    return der[start : start + length]
