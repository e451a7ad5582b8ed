"""A cell with one address or several, as CRMs and people fill it."""

import re

from chalicelib.domain.address import Address, Rejection, parse_address

_MOST = 20  # addresses of one cell that are looked at
_LONGEST = 4_096  # characters of a cell that are looked at: _MOST addresses of the greatest length
# What clings to an address that is pasted: blanks of any kind, and signs of no width that nobody sees.
_CLINGING = " \t\r\n\u00a0\u00ad\u3000\ufeff" + "".join(
    map(chr, (*range(0x2000, 0x2010), *range(0x2028, 0x2030), *range(0x205F, 0x206A)))
)
_BETWEEN = re.compile(r"\s*(?::::|[;,\n])\s*|\s+")  # " ::: " is Google's
_IN_BRACKETS = re.compile(r"<([^<>\s]+)>")


def split_addresses(cell: str) -> list[str]:
    """The parts of a cell that may be addresses, at least one; ``Anna <a@example.com>`` gives the address.

    In angle brackets stands an address as it is; elsewhere an apostrophe before it is a spreadsheet's mark.
    """
    if cell.count("@") < 2 and "<" not in cell:  # noqa: PLR2004  (one address: nothing to split)
        return [_unmarked(_bare(cell))]
    cell = cell[:_LONGEST]
    inside = _IN_BRACKETS.findall(cell)
    if inside:
        return [_bare(part) for part in inside[:_MOST]]
    parts = [part for part in _BETWEEN.split(cell) if "@" in part]
    return [_unmarked(_bare(part)) for part in parts[:_MOST]] or [cell]


def first_valid(cells: list[str]) -> Address | Rejection:
    """The first valid address of the cells, in their order; else why the first filled one has none."""
    every = every_valid(cells)
    if every:
        return every[0]
    filled = next((cell for cell in cells if cell.strip()), "")
    return parse_address(split_addresses(filled)[0])


def every_valid(cells: list[str]) -> list[Address]:
    """All valid addresses of the cells, each mailbox once."""
    found: dict[str, Address] = {}
    for cell in cells:
        for part in split_addresses(cell) if cell.strip() else ():
            address = parse_address(part)
            if isinstance(address, Address):
                found.setdefault(address.key, address)
    return list(found.values())


def _bare(part: str) -> str:
    part = part.strip(_CLINGING)
    return part[len("mailto:") :] if part.lower().startswith("mailto:") else part


def _unmarked(part: str) -> str:
    """The part without the mark by which a spreadsheet keeps text as it is typed.

    An apostrophe may begin a mailbox's name, but hardly any does; one that closes it as well is not a mark.
    """
    if not part.startswith("'") or part.partition("@")[0].endswith("'"):
        return part
    return part[1:] if isinstance(parse_address(part[1:]), Address) else part
