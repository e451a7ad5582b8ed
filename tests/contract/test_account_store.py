"""Contract of ``AccountStore``."""

from datetime import timedelta

import pytest

from chalicelib.domain.account import Account, mint_key
from chalicelib.domain.line import LinePlan
from chalicelib.errors import NotFound
from tests.contract.conftest import Stores
from tests.contract.store_builders import NOON


class TestAccountStore:
    def test_an_account_is_read_as_it_was_stored(self, stores: Stores) -> None:
        account = Account(stores.account, "Oak & Linen", LinePlan.PURCHASED, NOON)
        stores.accounts.add(account)
        assert stores.accounts.get(stores.account) == account

    def test_an_account_nobody_made_is_not_found(self, stores: Stores) -> None:
        with pytest.raises(NotFound):
            stores.accounts.get(stores.stranger)

    def test_a_key_is_found_by_its_id(self, stores: Stores) -> None:
        key, _ = mint_key(stores.account, "first", NOON)
        stores.accounts.add_key(key)
        assert stores.accounts.find_key(key.key_id) == key
        assert stores.accounts.find_key("nothing") is None

    def test_keys_are_listed_for_their_account_only_oldest_first(self, stores: Stores) -> None:
        newer, _ = mint_key(stores.account, "newer", NOON + timedelta(days=1))
        older, _ = mint_key(stores.account, "older", NOON)
        foreign, _ = mint_key(stores.stranger, "foreign", NOON)
        for key in (newer, older, foreign):
            stores.accounts.add_key(key)
        assert stores.accounts.list_keys(stores.account) == [older, newer]

    def test_an_account_without_keys_has_an_empty_list(self, stores: Stores) -> None:
        assert stores.accounts.list_keys(stores.account) == []

    def test_a_key_is_revoked_once_and_for_all(self, stores: Stores) -> None:
        key, _ = mint_key(stores.account, "first", NOON)
        stores.accounts.add_key(key)
        stores.accounts.revoke_key(stores.account, key.key_id, NOON)
        stores.accounts.revoke_key(stores.account, key.key_id, NOON + timedelta(days=1))
        found = stores.accounts.find_key(key.key_id)
        assert found is not None
        assert found.revoked_at == NOON

    def test_nobody_revokes_the_key_of_another_account(self, stores: Stores) -> None:
        key, _ = mint_key(stores.account, "first", NOON)
        stores.accounts.add_key(key)
        with pytest.raises(NotFound):
            stores.accounts.revoke_key(stores.stranger, key.key_id, NOON)
        assert stores.accounts.find_key(key.key_id) == key

    def test_revoking_a_key_that_does_not_exist_makes_none(self, stores: Stores) -> None:
        with pytest.raises(NotFound):
            stores.accounts.revoke_key(stores.account, "nothing", NOON)
        assert stores.accounts.find_key("nothing") is None
