import re

import pytest
from email_validator import EmailNotValidError
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain import address
from chalicelib.domain.address import Address, Rejection, contact_id, parse_address


def accepted(text: str) -> Address:
    found = parse_address(text)
    assert isinstance(found, Address), found
    return found


def code(text: str) -> str:
    rejection = parse_address(text)
    assert isinstance(rejection, Rejection), rejection
    assert rejection.text.endswith(".")
    return rejection.code


@pytest.mark.parametrize(
    "text",
    [
        "a@example.com",
        "o'brien+news@example.org",
        "zoe@bücher.example",
        "zoe@xn--bcher-kva.example",
        "анна@пример.example",
        "a" * 64 + "@example.net",
    ],
)
def test_addresses_that_can_get_mail_are_accepted_as_written(text: str) -> None:
    assert accepted(text).text == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "address_missing"),
        (" \t\u00a0", "address_missing"),
        ("anna.example.com", "address_invalid"),
        ("anna@localhost", "address_invalid"),
        ("anna@mailhost", "address_invalid"),
        ("anna@shop.localhost", "address_invalid"),
        ("anna@printer.local", "address_invalid"),
        ("anna@[127.0.0.1]", "address_invalid"),
        ("anna@192.0.2.1", "address_invalid"),
        ('"anna b"@example.com', "address_invalid"),
        ("anna..b@example.com", "address_invalid"),
        ("a" * 65 + "@example.com", "address_invalid"),
        ("anna@" + "x." * 126 + "example.com", "address_invalid"),
        ("a" * 60_000_000, "address_invalid"),
        ("anna@example.com, bob@example.com", "address_several"),
        ("anna@example.com;bob@example.com", "address_several"),
        ("anna@example.com bob@example.com", "address_several"),
        ("Anna <anna@example.com>", "address_with_name"),
        ("anna\n@example.com", "address_control_character"),
        ("anna@example.com\n", "address_control_character"),
        ("anna@example.com\r\nBcc: bob@example.com", "address_control_character"),
        ("anna\0@example.com", "address_control_character"),
        ("anna\u2028@example.com", "address_control_character"),
        ("anna\ud800@example.com", "address_control_character"),
    ],
)
def test_what_is_no_single_address_is_rejected_with_its_reason(text: str, expected: str) -> None:
    assert code(text) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("anna@example.com", "\u00a0 anna@example.com\t"),
        ("anna@example.com", "anna@EXAMPLE.com"),
        ("anna@example.com", "ANNA@example.com"),
        ("anna@bücher.example", "anna@xn--bcher-kva.example"),
        ("anna@bücher.example", "anna@BU\u0308CHER.EXAMPLE"),
        ("zoë@example.com", "zoe\u0308@example.com"),
    ],
)
def test_one_mailbox_written_in_two_ways_has_one_key(one: str, other: str) -> None:
    assert accepted(one).key == accepted(other).key


def test_a_text_of_megabytes_is_told_to_be_too_long() -> None:
    rejection = parse_address("a." * 1_000_000 + "@example.com")
    assert isinstance(rejection, Rejection)
    assert "254" in rejection.text


def test_different_mailboxes_have_different_keys() -> None:
    texts = ["a@example.com", "b@example.com", "a@example.org", "a+b@example.com", "a.b@example.com"]
    assert len({accepted(text).key for text in texts}) == len(texts)


def test_an_envelope_has_the_local_part_as_written_and_the_domain_in_a_labels() -> None:
    assert accepted(" Zoe.M@Bücher.example").envelope == "Zoe.M@xn--bcher-kva.example"


@settings(deadline=None)
@given(st.text() | st.emails() | st.builds("{}@{}".format, st.text(max_size=8), st.text(max_size=12)))
def test_any_text_is_accepted_or_rejected_and_what_is_accepted_is_stable(text: str) -> None:
    address = parse_address(text)
    if isinstance(address, Address):
        assert accepted(address.text) == address
        assert not re.search(r"[\x00-\x20\x7f]", address.text)
        assert address.key.rpartition("@")[2].isascii()
        assert accepted(address.envelope).key == address.key


def test_a_contact_id_depends_on_campaign_and_key_only() -> None:
    one = contact_id("c1", "anna@example.com")
    assert re.fullmatch("[a-z2-7]{26}", one)
    assert one == contact_id("c1", "anna@example.com")
    assert len({one, contact_id("c2", "anna@example.com"), contact_id("c1", "bob@example.com")}) == 3


def test_contact_ids_never_change() -> None:
    """Rows are stored under them: another formula would let a second upload write to everybody again."""
    assert contact_id("c1", "anna@example.com") == "h42whauhjlmznk7yjrffxsza5r"


@settings(deadline=None, max_examples=500)
@given(
    st.from_regex(r"[A-Za-z0-9._+-]{1,70}", fullmatch=True),
    st.from_regex(r"[a-zA-Z0-9.-]{1,60}", fullmatch=True)
    | st.sampled_from(["example.com", "mail.example", "bücher.example", "EXAMPLE.org", "x.local", "a.test"]),
)
def test_the_short_way_says_the_same_as_the_library(local: str, domain: str) -> None:
    text = f"{local}@{domain}"
    found = parse_address(text)
    try:
        valid = address._validated(text)
    except EmailNotValidError:
        assert isinstance(found, Rejection)
    else:
        assert found == Address(text, f"{valid.local_part.lower()}@{valid.ascii_domain.lower()}")
