from collections.abc import Collection

import pytest

from chalicelib.domain.contact_file import SheetRow, look_at_contacts
from chalicelib.domain.import_preview import SHOWN_ROWS, ImportPreview, Typo, look_through
from chalicelib.domain.typo_domains import PROVIDERS, likely_meant


def preview(*rows: list[str], listed: Collection[str] = (), budget: int = 10_000) -> ImportPreview:
    sheet = look_at_contacts(SheetRow(number, row) for number, row in enumerate(rows, start=1))
    left = iter(range(budget))
    return look_through(
        sheet, lambda keys: sum(key in listed for key in keys), lambda: next(left, None) is not None
    )


HEADER = ["email", "First Name"]


def test_rows_are_counted_as_an_import_would_meet_them() -> None:
    found = preview(
        HEADER,
        ["anna@example.com", "Anna"],
        ["ANNA@example.com", "Anna again"],
        ["bob@example.com"],
        ["nobody"],
        ["", "x"],
        listed={"bob@example.com"},
    )
    assert (found.valid, found.invalid, found.duplicates, found.suppressed) == (3, 2, 1, 1)
    assert found.invalid_by_code == {"address_invalid": 1, "address_missing": 1}


def test_an_address_that_occurs_twice_is_suppressed_once() -> None:
    found = preview(HEADER, ["bob@example.com"], ["bob@example.com"], listed={"bob@example.com"})
    assert found.suppressed == 1


def test_the_first_rows_are_shown_with_what_becomes_of_them() -> None:
    found = preview(HEADER, ["anna@example.com", "Anna"], ["nobody"], *[["x@example.com"]] * 30)
    assert len(found.rows) == SHOWN_ROWS
    first, second = found.rows[:2]
    assert first.person is not None
    assert (first.number, first.person.first_name) == (2, "Anna")
    assert (second.number, second.person, second.code) == (3, None, "address_invalid")


def test_values_that_contacts_come_without_are_counted_by_column() -> None:
    long = "x" * 1_100
    found = preview(
        ["email", "Comment", "Notes"],
        ["a@example.com", long, long],
        ["b@example.com", long],
        ["c@example.com"],
    )
    assert (found.valid, found.left_out) == (3, {"Comment": 2, "Notes": 1})


def test_the_header_is_told_by_its_row() -> None:
    assert preview(["Customers"], HEADER, ["a@example.com", "Anna"]).header_row == 2
    assert preview(["a@example.com", "Anna"]).header_row is None


def test_role_accounts_and_mistyped_domains_are_told() -> None:
    found = preview(HEADER, ["info@example.com"], ["a@gmial.com"], ["b@gmial.com"], ["c@yandex.ry"])
    assert found.role_accounts == 1
    assert found.typos == (Typo("gmial.com", "gmail.com", 2), Typo("yandex.ry", "yandex.ru", 1))


def test_when_time_runs_out_it_says_that_it_is_not_complete() -> None:
    rows = [[f"p{number}@example.com"] for number in range(300)]
    found = preview(HEADER, *rows, budget=2)
    assert (found.complete, found.valid) == (False, 180)
    assert preview(HEADER, *rows).complete


@pytest.mark.parametrize(
    ("domain", "meant"),
    [
        ("gmial.com", "gmail.com"),
        ("gmail.con", "gmail.com"),
        ("gmai.com", "gmail.com"),
        ("gmaill.com", "gmail.com"),
        ("hotmial.com", "hotmail.com"),
        ("yandex.ry", "yandex.ru"),
        ("mail.ri", "mail.ru"),
        ("mail.com", None),
        ("example.com", None),
        ("bk.ru", None),
        ("ok.ru", None),
    ],
)
def test_a_slip_of_the_finger_is_told_from_another_domain(domain: str, meant: str | None) -> None:
    assert likely_meant(domain) == meant


def test_no_providers_own_domain_is_a_typo() -> None:
    assert [name for name in PROVIDERS if likely_meant(name)] == []
