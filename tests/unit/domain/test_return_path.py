"""Marks: 53 letters and digits that name a message to whoever has the keys and knows the account."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.address import Rejection, parse_address
from chalicelib.domain.delivery import MessageTags
from chalicelib.domain.link_tokens import SigningKey, TokenKind, TokenRing
from chalicelib.domain.return_path import (
    CAMPAIGN_DIGITS,
    LENGTH,
    campaign_prefix,
    fill,
    mark,
    marks_in,
    pattern_fault,
    read_mark,
)

OLD, NEW, OTHER = (SigningKey(number, bytes([fill]) * 32) for number, fill in ((1, 1), (2, 2), (1, 3)))
RING = TokenRing([OLD])
ids = st.text("0123456789abcdefghjkmnpqrstvwxyz", min_size=22, max_size=22)
messages = st.builds(
    MessageTags,
    ids,
    ids,
    st.text("abcdefghijklmnopqrstuvwxyz234567", min_size=26, max_size=26),
    st.integers(1, 1023),
    st.integers(0, 32767),
)
TAGS = MessageTags("01hx5k9zz0123456789abc", "01hx5m0000zyxwvtsrqpnm", "mfrggzdfmztwq2lknnwg23tpoa", 3, 7)


def made(tags: MessageTags, ring: TokenRing = RING) -> str:
    text = mark(tags, ring.seal(TokenKind.RETURN, tags))
    assert text is not None
    return text


@given(messages)
def test_a_mark_tells_what_it_was_made_of_whatever_its_case(tags: MessageTags) -> None:
    text = made(tags)
    (found,) = marks_in(f"<Bounces+{text.upper()}@Example.com>")
    assert (found, len(text)) == (text, LENGTH)
    assert campaign_prefix(text) == tags.campaign_id[:CAMPAIGN_DIGITS]
    assert read_mark(RING, found, tags.account_id, tags.campaign_id) == tags


@given(messages, st.integers(0, LENGTH - 1), st.sampled_from("0123456789abcdefghijklmnopqrstuvwxyz"))
def test_a_mark_with_another_character_is_none(tags: MessageTags, place: int, char: str) -> None:
    text = made(tags)
    changed = text[:place] + char + text[place + 1 :]
    read = read_mark(RING, changed, tags.account_id, tags.campaign_id)
    assert (read is None) is (changed != text)


def test_a_mark_is_for_one_account_one_campaign_and_one_key() -> None:
    text = made(TAGS)
    assert read_mark(RING, text, "01hx5k9zz0123456789abd", TAGS.campaign_id) is None
    assert read_mark(RING, text, TAGS.account_id, TAGS.campaign_id[:-1] + "z") is None
    assert read_mark(TokenRing([OTHER]), text, TAGS.account_id, TAGS.campaign_id) is None


def test_marks_of_an_older_key_are_read() -> None:
    assert read_mark(TokenRing([NEW, OLD]), made(TAGS), TAGS.account_id, TAGS.campaign_id) == TAGS


@pytest.mark.parametrize(
    "changes",
    [
        {"generation": 1024},
        {"attempt": 32768},
        {"contact_id": "short"},
        {"contact_id": "mfrggzdfmztwq2lknnwg23tpo-"},
        {"campaign_id": "short"},
    ],
)
def test_what_has_no_place_in_a_mark_has_none(changes: dict[str, object]) -> None:
    tags = replace(TAGS, **changes)  # type: ignore[arg-type]
    assert mark(tags, RING.seal(TokenKind.RETURN, tags)) is None


def is_address(text: str) -> bool:
    return not isinstance(parse_address(text), Rejection)


@pytest.mark.parametrize(
    "pattern",
    [
        "bounces+{token}@example.com",
        "{token}@bounces.example.com",
        "{token}@01hx5k9zz0123456789abc.in.example",
        "{token}-a234567890@example.com",
    ],
)
def test_patterns_that_leave_room(pattern: str) -> None:
    assert pattern_fault(pattern, is_address) is None
    address = fill(pattern, made(TAGS))
    assert len(address.rpartition("@")[0]) <= 64
    assert marks_in(address) == [made(TAGS)]


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("bounces@example.com", "once before the @"),
        ("{token}{token}@example.com", "once before the @"),
        ("a@{token}.example.com", "once before the @"),
        ("a+{token}@{token}.example.com", "once before the @"),
        ("{token}", "once before the @"),
        ("our-newsletters+{token}@example.com", "at most 11 characters"),
        ("b{token}@example.com", "Put a sign"),
        ("{token}b@example.com", "Put a sign"),
        ("б+{token}@example.com", "Give an address"),
        ("a b+{token}@example.com", "Give an address"),
        ("a+{token}@", "Give an address"),
    ],
)
def test_patterns_that_would_not_come_back(pattern: str, says: str) -> None:
    fault = pattern_fault(pattern, is_address)
    assert fault is not None
    assert says in fault
