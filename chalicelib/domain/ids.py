"""Ids of the things people make: sortable by time, and not guessable."""

import secrets
from datetime import datetime

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no letters that look like digits
_TIME_DIGITS = 9  # milliseconds since 1970, until the year 3084
_RANDOM_DIGITS = 13  # 65 bits
_DIGITS = _TIME_DIGITS + _RANDOM_DIGITS
_VALUES = {digit: value for value, digit in enumerate(_ALPHABET)}


def new_id(now: datetime) -> str:
    """A new id: 9 digits of time in milliseconds, 13 of chance. Ids made later sort later."""
    return _time_digits(now) + "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM_DIGITS))


def first_id(at: datetime) -> str:
    """What no id made at this time or later sorts before, and every earlier one does; to the millisecond."""
    return _time_digits(at)


def _time_digits(at: datetime) -> str:
    milliseconds = min(max(int(at.timestamp() * 1000), 0), (1 << 5 * _TIME_DIGITS) - 1)
    return "".join(_ALPHABET[milliseconds >> shift & 31] for shift in range(5 * (_TIME_DIGITS - 1), -1, -5))


def number_of(text: str) -> int | None:
    """An id as a number of 110 bits, which is shorter; None for a text that ``new_id`` doesn't make."""
    if len(text) != _DIGITS or not _VALUES.keys() >= set(text):
        return None
    number = 0
    for digit in text:
        number = number << 5 | _VALUES[digit]
    return number


def id_from(number: int) -> str:
    """The id that ``number_of`` made this number of."""
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(5 * (_DIGITS - 1), -1, -5))
