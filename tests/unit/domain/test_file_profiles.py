"""What an export is taken for, by the columns that a person chose to export."""

from itertools import combinations

import pytest

from chalicelib.domain.file_columns import bare
from chalicelib.domain.file_profiles import PROFILES, Profile, recognise


@pytest.mark.parametrize(
    ("code", "header"),
    [
        (
            "amocrm_contacts",
            "ID;Полное имя контакта;Название компании;Ответственный;Рабочий email;Личный email",
        ),
        (
            "amocrm_contacts",
            "Полное имя (контакт);Рабочий email (контакт);Личный email (контакт);Тег контакта",
        ),
        (
            "amocrm_deals",
            "ID;Название сделки;Бюджет;Этап сделки;Полное имя контакта;Рабочий прямой телефон;Личный email",
        ),
        ("bitrix24_ru", "ID;Имя;Фамилия;Ответственный;Рабочий e-mail;Частный e-mail;Кем создан"),
        ("bitrix24_ru", "ID;Название компании;Тип компании;Рабочий e-mail;Реквизит (Россия): ИНН"),
        ("bitrix24_ru", "ID;Название лида;Имя;Рабочий e-mail;E-mail для рассылок"),
        (
            "bitrix24_en",
            "ID;Photo;First Name;Last Name;Company;Work Phone;Mobile;Work E-mail;Home E-mail;Responsible",
        ),
        ("kommo", "Full name;Work email;Private email;Responsible user"),
        ("outlook", "First Name;Last Name;Job Title;E-mail Address;E-mail 2 Address"),
        ("generic", "ID;Имя;Фамилия;Рабочий e-mail;Ответственный"),
        ("generic", "First Name;Work E-mail;Home E-mail"),
        ("generic", "Salutation;Contact;Created By;Modified By;Email"),
        ("generic", "Наименование;Контакт;Теги;Email"),
    ],
)
def test_a_part_of_an_export_is_known_by_what_only_that_program_writes(code: str, header: str) -> None:
    assert recognise([bare(name) for name in header.split(";")]).code == code


@pytest.mark.parametrize(("one", "other"), list(combinations(PROFILES, 2)), ids=lambda profile: profile.code)
def test_no_header_marks_two_programs(one: Profile, other: Profile) -> None:
    assert not one.marks & other.marks
