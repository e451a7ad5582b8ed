import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.address import Address, Rejection
from chalicelib.domain.address_cell import every_valid, first_valid, split_addresses


@pytest.mark.parametrize(
    ("cell", "addresses"),
    [
        ("a@example.com", ["a@example.com"]),
        (" \u00a0a@example.com ", ["a@example.com"]),
        ("a@example.com, b@example.com", ["a@example.com", "b@example.com"]),
        ("a@example.com;b@example.com", ["a@example.com", "b@example.com"]),
        ("a@example.com b@example.com", ["a@example.com", "b@example.com"]),
        ("a@example.com\nb@example.com", ["a@example.com", "b@example.com"]),
        ("a@example.com ::: b@example.com", ["a@example.com", "b@example.com"]),
        ("Anna Lee <a@example.com>", ["a@example.com"]),
        ('"Lee, Anna" <a@example.com>; Bob <b@example.com>', ["a@example.com", "b@example.com"]),
        ("mailto:a@example.com", ["a@example.com"]),
        ("a@example.com, none, b@example.com", ["a@example.com", "b@example.com"]),
        ("", []),
        ("none", []),
        ("\u200ba@example.com\u200b", ["a@example.com"]),
        ("\ufeffa@example.com\u00a0", ["a@example.com"]),
        ("\u202aa@example.com\u202c", ["a@example.com"]),
        ("\u200ba@example.com\u200b, \u2068b@example.com\u2069", ["a@example.com", "b@example.com"]),
        ("'a@example.com", ["a@example.com"]),
        ("'+a@example.com; 'b@example.com", ["+a@example.com", "b@example.com"]),
        ("'o'brien@example.com", ["o'brien@example.com"]),
        ("o'brien@example.com", ["o'brien@example.com"]),
        ("'a'@example.com", ["'a'@example.com"]),
        ("<'a@example.com>", ["'a@example.com"]),
        ("'a@example.com'", []),
    ],
)
def test_the_addresses_of_a_cell(cell: str, addresses: list[str]) -> None:
    assert [address.text for address in every_valid([cell])] == addresses


def test_the_first_valid_address_counts_whatever_stands_before_it() -> None:
    found = first_valid(["", "not one", "a@, b@example.com", "c@example.com"])
    assert isinstance(found, Address)
    assert found.text == "b@example.com"


def test_an_address_is_not_made_of_parts_of_a_wrong_one() -> None:
    assert first_valid(["wei wang@example.com"]) == first_valid(["wei wang@example.com"])
    assert isinstance(first_valid(["wei wang@example.com"]), Rejection)


def test_a_mailbox_that_is_written_twice_is_one() -> None:
    assert len(every_valid(["a@example.com, A@EXAMPLE.COM", "a@example.com"])) == 1


def test_a_cell_with_a_million_signs_is_looked_at_in_part_only() -> None:
    assert len(split_addresses("a@example.com," * 100_000)) == 20


@given(st.text(max_size=60))
def test_any_cell_is_one_address_several_or_a_rejection(cell: str) -> None:
    first = first_valid([cell])
    assert isinstance(first, Rejection) is (every_valid([cell]) == [])
