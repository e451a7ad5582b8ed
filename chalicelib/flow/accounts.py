"""Accounts and API keys: the operator makes accounts, their owners make and revoke keys."""

from chalicelib.domain.account import Account, ApiKey, mint_key, split_key
from chalicelib.domain.ids import new_id
from chalicelib.domain.line import LinePlan
from chalicelib.errors import Unauthorized
from chalicelib.ports import AccountStore, Clock


def create_account(
    name: str, line_plan: LinePlan, accounts: AccountStore, clock: Clock
) -> tuple[Account, str]:
    """Create an account with a first key; the second value is the key's text, shown this once."""
    account = Account(new_id(clock.now()), name, line_plan, clock.now())
    accounts.add(account)
    _, text = create_key(account.account_id, "first key", accounts, clock)
    return account, text


def create_key(account_id: str, name: str, accounts: AccountStore, clock: Clock) -> tuple[ApiKey, str]:
    """Create one more key of an account; the second value is its text, shown this once."""
    key, text = mint_key(account_id, name, clock.now())
    accounts.add_key(key)
    return key, text


def authenticate(text: str, accounts: AccountStore) -> ApiKey:
    """The key, which tells the account it acts for; raises Unauthorized."""
    parts = split_key(text)
    key = accounts.find_key(parts[0]) if parts else None
    if parts is None or key is None or not key.opens_with(parts[1]):
        raise Unauthorized("This API key is unknown or was revoked.")
    return key
