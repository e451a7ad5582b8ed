import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.file_columns import Choice, Columns, Use, bare, propose


def uses(columns: Columns) -> list[Use]:
    return [column.use for column in columns.columns]


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("E-mail", "email"),
        ("\ufeffЭл. почта", "элпочта"),
        ("Рабочий email (контакт)", "рабочийemail"),
        ("Название (компания)", "название"),
        ("Work Email (contact)", "workemail"),
        ("Ёлка", "елка"),
        ("Ｅmail\u00a0", "email"),
    ],
)
def test_headers_are_compared_without_what_people_vary(name: str, plain: str) -> None:
    assert bare(name) == plain


def test_a_column_that_is_only_called_email_is_not_believed() -> None:
    columns = propose(["email", "Name"], [["Anna", "anna@example.com"], ["Bob", "bob@example.com"]])
    assert columns.email_order == (2,)
    assert uses(columns) == [Use.P1, Use.EMAIL]


def test_without_a_telling_name_the_data_choose_the_email_column() -> None:
    columns = propose(["Kunde", "Kontakt"], [["Anna", "anna@example.com"], ["Bob", "-"]])
    assert columns.email_order == (2,)


def test_few_addresses_in_a_column_of_texts_make_no_email_column() -> None:
    rows = [["Anna", "write to a@example.com"], *[["Bob", "hello"]] * 9]
    assert propose(["Kunde", "Notiz"], rows).email_order == ()


def test_email_columns_stand_in_the_order_of_the_file_whichever_is_filled() -> None:
    columns = propose(["E-mail", "Email address"], [["", "anna@example.com"]])
    assert columns.email_order == (1, 2)


def test_an_email_column_is_kept_when_the_first_rows_have_no_address() -> None:
    assert propose(["email", "Name"], [["", "Anna"]]).email_order == (1,)


def test_a_first_row_with_an_address_is_no_header() -> None:
    columns = propose(["anna@example.com", "Anna"], [["bob@example.com", "Bob"]])
    assert columns.headless
    assert [column.header for column in columns.columns] == ["Column 1", "Column 2"]
    assert columns.email_order == (1,)


def test_the_first_free_columns_become_the_parameters() -> None:
    columns = propose(["email", "City", "Plan", "Day", "Shop"], [["a@example.com"]])
    assert uses(columns) == [Use.EMAIL, Use.P1, Use.P2, Use.P3, Use.VARIABLE]


def test_a_file_with_parameters_of_its_own_keeps_them() -> None:
    columns = propose(["email", "City", "P2"], [["a@example.com"]])
    assert uses(columns) == [Use.EMAIL, Use.VARIABLE, Use.P2]


def test_a_name_that_can_not_stand_in_brackets_is_made_to() -> None:
    [_, column] = propose(["email", "Price [€] | net"], [["a@example.com"]]).columns
    assert column.variable == "Price € net"


def test_a_choice_changes_uses_and_the_order_of_addresses() -> None:
    columns = propose(["email", "Work E-mail", "City"], [["a@example.com", "b@example.com", "York"]])
    changed = columns.corrected(Choice(((2, Use.EMAIL), (3, Use.LAST_NAME)), every_address=True))
    assert changed.email_order == (2, 1)
    assert (uses(changed)[2], changed.every_address) == (Use.LAST_NAME, True)


def test_a_choice_can_take_an_email_column_away() -> None:
    columns = propose(["email", "E-mail"], [["a@example.com", "b@example.com"]])
    assert columns.corrected(Choice(((1, Use.IGNORED),))).email_order == (2,)


@settings(deadline=None)
@given(
    st.lists(st.text(max_size=20), min_size=1, max_size=8),
    st.lists(st.lists(st.text(max_size=30) | st.emails(), max_size=9), max_size=6),
)
def test_any_header_and_rows_get_a_proposal(header: list[str], rows: list[list[str]]) -> None:
    columns = propose(header, rows)
    assert [column.number for column in columns.columns] == list(range(1, len(header) + 1))
    emails = {column.number for column in columns.columns if column.use is Use.EMAIL}
    assert set(columns.email_order) == emails


@pytest.mark.parametrize("name", ["Name", "Contact", "Контакт", "Имя контакта", "Клиент", "Customer name"])
def test_a_column_that_may_be_the_name_is_it_where_no_other_is(name: str) -> None:
    assert uses(propose([name, "Email"], [["Anna Lee", "a@example.com"]])) == [Use.FULL_NAME, Use.EMAIL]


def test_beside_first_names_a_column_called_name_is_a_variable_and_beside_surnames_the_first_name() -> None:
    header = ["Name", "First Name", "Email"]
    assert uses(propose(header, [["Oak", "Anna", "a@example.com"]]))[:2] == [Use.P1, Use.FIRST_NAME]
    header = ["Name", "Vorname", "Email"]
    assert uses(propose(header, [["Lee", "Anna", "a@example.com"]]))[:2] == [Use.P1, Use.FIRST_NAME]
    header = ["Surname", "Name", "Email"]
    assert uses(propose(header, [["Lee", "Anna", "a@example.com"]]))[:2] == [Use.LAST_NAME, Use.FIRST_NAME]


def test_a_companys_name_is_not_the_persons() -> None:
    header = ["Полное имя (контакт)", "Полное имя (компания)", "Email"]
    rows = [["Анна Ли", "ООО Ромашка", "a@example.com"]]
    assert uses(propose(header, rows)) == [Use.FULL_NAME, Use.P1, Use.EMAIL]
