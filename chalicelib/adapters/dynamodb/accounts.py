"""Accounts and API keys in DynamoDB."""

from datetime import datetime

from pynamodb.exceptions import DoesNotExist
from pynamodb.expressions.update import Action

from chalicelib.adapters.dynamodb.mapping import plain
from chalicelib.adapters.dynamodb.tables import AccountRow, ApiKeyRow
from chalicelib.adapters.dynamodb.usage import put_counted, remove_counted
from chalicelib.adapters.dynamodb.writing import update_if
from chalicelib.domain.access import ALL_SCOPES, Actor, ActorKind, Scope
from chalicelib.domain.account import Account, ApiKey
from chalicelib.domain.line import LinePlan
from chalicelib.domain.quota import NO_LIMIT, Quota
from chalicelib.errors import NotFound


class DynamoAccountStore:
    """Port ``AccountStore``."""

    def add(self, account: Account) -> None:
        """Store a new account."""
        AccountRow(
            account_id=account.account_id,
            name=account.name,
            line_plan=account.line_plan,
            created_at=account.created_at,
        ).save(AccountRow.account_id.does_not_exist())

    def get(self, account_id: str) -> Account:
        """Read an account; raises NotFound."""
        try:
            row = AccountRow.get(account_id, consistent_read=True)
        except DoesNotExist as error:
            raise NotFound("account") from error
        return _account(row)

    def set_quota(self, account_id: str, quota: Quota, limit: int | None) -> Account:
        """Change one limit of the account's own; raises NotFound."""
        account = self.get(account_id)
        quotas = {name.value: own for name, own in account.quotas.items() if name is not quota}
        if limit is not None:
            quotas[quota.value] = limit
        row = AccountRow(account_id)
        if not update_if(row, [AccountRow.quotas.set(quotas)], AccountRow.account_id.exists()):
            raise NotFound("account")
        return _account(row)

    def add_key(self, key: ApiKey, most: int = NO_LIMIT) -> bool:
        """Store a new key's row, and count it."""
        row = ApiKeyRow(
            key_id=key.key_id,
            account_id=key.account_id,
            name=key.name,
            salt=key.salt,
            digest=key.digest,
            created_at=key.created_at,
            scopes={scope.value for scope in key.scopes},
            expires_at=key.expires_at,
            actor_kind=key.created_by.kind if key.created_by else None,
            actor_id=key.created_by.id if key.created_by else None,
        )
        return put_counted(
            lambda write: write.save(row, ApiKeyRow.key_id.does_not_exist()),
            1,
            key.account_id,
            Quota.API_KEYS,
            most,
        )

    def find_key(self, key_id: str) -> ApiKey | None:
        """Read a key by its public id; None when there is none."""
        try:
            return _key(ApiKeyRow.get(key_id, consistent_read=True))
        except DoesNotExist:
            return None

    def list_keys(self, account_id: str) -> list[ApiKey]:
        """All keys of the account, revoked ones too, oldest first."""
        ids = [row.key_id for row in ApiKeyRow.keys_of_account.query(account_id)]
        return sorted((_key(row) for row in ApiKeyRow.batch_get(ids)), key=lambda key: key.created_at)

    def note_key_use(self, account_id: str, key_id: str, now: datetime, before: datetime) -> None:
        """Keep that the key is used now, unless a use after ``before`` is kept already."""
        old = ApiKeyRow.used_at.does_not_exist() | (ApiKeyRow.used_at <= before)
        update_if(ApiKeyRow(key_id), [ApiKeyRow.used_at.set(now)], (ApiKeyRow.account_id == account_id) & old)

    def revoke_key(self, account_id: str, key_id: str, now: datetime) -> None:
        """Put a key out of force; raises NotFound unless it is the account's own."""
        in_force = (ApiKeyRow.account_id == account_id) & ApiKeyRow.revoked_at.does_not_exist()
        revoke: list[Action] = [ApiKeyRow.revoked_at.set(now)]
        revoked = remove_counted(
            lambda write: write.update(ApiKeyRow(key_id), revoke, in_force), account_id, Quota.API_KEYS
        )
        if revoked:
            return
        key = self.find_key(key_id)
        if key is None or key.account_id != account_id:
            raise NotFound("API key")


def _account(row: AccountRow) -> Account:
    quotas = {Quota(name): int(limit) for name, limit in plain(row.quotas or {}).items()}
    return Account(row.account_id, row.name, LinePlan(row.line_plan), row.created_at, quotas)


def _key(row: ApiKeyRow) -> ApiKey:
    return ApiKey(
        key_id=row.key_id,
        account_id=row.account_id,
        name=row.name,
        salt=row.salt,
        digest=row.digest,
        created_at=row.created_at,
        scopes=frozenset(map(Scope, row.scopes)) if row.scopes else ALL_SCOPES,
        expires_at=row.expires_at,
        used_at=row.used_at,
        revoked_at=row.revoked_at,
        created_by=Actor(ActorKind(row.actor_kind), row.actor_id) if row.actor_kind else None,
    )
