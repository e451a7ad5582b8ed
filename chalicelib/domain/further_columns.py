"""The columns of a contact file beside its seven fields, and how much of them a contact keeps.

A note that no mail uses is no reason to leave somebody out: a value that can't be kept is left out, and
told. It goes as a whole, because a part of it could end up in a mail.
"""

import unicodedata
from collections.abc import Iterable, Sequence

from chalicelib.domain.address import Rejection
from chalicelib.domain.file_columns import PARAMETERS, Column, Use, bare

MAX_CELL = 1_024  # characters
MAX_EXTRA = 8_192  # bytes of UTF-8 of all further columns of one contact, names and values
_OWN_NAMES = frozenset({"p1", "p2", "p3", "param1", "param2", "param3", "п1", "п2", "п3"})
_UNSEEN = frozenset({"Cc", "Cs", "Zl", "Zp"})  # controls, lone surrogates, line separators
LINES = "\n\t"  # control characters that text may have

Pairs = tuple[tuple[str, str], ...]


def is_further(column: Column) -> bool:
    """Whether it was made P1, P2 or P3 and is called something else: that name is how a person knows it."""
    return column.use in PARAMETERS and bare(column.header) not in _OWN_NAMES


def variable_places(columns: Sequence[Column]) -> dict[str, list[int]]:
    """Where each variable stands, from 0; of columns with one name the first that is filled counts."""
    found: dict[str, list[int]] = {}
    names: dict[str, str] = {}
    for column in columns:
        if column.variable and (is_further(column) or column.use in (Use.VARIABLE, Use.FULL_NAME)):
            name = names.setdefault(column.variable.casefold(), column.variable)
            found.setdefault(name, []).append(column.number - 1)
    return found


def what_fits(pairs: Iterable[tuple[str, str]]) -> tuple[Pairs, tuple[str, ...]]:
    """The pairs of name and value that a contact keeps, and the names of those left out.

    Of values that are too much together, the longest go first.
    """
    kept, left_out = [], []
    size = 0
    for name, value in pairs:
        if text_fault(value) is None:
            kept.append((name, value))
            size += _size(name, value)
        else:
            left_out.append(name)
    while size > MAX_EXTRA:
        longest = max(kept, key=lambda pair: _size(*pair))
        kept.remove(longest)
        left_out.append(longest[0])
        size -= _size(*longest)
    return tuple(kept), tuple(left_out)


def text_fault(value: str, allowed: str = LINES) -> Rejection | None:
    """Why a contact can't have this text, as said of its column; ``allowed`` are signs like line breaks."""
    if len(value) > MAX_CELL:
        return Rejection("cell_too_long", f"has {len(value):,} characters; {MAX_CELL:,} is the most.")
    if value.isprintable():
        return None
    if any(unicodedata.category(sign) in _UNSEEN and sign not in allowed for sign in value):
        return Rejection("control_character", "has a line break or control character in it.")
    return None


def _size(name: str, value: str) -> int:
    return len(f"{name}{value}".encode("utf-8", "replace"))
