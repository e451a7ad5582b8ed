"""Which columns of a file hold the contacts' addresses, and in which order they are asked."""

import pytest

from chalicelib.domain.contact_file import Candidate, SheetRow, open_sheet
from chalicelib.domain.email_columns import promises_addresses
from chalicelib.domain.file_columns import Columns, Use, bare, propose
from chalicelib.domain.file_profiles import PROFILES

BOSS = "boss@example.com"


def addresses(header: list[str], *rows: list[str]) -> list[str]:
    sheet = open_sheet(SheetRow(number, row) for number, row in enumerate([header, *rows], start=1))
    return [row.person.email for row in sheet.contacts() if isinstance(row, Candidate)]


def emails(header: str, *rows: list[str]) -> list[str]:
    names = header.split(";")
    columns = propose(names, [list(row) for row in rows])
    return [names[number - 1] for number in columns.email_order]


def filled(header: str) -> Columns:
    """The columns of a file in which no cell is empty, and those called email hold addresses."""
    names = header.split(";")
    rows = [
        [
            f"{row}.{at}@example.com" if promises_addresses(bare(name)) else "x"
            for at, name in enumerate(names)
        ]
        for row in range(3)
    ]
    return propose(names, rows)


@pytest.mark.parametrize(
    "owner", ["Owner", "Ответственный", "Менеджер", "Assigned to", "Кем создан", "Betreuer"]
)
def test_a_column_that_is_empty_at_first_is_not_replaced_by_that_of_the_crms_user(owner: str) -> None:
    rows = [[f"P{number}", "", BOSS] for number in range(500)]
    rows += [[f"M{number}", f"m{number}@example.com", BOSS] for number in range(3)]
    assert addresses(["Name", "E-mail", owner], *rows) == [f"m{number}@example.com" for number in range(3)]


def test_bitrix24_with_empty_addresses_does_not_write_to_who_is_responsible() -> None:
    header = ["ID", "Имя", "Контакт", "Рабочий e-mail", "Частный e-mail", "Ответственный", "Кем создан"]
    rows = [[str(number), "Анна", "Анна Ли", "", "", f"u{number}@example.com", BOSS] for number in range(9)]
    assert addresses(header, *rows) == []


def test_by_data_no_column_of_the_crms_user_is_chosen_even_where_nothing_promises_addresses() -> None:
    rows = [[f"u{number}@example.com", f"p{number}@example.com"] for number in range(5)]
    assert emails("Responsible;Kontakt", *rows) == ["Kontakt"]
    assert emails("Email менеджера", ["u@example.com"]) == []


def test_an_empty_promise_stays_first_and_what_the_data_find_comes_after_it() -> None:
    rows = [["", f"p{number}@example.com"] for number in range(5)]
    assert emails("E-mail;Kontakt", *rows) == ["E-mail", "Kontakt"]


def test_what_the_data_find_against_a_promise_holds_different_addresses() -> None:
    assert emails("E-mail;Kontakt", *[["", BOSS]] * 5) == ["E-mail"]
    assert emails("Kunde;Kontakt", *[["Anna", BOSS]] * 5) == ["Kontakt"], "nothing else is there to choose"


def test_columns_beside_addresses_that_a_header_promises_are_not_chosen_by_data() -> None:
    rows = [[f"p{number}@example.com", f"r{number}@example.com"] for number in range(5)]
    assert emails("E-mail;Empfohlen von", *rows) == ["E-mail"]


def test_a_few_addresses_do_not_make_a_lying_header_believed() -> None:
    rows = [[f"+7 495 000-00-0{number}", f"p{number}@example.com"] for number in range(5)]
    rows.append(["stray@example.com", "p5@example.com"])
    found = addresses(["Email", "Contact"], *rows)
    assert found == [*(f"p{number}@example.com" for number in range(5)), "stray@example.com"]


def test_notes_with_addresses_in_them_are_no_addresses() -> None:
    note = (
        "Asked on Monday to write to a{0}@example.com and also to b{0}@example.com from now on, not by post"
    )
    assert emails("E-mail;Note", *[["", note.format(number)] for number in range(5)]) == ["E-mail"]
    assert emails("Kunde;Note", *[["Anna", f"Lee, Anna <a{number}@example.com>"] for number in range(5)]) == [
        "Note"
    ]


