"""Contract of ``AccountStore``."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.adapters.dynamodb.tables import ApiKeyRow
from chalicelib.domain.access import ALL_SCOPES, Scope
from chalicelib.domain.account import Account, KeyWish, mint_key
from chalicelib.domain.line import LinePlan
from chalicelib.errors import NotFound
from tests.contract.conftest import Stores
from tests.contract.store_builders import NOON
from tests.fakes.world import ANNA


class TestAccountStore:
    def test_an_account_is_read_as_it_was_stored(self, stores: Stores) -> None:
        account = Account(stores.account, "Oak & Linen", LinePlan.PURCHASED, NOON)
        stores.accounts.add(account)
        assert stores.accounts.get(stores.account) == account

    def test_an_account_nobody_made_is_not_found(self, stores: Stores) -> None:
        with pytest.raises(NotFound):
            stores.accounts.get(stores.stranger)

    def test_a_key_is_found_by_its_id(self, stores: Stores) -> None:
        key, _ = mint_key(stores.account, KeyWish("first"), ANNA, NOON)
        stores.accounts.add_key(key)
        assert stores.accounts.find_key(key.key_id) == key
        assert stores.accounts.find_key("nothing") is None

    def test_keys_are_listed_for_their_account_only_oldest_first(self, stores: Stores) -> None:
        newer, _ = mint_key(stores.account, KeyWish("newer"), ANNA, NOON + timedelta(days=1))
        older, _ = mint_key(stores.account, KeyWish("older"), ANNA, NOON)
        foreign, _ = mint_key(stores.stranger, KeyWish("foreign"), ANNA, NOON)
        for key in (newer, older, foreign):
            stores.accounts.add_key(key)
        assert stores.accounts.list_keys(stores.account) == [older, newer]

    def test_an_account_without_keys_has_an_empty_list(self, stores: Stores) -> None:
        assert stores.accounts.list_keys(stores.account) == []

    def test_a_key_is_revoked_once_and_for_all(self, stores: Stores) -> None:
        key, _ = mint_key(stores.account, KeyWish("first"), ANNA, NOON)
        stores.accounts.add_key(key)
        stores.accounts.revoke_key(stores.account, key.key_id, NOON)
        stores.accounts.revoke_key(stores.account, key.key_id, NOON + timedelta(days=1))
        found = stores.accounts.find_key(key.key_id)
        assert found is not None
        assert found.revoked_at == NOON

    def test_nobody_revokes_the_key_of_another_account(self, stores: Stores) -> None:
        key, _ = mint_key(stores.account, KeyWish("first"), ANNA, NOON)
        stores.accounts.add_key(key)
        with pytest.raises(NotFound):
            stores.accounts.revoke_key(stores.stranger, key.key_id, NOON)
        assert stores.accounts.find_key(key.key_id) == key

    def test_revoking_a_key_that_does_not_exist_makes_none(self, stores: Stores) -> None:
        with pytest.raises(NotFound):
            stores.accounts.revoke_key(stores.account, "nothing", NOON)
        assert stores.accounts.find_key("nothing") is None

    def test_scopes_and_expiry_are_kept(self, stores: Stores) -> None:
        wish = KeyWish("narrow", frozenset({Scope.READ, Scope.SEND}), NOON + timedelta(days=30))
        key, _ = mint_key(stores.account, wish, ANNA, NOON)
        stores.accounts.add_key(key)
        assert stores.accounts.find_key(key.key_id) == key
        assert stores.accounts.list_keys(stores.account) == [key]

    def test_a_use_is_noted_unless_a_later_one_is(self, stores: Stores) -> None:
        key, _ = mint_key(stores.account, KeyWish("first"), ANNA, NOON)
        stores.accounts.add_key(key)
        hour = timedelta(hours=1)
        for minutes, noted in ((0, 0), (59, 0), (60, 60), (100, 60)):
            now = NOON + timedelta(minutes=minutes)
            stores.accounts.note_key_use(stores.account, key.key_id, now, before=now - hour)
            found = stores.accounts.find_key(key.key_id)
            assert found == replace(key, used_at=NOON + timedelta(minutes=noted))

    def test_nobody_notes_the_use_of_a_key_of_another_account_or_of_none(self, stores: Stores) -> None:
        key, _ = mint_key(stores.account, KeyWish("first"), ANNA, NOON)
        stores.accounts.add_key(key)
        for key_id in (key.key_id, "nothing"):
            stores.accounts.note_key_use(stores.stranger, key_id, NOON, before=NOON)
        assert stores.accounts.find_key(key.key_id) == key
        assert stores.accounts.find_key("nothing") is None


def test_the_row_of_an_old_key_has_all_scopes_and_nobody_who_made_it(dynamodb: Stores) -> None:
    key, _ = mint_key(dynamodb.account, KeyWish("old"), ANNA, NOON)
    dynamodb.accounts.add_key(key)
    gone = [ApiKeyRow.scopes, ApiKeyRow.actor_kind, ApiKeyRow.actor_id]
    ApiKeyRow(key.key_id).update([attribute.remove() for attribute in gone])
    found = dynamodb.accounts.find_key(key.key_id)
    assert found == replace(key, scopes=ALL_SCOPES, created_by=None)
