"""Contact files as workbooks."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from chalicelib.adapters.spreadsheets.reading import read_rows
from chalicelib.adapters.spreadsheets.workbook_child import cell_text, sheet_rows
from chalicelib.domain.contact_file import (
    Candidate,
    FileRejected,
    SheetRow,
    open_sheet,
    read_contacts,
)
from tests.contract.workbook_builders import row, table, text, workbook

LIST = table(("email", "P1"), ("a@example.com", "x"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "upload.xlsx"


def rows(path: Path) -> list[tuple[int, list[str]]]:
    return [(row.number, row.cells) for row in read_rows(path) if isinstance(row, SheetRow)]


def code(path: Path) -> str:
    with pytest.raises(FileRejected) as caught:
        list(read_rows(path))
    return caught.value.code


def test_values_are_read_as_a_person_sees_them(path: Path) -> None:
    cells = (
        '<c r="A2"><v>79991234567</v></c><c r="B2"><v>0.1</v></c><c r="C2" t="b"><v>1</v></c>'
        '<c r="D2" t="str"><f>A1&amp;"x"</f><v>cached</v></c><c r="E2"><f>A1</f><v>no type</v></c>'
        '<c r="F2" t="e"><v>#N/A</v></c><c r="G2" t="d"><v>2024-02-28T10:00:00</v></c>'
    )
    workbook(
        path, row(1, text("A1", "email"), text("H1", "P1")) + row(2, cells, text("H2", " a@example.com "))
    )
    expected = [
        "79991234567",
        "0.1",
        "TRUE",
        "cached",
        "no type",
        "",
        "2024-02-28 10:00:00",
        " a@example.com ",
    ]
    assert rows(path)[1] == (2, expected)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1e15, "1000000000000000"),
        (-5.0, "-5"),
        (1.234567890123457e17, "123456789012345700"),
        (4.276380012345679e19, "42763800123456790000"),
        (1e300, "1e+300"),
        (float("nan"), "nan"),
        (datetime(2024, 2, 28).date(), "2024-02-28"),  # noqa: DTZ001  (a cell has no zone)
        (timedelta(hours=1, minutes=2), "1:02:00"),
        (False, "FALSE"),
    ],
)
def test_values_become_text(value: float | bool | timedelta, expected: str) -> None:
    assert cell_text(value) == expected


def test_row_numbers_are_those_of_the_sheet(path: Path) -> None:
    workbook(path, row(4, text("C4", "email")) + row(7, text("C7", "a@example.com")))
    assert rows(path) == [(4, ["email"]), (7, ["a@example.com"])]


def test_the_first_visible_sheet_is_read(path: Path) -> None:
    workbook(path, table(("hidden",)), LIST, table(("third",)), states=("veryHidden",))
    assert rows(path)[0] == (1, ["email", "P1"])
    assert next(sheet_rows(str(path))) == (1, ["email", "P1"])


def test_empty_sheets_before_the_first_with_content_are_passed_over(path: Path) -> None:
    workbook(
        path, "", row(3, text("B3", "")), table(("hidden",)), LIST, states=("visible", "visible", "hidden")
    )
    assert rows(path) == [(1, ["email", "P1"]), (2, ["a@example.com", "x"])]


def test_cells_beside_the_last_column_with_a_name_are_notes(path: Path) -> None:
    header, first = row(1, text("A1", "email"), text("C1", "P1")), text("A2", "a@example.com")
    workbook(
        path, header + row(2, first, text("B2", "x"), text("C2", "one"), text("D2", "y"), text("F2", "z"))
    )
    assert rows(path) == [(1, ["email", "", "P1"]), (2, ["a@example.com", "x", "one"])]
    [person] = read_contacts(read_rows(path))
    assert isinstance(person, Candidate)
    assert person.person.p1 == "one"


@pytest.mark.parametrize("first", [["a@example.com"], ["Ann", "a@example.com"], ["Contacts of 2024"]])
def test_where_the_first_row_names_no_columns_nothing_is_cut(path: Path, first: list[str]) -> None:
    second = ["Bob", "b@example.com", "Rome"]
    workbook(path, table(tuple(first), tuple(second)))
    assert rows(path) == [(1, first), (2, second)]


def test_titles_above_the_header_are_no_rows(path: Path) -> None:
    title = row(1, text("A1", "Контакты, 2024")) + row(3, text("A3", "Отдел"), text("B3", "Продажи"))
    header = row(5, text("A5", "Имя"), text("B5", "E-mail"), text("C5", "P1"))
    workbook(path, title + header + row(6, text("A6", "Анна"), text("B6", "a@example.com"), text("C6", "x")))
    sheet = open_sheet(read_rows(path))
    [person] = sheet.contacts()
    assert isinstance(person, Candidate)
    assert (sheet.header_row, person.row_number, person.person.email) == (5, 6, "a@example.com")


@pytest.mark.parametrize(
    "lines",
    [
        [("Name", "Channel"), ("a@example.com", "email")],
        [("Address", "Channel", "City"), ("x", "email", "Rome")],
        [("Address", "Channel"), ("b@example.com", "-"), ("Name", "email", "City")],
        [("x",)] * 10 + [("email", "P1")],
    ],
)
def test_a_row_below_the_header_is_not_taken_for_it(path: Path, lines: list[tuple[str, ...]]) -> None:
    assert [tuple(cells) for _, cells in rows(workbook(path, table(*lines)))][: len(lines)] == [
        tuple(line[: len(lines[0])]) if len(lines[0]) > 1 else line for line in lines
    ]


def test_no_visible_sheet_is_said(path: Path) -> None:
    assert code(workbook(path, LIST, states=("hidden",))) == "not_a_workbook"


def test_the_declared_dimension_is_not_believed(path: Path) -> None:
    """A reader that does takes one cell of this file and loses 1,999 contacts without a word."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    data = table(("email",), *((f"a{n}@example.com",) for n in range(1_999)))
    sheet = f'<worksheet xmlns="{main}"><dimension ref="A1"/><sheetData>{data}</sheetData></worksheet>'
    workbook(path, LIST, extra={"xl/worksheets/sheet1.xml": sheet})
    assert len(rows(path)) == 2_000


def test_rows_out_of_order_are_put_in_order(path: Path) -> None:
    workbook(path, row(1, text("A1", "email")) + row(3, text("A3", "c")) + row(2, text("A2", "b")))
    assert rows(path) == [(1, ["email"]), (2, ["b"]), (3, ["c"])]


def test_a_sheet_with_nothing_in_it_is_an_empty_file(path: Path) -> None:
    workbook(path, "")
    with pytest.raises(FileRejected) as caught:
        list(read_contacts(read_rows(path)))
    assert caught.value.code == "empty_file"


def test_a_shared_string_that_is_missing_is_an_error_of_the_file(path: Path) -> None:
    assert code(workbook(path, row(1, '<c r="A1" t="s"><v>99</v></c>'))) == "not_a_workbook"


def test_text_that_is_named_like_a_workbook_is_read_as_text(tmp_path: Path) -> None:
    path = tmp_path / "contacts.xlsx"
    path.write_text("email\na@example.com\n", encoding="utf-8")
    assert rows(path) == [(1, ["email"]), (2, ["a@example.com"])]


def test_a_workbook_that_is_named_like_text_is_read_as_a_workbook(tmp_path: Path) -> None:
    assert rows(workbook(tmp_path / "contacts.csv", LIST))[1] == (2, ["a@example.com", "x"])
