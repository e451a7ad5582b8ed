from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain import contact_file
from chalicelib.domain.contact import Person
from chalicelib.domain.contact_file import (
    MAX_CELL,
    MAX_COLUMNS,
    SAMPLE_HEADER,
    SAMPLE_ROWS,
    Candidate,
    FileRejected,
    RejectedRow,
    Row,
    SheetRow,
    read_contacts,
)

HEADER = list(SAMPLE_HEADER)


def read(*rows: list[str]) -> list[Row]:
    return list(read_contacts(SheetRow(number, row) for number, row in enumerate(rows, start=1)))


def refusal(*rows: list[str]) -> FileRejected:
    with pytest.raises(FileRejected) as caught:
        read(*rows)
    return caught.value


def outcomes(rows: Iterable[Row]) -> list[tuple[int, str]]:
    return [(row.row_number, row.code if isinstance(row, RejectedRow) else "ok") for row in rows]


def test_a_row_becomes_a_person() -> None:
    [row] = read(HEADER, [" Anna@Example.com ", " Anna", "Petrova ", "S.", "Gold", "two\r\nlines", "3"])
    person = Person("Anna@Example.com", "Anna", "Petrova", "S.", "Gold", "two\nlines", "3")
    assert row == Candidate(2, "anna@example.com", person)


@pytest.mark.parametrize(
    "header",
    [
        ["EMAIL", "first_name", "LAST NAME", "MiddleName", "p1", "P 2", "p_3"],
        ["E-mail", "Имя", "Фамилия", "Отчество", "P1", "P2", "P3"],
        ["Email Address", "First-Name", "Surname", "Second Name", "param1", "Param 2", "PARAM_3"],
        ["\ufeffЭл. почта", "Given name", "Family name", "patronymic", "П1", "П2", "П3"],
    ],
)
def test_headers_are_known_by_their_usual_names(header: list[str]) -> None:
    [row] = read(header, ["a@example.com", "A", "B", "C", "1", "2", "3"])
    assert isinstance(row, Candidate)
    assert row.person == Person("a@example.com", "A", "B", "C", "1", "2", "3")


def test_columns_may_stand_in_any_order_with_others_between_them() -> None:
    [row] = read(["Phone", "P1", "", "email"], ["0123", "Gold", "", "a@example.com"])
    assert isinstance(row, Candidate)
    assert row.person == Person("a@example.com", p1="Gold", extra=(("Phone", "0123"),))


def test_no_email_column_names_what_was_found_and_what_is_allowed() -> None:
    error = refusal(["Telefon", "First Name"], ["0123", "A"])
    assert error.code == "no_email_column"
    assert "Telefon, First Name" in error.text
    assert "email, First Name, Last Name, Middle Name, P1, P2, P3" in error.text


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([], "empty_file"),
        ([[], ["", " "]], "empty_file"),
        ([HEADER], "header_only"),
        ([HEADER, [], ["", "\u00a0"]], "header_only"),
        ([["email", *["x"] * MAX_COLUMNS], ["a@example.com"]], "too_many_columns"),
    ],
)
def test_files_without_contacts_are_refused(rows: list[list[str]], code: str) -> None:
    assert refusal(*rows).code == code


def test_a_file_with_too_many_rows_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contact_file, "MAX_ROWS", 3)
    rows = [HEADER, ["a@example.com"], [], ["b@example.com"], ["broken"]]
    assert len(read(*rows)) == 3
    assert refusal(*rows, ["c@example.com"]).code == "too_many_rows"


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (["", "Anna"], "address_missing"),
        (["anna"], "address_invalid"),
        (["anna@exam\nple.com"], "address_control_character"),
        (["a@example.com", "", "", "", "", "", "", "eighth"], "too_many_cells"),
        (["a@example.com", "An\nna"], "control_character"),
        (["a@example.com", "An\0na"], "control_character"),
        (["a@example.com", "", "", "", "bell \x07"], "control_character"),
        (["a@example.com", "x" * (MAX_CELL + 1)], "cell_too_long"),
    ],
)
def test_one_bad_row_is_told_and_spoils_no_other(row: list[str], code: str) -> None:
    rows = read(HEADER, ["first@example.com"], row, ["last@example.com"])
    assert outcomes(rows) == [(2, "ok"), (3, code), (4, "ok")]


def test_a_rejected_value_is_cut_and_printable() -> None:
    [row] = read(HEADER, ["\x1b[2J" + "x" * 5_000])
    assert isinstance(row, RejectedRow)
    assert row.value.isprintable()
    assert len(row.value) <= 201


@pytest.mark.parametrize("row", [["a@example.com"], ["a@example.com", "A"], ["a@example.com", *[""] * 12]])
def test_missing_and_empty_trailing_cells_are_empty_fields(row: list[str]) -> None:
    assert outcomes(read(HEADER, row)) == [(2, "ok")]


def test_a_cell_of_the_greatest_length_is_taken() -> None:
    assert outcomes(read(HEADER, ["a@example.com", "x" * MAX_CELL])) == [(2, "ok")]


def test_a_repeated_address_is_two_candidates_with_one_key() -> None:
    one, other = read(HEADER, ["a@bücher.example"], ["A@XN--BCHER-KVA.example"])
    assert isinstance(one, Candidate)
    assert isinstance(other, Candidate)
    assert one.key == other.key


def test_blank_rows_are_passed_over_and_still_counted_in_row_numbers() -> None:
    assert outcomes(read([], HEADER, [], ["a@example.com"], ["", " "], ["b@example.com"])) == [
        (4, "ok"),
        (6, "ok"),
    ]


def test_a_row_the_reader_could_not_split_is_passed_on() -> None:
    broken = RejectedRow(3, "", "misplaced_quote", "…")
    rows = [SheetRow(1, HEADER), SheetRow(2, ["a@example.com"]), broken, SheetRow(4, ["b@example.com"])]
    assert outcomes(read_contacts(rows)) == [(2, "ok"), (3, "misplaced_quote"), (4, "ok")]
    with pytest.raises(FileRejected):
        list(read_contacts([broken]))


def test_the_sample_is_a_contact_file() -> None:
    assert [code for _, code in outcomes(read(HEADER, *map(list, SAMPLE_ROWS)))] == ["ok"] * len(SAMPLE_ROWS)


@settings(deadline=None)
@given(st.lists(st.lists(st.text() | st.emails(), max_size=9), max_size=12))
def test_accepted_and_rejected_are_all_rows_with_content(rows: list[list[str]]) -> None:
    filled = [row for row in rows if any(cell.strip() for cell in row)]
    if filled:
        assert len(read(HEADER, *rows)) == len(filled)
    else:
        assert refusal(HEADER, *rows).code == "header_only"
