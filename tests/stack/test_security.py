"""The parts of `make security` that every change goes through: the walk over all routes, the bad input."""

from local.stack import Stack
from security import corpus, isolation
from security.verdict import Family
from tests.stack.customer import Customer


def test_nobody_gets_at_what_is_anothers_by_any_route_with_any_key(stack: Stack) -> None:
    family = Family("isolation")
    isolation.walk(stack, family)
    assert family.wrong == []
    assert family.refused > 300
    assert family.accepted > 60


def test_bad_input_is_refused_for_what_is_wrong_with_it_and_good_input_is_taken(customer: Customer) -> None:
    families = list(corpus.try_all(isolation.settle_in(customer)))
    assert [wrong for family in families for wrong in family.wrong] == []
    assert all(family.refused and family.accepted for family in families), families