def test_a_dash_in_an_empty_column_is_no_lie() -> None:
    rows = [["-" if number % 5 == 0 else "", f"p{number}@example.com"] for number in range(20)]
    assert emails("E-mail;Kontakt", *rows) == ["E-mail", "Kontakt"]


def test_without_promises_all_columns_of_addresses_are_kept_the_fullest_first() -> None:
    rows = [["p0@example.com", "q0@example.com"], ["", "q1@example.com"], ["", "q2@example.com"]]
    assert emails("Kunde;Kontakt", *rows) == ["Kontakt", "Kunde"]


def test_which_columns_were_found_by_data_is_told() -> None:
    columns = propose(["email", "Kontakt"], [["Anna", "anna@example.com"], ["Bob", "bob@example.com"]])
    assert columns.found_by_data == (2,)
    assert propose(["email"], [["anna@example.com"]]).found_by_data == ()


@pytest.mark.parametrize(
    "header",
    [
        "ID;Имя;Фамилия;Рабочий e-mail;Частный e-mail",
        "ID;First Name;Work E-mail;Home E-mail;Newsletters email;Other E-mail",
        "First Name;Work E-mail;Home E-mail",
        "Name;Email 1;Email 2",
        "Primary Email;Secondary Email",
        "First Name;E-mail Address;E-mail 2 Address;E-mail 3 Address",
        "E-mail 1 - Value;E-mail 2 - Value",
        "Имя;Рабочий email (контакт);Личный email (контакт)",
        "Имя;Почта;Личная почта;Дополнительный email",
        "ФИО;Электронная почта;Адрес электронной почты 2;E-mail для рассылок;Почта клиента",
        "Contact Email;Alternative email;Email (work)",
    ],
)
@pytest.mark.parametrize("at", [0, -1])
def test_a_contact_that_has_only_one_of_several_addresses_is_kept(header: str, at: int) -> None:
    names = header.split(";")
    only = [number for number, name in enumerate(names) if promises_addresses(bare(name))][at]
    row = ["other@example.com" if number == only else "" for number in range(len(names))]
    full = ["a@example.com" if promises_addresses(bare(name)) else "x" for name in names]
    assert addresses(names, full, row) == ["a@example.com", "other@example.com"]


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.code)
def test_what_a_profile_calls_email_is_so_without_the_profile(profile: object) -> None:
    order = profile.email_order  # type: ignore[attr-defined]
    assert [name for name in order if not promises_addresses(name)] == []


@pytest.mark.parametrize(
    "name",
    [
        "Email Type",
        "E-mail 1 - Label",
        "Email opt-in",
        "Mailing Address",
        "Почтовый адрес",
        "Email менеджера",
        "Owner Email",
        "Адрес",
        "E-mail Display Name",
        "Mailbox quota",
        "Почтальон",
    ],
)
def test_headers_that_only_speak_of_mail_promise_nothing(name: str) -> None:
    assert not promises_addresses(bare(name))


def test_a_name_of_exchange_in_place_of_an_address_hides_no_other() -> None:
    header = ["First Name", "E-mail Address", "E-mail 2 Address"]
    inside = "/o=ExchangeLabs/ou=Group/cn=Recipients/cn=0123-anna"
    rows = [["Anna", inside, "anna@example.com"], ["Bob", "bob@example.com", ""]]
    assert addresses(header, *rows) == ["anna@example.com", "bob@example.com"]


def test_a_companys_address_comes_after_the_persons() -> None:
    columns = filled("Имя;Рабочий email (компания);Рабочий email (контакт);Личный email (контакт)")
    assert columns.email_order == (3, 4, 2)
    assert filled("Corporate email;Home email;Company email").email_order == (1, 2, 3)


def test_a_column_of_addresses_is_used_for_nothing_else() -> None:
    columns = propose(["email", "Name"], [["Anna", "anna@example.com"], ["Bob", "bob@example.com"]])
    assert [column.use for column in columns.columns] == [Use.P1, Use.EMAIL]
