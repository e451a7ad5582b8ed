"""The list as a file: what is exported is read back the same, and no row tempts a spreadsheet program."""

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.address import Address, parse_address
from chalicelib.domain.contact_file import FileRejected, RejectedRow, SheetRow
from chalicelib.domain.csv_cells import harmless, marked, unmarked
from chalicelib.domain.suppression import Suppression, SuppressionReason
from chalicelib.domain.suppression_file import HEADER, exported, read_suppressions
from tests.fakes.clock import MONDAY_NOON

NOW = MONDAY_NOON
UNSUBSCRIBED, BOUNCED, COMPLAINED, ADDED = SuppressionReason


def sheet(*rows: Sequence[str]) -> list[SheetRow]:
    return [SheetRow(number, list(cells)) for number, cells in enumerate(rows, 1)]


def read(*rows: Sequence[str]) -> list[Suppression | RejectedRow]:
    return list(read_suppressions(sheet(*rows), NOW))


def entry(text: str, **fields: object) -> Suppression:
    address = parse_address(text)
    assert isinstance(address, Address)
    values = {"reason": ADDED, "added_at": NOW, **fields}
    return Suppression(address.key, address.text, **values)  # type: ignore[arg-type]


local_parts = st.text("=+-'_/{|}!#$%&*?^`~abAB12", min_size=1, max_size=8)
entries = st.builds(
    lambda local, reasons, at, campaign: entry(
        f"{local}@mail.example",
        reason=reasons[0],
        also=frozenset(reasons[1:]),
        added_at=at,
        campaign_id=campaign,
    ),
    local_parts,
    st.permutations(list(SuppressionReason)).flatmap(
        lambda all_of_them: st.integers(1, 4).map(lambda n: all_of_them[:n])
    ),
    st.datetimes(datetime(2020, 1, 1), datetime(2026, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.sampled_from([None, "0123456789abcdefghijkm"]),
)

FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


@given(st.lists(entries, min_size=1, max_size=5))
def test_an_export_is_read_back_as_it_was(suppressions: list[Suppression]) -> None:
    file = io.StringIO()
    csv.writer(file).writerows([HEADER, *map(exported, suppressions)])
    rows = list(csv.reader(io.StringIO(file.getvalue())))
    assert read(*rows) == suppressions
    assert not [cell for row in rows for cell in row if cell.startswith(FORMULAS)]


@given(st.text("=+-@\t\r\n＝＋－＠'ab", max_size=5))
def test_marks_are_taken_back(value: str) -> None:
    assert unmarked(marked(value)) == value
    for made in (harmless(value), marked(value)):
        assert not made.startswith(FORMULAS)


def test_any_contact_file_will_do() -> None:
    rows = read(("Name", "E-Mail", "Reason"), ("Ann", "Ann@mail.example", "bounced"), ("", "", ""))
    assert rows == [entry("Ann@mail.example")]


def test_a_note_that_is_too_long_keeps_nobody_off_the_list() -> None:
    assert read(("email", "Comment"), ("ann@mail.example", "x" * 1_100)) == [entry("ann@mail.example")]


def test_an_apostrophe_of_the_address_itself_is_kept_in_our_own_export_only() -> None:
    assert read(("email",), ("'ann@mail.example",)) == [entry("ann@mail.example")]
    own = entry("'ann@mail.example")
    assert read(HEADER, exported(own)) == [own]
    assert read(HEADER, ("'+ann@mail.example", "", "", "")) == [entry("+ann@mail.example")]


def test_columns_may_stand_anywhere_and_blank_rows_may_come_first() -> None:
    header = ("Note", *reversed(HEADER))
    row = ("x", "", "2026-01-02T03:04:05+00:00", "complained, bounced", "ann@mail.example")
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    wanted = entry("ann@mail.example", reason=COMPLAINED, also=frozenset({BOUNCED}), added_at=at)
    assert read((" ", "", ""), header, ("", "", "", "", ""), row) == [wanted]


@pytest.mark.parametrize(
    ("cell", "at"),
    [
        ("", NOW),
        ("yesterday", NOW),
        ("2026-01-02", datetime(2026, 1, 2, tzinfo=UTC)),
        ("2026-01-02T03:00:00+03:00", datetime(2026, 1, 2, tzinfo=UTC)),
        ("2026-01-02 00:00", datetime(2026, 1, 2, tzinfo=UTC)),
        ("9999-12-31T23:59:59-12:00", NOW),
        ("0001-01-01T00:00:00+12:00", NOW),
        ((NOW + timedelta(days=1)).isoformat(), NOW),
        (NOW.astimezone(timezone(timedelta(hours=5))).isoformat(), NOW),
    ],
)
def test_a_date_is_read_if_it_can_be(cell: str, at: datetime) -> None:
    (found,) = read(HEADER, ("ann@mail.example", "unsubscribed", cell, ""))
    assert found == entry("ann@mail.example", reason=UNSUBSCRIBED, added_at=at)


@pytest.mark.parametrize("reason", ["", "cleaned", "BOUNCED!"])
def test_an_address_is_suppressed_whatever_reason_is_given(reason: str) -> None:
    assert read(HEADER, ("ann@mail.example", reason, "", "../../other")) == [entry("ann@mail.example")]


def test_a_wrong_address_is_rejected_by_row() -> None:
    (wrong, right) = read(HEADER, ("nobody", "bounced", "", ""), ("ann@mail.example", "bounced", "", ""))
    assert isinstance(wrong, RejectedRow)
    assert (wrong.row_number, wrong.code) == (2, "address_invalid")
    assert right == entry("ann@mail.example", reason=BOUNCED)


def test_a_file_without_addresses_is_rejected() -> None:
    with pytest.raises(FileRejected):
        read(("Reason", "Since (UTC)"), ("bounced", ""))
