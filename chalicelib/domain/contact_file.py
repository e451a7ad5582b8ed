"""A customer's contact file: its columns, its limits, and what becomes of each row.

Readers turn a file into ``SheetRow``s (or a ``RejectedRow`` for one they can't split into cells); this
module turns those into people. A row that is wrong is told by number and never spoils another; only a file
that can't be understood as a whole raises ``FileRejected``.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from chalicelib.domain.address import Rejection, parse_address
from chalicelib.domain.contact import Person

MAX_ROWS = 1_000_000  # rows with something in them, below the header
MAX_COLUMNS = 50
MAX_CELL = 1_024  # characters
_MAX_SHOWN = 200  # characters of a rejected value that are kept

COLUMNS = {
    "email": "email",
    "first_name": "First Name",
    "last_name": "Last Name",
    "middle_name": "Middle Name",
    "p1": "P1",
    "p2": "P2",
    "p3": "P3",
}
_SYNONYMS = {
    "email": "email emailaddress mail mailaddress эпочта элпочта электроннаяпочта почта адресэлпочты",
    "first_name": "firstname givenname forename имя",
    "last_name": "lastname familyname surname фамилия",
    "middle_name": "middlename secondname patronymic отчество",
    "p1": "p1 param1 п1",
    "p2": "p2 param2 п2",
    "p3": "p3 param3 п3",
}
_FIELD_BY_NAME = {name: field for field, names in _SYNONYMS.items() for name in names.split()}
_NAME_FIELDS = frozenset({"first_name", "last_name", "middle_name"})

SAMPLE_HEADER = tuple(COLUMNS.values())
SAMPLE_ROWS = (
    ("anna.petrova@example.com", "Анна", "Петрова", "Сергеевна", "Gold", "12 March", "Berlin"),
    ("john.smith@example.org", "John", "O'Smith", "", "Silver", "3 April", "York, UK"),
    ("zoe@bücher.example", "Zoë", "Müller", "", "", "", ""),
)


class FileRejected(Exception):
    """The file as a whole can't be taken. ``code`` is stable, ``text`` says what to do about it.

    Codes: empty_file, header_only, no_email_column, duplicate_column, too_many_columns, too_many_rows,
    nul_bytes, undecodable, line_too_long, unclosed_quote, not_a_workbook, encrypted_workbook,
    file_too_large_unpacked, workbook_too_heavy. Some are only found in the middle of the file, when rows
    above have been handed out already.
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


@dataclass(frozen=True, slots=True)
class SheetRow:
    """The cells of one row as text; ``number`` is what the person sees in the file, the first row is 1."""

    number: int
    cells: list[str]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A row that can become a contact. ``key`` is the address's comparison form (``Address.key``)."""

    row_number: int
    key: str
    person: Person


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that can't: the value at fault, at most 200 printable characters of it, and why."""

    row_number: int
    value: str
    code: str
    text: str


Row = Candidate | RejectedRow


def rejected(row_number: int, value: str, code: str, text: str) -> RejectedRow:
    """A rejected row whose value is cut and made printable, fit for a report."""
    shown = value[:_MAX_SHOWN] + ("…" if len(value) > _MAX_SHOWN else "")
    return RejectedRow(row_number, "".join(c if c.isprintable() else "\ufffd" for c in shown), code, text)


def read_contacts(rows: Iterable[SheetRow | RejectedRow]) -> Iterator[Row]:
    """Yield what becomes of each row below the header; rows without any content are passed over.

    The same address twice is two candidates with one key. Raises FileRejected.
    """
    remaining = (row for row in rows if isinstance(row, RejectedRow) or _has_content(row.cells))
    columns = _header(next(remaining, None))
    count = 0
    for count, row in enumerate(remaining, start=1):
        if count > MAX_ROWS:
            raise FileRejected("too_many_rows", f"The file has more than {MAX_ROWS:,} rows; split it.")
        yield row if isinstance(row, RejectedRow) else columns.read(row)
    if not count:
        raise FileRejected("header_only", "The file has a header and no rows below it.")


@dataclass(frozen=True, slots=True)
class _Columns:
    """Where each field stands; ``width`` is the number of columns up to the last one with a name."""

    by_field: Mapping[str, int]
    width: int

    def read(self, row: SheetRow) -> Row:
        email = self._cell(row.cells, self.by_field["email"])
        if any(cell.strip() for cell in islice(row.cells, self.width, None)):
            return rejected(
                row.number,
                email,
                "too_many_cells",
                f"The row has more cells than the header has columns ({self.width}); "
                "in a CSV file, a value with the separator in it stands in quotes.",
            )
        fields = {field: self._cell(row.cells, index) for field, index in self.by_field.items()}
        address = parse_address(email)
        if isinstance(address, Rejection):
            return rejected(row.number, email, address.code, address.text)
        texts = {field: _trimmed(value) for field, value in fields.items()} | {"email": address.text}
        fault = next(filter(None, (_fault(row.number, *item) for item in texts.items())), None)
        return fault or Candidate(row.number, address.key, Person(**texts))

    @staticmethod
    def _cell(cells: list[str], index: int) -> str:
        return cells[index] if index < len(cells) else ""


def _header(row: SheetRow | RejectedRow | None) -> _Columns:
    if row is None:
        raise FileRejected("empty_file", "The file is empty.")
    if isinstance(row, RejectedRow):
        raise FileRejected(row.code, f"The header can't be read. {row.text}")
    width = max(index for index, name in enumerate(row.cells, start=1) if name.strip())
    if width > MAX_COLUMNS:
        raise FileRejected("too_many_columns", f"The file has {width} columns; {MAX_COLUMNS} is the most.")
    by_field: dict[str, int] = {}
    for index, name in enumerate(row.cells):
        field = _FIELD_BY_NAME.get(_bare(name))
        if field in by_field:
            raise FileRejected(
                "duplicate_column", f"Two columns are for {COLUMNS[field]}; remove one of them."
            )
        if field is not None:
            by_field[field] = index
    if "email" not in by_field:
        raise FileRejected("no_email_column", _no_email_text(row.cells[:width]))
    return _Columns(by_field, width)


def _no_email_text(names: Iterable[str]) -> str:
    found = ", ".join(rejected(1, name.strip()[:40], "", "").value for name in names if name.strip())
    return (
        f"No column is named email. The first row has: {found[:400]}. "
        f"The columns of a contact file are: {', '.join(SAMPLE_HEADER)}."
    )


def _bare(name: str) -> str:
    """A header without case, accents of ё, and anything that is no letter or digit."""
    folded = unicodedata.normalize("NFKC", name).casefold().replace("ё", "е")
    return re.sub(r"[\W_]+", "", folded)


def _has_content(cells: list[str]) -> bool:
    return any(cell and not cell.isspace() for cell in cells)


def _trimmed(value: str) -> str:
    return value.strip(" \t\r\n\u00a0\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _fault(number: int, field: str, value: str) -> RejectedRow | None:
    """Names go into a header of the mail, so they get no line breaks; P1 to P3 are text and may have them."""
    if len(value) > MAX_CELL:
        text = f"{COLUMNS[field]} has {len(value):,} characters; {MAX_CELL:,} is the most."
        return rejected(number, value, "cell_too_long", text)
    if value.isprintable():
        return None
    allowed = "" if field in _NAME_FIELDS else "\n\t"
    if any(unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} and c not in allowed for c in value):
        text = f"{COLUMNS[field]} has a line break or control character in it."
        return rejected(number, value, "control_character", text)
    return None
