"""Pages of a list in memory. A cursor names the place of the last item, within the caller's own list."""

from collections.abc import Sequence
from typing import TypeVar

from chalicelib.errors import FieldError, Invalid
from chalicelib.ports import Page

T = TypeVar("T")
_MARK = "after:"


def page_of(items: Sequence[T], cursor: str | None, limit: int) -> Page[T]:
    """``limit`` items from the cursor on; raises Invalid for a cursor that no page returned."""
    start = 0 if cursor is None else _place(cursor)
    end = start + limit
    return Page(items[start:end], f"{_MARK}{end}" if end < len(items) else None)


def _place(cursor: str) -> int:
    mark, _, place = cursor.partition(":")
    if mark != _MARK[:-1] or not place.isdecimal():
        raise Invalid(FieldError("cursor", "cursor", "Use a cursor as a page of this list returned it."))
    return int(place)
