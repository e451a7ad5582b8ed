"""What the demo's campaign says, and what must therefore arrive: worked out anew, without the app's code.

The list is read with Python's csv module and a few rules of its own. If the app and this module agree about
every address and every word, it is not because they share a mistake.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from itertools import zip_longest
from pathlib import Path

SUBJECT = "[firstName|Dear friend], your [param1|Basic] ticket for [param2|any day]"
HTML = (
    "<html><body><p>Hello [firstName|friend],</p>"
    "<p>your <b>[param1|Basic]</b> ticket is valid on [param2|any day].<br>"
    "We meet here: [param3|ask us]</p></body></html>"
)
TEXT = (
    "Hello [firstName|friend],\n\n"
    "your [param1|Basic] ticket is valid on [param2|any day].\n"
    "We meet here: [param3|ask us]\n"
)

_LABEL = r"[^\W_](?:[\w-]*[^\W_])?"
_ADDRESS = re.compile(rf"[^\s@.,;<>]+(?:\.[^\s@.,;<>]+)*@{_LABEL}(?:\.{_LABEL})+")


@dataclass(frozen=True, slots=True)
class ExpectedMail:
    """The words one recipient must read. ``html_parts`` all stand in the HTML part."""

    subject: str
    text: str
    html_parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ExpectedList:
    """What a contact file should become. ``mails`` is by mailbox key, ``rejected`` are line numbers."""

    rows: int
    duplicates: int
    rejected: tuple[int, ...]
    mails: Mapping[str, ExpectedMail]


def expected_list(file: Path) -> ExpectedList:
    """Read the contact file: the first row of each mailbox counts, a row without an address is rejected."""
    mails: dict[str, ExpectedMail] = {}
    rejected: list[int] = []
    seen: Counter[str] = Counter()
    for number, row in _numbered_rows(file):
        address = _address_in(row["email"])
        if address is None:
            rejected.append(number)
            continue
        seen[mailbox_key(address)] += 1
        mails.setdefault(mailbox_key(address), _mail(row))
    return ExpectedList(seen.total() + len(rejected), seen.total() - len(seen), tuple(rejected), mails)


def _address_in(cell: str) -> str | None:
    """The address of a cell; of several, or of one with a name, the first that is one."""
    several = cell.count("@") > 1 or "<" in cell
    parts = re.split(r"[\s,;<>]+", cell) if several else [cell.strip()]
    return next(filter(_ADDRESS.fullmatch, parts), None)


def _numbered_rows(file: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row by its column names, with the line it begins on; blank lines are passed over."""
    with file.open(encoding="utf-8", newline="") as lines:
        reader = csv.reader(lines)
        header = next(reader)
        number = reader.line_num + 1
        for cells in reader:
            if any(cells):
                yield number, dict(zip_longest(header, cells, fillvalue=""))
            number = reader.line_num + 1


def mailbox_key(address: str) -> str:
    """One text for all ways to write a mailbox: lower case, the domain as it is in the DNS."""
    local, _, domain = address.rpartition("@")
    return f"{local.casefold()}@{domain.lower().encode('idna').decode()}"


def _mail(row: Mapping[str, str]) -> ExpectedMail:
    first, p1, p2, p3 = (row[column].strip() for column in ("First Name", "P1", "P2", "P3"))
    plan, day, place = p1 or "Basic", p2 or "any day", p3 or "ask us"
    return ExpectedMail(
        subject=f"{first or 'Dear friend'}, your {plan} ticket for {' '.join(day.split())}",
        text=f"Hello {first or 'friend'},\n\nyour {plan} ticket is valid on {day}.\nWe meet here: {place}\n",
        html_parts=(
            f"<p>Hello {escape(first or 'friend')},</p>",
            f"<b>{escape(plan)}</b> ticket is valid on {escape(day)}.",
            *(escape(line) for line in place.splitlines()),
        ),
    )
