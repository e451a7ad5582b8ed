"""Files of dialogs: what their columns tell, and what is wrong with a row."""

from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.domain.contact_file import RejectedRow, SheetRow, read_contacts
from chalicelib.domain.dialog import MAX_TAGS, DialogChange
from chalicelib.domain.dialog_file import read_dialogs

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def sheet(*lines: str) -> list[SheetRow]:
    return [SheetRow(number, line.split("|")) for number, line in enumerate(lines, start=1)]


def read(*lines: str) -> list[DialogChange | RejectedRow]:
    return list(read_dialogs(sheet(*lines), NOW))


def only(*lines: str) -> DialogChange:
    (change,) = read(*lines)
    assert isinstance(change, DialogChange)
    return change


def test_all_columns_are_told() -> None:
    change = only(
        "Email|First Name|Last Name|P1|Tags|Last message|City",
        "Ann@Mail.example|Ann|Lee|Gold|VIP; Spring sale,vip|2026-05-31T09:30:00+02:00|Roma",
    )
    assert change == DialogChange(
        "ann@mail.example",
        "Ann@Mail.example",
        {"first_name": "Ann", "last_name": "Lee", "p1": "Gold"},
        extra=(("City", "Roma"),),
        more_tags=("VIP", "Spring sale"),
        last_message_at=datetime(2026, 5, 31, 7, 30, tzinfo=UTC),
    )


def test_an_empty_cell_takes_nothing_away() -> None:
    change = only("email|First Name|P1|Tags|City|Last message", "ann@mail.example||||| ")
    assert change == DialogChange("ann@mail.example", "ann@mail.example")


def test_tags_are_no_parameter_and_no_variable() -> None:
    """In a contact file they are both, as a column nobody asked for."""
    lines = ("Рабочий email|Теги|Город", "ann@mail.example|VIP|Рим")
    change = only(*lines)
    assert (change.fields, change.extra) == ({"p1": "Рим"}, (("Город", "Рим"),))
    (contact,) = read_contacts(sheet(*lines))
    assert not isinstance(contact, RejectedRow)
    assert (contact.person.p1, contact.told) == ("VIP", {})


def test_tags_of_several_columns_come_together() -> None:
    assert only("email|Tags|Теги", "ann@mail.example|a,b|c").more_tags == ("a", "b", "c")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-05-31", datetime(2026, 5, 31, tzinfo=UTC)),
        ("2026-05-31 09:30", datetime(2026, 5, 31, 9, 30, tzinfo=UTC)),
        ("31.05.2026", datetime(2026, 5, 31, tzinfo=UTC)),
        ("1.5.2026 09:30:15", datetime(2026, 5, 1, 9, 30, 15, tzinfo=UTC)),
    ],
)
def test_times_are_understood(text: str, expected: datetime) -> None:
    assert only("email|Last message at", f"ann@mail.example|{text}").last_message_at == expected


@pytest.mark.parametrize(
    ("tags", "last", "code"),
    [
        ("x" * 65, "", "tag_too_long"),
        ("a,b\u200bc", "", "tag_invalid"),
        (",".join(map(str, range(MAX_TAGS + 1))), "", "too_many_tags"),
        ("", "yesterday", "time_not_understood"),
        ("", "31.02.2026", "time_not_understood"),
        ("", "0001-01-01T00:00:00+23:00", "time_not_understood"),
        ("", (NOW + timedelta(days=2)).isoformat(), "time_in_future"),
    ],
)
def test_a_row_that_is_wrong_is_told_and_spoils_no_other(tags: str, last: str, code: str) -> None:
    bad, good = read("email|Tags|Last message", f"ann@mail.example|{tags}|{last}", "bob@mail.example|a|")
    assert isinstance(bad, RejectedRow)
    assert (bad.row_number, bad.code) == (2, code)
    assert isinstance(good, DialogChange)
