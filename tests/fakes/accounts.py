"""Accounts in memory."""

from dataclasses import replace
from datetime import datetime

from chalicelib.domain.account import Account, ApiKey
from chalicelib.domain.quota import NO_LIMIT, Quota
from chalicelib.errors import NotFound
from tests.fakes.row_keys import check_row_key
from tests.fakes.usage import FakeUsageStore


class FakeAccountStore:
    """Port ``AccountStore``."""

    def __init__(self, usage: FakeUsageStore | None = None) -> None:
        self._usage = usage or FakeUsageStore()
        self._accounts: dict[str, Account] = {}
        self._keys: dict[str, ApiKey] = {}

    def add(self, account: Account) -> None:
        self._accounts[account.account_id] = account

    def get(self, account_id: str) -> Account:
        if account_id not in self._accounts:
            raise NotFound("account")
        return self._accounts[account_id]

    def set_quota(self, account_id: str, quota: Quota, limit: int | None) -> Account:
        account = self.get(account_id)
        quotas = {name: own for name, own in account.quotas.items() if name is not quota}
        quotas |= {} if limit is None else {quota: limit}
        self._accounts[account_id] = replace(account, quotas=quotas)
        return self._accounts[account_id]

    def add_key(self, key: ApiKey, most: int = NO_LIMIT) -> bool:
        if key.key_id in self._keys:
            return True
        if not self._usage.count(key.account_id, Quota.API_KEYS, most):
            return False
        self._keys[key.key_id] = key
        return True

    def find_key(self, key_id: str) -> ApiKey | None:
        check_row_key(key_id)
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
        if key.revoked_at is None:
            self._keys[key_id] = replace(key, revoked_at=now)
            self._usage.uncount(account_id, Quota.API_KEYS)
