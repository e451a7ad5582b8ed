"""Contract of ``IdentityStore``."""

import uuid
from datetime import timedelta

import pytest

from chalicelib.domain.identity import OTHERS_FIRST, UNVERIFIED_FOR, Claim
from tests.contract.conftest import Stores
from tests.contract.store_builders import NOON

LAPSED = NOON + UNVERIFIED_FOR


@pytest.fixture
def identity() -> str:
    return f"{uuid.uuid4().hex}.example"


class TestIdentityStore:
    def test_the_first_to_claim_has_it_and_asking_again_prolongs_nothing(
        self, stores: Stores, identity: str
    ) -> None:
        claim = Claim(stores.account, identity, NOON)
        assert stores.identities.claim(stores.account, identity, NOON) == claim
        assert stores.identities.claim(stores.account, identity, NOON + timedelta(hours=1)) == claim
        assert stores.identities.find(stores.account, identity) == claim
        assert stores.identities.holder(identity) == stores.account

    def test_what_nobody_claimed_is_nobodys(self, stores: Stores, identity: str) -> None:
        assert stores.identities.find(stores.account, identity) is None
        assert stores.identities.holder(identity) is None
        assert not stores.identities.set_verified(stores.account, identity, NOON, verified=True)
        assert not stores.identities.set_verified(stores.account, identity, NOON, verified=False)
        stores.identities.release(stores.account, identity, NOON)
        assert stores.identities.holder(identity) is None

    def test_another_account_is_refused_and_sees_and_changes_nothing(
        self, stores: Stores, identity: str
    ) -> None:
        stores.identities.claim(stores.account, identity, NOON)
        assert stores.identities.claim(stores.stranger, identity, LAPSED - timedelta(seconds=1)) is None
        assert stores.identities.find(stores.stranger, identity) is None
        assert not stores.identities.set_verified(stores.stranger, identity, NOON, verified=True)
        assert not stores.identities.set_verified(stores.stranger, identity, NOON, verified=False)
        stores.identities.release(stores.stranger, identity, NOON)
        found = stores.identities.find(stores.account, identity)
        assert found == Claim(stores.account, identity, NOON, contested=True)

    def test_an_unverified_claim_lapses_and_a_verified_one_stays(self, stores: Stores, identity: str) -> None:
        stores.identities.claim(stores.account, identity, NOON)
        assert stores.identities.set_verified(stores.account, identity, NOON, verified=True)
        assert stores.identities.claim(stores.stranger, identity, LAPSED) is None
        later = LAPSED + timedelta(days=100)
        assert stores.identities.set_verified(stores.account, identity, later, verified=False)
        assert stores.identities.claim(stores.stranger, identity, later + timedelta(hours=71)) is None
        taken = stores.identities.claim(stores.stranger, identity, later + UNVERIFIED_FOR)
        assert taken == Claim(stores.stranger, identity, later + UNVERIFIED_FOR)
        assert stores.identities.find(stores.account, identity) is None

    def test_being_told_unverified_again_and_again_prolongs_nothing(
        self, stores: Stores, identity: str
    ) -> None:
        stores.identities.claim(stores.account, identity, NOON)
        for hours in (1, 2, 70):
            at = NOON + timedelta(hours=hours)
            assert stores.identities.set_verified(stores.account, identity, at, verified=False)
        assert stores.identities.claim(stores.stranger, identity, LAPSED) is not None

    def test_a_lapsed_claim_is_renewed_unless_somebody_else_had_asked(
        self, stores: Stores, identity: str
    ) -> None:
        stores.identities.claim(stores.account, identity, NOON)
        renewed = stores.identities.claim(stores.account, identity, LAPSED)
        assert renewed == Claim(stores.account, identity, LAPSED)
        assert stores.identities.claim(stores.stranger, identity, LAPSED) is None
        again = LAPSED + UNVERIFIED_FOR
        assert stores.identities.claim(stores.account, identity, again) is None
        assert stores.identities.claim(stores.account, identity, again + OTHERS_FIRST) is not None

    def test_those_who_asked_come_first_when_it_lapsed(self, stores: Stores, identity: str) -> None:
        stores.identities.claim(stores.account, identity, NOON)
        stores.identities.claim(stores.stranger, identity, NOON)
        assert stores.identities.claim(stores.stranger, identity, LAPSED) is not None
        assert stores.identities.claim(stores.account, identity, LAPSED) is None

    def test_what_is_given_up_is_free(self, stores: Stores, identity: str) -> None:
        stores.identities.claim(stores.account, identity, NOON)
        stores.identities.release(stores.account, identity, NOON)
        assert stores.identities.find(stores.account, identity) is None
        assert stores.identities.claim(stores.stranger, identity, NOON) is not None

    def test_giving_up_is_no_way_around_those_who_come_first(self, stores: Stores, identity: str) -> None:
        stores.identities.claim(stores.account, identity, NOON)
        stores.identities.claim(stores.stranger, identity, NOON)
        stores.identities.release(stores.account, identity, NOON)
        assert stores.identities.claim(stores.account, identity, NOON) is None
        assert stores.identities.claim(stores.stranger, identity, NOON) is not None
