"""Rows with bytes in them that are no text. Each is told by itself and spoils no other.

Files are opened with ``TELLING``, which makes a lone surrogate of each byte that can't be decoded: nothing
that can be decoded gives one.
"""

import re
from collections.abc import Sequence

from chalicelib.domain.contact_file import RejectedRow, rejected

TELLING = "surrogateescape"  # PEP 383
UNDECODED = re.compile("[\udc80-\udcff]")


def damaged(number: int, cells: Sequence[str]) -> RejectedRow | None:
    """The row as rejected, with the value at fault, if there is such a byte or a NUL in it."""
    whole = "".join(cells)
    if "\0" in whole:
        value = next(cell for cell in cells if "\0" in cell)
        return rejected(number, value, "nul_bytes", "The row has NUL bytes in it, which are in no text.")
    if whole.isascii() or not UNDECODED.search(whole):
        return None
    value = next(cell for cell in cells if UNDECODED.search(cell))
    text = "The row has bytes in it that are no text; was a value cut off in the middle of a character?"
    return rejected(number, value, "undecodable", text)
