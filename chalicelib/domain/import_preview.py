"""What an import would do: what the file is taken for, its first rows, and how all of them would fare."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from typing import Any

from chalicelib.domain.contact import Person
from chalicelib.domain.contact_file import Candidate, Look, RejectedRow, Row
from chalicelib.domain.file_columns import Choice, Columns
from chalicelib.domain.typo_domains import likely_meant

SHOWN_ROWS = 20
SHOWN_TYPOS = 20
_LOOKED_UP = 90  # addresses looked up in the suppression list at once

# Mailboxes of a function and not of a person (RFC 2142 and common use).
ROLE_ACCOUNTS = frozenset(
    {
        *(
            "abuse",
            "accounts",
            "admin",
            "billing",
            "buh",
            "contact",
            "hello",
            "help",
            "hostmaster",
            "hr",
            "info",
        ),
        *(
            "jobs",
            "mail",
            "marketing",
            "no-reply",
            "noreply",
            "office",
            "postmaster",
            "root",
            "sales",
            "security",
        ),
        *("service", "support", "team", "webmaster", "zakaz"),
    }
)


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """One row of the file: the person it would add, or why it would be rejected."""

    number: int
    person: Person | None = None
    code: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Typo:
    """A domain that looks mistyped, what was likely meant, and how many addresses have it."""

    domain: str
    meant: str
    count: int


@dataclass(frozen=True, slots=True)
class ImportPreview:
    """``valid + invalid`` are all rows read; ``duplicates`` (within the file) and ``suppressed`` are parts of
    ``valid``. ``left_out`` tells of further columns how many contacts come without the value they have there.
    ``header_row`` is its number in the file, None without header. ``complete`` is False when time ran out
    before the end of the file.
    """

    columns: Columns
    header_row: int | None
    rows: tuple[PreviewRow, ...]
    valid: int
    invalid: int
    duplicates: int
    suppressed: int
    role_accounts: int
    invalid_by_code: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    typos: tuple[Typo, ...] = ()
    complete: bool = True


def look_through(
    look: Look, suppressed: Callable[[Collection[str]], int], goes_on: Callable[[], bool]
) -> ImportPreview:
    """Read the rows to their end, or for as long as it ``goes_on``, storing nothing.

    ``suppressed`` tells how many of some address keys are on the suppression list. Raises FileRejected.
    """
    count = _Count(suppressed)
    shown: list[PreviewRow] = []
    complete = True
    for number, row in enumerate(look.rows):
        if number % _LOOKED_UP == 0 and not goes_on():
            complete = False
            break
        count.add(row)
        if len(shown) < SHOWN_ROWS:
            shown.append(_shown(row))
    return count.preview(look, tuple(shown), complete=complete)


def _shown(row: Row) -> PreviewRow:
    if isinstance(row, RejectedRow):
        return PreviewRow(row.row_number, code=row.code, text=row.text)
    return PreviewRow(row.row_number, person=row.person)


class _Count:
    """Counts rows in memory that grows by some 60 bytes for each different address."""

    def __init__(self, suppressed: Callable[[Collection[str]], int]) -> None:
        self._suppressed = suppressed
        self._valid = self._role_accounts = self._on_list = 0
        self._invalid: Counter[str] = Counter()
        self._domains: Counter[str] = Counter()
        self._left_out: Counter[str] = Counter()
        self._seen: set[int] = set()
        self._to_look_up: list[str] = []

    def add(self, row: Row) -> None:
        if isinstance(row, RejectedRow):
            self._invalid[row.code] += 1
            return
        self._valid += 1
        self._left_out.update(row.left_out)
        if self._is_new(row):
            local, _, domain = row.key.rpartition("@")
            self._domains[domain] += 1
            self._role_accounts += local in ROLE_ACCOUNTS
            self._to_look_up.append(row.key)
            if len(self._to_look_up) == _LOOKED_UP:
                self._look_up()

    def _is_new(self, row: Candidate) -> bool:
        mark = int.from_bytes(blake2b(row.key.encode(), digest_size=8).digest())
        before = len(self._seen)
        self._seen.add(mark)
        return len(self._seen) > before

    def _look_up(self) -> None:
        self._on_list += self._suppressed(self._to_look_up) if self._to_look_up else 0
        self._to_look_up = []

    def preview(self, look: Look, shown: tuple[PreviewRow, ...], *, complete: bool) -> ImportPreview:
        self._look_up()
        return ImportPreview(
            columns=look.columns,
            header_row=look.header_row,
            rows=shown,
            valid=self._valid,
            invalid=self._invalid.total(),
            duplicates=self._valid - len(self._seen),
            suppressed=self._on_list,
            role_accounts=self._role_accounts,
            invalid_by_code=dict(self._invalid.most_common()),
            left_out=dict(self._left_out.most_common()),
            typos=tuple(_typos(self._domains)),
            complete=complete,
        )


def _typos(domains: Counter[str]) -> Iterator[Typo]:
    found = 0
    for domain, count in domains.most_common():
        meant = likely_meant(domain)
        if meant is not None and found < SHOWN_TYPOS:
            found += 1
            yield Typo(domain, meant, count)


def as_json(preview: ImportPreview, choice: Choice | None) -> dict[str, Any]:
    """The preview in plain JSON types, with the choice it was made for."""
    columns = preview.columns
    return {
        "choice": choice_json(choice),
        "profile": {"code": columns.profile.code, "title": columns.profile.title},
        "has_header": not columns.headless,
        "header_row": preview.header_row,
        "columns": [
            {"number": c.number, "header": c.header, "use": c.use.value, "variable": c.variable}
            for c in columns.columns
        ],
        "email_columns": list(columns.email_order),
        "found_by_data": list(columns.found_by_data),
        "every_address": columns.every_address,
        "rows": [_row_json(row) for row in preview.rows],
        "valid": preview.valid,
        "invalid": preview.invalid,
        "duplicates": preview.duplicates,
        "suppressed": preview.suppressed,
        "role_accounts": preview.role_accounts,
        "invalid_by_code": preview.invalid_by_code,
        "left_out": preview.left_out,
        "typos": [asdict(typo) for typo in preview.typos],
        "complete": preview.complete,
    }


def choice_json(choice: Choice | None) -> dict[str, Any]:
    """A choice in plain JSON types, to be compared; None is the choice that changes nothing."""
    made = choice or Choice()
    return {"uses": [[number, use.value] for number, use in made.uses], "every_address": made.every_address}


def _row_json(row: PreviewRow) -> dict[str, Any]:
    person = asdict(row.person) | {"extra": dict(row.person.extra)} if row.person else None
    return {"number": row.number, "person": person, "code": row.code, "text": row.text}
