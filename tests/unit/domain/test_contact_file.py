from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain import contact_file
from chalicelib.domain.contact import Person
from chalicelib.domain.contact_file import (
    MAX_COLUMNS,
    SAMPLE_HEADER,
    SAMPLE_ROWS,
    Candidate,
    FileRejected,
    RejectedRow,
    Row,
    SheetRow,
    open_sheet,
    read_contacts,
)
from chalicelib.domain.file_columns import SAMPLE, Choice, Use
from chalicelib.domain.further_columns import MAX_CELL, MAX_EXTRA

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


def test_rows_above_the_header_are_no_contacts_and_still_counted_in_row_numbers() -> None:
    title = [["Клиенты отдела продаж"], [], ["Фильтр:", "все"], ["01.02.2026"]]
    rows = read(*title, HEADER, ["a@example.com"], ["nobody"])
    assert outcomes(rows) == [(6, "ok"), (7, "address_invalid")]


def test_a_row_above_the_header_that_can_not_be_read_is_told() -> None:
    broken = RejectedRow(2, "", "misplaced_quote", "…")
    rows = [SheetRow(1, ["Customers"]), broken, SheetRow(3, HEADER), SheetRow(4, ["a@example.com"])]
    assert outcomes(read_contacts(rows)) == [(2, "misplaced_quote"), (4, "ok")]


def test_the_number_of_the_header_is_told() -> None:
    rows = [["Customers"], ["email", "Name"], ["a@example.com", "Anna"]]
    assert open_sheet(SheetRow(number, row) for number, row in enumerate(rows, start=3)).header_row == 4
    assert open_sheet([SheetRow(1, rows[2]), SheetRow(2, rows[2])]).header_row is None


@pytest.mark.parametrize(
    "rows",
    [
        [["Kunde", "Kontakt", "Kanal"], ["Bob", "-", "email"], ["Anna", "anna@example.com", "email"]],
        [["Kunde", "Kontakt"], ["Anna", "anna@example.com"], ["Kunde", "Kontakt", "Email"]],
        [["anna@example.com"], ["Anna", "Email"]],
        [*[["Title"]] * 10, ["Name", "Email"], ["Anna", "anna@example.com"]],
    ],
)
def test_a_first_row_that_may_be_the_header_is_it(rows: list[list[str]]) -> None:
    sheet = open_sheet(SheetRow(number, row) for number, row in enumerate(rows, start=1))
    assert len(list(sheet.rows)) >= len(rows) - 1


def test_all_sampled_rows_below_a_title_tell_what_columns_are() -> None:
    half = SAMPLE // 2
    rows = [["", "call"]] * half + [["", f"p{number}@example.com"] for number in range(half)]
    found = outcomes(read(["Title"], ["email", "Kontakt"], *rows))
    assert [code for _, code in found] == ["address_invalid"] * half + ["ok"] * half


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


def only(*rows: list[str]) -> Candidate:
    [row] = read(*rows)
    assert isinstance(row, Candidate)
    return row


LONG = "x" * (MAX_CELL + 1)


@pytest.mark.parametrize("value", [LONG, "bell \x07", "half \ud800"])
def test_a_value_of_a_further_column_that_can_not_be_kept_is_left_out_and_told(value: str) -> None:
    row = only(["email", "Name", "Comment", "City"], ["a@example.com", "Anna", value, "York"])
    assert row.person.first_name == "Anna"
    assert (row.person.p1, row.person.p2) == ("", "York"), "P1 is the comment by another name"
    assert row.person.extra == (("Name", "Anna"), ("City", "York"))
    assert row.left_out == ("Comment",)


def test_a_column_without_a_name_that_is_p1_is_told_as_p1() -> None:
    rows = [SheetRow(1, ["email", "", "City"]), SheetRow(2, ["a@example.com", LONG, "York"])]
    [row] = read_contacts(rows, Choice(((2, Use.P1),)))
    assert isinstance(row, Candidate)
    assert (row.person.p1, row.left_out) == ("", ("P1",))


def test_further_values_that_are_too_much_together_lose_the_longest_and_no_contact() -> None:
    notes = ["н" * 900, "н" * 901, *["н" * 900] * 3]
    row = only(["email", *(f"Note {number}" for number in range(5))], ["a@example.com", *notes])
    assert row.left_out == ("Note 1",)
    kept = dict(row.person.extra)
    assert list(kept) == ["Note 0", "Note 2", "Note 3", "Note 4"]
    assert sum(len(f"{name}{value}".encode()) for name, value in kept.items()) <= MAX_EXTRA


def test_values_of_just_the_greatest_size_together_are_kept() -> None:
    values = ["x" * (MAX_EXTRA // 8 - 1)] * 8
    row = only(["email", *"ABCDEFGH"], ["a@example.com", *values])
    assert (len(row.person.extra), row.left_out) == (8, ())


@pytest.mark.parametrize("header", ["P 1", "Имя", "ФИО"])
def test_a_field_that_is_too_long_is_told_by_its_own_header(header: str) -> None:
    [row] = read(["email", header], ["a@example.com", LONG])
    assert isinstance(row, RejectedRow)
    assert (row.code, row.text) == ("cell_too_long", f"{header} has 1,025 characters; 1,024 is the most.")


AMO = ["ID", "Тип", "Полное имя контакта", "Имя", "Фамилия", "Название компании", "Должность", "Личный email"]


@pytest.mark.parametrize(
    ("kind", "name"), [("компания", "Ромашка"), ("Компания ", "ООО Ромашка"), ("контакт", "ООО Ромашка")]
)
def test_a_company_has_no_first_name_and_is_in_the_companys_column(kind: str, name: str) -> None:
    row = only(AMO, ["1", kind, name, "", "", "", "", "office@example.com"])
    person = row.person
    assert (person.first_name, person.last_name, person.p1) == ("", "", name)
    assert dict(person.extra)["Название компании"] == name
    assert dict(person.extra)["Полное имя контакта"] == name


def test_a_company_that_is_told_by_its_kind_alone_has_no_names_of_its_own_columns() -> None:
    row = only(AMO, ["1", "компания", "", "Ромашка", "", "Холдинг", "", "office@example.com"])
    assert (row.person.first_name, row.person.p1) == ("", "Холдинг")


def test_a_person_of_an_amocrm_file_keeps_names_and_company() -> None:
    row = only(AMO, ["1", "контакт", "Анна Ли", "", "", "Ромашка", "", "anna@example.com"])
    assert (row.person.first_name, row.person.last_name, row.person.p1) == ("Анна", "Ли", "Ромашка")


def test_where_nothing_holds_companies_their_name_is_put_nowhere_else() -> None:
    row = only(["email", "ФИО", "Город"], ["office@example.com", "ООО Ромашка", ""])
    assert (row.person.first_name, row.person.p1) == ("", "")
    assert row.person.extra == (("ФИО", "ООО Ромашка"),)


def test_a_row_without_address_is_told_where_only_addresses_tell_rows_apart() -> None:
    header = ["Тип контакта", "Частный e-mail", "Кем создан"]
    assert outcomes(read(header, ["Клиент", "a@example.com", "Мария"], ["Клиент", "", "Мария"])) == [
        (2, "ok"),
        (3, "address_missing"),
    ]


def test_a_row_with_an_address_that_only_the_data_found_is_a_contact() -> None:
    header = ["ID", "Тип контакта", "Кем создан", "E-mail", "Связь"]
    assert outcomes(
        read(header, ["1", "Клиент", "", "", "a@example.com"], ["", "", "", "", "b@example.com"])
    ) == [
        (2, "ok"),
        (3, "ok"),
    ]
