"""Suppression: entries of one address become one, whatever order they arrive in."""

from collections.abc import Sequence
from datetime import timedelta
from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.suppression import Suppression, SuppressionReason, merged
from tests.fakes.clock import MONDAY_NOON

entries = st.builds(
    lambda address, reason, minutes, campaign: Suppression(
        "ann@mail.example", address, reason, MONDAY_NOON + timedelta(minutes=minutes), campaign
    ),
    st.sampled_from(["ann@mail.example", "Ann@mail.example"]),
    st.sampled_from(SuppressionReason),
    st.integers(0, 2),
    st.sampled_from([None, "c1", "c2"]),
)


@given(st.lists(entries, min_size=1, max_size=6).flatmap(lambda a: st.tuples(st.just(a), st.permutations(a))))
def test_any_order_gives_the_same_entry(orders: tuple[Sequence[Suppression], Sequence[Suppression]]) -> None:
    one, other = (reduce(merged, order) for order in orders)
    assert one == other
    assert merged(one, one) == one


@given(st.lists(entries, min_size=1, max_size=6))
def test_the_first_stays_and_no_reason_is_forgotten(all_of_them: list[Suppression]) -> None:
    end = reduce(merged, all_of_them)
    assert end.added_at == min(one.added_at for one in all_of_them)
    assert end.reasons == {one.reason for one in all_of_them}
    assert end.reason not in end.also
