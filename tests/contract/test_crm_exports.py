"""Exports of CRMs and address books, unedited: files made by us as those programs write them."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from chalicelib.adapters.spreadsheets.reading import read_rows
from chalicelib.adapters.spreadsheets.samples import sample_csv, sample_xlsx
from chalicelib.domain.contact import Person
from chalicelib.domain.contact_file import Candidate, FileRejected, RejectedRow, Row, open_sheet
from chalicelib.domain.file_columns import Choice

FILES = Path(__file__).parents[1] / "files"
CRM = FILES / "crm"


def read(path: Path, choice: Choice | None = None) -> tuple[str, list[Row]]:
    sheet = open_sheet(read_rows(path), choice)
    return sheet.columns.profile.code, list(sheet.contacts())


def people(rows: Sequence[Row]) -> list[Person]:
    return [row.person for row in rows if isinstance(row, Candidate)]


def refused(rows: Sequence[Row]) -> list[tuple[int, str]]:
    return [(row.row_number, row.code) for row in rows if isinstance(row, RejectedRow)]


def main_fields(person: Person) -> tuple[str, ...]:
    return person.email, person.first_name, person.last_name, person.middle_name, person.p1, person.p2


@pytest.mark.parametrize(
    ("name", "profile", "contacts"),
    [
        (
            "bitrix24_ru.csv",
            "bitrix24_ru",
            [
                ("news.anna@example.com", "Анна", "Петрова", "Сергеевна", "ООО «Дуб, лён»", "Директор"),
                ("ivan@work.example", "Иван", "Щукин", "", "", ""),
            ],
        ),
        (
            "bitrix24_en.xls",
            "bitrix24_en",
            [
                ("ann@work.example", "Ann", "Lee", "", "Oak & Linen <Ltd>", "CTO"),
                ("bob@home.example", "Bob", "Ray", "", "", ""),
            ],
        ),
        (
            "amocrm_contacts.csv",
            "amocrm_contacts",
            [
                ("k.smirnova@work.example", "Екатерина", "Смирнова", "Сергеевна", "ООО Ромашка", "Бухгалтер"),
                ("office@romashka.example", "", "", "", "ООО Ромашка", ""),
                ("dmitry@home.example", "Дмитрий", "Иванов", "", "", ""),
            ],
        ),
        (
            "amocrm_deals.csv",
            "amocrm_deals",
            [
                ("anna@work.example", "Анна", "Петрова", "", "ООО Дуб", "Поставка столов"),
                ("lee@home.example", "Lee", "Ann", "", "", "Ремонт"),
            ],
        ),
        (
            "bitrix24_ru_narrow.csv",
            "bitrix24_ru",
            [
                ("karolina@home.example", "Каролина", "Шмидт", "", "maria@portal.example", ""),
                ("office@romashka.example", "", "", "", "oleg@portal.example", ""),
            ],
        ),
        (
            "bitrix24_ru_grid.csv",
            "bitrix24_ru",
            [
                ("anna@work.example", "Анна", "Петрова", "", "ООО Дуб", ""),
                ("ivan@home.example", "Иван", "Щукин", "", "", ""),
            ],
        ),
        (
            "bitrix24_en_narrow.xls",
            "bitrix24_en",
            [
                ("ann@work.example", "Ann", "Lee", "", "Oak Ltd", ""),
                ("bob@home.example", "Bob", "Ray", "", "", ""),
            ],
        ),
        (
            "bitrix24_companies.csv",
            "bitrix24_ru",
            [
                ("office@romashka.example", "", "", "", "ООО Ромашка", ""),
                ("shchukin@work.example", "", "", "", "ИП Щукин", ""),
            ],
        ),
        (
            "bitrix24_leads.csv",
            "bitrix24_ru",
            [
                ("anna@work.example", "Анна", "Петрова", "", "Заявка с сайта", "Новый"),
                ("news@lead.example", "", "", "", "Звонок", "Новый"),
            ],
        ),
        (
            "amocrm_suffixed.csv",
            "amocrm_contacts",
            [
                ("yanina@dub.example", "Янина", "Шульц", "", "Дуб", "Бухгалтер"),
                ("petr@home.example", "Петр", "Иванов", "", "Дуб", ""),
                ("office@lipa.example", "Ира", "Ли", "", "Липа", ""),
            ],
        ),
        (
            "amocrm_notes.csv",
            "amocrm_contacts",
            [
                ("anna@home.example", "Анна", "Ли", "", "Дуб", ""),
                ("office@lipa.example", "", "", "", "Липа", ""),
            ],
        ),
        (
            "titled.csv",
            "generic",
            [
                ("olga@work.example", "Ольга", "Савина", "", "Дуб", "maria@portal.example"),
                ("ann@work.example", "Ann", "Lee", "", "Oak Ltd", "maria@portal.example"),
            ],
        ),
        (
            "kommo.csv",
            "kommo",
            [
                ("zoe@work.example", "Zoë", "Müller", "", "Linen GmbH", "Buyer"),
                ("sam@home.example", "Sam", "Hill", "", "", ""),
            ],
        ),
        (
            "google_contacts.csv",
            "google_contacts",
            [
                ("anna@work.example", "Anna", "Lee", "Maria", "Oak Ltd", "CTO"),
                ("ben@home.example", "Ben", "Ray", "", "", ""),
            ],
        ),
        (
            "google_contacts_2019.csv",
            "google_contacts",
            [("anna@work.example", "Anna", "Lee", "Maria", "Oak Ltd", "")],
        ),
        (
            "outlook.csv",
            "outlook",
            [
                ("juergen@work.example", "Jürgen", "Groß", "", "Öl & Söhne", "Einkäufer"),
                ("uwe@home.example", "Uwe", "Bär", "", "", ""),
            ],
        ),
        (
            "outlook_ru.csv",
            "outlook",
            [("anna@work.example", "Анна", "Петрова", "Сергеевна", "ООО Дуб", "Директор")],
        ),
    ],
)
def test_an_export_is_recognised_and_read_as_it_is(
    name: str, profile: str, contacts: list[tuple[str, ...]]
) -> None:
    found, rows = read(CRM / name)
    assert found == profile
    assert [main_fields(person) for person in people(rows)] == contacts


def test_bitrix24_rows_that_go_on_are_no_contacts_and_a_no_to_export_is_heard() -> None:
    _, rows = read(CRM / "bitrix24_ru.csv")
    assert refused(rows) == [(5, "address_missing"), (6, "not_for_export")]


def test_a_note_that_is_too_long_is_left_out_and_told() -> None:
    _, rows = read(CRM / "amocrm_notes.csv")
    anna, lipa = (row for row in rows if isinstance(row, Candidate))
    assert (anna.left_out, lipa.left_out) == (("Примечание 4",), ())
    assert dict(lipa.person.extra)["Примечание 1"] == "Пишут с:\nbuh@lipa.example,\nsales@lipa.example"


def test_a_few_columns_of_bitrix24_leave_nobody_out_but_who_is_not_to_be_exported() -> None:
    _, rows = read(CRM / "bitrix24_ru_grid.csv")
    assert [code for _, code in refused(rows)] == ["not_for_export"]
    assert [row.left_out for row in rows if isinstance(row, Candidate)] == [(), ("Комментарий",)]
    _, rows = read(CRM / "bitrix24_ru_narrow.csv")
    assert refused(rows) == [(2, "address_missing")]
    _, rows = read(CRM / "bitrix24_companies.csv")
    assert refused(rows) == [], "a row of requisites only is no contact"


def test_other_columns_are_kept_by_their_own_names() -> None:
    _, rows = read(CRM / "bitrix24_ru.csv")
    extra = dict(people(rows)[0].extra)
    assert extra["Город"] == "Москва"
    assert extra["Рабочий телефон"] == "+7 495 123-45-67", "the mark that keeps it text is not part of it"
    assert extra["Компания"] == "ООО «Дуб, лён»", "also what serves as P1 can be called by its own name"


def test_of_two_columns_with_one_name_the_filled_one_counts() -> None:
    _, rows = read(CRM / "amocrm_deals.csv")
    assert dict(people(rows)[0].extra)["utm_source"] == "yandex"


def test_each_address_of_a_row_can_be_a_recipient() -> None:
    _, rows = read(CRM / "bitrix24_ru.csv", Choice(every_address=True))
    assert [person.email for person in people(rows)] == [
        "news.anna@example.com",
        "anna@work.example",
        "a.petrova@work.example",
        "anna@home.example",
        "ivan@work.example",
    ]


@pytest.mark.parametrize("sample", [sample_csv, sample_xlsx])
def test_our_own_sample_is_recognised(tmp_path: Path, sample: object) -> None:
    path = tmp_path / "sample"
    path.write_bytes(sample())  # type: ignore[operator]
    profile, rows = read(path)
    assert (profile, len(people(rows)), refused(rows)) == ("postline", 3, [])


def test_a_workbook_with_a_password_is_refused_and_told_what_to_do() -> None:
    with pytest.raises(FileRejected, match="has a password") as refusal:
        read(FILES / "password.xlsx")
    assert refusal.value.code == "encrypted_workbook"


def test_a_workbook_of_excel_97_is_read() -> None:
    _, rows = read(FILES / "excel97.xls")
    assert [main_fields(person)[:3] for person in people(rows)] == [
        ("anna@example.com", "Анна", "Петрова"),
        ("ivan@example.org", "Иван", "Щукин"),
    ]
    assert dict(people(rows)[0].extra)["Телефон"] == "79991234567"
    assert refused(rows) == [(4, "address_missing")]
