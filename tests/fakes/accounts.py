"""Accounts in memory."""

from dataclasses import replace
from datetime import datetime

from chalicelib.domain.account import Account, ApiKey
from chalicelib.errors import NotFound


class FakeAccountStore:
    """Port ``AccountStore``."""

    def __init__(self) -> None:
        self._accounts: dict[str, Account] = {}
        self._keys: dict[str, ApiKey] = {}

    def add(self, account: Account) -> None:
        self._accounts[account.account_id] = account

    def get(self, account_id: str) -> Account:
        if account_id not in self._accounts:
            raise NotFound("account")
        return self._accounts[account_id]

    def add_key(self, key: ApiKey) -> None:
        self._keys[key.key_id] = key

    def find_key(self, key_id: str) -> ApiKey | None:
        return self._keys.get(key_id)

    def list_keys(self, account_id: str) -> list[ApiKey]:
        own = (key for key in self._keys.values() if key.account_id == account_id)
        return sorted(own, key=lambda key: key.created_at)

    def note_key_use(self, account_id: str, key_id: str, now: datetime, before: datetime) -> None:
        key = self._keys.get(key_id)
        own = key is not None and key.account_id == account_id
        if key is not None and own and (key.used_at is None or key.used_at <= before):
            self._keys[key_id] = replace(key, used_at=now)

    def revoke_key(self, account_id: str, key_id: str, now: datetime) -> None:
        key = self._keys.get(key_id)
        if key is None or key.account_id != account_id:
            raise NotFound("API key")
        self._keys[key_id] = replace(key, revoked_at=key.revoked_at or now)
