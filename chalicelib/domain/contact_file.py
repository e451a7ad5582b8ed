"""A customer's contact file: its limits, and what becomes of each row.

Readers turn a file into ``SheetRow``s (or a ``RejectedRow`` for one they can't split into cells); this
module turns those into people, by the use of each column (``file_columns``). A row that is wrong is told by
number and never spoils another; only a file that can't be understood as a whole raises ``FileRejected``.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice

from chalicelib.domain.address import Address, Rejection
from chalicelib.domain.address_cell import every_valid, first_valid
from chalicelib.domain.contact import Person
from chalicelib.domain.file_columns import PARAMETERS, SAMPLE, Choice, Columns, Use, bare, propose
from chalicelib.domain.file_header import LOOKED_AT, header_place
from chalicelib.domain.full_name import is_company, split_full_name
from chalicelib.domain.further_columns import LINES, is_further, text_fault, variable_places, what_fits

MAX_ROWS = 1_000_000  # rows with something in them, below the header
MAX_COLUMNS = 250  # a CRM with all its fields has some 150
_MAX_SHOWN = 200  # characters of a rejected value that are kept
_NO = frozenset({"нет", "no", "n", "false", "0"})
_COMPANY = frozenset({"компания", "организация", "company", "organization", "organisation"})
# A mark by which spreadsheets keep text from being a number or a formula.
_TEXT_MARK = re.compile(r"'(?=[+=@\d-])")

NAMES = {
    Use.EMAIL: "email",
    Use.FIRST_NAME: "First Name",
    Use.LAST_NAME: "Last Name",
    Use.MIDDLE_NAME: "Middle Name",
    Use.P1: "P1",
    Use.P2: "P2",
    Use.P3: "P3",
}
"""The columns that every contact has, by the names of the sample file."""

_TEXTS = tuple(use for use in NAMES if use is not Use.EMAIL)
_OF_DIALOGS = (Use.TAGS, Use.LAST_MESSAGE)
_OWN_NAMES = (Use.FIRST_NAME, Use.LAST_NAME, Use.MIDDLE_NAME)

SAMPLE_HEADER = tuple(NAMES.values())
SAMPLE_ROWS = (
    ("anna.petrova@example.com", "Анна", "Петрова", "Сергеевна", "Gold", "12 March", "Berlin"),
    ("john.smith@example.org", "John", "O'Smith", "", "Silver", "3 April", "York, UK"),
    ("zoe@bücher.example", "Zoë", "Müller", "", "", "", ""),
)


class FileRejected(Exception):
    """The file as a whole can't be taken. ``code`` is stable, ``text`` says what to do about it.

    Codes: empty_file, header_only, no_email_column, too_many_columns, too_many_rows,
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
    """A row that can become a contact. ``key`` is the address's comparison form (``Address.key``).

    ``told`` holds what an import of dialogs reads beside the person: the cells of each such use.
    ``left_out`` names further columns whose values the contact doesn't keep: too long, or with control
    characters in them.
    """

    row_number: int
    key: str
    person: Person
    told: Mapping[Use, Sequence[str]] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()


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


