"""A stored request tells nothing without the key, and its answer opens in its own row only."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.exceptions import InvalidTag

from chalicelib.domain.repeat import LARGEST, KeptAnswer, Repeat
from chalicelib.domain.repeat_seal import KeyOf, fingerprint, open_answer, seal_answer

NOW = datetime(2026, 5, 31, 23, 59, tzinfo=UTC)
REPEAT = Repeat("print", b"seed", NOW, "token", NOW)
ANSWER = KeptAnswer(201, {"Content-Type": "application/json"}, '{"email": "Ä@shop.example"}')


def key_of(number: int) -> bytes:
    return f"key {number}".encode()


def another_key(number: int) -> bytes:
    return f"another {number}".encode()


def sealed(answer: KeptAnswer = ANSWER) -> bytes:
    made = seal_answer(answer, "acc", "k", REPEAT, key_of)
    assert made is not None
    return made


def test_a_fingerprint_is_one_requests_and_needs_the_key() -> None:
    of_this = fingerprint(b"body", NOW, key_of)
    assert of_this == fingerprint(b"body", NOW.replace(day=1), key_of)
    assert of_this != fingerprint(b"other", NOW, key_of)
    assert of_this != fingerprint(b"body", NOW, another_key)
    assert of_this != fingerprint(b"body", NOW + timedelta(minutes=1), key_of), "that is another month"


def test_an_answer_comes_back_and_can_not_be_read_before() -> None:
    assert open_answer(sealed(), "acc", "k", REPEAT, key_of) == ANSWER
    assert b"shop.example" not in sealed()
    long = replace(ANSWER, body="x" * 250_000)
    assert open_answer(sealed(long), "acc", "k", REPEAT, key_of) == long


@pytest.mark.parametrize(
    ("account", "key", "row", "keys"),
    [
        ("other", "k", REPEAT, key_of),
        ("acc", "other", REPEAT, key_of),
        ("acc", "k", replace(REPEAT, seed=b"other"), key_of),
        ("acc", "k", replace(REPEAT, begun_at=NOW + timedelta(minutes=1)), key_of),
        ("acc", "k", REPEAT, another_key),
    ],
)
def test_in_another_place_it_does_not_open(account: str, key: str, row: Repeat, keys: KeyOf) -> None:
    with pytest.raises(InvalidTag):
        open_answer(sealed(), account, key, row, keys)


def test_an_edited_answer_does_not_open() -> None:
    made = sealed()
    with pytest.raises(InvalidTag):
        open_answer(made[:-1] + bytes([made[-1] ^ 1]), "acc", "k", REPEAT, key_of)


def test_what_is_too_large_is_not_kept() -> None:
    noise = "".join(random.Random(1).choices("abcdefghijklmnop0123456789", k=3 * LARGEST))
    assert seal_answer(replace(ANSWER, body=noise), "acc", "k", REPEAT, key_of) is None
