"""What the row of a request under an Idempotency-Key tells without a key of ours: nothing.

A request may hold a password, and its answer addresses. So the request is recognised by an HMAC (RFC 2104),
not by a bare hash, on which whoever has the row could try words. The answer is sealed by AES-SIV (RFC 5297)
for its account and Idempotency-Key, by a key which the row's own seed makes: in another row it does not open.
Keys are numbered by calendar months (UTC); a row's is that of the month when it was begun.
"""

import hmac
import json
import zlib
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from chalicelib.domain.repeat import LARGEST, KeptAnswer, Repeat

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV

KeyOf = Callable[[int], bytes]
"""The secret of the key with this number, the same each time."""


def fingerprint(said: bytes, begun_at: datetime, key_of: KeyOf) -> str:
    """What a request that was begun then is recognised by; ``said`` is all that makes it the same one."""
    return hmac.digest(_secret(begun_at, key_of), b"request\0" + said, "sha256").hex()


def seal_answer(answer: KeptAnswer, account_id: str, key: str, repeat: Repeat, key_of: KeyOf) -> bytes | None:
    """The answer as it is kept; None for one that is too large."""
    packed = zlib.compress(json.dumps([answer.status, dict(answer.headers), answer.body]).encode())
    if len(packed) > LARGEST:
        return None
    return _cipher(repeat, key_of).encrypt(packed, [account_id.encode(), key.encode()])


def open_answer(sealed: bytes, account_id: str, key: str, repeat: Repeat, key_of: KeyOf) -> KeptAnswer:
    """The answer; raises cryptography's InvalidTag for anything that was not sealed for this row."""
    packed = _cipher(repeat, key_of).decrypt(sealed, [account_id.encode(), key.encode()])
    return KeptAnswer(*json.loads(zlib.decompress(packed)))


def _cipher(repeat: Repeat, key_of: KeyOf) -> "AESSIV":
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV  # noqa: PLC0415  (few requests need it)

    return AESSIV(hmac.digest(_secret(repeat.begun_at, key_of), b"answer\0" + repeat.seed, "sha512"))


def _secret(begun_at: datetime, key_of: KeyOf) -> bytes:
    return key_of(begun_at.year * 12 + begun_at.month)
