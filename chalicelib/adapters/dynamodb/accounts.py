"""Accounts and API keys in DynamoDB."""

from datetime import datetime

from pynamodb.exceptions import DoesNotExist, UpdateError

from chalicelib.adapters.dynamodb.tables import AccountRow, ApiKeyRow
from chalicelib.adapters.dynamodb.writing import refused, update_if
from chalicelib.domain.access import ALL_SCOPES, Scope
from chalicelib.domain.account import Account, ApiKey
from chalicelib.domain.line import LinePlan
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
        return Account(row.account_id, row.name, LinePlan(row.line_plan), row.created_at)

    def add_key(self, key: ApiKey) -> None:
        """Store a new key's row."""
        ApiKeyRow(
            key_id=key.key_id,
            account_id=key.account_id,
            name=key.name,
            salt=key.salt,
            digest=key.digest,
            created_at=key.created_at,
            scopes={scope.value for scope in key.scopes},
            expires_at=key.expires_at,
        ).save(ApiKeyRow.key_id.does_not_exist())

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
        try:
            ApiKeyRow(key_id).update(
                actions=[ApiKeyRow.revoked_at.set(ApiKeyRow.revoked_at | now)],
                condition=ApiKeyRow.account_id == account_id,
            )
        except UpdateError as error:
            if refused(error):
                raise NotFound("API key") from error
            raise


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
    )
