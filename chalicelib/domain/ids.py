"""Ids of the things people make: sortable by time, and not guessable."""

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from itertools import count

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no letters that look like digits
_TIME_DIGITS = 9  # milliseconds since 1970, until the year 3084
_RANDOM_DIGITS = 13  # 65 bits
_DIGITS = _TIME_DIGITS + _RANDOM_DIGITS
_VALUES = {digit: value for value, digit in enumerate(_ALPHABET)}
_repeated: ContextVar[Iterator[str] | None] = ContextVar("_repeated", default=None)


def new_id(now: datetime) -> str:
    """A new id: 9 digits of time in milliseconds, 13 of chance. Ids made later sort later."""
    repeated = _repeated.get()
    return fresh_id(now) if repeated is None else next(repeated)


def fresh_id(now: datetime) -> str:
    """As ``new_id``, and another one each time also where ids are repeated."""
    return _time_digits(now) + "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM_DIGITS))


@contextmanager
def the_same_ids(seed: bytes, at: datetime) -> Iterator[None]:
    """Within it, ids are as if made at that time, and the n-th one is the same for the same secret seed.

    For work that may have to be done again after it broke off: it then finds what it stored already.
    """
    token = _repeated.set(_following(seed, at))
    try:
        yield
    finally:
        _repeated.reset(token)


def _following(seed: bytes, at: datetime) -> Iterator[str]:
    for number in count():
        digest = hashlib.sha256(b"%d:" % number + seed).digest()
        yield _time_digits(at) + "".join(_ALPHABET[byte & 31] for byte in digest[:_RANDOM_DIGITS])


def first_id(at: datetime) -> str:
    """What no id made at this time or later sorts before, and every earlier one does; to the millisecond."""
    return _time_digits(at)


def end_of_its_moment(text: str) -> str:
    """What sorts after every id that was made in the same millisecond, and before all later ones."""
    return text[:_TIME_DIGITS] + "~"


def _time_digits(at: datetime) -> str:
    milliseconds = min(max(int(at.timestamp() * 1000), 0), (1 << 5 * _TIME_DIGITS) - 1)
    return "".join(_ALPHABET[milliseconds >> shift & 31] for shift in range(5 * (_TIME_DIGITS - 1), -1, -5))


def time_of(text: str) -> datetime | None:
    """When an id was made (UTC); None for a text that ``new_id`` doesn't make."""
    number = number_of(text)
    milliseconds = None if number is None else number >> 5 * _RANDOM_DIGITS
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)


def is_id(text: str) -> bool:
    """Whether ``new_id`` could have made it."""
    return len(text) == _DIGITS and _VALUES.keys() >= set(text)


def number_of(text: str) -> int | None:
    """An id as a number of 110 bits, which is shorter; None for a text that ``new_id`` doesn't make."""
    if not is_id(text):
        return None
    number = 0
    for digit in text:
        number = number << 5 | _VALUES[digit]
    return number


def id_from(number: int) -> str:
    """The id that ``number_of`` made this number of."""
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(5 * (_DIGITS - 1), -1, -5))
