"""Tokens of the links in a message: they say which message it was, to us and to nobody else.

    <key number>.<authentication code>.<account and campaign>.<contact>.<generation>.<attempt>

Whoever has a token can do what its link does, for this one contact, and can make no other. The code is HMAC-
SHA-512 (RFC 2104) over all that follows it: at least 120 bits of it for each kind, which tell nothing of
each other, for the price of one. Account and campaign are sealed by AES-SIV (RFC 5297), which needs no nonce:
sealing them again gives the same, so it is done once for a campaign. The contact's id is a hash already. A
token never expires: the key's number stands in it, and old keys go on reading. All of it may stand in a URL
as it is (RFC 3986, 2.3), and it ends with a digit, so that no mail reader's search for links drops its end.
"""

import hmac
from base64 import urlsafe_b64decode
from binascii import b2a_base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha512
from typing import TYPE_CHECKING, Self

from chalicelib.domain.delivery import MessageTags
from chalicelib.domain.ids import id_from, number_of

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV

SECRET_BYTES = 32
LONGEST = 200  # characters looked at; ours have at most 120

_FOR_URLS = bytes.maketrans(b"+/", b"-_")
_CODE = 22  # characters of six bits; the last kind has the 20 that are left
_BLOCK = 128  # bytes, of SHA-512
_PARTS = 6
_ID_BITS = 110
_PACKED = 2 * _ID_BITS // 8 + 1  # bytes; the first is below 16, which no text begins with
_REMEMBERED = 1000  # campaigns


class TokenKind(StrEnum):
    """What a token is for; one of another kind is none."""

    UNSUBSCRIBE = "unsubscribe", 0
    OPEN = "open", 1
    RETURN = "return", 2
    DOWNLOAD = "download", 3

    part: slice
    """Where in a message's codes this kind's is."""

    def __new__(cls, value: str, place: int) -> Self:
        """Each has its place, and keeps it for as long as there are tokens."""
        kind = str.__new__(cls, value)
        kind._value_ = value
        kind.part = slice(place * _CODE, (place + 1) * _CODE)
        return kind


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key that seals tokens; its number, from 1 on, stands in them. ``secret`` is 32 random bytes."""

    number: int
    secret: bytes = field(repr=False)


class _Sealer:
    """What is worked out of one key, once."""

    def __init__(self, key: SigningKey) -> None:
        self.number = str(key.number)
        self._secret = key.secret
        block = self._derived("codes").ljust(_BLOCK, b"\0")
        self._inner = sha512(bytes(byte ^ 0x36 for byte in block))
        self._outer = sha512(bytes(byte ^ 0x5C for byte in block))
        self._cipher: AESSIV | None = None
        self._campaigns: dict[tuple[str, str], str] = {}

    def codes(self, message: str) -> str:
        """HMAC, half as long as hmac takes: both of its keys are hashed already (RFC 2104, 4)."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(message.encode())
        outer.update(inner.digest())
        return _text(outer.digest())

    def campaign(self, account_id: str, campaign_id: str) -> str:
        key = (account_id, campaign_id)
        sealed = self._campaigns.get(key)
        if sealed is None:
            if len(self._campaigns) >= _REMEMBERED:
                self._campaigns.clear()
            sealed = _text(self._siv().encrypt(_packed(account_id, campaign_id), None))
            self._campaigns[key] = sealed
        return sealed

    def open_campaign(self, sealed: str) -> tuple[str, str]:
        raw = urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))
        return _unpacked(self._siv().decrypt(raw, None))

    def _siv(self) -> "AESSIV":
        if self._cipher is None:
            from cryptography.hazmat.primitives.ciphers.aead import AESSIV  # noqa: PLC0415

            self._cipher = AESSIV(self._derived("campaign"))
        return self._cipher

    def _derived(self, purpose: str) -> bytes:
        """One key for each purpose (RFC 5869, the first step of expanding)."""
        return hmac.digest(self._secret, f"postline link {purpose}\x01".encode(), "sha256")


class TokenRing:
    """The keys of a deployment: the first one seals, all of them read."""

    def __init__(self, keys: Sequence[SigningKey]) -> None:
        self._sealers: dict[str, _Sealer] = {}
        self.replace(keys)

    def replace(self, keys: Sequence[SigningKey]) -> None:
        """Take these keys from now on; what was worked out of one that stays is kept."""
        known = self._sealers
        self._sealers = {str(key.number): known.get(str(key.number)) or _Sealer(key) for key in keys}
        self._first = next(iter(self._sealers.values()), None)

    def seal(self, kind: TokenKind, tags: MessageTags) -> str:
        """The token of this message: at most 120 characters of letters, digits, ``-``, ``_`` and ``.``.

        The contact's id must have no character but letters and digits, as ours are, ``-`` and ``_``.
        Raises ValueError when there is no key.
        """
        return self.seal_all((kind,), tags)[0]

    def seal_all(self, kinds: Sequence[TokenKind], tags: MessageTags) -> list[str]:
        """A token of each kind, as ``seal`` makes it."""
        sealer = self._first
        if sealer is None:
            raise ValueError("a ring without keys seals nothing")
        message = _message(sealer, tags)
        codes = sealer.codes(message)
        return [f"{sealer.number}.{codes[kind.part]}.{message}" for kind in kinds]

    def seals(self, kind: TokenKind, tags: MessageTags) -> Iterator[str]:
        """The token of this message as each of the keys would seal it."""
        for sealer in self._sealers.values():
            message = _message(sealer, tags)
            yield f"{sealer.number}.{sealer.codes(message)[kind.part]}.{message}"

    def read(self, kind: TokenKind, token: str) -> MessageTags | None:
        """What a token says; None for anything that wasn't sealed by one of the keys for this kind."""
        if len(token) > LONGEST or not token.isascii():
            return None
        number, _, rest = token.partition(".")
        code, _, message = rest.partition(".")
        sealer = self._sealers.get(number)
        if sealer is None or not hmac.compare_digest(sealer.codes(message)[kind.part], code):
            return None
        sealed, contact_id, generation, attempt = message.split(".")
        return MessageTags(*sealer.open_campaign(sealed), contact_id, int(generation), int(attempt))


def _message(sealer: _Sealer, tags: MessageTags) -> str:
    campaign = sealer.campaign(tags.account_id, tags.campaign_id)
    return f"{campaign}.{tags.contact_id}.{tags.generation}.{tags.attempt}"


def key_number(token: str) -> int:
    """The number of the key that a token says it was sealed by; 0 when it says none."""
    number = token.partition(".")[0]
    return int(number) if number.isascii() and number.isdecimal() and len(number) < _PARTS else 0


def _text(raw: bytes) -> str:
    """Base64 for URLs without padding (RFC 4648, 5), faster than base64 does it."""
    return b2a_base64(raw, newline=False).translate(_FOR_URLS, b"=").decode("ascii")


def _packed(account_id: str, campaign_id: str) -> bytes:
    """Both ids in 28 bytes where they have the form of ``ids.new_id``, else as text."""
    account, campaign = number_of(account_id), number_of(campaign_id)
    if account is None or campaign is None:
        return f"{account_id}\0{campaign_id}".encode()
    return (account << _ID_BITS | campaign).to_bytes(_PACKED, "big")


def _unpacked(raw: bytes) -> tuple[str, str]:
    if len(raw) == _PACKED and raw[0] < 16:  # noqa: PLR2004 - the four bits above both ids
        account, campaign = divmod(int.from_bytes(raw, "big"), 1 << _ID_BITS)
        return id_from(account), id_from(campaign)
    account_id, _, campaign_id = raw.decode().partition("\0")
    return account_id, campaign_id