def read_contacts(rows: Iterable[SheetRow | RejectedRow], choice: Choice | None = None) -> Iterator[Row]:
    """Yield what becomes of each row below the header; rows without any content are passed over.

    ``choice`` is what a person changed about the proposal for this file. The same address twice is two
    candidates with one key. Raises FileRejected.
    """
    return open_sheet(rows, choice).contacts()


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file that was opened: what its columns are for, and the rows below its header, to be read once.

    ``header_row`` is the header's number in the file; None where there is no header.
    """

    columns: Columns
    header_row: int | None
    rows: Iterator[SheetRow | RejectedRow]

    def contacts(self) -> Iterator[Row]:
        """Yield what becomes of each row. Raises FileRejected."""
        if not self.columns.email_order:
            raise FileRejected("no_email_column", _no_email_text(c.header for c in self.columns.columns))
        reader = _RowReader(self.columns)
        count = 0
        for count, row in enumerate(self.rows, start=1):
            if count > MAX_ROWS:
                raise FileRejected("too_many_rows", f"The file has more than {MAX_ROWS:,} rows; split it.")
            yield from (row,) if isinstance(row, RejectedRow) else reader.read(row)
        if not count:
            raise FileRejected("header_only", "The file has a header and no rows below it.")


@dataclass(frozen=True, slots=True)
class Look:
    """What an import would take its file for: the use of the columns, and what becomes of each row."""

    columns: Columns
    header_row: int | None
    rows: Iterator[Row]


def look_at_contacts(rows: Iterable[SheetRow | RejectedRow], choice: Choice | None = None) -> Look:
    """A file of contacts. Raises FileRejected, as its rows do."""
    sheet = open_sheet(rows, choice)
    return Look(sheet.columns, sheet.header_row, sheet.contacts())


def open_sheet(
    rows: Iterable[SheetRow | RejectedRow],
    choice: Choice | None = None,
    special: Mapping[str, Use] | None = None,
) -> Sheet:
    """Find the header, and read as many rows as tell what the columns are for. Raises FileRejected.

    ``special`` holds uses of headers that this kind of file has beside those of a contact file.
    """
    remaining = (row for row in rows if isinstance(row, RejectedRow) or has_content(row.cells))
    seen, rest = _look_ahead(remaining)
    first = seen[0] if seen else next(rest, None)
    if first is None:
        raise FileRejected("empty_file", "The file is empty.")
    if isinstance(first, RejectedRow):
        raise FileRejected(first.code, f"The header can't be read. {first.text}")
    header, below = _parted(first, seen)
    width = max(number for number, name in enumerate(header.cells, start=1) if name.strip())
    if width > MAX_COLUMNS:
        raise FileRejected("too_many_columns", f"The file has {width} columns; {MAX_COLUMNS} is the most.")
    sample = [row.cells for row in below if isinstance(row, SheetRow)]
    columns = propose(header.cells[:width], sample[:SAMPLE], special)
    if choice is not None:
        columns = columns.corrected(choice)
    if columns.headless:
        return Sheet(columns, None, chain([header], below, rest))
    return Sheet(columns, header.number, chain(below, rest))


def _parted(
    first: SheetRow, seen: Sequence[SheetRow | RejectedRow]
) -> tuple[SheetRow, list[SheetRow | RejectedRow]]:
    """The header, and all rows but the title above it; a row that can't be read is told also there."""
    top = header_place([row.cells if isinstance(row, SheetRow) else [] for row in seen])
    found = seen[top]
    header = found if isinstance(found, SheetRow) else first
    unread = [row for row in seen[:top] if isinstance(row, RejectedRow)]
    return header, [*unread, *seen[top + 1 :]]


def _look_ahead(
    rows: Iterator[SheetRow | RejectedRow],
) -> tuple[list[SheetRow | RejectedRow], Iterator[SheetRow | RejectedRow]]:
    """The first rows, and the rest; what is raised on the way is raised when the rows before it were used."""
    seen: list[SheetRow | RejectedRow] = []
    try:
        seen.extend(islice(rows, LOOKED_AT + SAMPLE))
    except Exception as error:  # noqa: BLE001  (it is not swallowed: whoever reads on meets it)
        return seen, _raising(error)
    return seen, rows


def _raising(error: Exception) -> Iterator[SheetRow | RejectedRow]:
    raise error
    yield  # makes it a generator


