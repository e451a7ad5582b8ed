"""A domain that an account signs for, and its DKIM keys.

The newest key whose record was seen in DNS signs. That makes a rotation of two steps nobody can get wrong:
add a key, publish its record. The old key signs until then, and stays until it is removed, because mail in
transit is still verified with it.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from chalicelib.domain.delivery import Reason, Scope
from chalicelib.domain.dkim_record import Published, record_name, record_value
from chalicelib.domain.header import wire_address
from chalicelib.errors import Conflict, NotFound

MOST_KEYS = 2  # the one that signs, and the one that will


class KeyState(StrEnum):
    """Whether verifiers can find the key."""

    WAITING = "waiting"  # its record has not been seen yet
    PUBLISHED = "published"
    MISSING = "missing"  # it was seen, and is gone or another one now


RECORD_MISSING = Reason("dkim_record_missing", "There is no such TXT record in DNS. Add it as it is shown.")
RECORD_DIFFERENT = Reason(
    "dkim_record_different",
    "The TXT record of this name isn't the one that is shown. Replace it; there must be one only.",
)
RECORD_UNCHECKED = Reason(
    "dkim_record_unchecked", "DNS gave no usable answer, so the record couldn't be checked. Try again later."
)
_REASONS = {Published.NO: RECORD_MISSING, Published.DIFFERENT: RECORD_DIFFERENT}


@dataclass(frozen=True, slots=True)
class DomainKey:
    """``public_key`` is base64 of a SubjectPublicKeyInfo, ``private_key`` KMS ciphertext.

    ``checked_at`` is when DNS last gave an answer (aware UTC); ``reason`` says what is wrong with it, or why
    there was none after that.
    """

    selector: str
    public_key: str
    private_key: bytes
    created_at: datetime
    state: KeyState = KeyState.WAITING
    checked_at: datetime | None = None
    reason: Reason | None = None

    def seen(self, published: Published, at: datetime) -> "DomainKey":
        """The key after a look at DNS. No answer changes nothing: it is told, and not taken for a no."""
        if published is Published.UNCHECKED:
            return replace(self, reason=RECORD_UNCHECKED)
        if published is Published.YES:
            return replace(self, state=KeyState.PUBLISHED, checked_at=at, reason=None)
        state = KeyState.WAITING if self.state is KeyState.WAITING else KeyState.MISSING
        return replace(self, state=state, checked_at=at, reason=_REASONS[published])


@dataclass(frozen=True, slots=True)
class SendingDomain:
    """One row of the account's domains. ``domain`` is lower-case A-labels, ``keys`` are oldest first.

    ``revision`` counts changes: who writes must have seen the last one.
    """

    domain: str
    keys: tuple[DomainKey, ...]
    created_at: datetime
    revision: int = 1

    @property
    def signing_key(self) -> DomainKey | None:
        """The key that signs; None while no record is published."""
        return next((key for key in reversed(self.keys) if key.state is KeyState.PUBLISHED), None)

    def record(self, key: DomainKey) -> tuple[str, str]:
        """Name and value of the TXT record of one of its keys."""
        return record_name(key.selector, self.domain), record_value(key.public_key)

    def with_key(self, key: DomainKey) -> "SendingDomain":
        """With this key too, once; raises Conflict when there are as many as there may be."""
        if key in self.keys:
            return self
        if len(self.keys) >= MOST_KEYS:
            raise Conflict(
                "too_many_keys",
                f"A domain has at most {MOST_KEYS} keys. Remove the one that no longer signs.",
            )
        return replace(self, keys=(*self.keys, key))

    def without_key(self, selector: str) -> "SendingDomain":
        """Without this key; raises NotFound, and Conflict for the only one."""
        left = tuple(key for key in self.keys if key.selector != selector)
        if len(left) == len(self.keys):
            raise NotFound("key")
        if not left:
            raise Conflict(
                "last_key", "This is the domain's only key. Add another one first, or delete the domain."
            )
        return replace(self, keys=left)


def domain_of(address: str) -> str:
    """The domain of a sender's address as lower-case A-labels."""
    return wire_address(address, Scope.LINE).rpartition("@")[2].lower()
