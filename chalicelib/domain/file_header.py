"""Where the header of a file is: people and programs write a title, a date or a filter above it."""

from collections.abc import Sequence

from chalicelib.domain.email_columns import holds_address, promises_addresses
from chalicelib.domain.file_columns import bare

LOOKED_AT = 10  # rows with something in them


def header_place(rows: Sequence[Sequence[str]]) -> int:
    """The place of the header among a file's first rows that have content, from 0.

    It is the first row, unless a later one promises addresses and all above it have fewer cells filled, no
    address and no such promise: then those are no contacts, whatever they are.
    """
    for at, row in enumerate(rows[:LOOKED_AT]):
        if any(map(holds_address, row)):
            return 0
        if any(promises_addresses(bare(cell)) for cell in row):
            return at if all(_filled(above) < _filled(row) for above in rows[:at]) else 0
    return 0


def _filled(row: Sequence[str]) -> int:
    return sum(bool(cell.strip()) for cell in row)