class _RowReader:
    """Makes people of rows: where each field stands is worked out once."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._width = len(columns.columns)
        self._emails = _places(columns.numbers(Use.EMAIL))
        self._texts: dict[Use, list[int]] = {
            use: _places(columns.numbers(use)) for use in (*_TEXTS, Use.FULL_NAME)
        }
        told = {use: _places(columns.numbers(use)) for use in _OF_DIALOGS}
        self._told = {use: places for use, places in told.items() if places}
        self._flags = _places(columns.numbers(Use.EXPORT_FLAG))
        self._company_at = columns.company_number - 1
        self._kinds = _places(columns.numbers(Use.KIND))
        self._extra = variable_places(columns.columns)
        base = [c for c in columns.columns if bare(c.header) in columns.profile.base]
        names_somebody = any(column.use is not Use.EMAIL for column in base)
        self._base = [*(column.number - 1 for column in base), *self._emails] if names_somebody else []

    def read(self, row: SheetRow) -> list[Row]:
        """What becomes of a row: nothing where it only goes on with the row above, else at least one."""
        cells = row.cells
        if self._base and not any(_filled(cells, at) for at in self._base):
            return []
        fault = self._fault(row)
        if fault is not None:
            return [fault]
        addresses = self._addresses(cells)
        if isinstance(addresses, Rejection):
            email = next((_cell(cells, at) for at in self._emails if _filled(cells, at)), "")
            return [rejected(row.number, email, addresses.code, addresses.text)]
        cells, texts = self._fields(cells)
        too_much = self._further_faults(cells, texts)
        texts |= dict.fromkeys(too_much, "")
        bad = self._bad_text(row.number, cells, texts)
        if bad is not None:
            return [bad]
        extra, unfit = what_fits(self._extra_of(cells))
        left_out = tuple(dict.fromkeys((*unfit, *too_much.values())))
        named = {use.value: value for use, value in texts.items()}
        told = {use: [_cell(cells, at) for at in places] for use, places in self._told.items()}
        return [
            Candidate(
                row.number, address.key, Person(email=address.text, extra=extra, **named), told, left_out
            )
            for address in addresses
        ]

    def _fault(self, row: SheetRow) -> RejectedRow | None:
        """What is wrong with the row as a whole."""
        if any(cell.strip() for cell in islice(row.cells, self._width, None)):
            text = (
                f"The row has more cells than the header has columns ({self._width}); "
                "in a CSV file, a value with the separator in it stands in quotes."
            )
            return rejected(row.number, _cell(row.cells, self._emails[0]), "too_many_cells", text)
        if any(_cell(row.cells, at).strip().casefold() in _NO for at in self._flags):
            text = "This contact is marked as not to be exported."
            return rejected(row.number, _cell(row.cells, self._emails[0]), "not_for_export", text)
        return None

    def _addresses(self, cells: list[str]) -> list[Address] | Rejection:
        filled = [_cell(cells, at) for at in self._emails]
        first = first_valid(filled)
        if isinstance(first, Rejection):
            return first
        return every_valid(filled) if self._columns.every_address else [first]

    def _fields(self, cells: list[str]) -> tuple[list[str], dict[Use, str]]:
        """The names and parameters; a full name fills the names where the row has none of its own.

        A company has no names: its own stands among the cells where the profile has a column for it.
        """
        texts: dict[Use, str] = {use: _first_filled(cells, places) for use, places in self._texts.items()}
        full_name = texts.pop(Use.FULL_NAME)
        company = self._company(cells, full_name, texts)
        if company:
            cells = self._with_company(cells, company)
            texts |= dict.fromkeys(_OWN_NAMES, "") | {Use.P1: _first_filled(cells, self._texts[Use.P1])}
        elif full_name and not (texts[Use.FIRST_NAME] or texts[Use.LAST_NAME]):
            first, middle, last = split_full_name(full_name)
            texts[Use.FIRST_NAME], texts[Use.LAST_NAME] = first, last
            texts[Use.MIDDLE_NAME] = texts[Use.MIDDLE_NAME] or middle
        return cells, texts

    def _company(self, cells: list[str], full_name: str, texts: Mapping[Use, str]) -> str:
        """The company's name where the row isn't about a person; empty where it is."""
        own = " ".join(filter(None, (texts[use] for use in _OWN_NAMES)))
        if any(_cell(cells, at).strip().casefold() in _COMPANY for at in self._kinds):
            return full_name or own
        return full_name if not own and is_company(full_name) else ""

    def _with_company(self, cells: list[str], company: str) -> list[str]:
        at = self._company_at
        if at < 0 or _filled(cells, at):
            return cells
        cells = [*cells, *[""] * (at + 1 - len(cells))]
        cells[at] = company
        return cells

    def _further_faults(self, cells: list[str], texts: Mapping[Use, str]) -> dict[Use, str]:
        """Which of P1 to P3 are further columns with text that can't be kept, and what those are called."""
        found = {
            use: self._columns.columns[self._origin(use, cells)]
            for use in PARAMETERS
            if text_fault(texts[use]) is not None
        }
        return {use: c.variable or NAMES[use] for use, c in found.items() if is_further(c)}

    def _bad_text(self, number: int, cells: list[str], texts: Mapping[Use, str]) -> RejectedRow | None:
        """Names go into a header of the mail, so they get no line breaks; P1 to P3 are text and may."""
        for use, value in texts.items():
            fault = text_fault(value, "" if use in _OWN_NAMES else LINES)
            if fault is not None:
                header = self._columns.columns[self._origin(use, cells)].header
                return rejected(number, value, fault.code, f"{header} {fault.text}")
        return None

    def _origin(self, use: Use, cells: list[str]) -> int:
        """The place of the cell that a field was taken from."""
        places = [*self._texts[use], *self._texts[Use.FULL_NAME]]
        return next(at for at in places if _trimmed(_cell(cells, at)))

    def _extra_of(self, cells: list[str]) -> list[tuple[str, str]]:
        found = ((name, _first_filled(cells, places)) for name, places in self._extra.items())
        return [(name, value) for name, value in found if value]


def _places(numbers: Sequence[int]) -> list[int]:
    return [number - 1 for number in numbers]


def _cell(cells: list[str], at: int) -> str:
    return cells[at] if at < len(cells) else ""


def _filled(cells: list[str], at: int) -> bool:
    return bool(_cell(cells, at).strip())


def _first_filled(cells: list[str], places: Sequence[int]) -> str:
    for at in places:
        value = _trimmed(_cell(cells, at))
        if value:
            return value
    return ""


def _no_email_text(names: Iterable[str]) -> str:
    found = ", ".join(rejected(1, name.strip()[:40], "", "").value for name in names if name.strip())
    return (
        "No column is named email, and none holds email addresses. "
        f"The first row has: {found[:400]}. The columns of a contact file are: {', '.join(SAMPLE_HEADER)}."
    )


def has_content(cells: Sequence[str]) -> bool:
    """Whether a row has anything in it."""
    return any(cell and not cell.isspace() for cell in cells)


def _trimmed(value: str) -> str:
    text = value.strip(" \t\r\n\u00a0\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    return _TEXT_MARK.sub("", text, count=1) if text.startswith("'") else text
