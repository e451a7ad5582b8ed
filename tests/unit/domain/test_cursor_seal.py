"""Seals on cursors: a place of one list comes back, and nothing else does."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.cursor_seal import LONGEST, open_seal, seal

NOW = datetime(2026, 5, 31, 23, 59, tzinfo=UTC)
PLACES = st.text("abcXYZ019-_.:", max_size=60)


def key_of(number: int) -> bytes:
    return f"key {number}".encode()


@given(st.text(max_size=30), PLACES)
def test_a_place_comes_back_for_its_own_list(name: str, place: str) -> None:
    assert open_seal(name, seal(name, place, NOW, key_of), NOW, key_of) == place


@given(PLACES, st.integers(0, 90), st.characters(codec="ascii"))
def test_an_edited_cursor_is_none(place: str, at: int, character: str) -> None:
    cursor = seal("campaigns", place, NOW, key_of)
    edited = cursor[:at] + character + cursor[at + 1 :]
    assert edited == cursor or open_seal("campaigns", edited, NOW, key_of) is None


@pytest.mark.parametrize("name", ["", "campaigns of another account", "campaigns\0"])
def test_a_cursor_of_another_list_is_none(name: str) -> None:
    assert open_seal(name, seal("campaigns", "c1", NOW, key_of), NOW, key_of) is None


@pytest.mark.parametrize("cursor", ["", ".", "..", "c1", "24317", "24317..c1", "é.é.é", "x" * LONGEST * 2])
def test_other_text_is_none(cursor: str) -> None:
    assert open_seal("campaigns", cursor, NOW, key_of) is None


def test_a_list_can_be_walked_on_while_the_key_changes_but_not_for_ever() -> None:
    cursor = seal("campaigns", "c1", NOW, key_of)
    june, july = datetime(2026, 6, 30, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)
    assert open_seal("campaigns", cursor, june, key_of) == "c1"
    assert open_seal("campaigns", cursor, july, key_of) is None
    assert seal("campaigns", "c1", june, key_of) != cursor


def test_a_key_is_of_no_use_for_another_number() -> None:
    cursor = seal("campaigns", "c1", NOW, lambda number: b"one key")
    number, rest = cursor.split(".", 1)
    renamed = f"{int(number) + 1}.{rest}"
    assert open_seal("campaigns", renamed, NOW, lambda number: b"one key") is None
