"""The workbooks we write: text stays text, nothing is lost, and our own reader takes them."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from zipfile import ZipFile

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.adapters.spreadsheets.reading import read_rows
from chalicelib.adapters.spreadsheets.samples import sample_xlsx
from chalicelib.adapters.spreadsheets.xlsx_writer import MAX_TEXT, Value, WorkbookWriter
from chalicelib.domain.contact_file import SAMPLE_HEADER, SAMPLE_ROWS, Candidate, SheetRow, read_contacts


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "upload.xlsx"


def rows(path: Path) -> list[tuple[int, list[str]]]:
    return [(row.number, row.cells) for row in read_rows(path) if isinstance(row, SheetRow)]


def write(path: Path, rows: Iterable[list[Value]]) -> None:
    with WorkbookWriter(path) as writer:
        writer.sheet("Contacts", ["n"])
        for row in rows:
            writer.append(row)


def test_text_is_written_as_text_whatever_it_looks_like(path: Path) -> None:
    hostile = [
        "=1+1",
        "=",
        "+1",
        "-1",
        "@SUM(A1)",
        "#N/A",
        "\t=1",
        '=HYPERLINK("http://example.com")',
        "{=1}",
        "＝1",
    ]
    with WorkbookWriter(path) as writer:
        writer.sheet("Contacts", ["=A1"])
        for value in hostile:
            writer.append([value])
    with ZipFile(path) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml")
    assert b"<f>" not in sheet
    assert sheet.count(b't="inlineStr"') == len(hostile) + 1
    assert [cells[0] for _, cells in rows(path)] == ["=A1", *hostile]


def test_what_a_sheet_cannot_hold_is_removed_and_what_is_too_long_is_marked(path: Path) -> None:
    with WorkbookWriter(path) as writer:
        writer.sheet("Contacts", ["a"])
        writer.append(["bell\x07 nul\0 surrogate\ud800 \ufffe\tand\nall 🎉"])
        writer.append(["x" * (MAX_TEXT + 1)])
        writer.append(["y" * MAX_TEXT])
    [_, odd, cut, whole] = [cells[0] for _, cells in rows(path)]
    assert odd == "bell nul surrogate \tand\nall 🎉"
    assert len(cut) == MAX_TEXT
    assert cut.endswith("x…")
    assert whole == "y" * MAX_TEXT


def test_instants_are_dates_in_utc_and_numbers_numbers(path: Path) -> None:
    instant = datetime(2026, 3, 1, 1, 30, tzinfo=timezone(timedelta(hours=3)))
    with WorkbookWriter(path) as writer:
        writer.sheet("Contacts", ["when", "n", "nothing"])
        writer.append([instant, 3, None])
        with pytest.raises(ValueError, match="time zone"):
            writer.append([instant.replace(tzinfo=None)])
    book = openpyxl.load_workbook(path)
    when, number, nothing = next(book.active.iter_rows(min_row=2))
    assert when.value.replace(tzinfo=UTC) == instant
    assert when.is_date
    assert (number.value, nothing.value) == (3, None)


def test_a_full_sheet_goes_on_in_the_next_under_the_same_header(path: Path) -> None:
    with WorkbookWriter(path, max_sheet_rows=3) as writer:
        writer.sheet("Contacts", ["n"])
        for number in range(5):
            writer.append([number])
        writer.sheet("Summary", ["k"])
        writer.append(["v"])
    book = openpyxl.load_workbook(path, read_only=True)
    content = {sheet.title: [line[0] for line in sheet.values] for sheet in book.worksheets}
    book.close()
    assert content == {
        "Contacts": ["n", 0, 1],
        "Contacts 2": ["n", 2, 3],
        "Contacts 3": ["n", 4],
        "Summary": ["k", "v"],
    }


def test_a_workbook_that_failed_half_way_does_not_appear(path: Path) -> None:
    with pytest.raises(ValueError, match="time zone"):
        write(path, [[1], [datetime(2026, 3, 1)]])  # noqa: DTZ001
    assert not path.exists()


def test_a_row_needs_a_sheet(path: Path) -> None:
    with pytest.raises(ValueError, match="begin a sheet"), WorkbookWriter(path) as writer:
        writer.append([1])


def test_the_sample_is_read_back_as_it_is_shown(path: Path) -> None:
    path.write_bytes(sample_xlsx())
    shown = [[*cells, *[""] * (len(SAMPLE_HEADER) - len(cells))] for _, cells in rows(path)]
    assert shown == [list(SAMPLE_HEADER), *map(list, SAMPLE_ROWS)]


PRINTABLE = st.text(st.characters(exclude_categories=("C", "Z")), max_size=12)


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.emails(), *[PRINTABLE] * 6), min_size=1, max_size=8))
def test_what_is_written_is_read_back(path: Path, people: list[tuple[str, ...]]) -> None:
    sheet = [SheetRow(number, list(cells)) for number, cells in enumerate([SAMPLE_HEADER, *people], start=1)]
    with WorkbookWriter(path) as writer:
        writer.sheet("Contacts", SAMPLE_HEADER)
        for cells in people:
            writer.append(cells)
    read = list(read_contacts(read_rows(path)))
    assert read == list(read_contacts(sheet))
    assert all(isinstance(row, Candidate) for row in read) or len(read) == len(people)
