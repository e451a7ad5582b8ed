"""Ids of the things people make: sortable by time, and not guessable."""

import secrets
from datetime import datetime

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no letters that look like digits
_TIME_DIGITS = 9  # milliseconds since 1970, until the year 3084
_RANDOM_DIGITS = 13  # 65 bits


def new_id(now: datetime) -> str:
    """A new id: 9 digits of time in milliseconds, 13 of chance. Ids made later sort later."""
    milliseconds = int(now.timestamp() * 1000)
    digits = [_ALPHABET[milliseconds >> shift & 31] for shift in range(5 * (_TIME_DIGITS - 1), -1, -5)]
    return "".join(digits) + "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM_DIGITS))
