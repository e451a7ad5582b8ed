"""Tokens in links: they come back as what they were made of, and nothing else passes for one."""

import hmac
import string
from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.delivery import MessageTags
from chalicelib.domain.ids import id_from, number_of
from chalicelib.domain.link_tokens import SigningKey, TokenKind, TokenRing, key_number

ACCOUNT, CAMPAIGN = "01hx5k9zz0123456789abc", "01hx5m0000zyxwvtsrqpnm"
TAGS = MessageTags(ACCOUNT, CAMPAIGN, "mfrggzdfmztwq2lknnwg23tpoa", 1, 2)
OLD, NEW, OTHER = (SigningKey(number, bytes([fill]) * 32) for number, fill in ((1, 1), (2, 2), (1, 3)))
RING = TokenRing([OLD])
IN_URLS = string.ascii_letters + string.digits + "-._~"

ours = st.text("0123456789abcdefghjkmnpqrstvwxyz", min_size=22, max_size=22)
short = st.text(string.ascii_lowercase + string.digits + "-", min_size=1, max_size=28)
tags = st.builds(
    MessageTags,
    st.one_of(ours, short),
    st.one_of(ours, short),
    st.text("abcdefghijklmnopqrstuvwxyz234567-_", min_size=1, max_size=26),
    st.integers(1, 99),
    st.integers(0, 999),
)


@given(tags, st.sampled_from(TokenKind))
def test_a_token_tells_what_it_was_made_of(message: MessageTags, kind: TokenKind) -> None:
    token = RING.seal(kind, message)
    assert RING.read(kind, token) == message
    assert set(token) <= set(IN_URLS)
    assert token[-1].isdigit()


@given(ours, ours)
def test_a_token_has_at_most_120_characters(account_id: str, campaign_id: str) -> None:
    longest = MessageTags(account_id, campaign_id, "z" * 26, 99, 9999)
    assert len(TokenRing([SigningKey(99, b"k" * 32)]).seal(TokenKind.RETURN, longest)) <= 120


def test_a_token_has_no_id_of_the_account_or_campaign_in_clear() -> None:
    token = RING.seal(TokenKind.OPEN, TAGS)
    assert ACCOUNT not in token
    assert CAMPAIGN not in token
    named = RING.seal(TokenKind.OPEN, MessageTags("acme", "may", "c1", 1, 1))
    assert "acme" not in named


def test_the_same_message_has_the_same_token_in_every_process() -> None:
    assert TokenRing([OLD]).seal(TokenKind.OPEN, TAGS) == TokenRing([OLD]).seal(TokenKind.OPEN, TAGS)


@pytest.mark.parametrize("kind", TokenKind)
def test_no_single_character_of_a_token_can_be_changed_added_or_left_out(kind: TokenKind) -> None:
    ring = TokenRing([NEW, OLD])
    token = ring.seal(kind, TAGS)
    for place in range(len(token)):
        others = [c for c in IN_URLS + "=+/ \0é" if c != token[place]]
        assert not any(ring.read(kind, token[:place] + other + token[place + 1 :]) for other in others)
        assert not any(ring.read(kind, token[:place] + other + token[place:]) for other in IN_URLS)
        assert ring.read(kind, token[:place] + token[place + 1 :]) is None
    assert not any(ring.read(kind, token + other) for other in IN_URLS + "\n")


@given(st.text(max_size=220))
def test_no_text_is_a_fault(text: str) -> None:
    assert RING.read(TokenKind.OPEN, text) is None
    assert RING.read(TokenKind.OPEN, f"1.{text}") is None
    assert key_number(text) >= 0


def test_a_token_of_another_kind_is_none() -> None:
    for kind in TokenKind:
        token = RING.seal(kind, TAGS)
        assert [other for other in TokenKind if RING.read(other, token)] == [kind]


@given(tags)
def test_the_codes_are_the_hmac_that_the_standard_library_makes(message: MessageTags) -> None:
    key = hmac.digest(OLD.secret, b"postline link codes\x01", "sha256")
    tokens = {kind: RING.seal(kind, message) for kind in TokenKind}
    _, _, signed = tokens[TokenKind.OPEN].split(".", 2)
    codes = urlsafe_b64encode(hmac.digest(key, signed.encode(), "sha512")).decode()
    for place, kind in enumerate((TokenKind.UNSUBSCRIBE, TokenKind.OPEN, TokenKind.RETURN)):
        assert tokens[kind] == f"1.{codes[22 * place : 22 * (place + 1)]}.{signed}"


def test_a_token_of_another_deployment_is_none() -> None:
    assert TokenRing([OTHER]).read(TokenKind.OPEN, RING.seal(TokenKind.OPEN, TAGS)) is None


def test_parts_of_two_tokens_make_no_third() -> None:
    mine = RING.seal(TokenKind.OPEN, TAGS).split(".")
    theirs = RING.seal(TokenKind.OPEN, MessageTags("else", "where", "whoever", 3, 4)).split(".")
    for place in range(1, len(mine)):
        mixed = [*mine[:place], theirs[place], *mine[place + 1 :]]
        assert RING.read(TokenKind.OPEN, ".".join(mixed)) is None


def test_the_first_key_seals_and_the_others_go_on_reading() -> None:
    old = RING.seal(TokenKind.UNSUBSCRIBE, TAGS)
    ring = TokenRing([NEW, OLD])
    new = ring.seal(TokenKind.UNSUBSCRIBE, TAGS)
    assert (key_number(old), key_number(new)) == (1, 2)
    assert ring.read(TokenKind.UNSUBSCRIBE, old) == ring.read(TokenKind.UNSUBSCRIBE, new) == TAGS
    assert RING.read(TokenKind.UNSUBSCRIBE, new) is None


def test_a_text_that_names_no_key_has_the_number_nought() -> None:
    assert [key_number(text) for text in ("", "x.y", "-1.", "²", "9" * 5000)] == [0] * 5


def test_a_key_doesn_t_show_its_secret() -> None:
    assert "\\x01" not in repr(OLD)


@given(ours)
def test_an_id_is_a_number_and_back(text: str) -> None:
    number = number_of(text)
    assert number is not None
    assert id_from(number) == text


@pytest.mark.parametrize("text", ["", "0" * 21, "0" * 23, "u" * 22, "A" * 22])
def test_what_is_no_id_of_ours_is_no_number(text: str) -> None:
    assert number_of(text) is None
