"""Accounts: keys that open only with their own secret, for as long as they are in force."""

import pytest

from chalicelib.domain.line import LinePlan
from chalicelib.errors import Unauthorized
from chalicelib.flow.accounts import authenticate, create_account, create_key
from tests.fakes.world import World


def test_an_account_comes_with_a_key_that_opens_it() -> None:
    world = World()
    account, text = create_account("Oak", LinePlan.DEMO, world.accounts, world.clock)
    assert world.accounts.get(account.account_id) == account
    assert authenticate(text, world.accounts).account_id == account.account_id
    (key,) = world.accounts.list_keys(account.account_id)
    assert text.rpartition("_")[2] not in repr(key)


def test_a_revoked_key_opens_nothing_and_another_still_does() -> None:
    world = World()
    account, first = create_account("Oak", LinePlan.DEMO, world.accounts, world.clock)
    key, second = create_key(account.account_id, "second", world.accounts, world.clock)
    world.accounts.revoke_key(account.account_id, key.key_id, world.clock.now())
    with pytest.raises(Unauthorized):
        authenticate(second, world.accounts)
    assert authenticate(first, world.accounts).account_id == account.account_id


@pytest.mark.parametrize(
    "text", ["", "pl", "pl__", "pl_a_b", "x_{id}_{secret}", "pl_{id}_{secret}0", "pl_{id}_"]
)
def test_what_is_not_a_key_opens_nothing(text: str) -> None:
    world = World()
    _, right = create_account("Oak", LinePlan.DEMO, world.accounts, world.clock)
    _, key_id, secret = right.split("_")
    with pytest.raises(Unauthorized):
        authenticate(text.replace("{id}", key_id).replace("{secret}", secret), world.accounts)
