"""Seals on cursors: a place in one list of one account, which nobody but us can have named.

    <key number>.<authentication code>.<place>

The code is HMAC-SHA-256 (RFC 2104) over the key's number, the list and the place, cut to 132 bits. What a
list is, the caller says: account, route and what selects its items. The place is the caller's own, so it is
sealed and not hidden. Keys are numbered by calendar months (UTC), and a cursor is good until the end of the
month after its own: a key wears out by itself, and no page that is being walked is lost by it.
"""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import datetime

LONGEST = 8_192  # characters looked at: an address's key of 1,024 bytes takes half of that
_CODE = 22  # characters of six bits

KeyOf = Callable[[int], bytes]
"""The secret of the key with this number, the same each time."""


def seal(list_name: str, place: str, now: datetime, key_of: KeyOf) -> str:
    """The cursor of this place: letters, digits, ``-``, ``_`` and ``.``, where the place has no others."""
    number = _month(now)
    return f"{number}.{_code(number, list_name, place, key_of)}.{place}"


def open_seal(list_name: str, cursor: str, now: datetime, key_of: KeyOf) -> str | None:
    """The place that a cursor of this list names; None for any other text."""
    number, _, rest = cursor.partition(".")
    code, _, place = rest.partition(".")
    month = _month(now)
    known = {str(one): one for one in (month - 1, month, month + 1)}  # clocks differ at the turn of a month
    if len(cursor) > LONGEST or not cursor.isascii() or number not in known:
        return None
    expected = _code(known[number], list_name, place, key_of)
    return place if hmac.compare_digest(expected, code) else None


def _code(number: int, list_name: str, place: str, key_of: KeyOf) -> str:
    digest = hmac.digest(key_of(number), f"{number}\0{place}\0{list_name}".encode(), "sha256")
    return urlsafe_b64encode(digest).decode("ascii")[:_CODE]


def _month(now: datetime) -> int:
    return now.year * 12 + now.month
