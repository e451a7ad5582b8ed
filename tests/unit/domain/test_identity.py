"""Identities: their one form, which address lies in which, and how often SES is asked."""

from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.domain.address import Address, Rejection, parse_address, parse_identity
from chalicelib.domain.identity import (
    UNVERIFIED_FOR,
    Claim,
    above,
    covers,
    is_domain,
    next_check,
    next_review,
)

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def key(text: str) -> str:
    address = parse_address(text)
    assert isinstance(address, Address)
    return address.key


@pytest.mark.parametrize(
    ("text", "identity"),
    [
        ("example.com", "example.com"),
        (" Example.COM ", "example.com"),
        ("mail.example.com", "mail.example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("News@Example.com", "news@example.com"),
        ("news@bücher.example", "news@xn--bcher-kva.example"),
    ],
)
def test_an_identity_has_one_form(text: str, identity: str) -> None:
    assert parse_identity(text) == identity


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "identity_invalid"),
        ("com", "identity_invalid"),
        ("example.com.", "identity_invalid"),
        ("*.example.com", "identity_invalid"),
        ("127.0.0.1", "identity_invalid"),
        ("localhost", "identity_invalid"),
        ("exam ple.com", "identity_invalid"),
        ("example.com/../x", "identity_invalid"),
        ("a" * 300 + ".com", "identity_invalid"),
        ("@example.com", "address_invalid"),
        ("a@b@example.com", "address_invalid"),
        ("почта@example.com", "identity_not_ascii"),
        ("news@example.com\nx", "address_control_character"),
    ],
)
def test_anything_else_is_refused_with_a_reason(text: str, code: str) -> None:
    rejection = parse_identity(text)
    assert isinstance(rejection, Rejection)
    assert rejection.code == code


@pytest.mark.parametrize(
    ("identity", "address", "covered"),
    [
        ("example.com", "news@example.com", True),
        ("example.com", "News@EXAMPLE.com", True),
        ("example.com", "news@mail.example.com", True),
        ("mail.example.com", "news@example.com", False),
        ("example.com", "news@notexample.com", False),
        ("ample.com", "news@example.com", False),
        ("news@example.com", "News@example.com", True),
        ("news@example.com", "other@example.com", False),
        ("news@example.com", "news@mail.example.com", False),
        ("xn--bcher-kva.example", "news@bücher.example", True),
    ],
)
def test_a_from_address_is_the_identity_or_lies_in_it(identity: str, address: str, *, covered: bool) -> None:
    assert covers(identity, key(address)) is covered


def test_the_domains_above_an_identity_are_those_ses_inherits_from() -> None:
    assert above("bob@a.b.example.com") == ["a.b.example.com", "b.example.com", "example.com"]
    assert above("a.b.example.com") == ["b.example.com", "example.com"]
    assert above("bob@example.com") == ["example.com"]
    assert above("example.com") == []
    assert is_domain("example.com")
    assert not is_domain("bob@example.com")


def test_a_claim_lapses_unless_it_is_verified() -> None:
    waiting, verified = Claim("a", "example.com", NOON), Claim("a", "example.com", NOON, verified=True)
    assert waiting.holds(NOON + UNVERIFIED_FOR - timedelta(seconds=1))
    assert not waiting.holds(NOON + UNVERIFIED_FOR)
    assert verified.holds(NOON + 100 * UNVERIFIED_FOR)


def test_ses_is_asked_often_at_first_then_seldom_and_once_more_at_the_end() -> None:
    now, asked = NOON, []
    while now < NOON + UNVERIFIED_FOR:
        at = next_check(NOON, now)
        assert timedelta(minutes=1) <= at - now <= timedelta(hours=1)
        asked.append(at)
        now = at
    assert asked[-1] == NOON + UNVERIFIED_FOR
    assert asked[0] == NOON + timedelta(minutes=1)
    assert len(asked) < 150
    assert next_check(NOON, NOON + 2 * UNVERIFIED_FOR) == NOON + 2 * UNVERIFIED_FOR + timedelta(minutes=1)


def test_what_is_verified_is_looked_at_once_a_day() -> None:
    assert next_review(NOON) == NOON + timedelta(days=1)
