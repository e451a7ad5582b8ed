"""Accounts and API keys: the operator makes accounts, their owners make and revoke keys."""

from chalicelib.domain.access import ALL_SCOPES, Actor, Maker, Scope
from chalicelib.domain.account import USE_NOTED_EVERY, Account, ApiKey, KeyWish, mint_key, split_key
from chalicelib.domain.quota import NO_LIMIT, Quota, reached
from chalicelib.errors import FieldError, Invalid, Unauthorized
from chalicelib.ports import AccountStore, Clock


def open_account(account: Account, by: Actor, accounts: AccountStore, clock: Clock) -> str:
    """Store a new account with a first key, whose text is shown this once."""
    accounts.add(account)
    _, text = create_key(account.account_id, KeyWish("first key"), Maker(by, ALL_SCOPES), accounts, clock)
    return text


def create_key(
    account_id: str,
    wish: KeyWish,
    maker: Maker,
    accounts: AccountStore,
    clock: Clock,
    most: int = NO_LIMIT,
) -> tuple[ApiKey, str]:
    """Create one more key of an account; the second value is its text, shown this once.

    Raises Invalid when it would have a scope that its maker has not, or would be expired from the start, and
    QuotaReached when ``most`` of the account's keys are in force.
    """
    _check_wish(wish, maker.scopes, clock)
    key, text = mint_key(account_id, wish, maker.actor, clock.now())
    if not accounts.add_key(key, most):
        raise reached(Quota.API_KEYS, most)
    return key, text


def _check_wish(wish: KeyWish, maker: frozenset[Scope], clock: Clock) -> None:
    wrong = []
    if not wish.scopes:  # a row without scopes is one from before there were any, and may do all
        wrong.append(FieldError("scopes", "missing", "Give at least one scope."))
    if not wish.scopes <= maker:
        allowed = ", ".join(sorted(maker))
        wrong.append(FieldError("scopes", "not_yours", f"A key gets no scope you lack; you have: {allowed}."))
    if wish.expires_at is not None and wish.expires_at <= clock.now():
        wrong.append(FieldError("expires_at", "past", "Give a time that is still to come."))
    if wrong:
        raise Invalid(*wrong)


def authenticate(text: str, accounts: AccountStore, clock: Clock) -> ApiKey:
    """The key, which tells the account it acts for; raises Unauthorized."""
    parts = split_key(text)
    key = accounts.find_key(parts[0]) if parts else None
    if parts is None or key is None or not key.opens_with(parts[1], clock.now()):
        raise Unauthorized("This API key is unknown, expired or was revoked.")
    return key


def note_use(key: ApiKey, accounts: AccountStore, clock: Clock) -> None:
    """Keep that the key is used, once in ``USE_NOTED_EVERY``."""
    now = clock.now()
    if key.use_is_old(now):
        accounts.note_key_use(key.account_id, key.key_id, now, before=now - USE_NOTED_EVERY)
