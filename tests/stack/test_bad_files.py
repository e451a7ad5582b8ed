"""Files that are no contact lists: each gets a clear answer, and what was there before stays."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from local.stack import Stack
from tests.stack.api import download, upload
from tests.stack.customer import Customer


@dataclass(frozen=True)
class Place:
    """A campaign with one contact, which nothing that follows may touch."""

    customer: Customer
    campaign: str


@pytest.fixture(scope="module")
def place(stack: Stack) -> Place:
    customer = Customer.new(stack)
    campaign = customer.campaign()
    customer.add(campaign, ["was-here-before"])
    return Place(customer, campaign)


@pytest.fixture(autouse=True)
def _nothing_is_lost(place: Place) -> Iterator[None]:
    yield
    emails = {contact["email"] for contact in place.customer.contacts(place.campaign)}
    assert place.customer.address("was-here-before") in emails
    place.customer.assert_totals_are_true(place.campaign)


@pytest.mark.parametrize(
    ("code", "file_type", "content"),
    [
        ("empty_file", "csv", lambda: b"\r\n  \r\n"),
        ("header_only", "csv", lambda: b"Email,First Name\r\n"),
        ("no_email_column", "csv", lambda: b"Name,City\r\nAnna,Berlin\r\n"),
        ("nul_bytes", "csv", lambda: b"Email\r\nanna@example.com\r\n" + b"\0" * 40),
        ("line_too_long", "csv", lambda: b"Email\r\n" + b"a" * 60_000_000),
        ("unclosed_quote", "csv", lambda: b'Email,P1\r\nanna@example.com,"' + b"\r\n" * 2_000),
        ("not_a_workbook", "xlsx", lambda: b"PK\x03\x04 but no more of a zip than this"),
        ("no_email_column", "xlsx", lambda: b"Name;City\r\nThis is a CSV file;whatever its form says\r\n"),
    ],
)
def test_a_file_that_can_not_be_taken_fails_with_its_reason(
    place: Place, code: str, file_type: str, content: Callable[[], bytes]
) -> None:
    job = place.customer.import_file(place.campaign, content(), file_type)
    assert (job["state"], job["reason"]["code"]) == ("failed", code)
    assert len(job["reason"]["text"]) > 15
    assert job["rejected_url"] is None


def test_a_wrong_row_never_spoils_its_neighbours(place: Place) -> None:
    customer = place.customer
    good = [customer.address(name) for name in ("first", "few", "last")]
    rows = [
        "Email,First Name,P1",
        f"{good[0]},Anna,1",
        f"{customer.address('many')},Anna,1,2,3",
        good[1],
        f'"new\nline@{customer.domain}",Anna,1',
        "=cmd|' /C calc'!A0,Anna,1",
        "two@@example.com,Anna,1",
        f"{good[2]},Zoë,9",
    ]
    job = customer.import_file(place.campaign, "\r\n".join(rows).encode())
    assert (job["state"], job["rows"], job["added"], job["rejected"]) == ("done", 7, 3, 4)
    emails = {contact["email"] for contact in customer.contacts(place.campaign)}
    assert set(good) <= emails
    listed = download(job["rejected_url"]).decode("utf-8-sig")
    assert [line.split(",")[0] for line in listed.splitlines()[1:]] == ["3", "5", "7", "8"]
    assert "too_many_cells" in listed
    assert "address_control_character" in listed
    assert "'=cmd" in listed, "harmless in a spreadsheet program"


def test_an_empty_upload_is_refused_at_once(place: Place) -> None:
    _, form = place.customer.form(place.campaign)
    assert upload(form, b"").status == 400


def test_an_upload_larger_than_the_form_allows_is_refused_at_once(place: Place) -> None:
    import_id, form = place.customer.form(place.campaign)
    answer = upload(form, b"a" * (form["max_bytes"] + 1))
    assert answer.status == 400
    assert b"EntityTooLarge" in answer.body
    assert place.customer.api.get(f"/imports/{import_id}")["state"] == "waiting"


@pytest.mark.parametrize(
    "changed", [{"Content-Type": "text/html"}, {"key": "results/another/place.csv"}, {"policy": "e30="}]
)
def test_a_form_that_was_changed_is_refused(place: Place, changed: dict[str, str]) -> None:
    _, form = place.customer.form(place.campaign)
    assert upload(form, b"Email\r\nanna@example.com\r\n", **changed).status == 403
