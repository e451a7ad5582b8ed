"""Cursors of lists, as the stores know them.

A cursor names a position inside the partition that the caller's own request leads to; it never names the
partition. So even one that got past the API's seal could at most skip rows of the caller's own list.
"""

import base64
import binascii
import json
import re
from typing import Any

from chalicelib.errors import FieldError, Invalid

_ID = re.compile(
    r"[\w.-]{0,253}", re.ASCII
)  # an id or a domain; DynamoDB answers others with a fault of ours
_KEY = re.compile(r"[^\s\ud800-\udfff]+")  # an address's key
_MAX_KEY = 1_024  # bytes of UTF-8 that a range key may have


def encode_cursor(*position: str | int) -> str:
    """Pack a position into URL-safe text."""
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, *types: type) -> list[str | int]:
    """Unpack a position of the expected types; raises Invalid for anything else."""
    position = _position(cursor, *types)
    if not all(_ID.fullmatch(part) for part in position if isinstance(part, str)):
        raise _invalid()
    return position


def _position(cursor: str, *types: type) -> list[str | int]:
    try:
        position = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError, RecursionError) as error:
        raise _invalid() from error
    if not isinstance(position, list) or [type(part) for part in position] != list(types):
        raise _invalid()
    return position


def page_start(account_id: str, range_key: str, cursor: str | None) -> dict[str, dict[str, Any]] | None:
    """The item after which a page of one account's list goes on; None for its beginning."""
    if cursor is None:
        return None
    (after,) = decode_cursor(cursor, str)
    if not after:
        raise _invalid()
    return {"account_id": {"S": account_id}, range_key: {"S": after}}


def decode_key_cursor(cursor: str, prefix: str) -> str:
    """The address key after which a page of the keys with this prefix goes on; raises Invalid.

    Outside of the prefix there is nothing to go on after, and DynamoDB answers that with a fault of ours.
    """
    (after,) = _position(cursor, str)
    if not isinstance(after, str) or not after.startswith(prefix) or not _KEY.fullmatch(after):
        raise _invalid()
    if len(after.encode()) > _MAX_KEY:
        raise _invalid()
    return after


def _invalid() -> Invalid:
    return Invalid(FieldError("cursor", "cursor", "Use a cursor as a page of this list returned it."))
