"""Routes of the account and its API keys."""

from datetime import datetime
from typing import Self

from chalice import Blueprint
from pydantic import Field

from chalicelib import wiring
from chalicelib.blueprints.api.audited import in_trail_of
from chalicelib.blueprints.api.models import ActorShown, Input, Instant, OneLine, Output
from chalicelib.blueprints.api.requests import Call, Nothing
from chalicelib.blueprints.api.routing import route
from chalicelib.domain.access import SCOPES_OF, Role, Scope
from chalicelib.domain.account import Account, ApiKey, KeyWish
from chalicelib.domain.line import LinePlan
from chalicelib.domain.quota import Quota
from chalicelib.domain.return_path import inbound_pattern
from chalicelib.domain.usage import Usage
from chalicelib.flow.accounts import create_key
from chalicelib.flow.members import found_account, plan_account

accounts = Blueprint(__name__)


class QuotaShown(Output):
    """What the account may have, and what it has of it where that is counted."""

    quota: Quota
    limit: int
    used: int | None = Field(description="null: contacts of each campaign, and what is at once or an hour's.")

    @classmethod
    def of(cls, quota: Quota, limit: int, usage: Usage, now: datetime) -> Self:
        """A quota as it is shown."""
        counted = {
            Quota.CAMPAIGNS: usage.campaigns,
            Quota.LINES: usage.lines,
            Quota.API_KEYS: usage.api_keys,
            Quota.DOMAINS: usage.domains,
            Quota.ATTACHMENTS: usage.attachments,
            Quota.STORAGE: usage.stored(now),
        }
        return cls(quota=quota, limit=limit, used=counted.get(quota))


class AccountShown(Output):
    """The account that the caller acts in, and what they may do there."""

    account_id: str
    name: str
    line_plan: LinePlan = Field(description="The plan that a new line of this account starts with.")
    return_path: str | None = Field(
        description="A return_path for lines whose bounces are read without a mailbox; null if there is none."
    )
    quotas: list[QuotaShown]
    created_at: datetime
    scopes: list[Scope] = Field(description="What you may do in it.")

    @classmethod
    def of(cls, account: Account, scopes: frozenset[Scope]) -> Self:
        """An account as somebody with these scopes sees it."""
        domain = wiring.settings().inbound_domain
        usage, now = wiring.usage().get(account.account_id), wiring.clock.now()
        limits = {**wiring.usual_limits(), **account.quotas}
        return cls(
            account_id=account.account_id,
            name=account.name,
            line_plan=account.line_plan,
            return_path=inbound_pattern(account.account_id, domain) if domain else None,
            quotas=[QuotaShown.of(quota, limit, usage, now) for quota, limit in limits.items()],
            created_at=account.created_at,
            scopes=sorted(scopes),
        )


class AccountInput(Input):
    """A new account of the person who signed in."""

    name: OneLine = Field(min_length=1, max_length=200)


class KeyInput(Input):
    """A new API key."""

    name: str = Field(min_length=1, max_length=100)
    scopes: list[Scope] | None = Field(
        None, min_length=1, description="What it may do, at most what you may; left out: all that you may."
    )
    expires_at: Instant | None = Field(None, description="From when on it is refused; null is never.")

    def wish(self, maker: frozenset[Scope]) -> KeyWish:
        """The key that is wished for by a maker with these scopes."""
        scopes = maker if self.scopes is None else frozenset(self.scopes)
        return KeyWish(self.name, scopes, self.expires_at)


class KeyShown(Output):
    """An API key without its secret."""

    key_id: str
    prefix: str = Field(description="What the key begins with; it is no secret.")
    name: str
    scopes: list[Scope]
    created_by: ActorShown | None = Field(
        description="Who made it; it stays when they are removed. null: nobody kept that then."
    )
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None = Field(
        description="When it was last used, up to an hour behind; null is never."
    )
    revoked_at: datetime | None

    @classmethod
    def of(cls, key: ApiKey) -> Self:
        """A key as it is listed."""
        return cls(
            key_id=key.key_id,
            prefix=key.prefix,
            name=key.name,
            scopes=sorted(key.scopes),
            created_by=ActorShown.of(key.created_by) if key.created_by else None,
            created_at=key.created_at,
            expires_at=key.expires_at,
            used_at=key.used_at,
            revoked_at=key.revoked_at,
        )


class NewKeyShown(Output):
    """A new API key, with the text that is shown this once."""

    key_id: str
    api_key: str


class KeyList(Output):
    """All API keys of the account, oldest first."""

    items: list[KeyShown]


@route(accounts, "GET", "/account", Nothing, Nothing, AccountShown)
def read_account(call: Call[Nothing, Nothing]) -> AccountShown:
    """Read the account you act in."""
    return AccountShown.of(wiring.accounts().get(call.account_id), call.scopes)


@route(
    accounts,
    "POST",
    "/account",
    AccountInput,
    Nothing,
    AccountShown,
    status=201,
    problems=(409,),
    audit="account_created",
    newcomers=True,
)
def create_own_account(call: Call[AccountInput, Nothing]) -> AccountShown:
    """Make an account of your own as a person who signed in; you are its owner."""
    person, ports = call.person, wiring.member_ports()
    account = plan_account(person, call.body.name, ports)
    ids = {"account_id": account.account_id}
    with in_trail_of(account.account_id, call, "account_created", ids):
        found_account(person, account, ports)
    return AccountShown.of(account, SCOPES_OF[Role.OWNER])


@route(accounts, "GET", "/api-keys", Nothing, Nothing, KeyList, scope=Scope.ADMIN)
def list_api_keys(call: Call[Nothing, Nothing]) -> KeyList:
    """List the API keys of the account."""
    return KeyList(items=[KeyShown.of(key) for key in wiring.accounts().list_keys(call.account_id)])


@route(
    accounts,
    "POST",
    "/api-keys",
    KeyInput,
    Nothing,
    NewKeyShown,
    status=201,
    scope=Scope.ADMIN,
    audit="api_key_created",
    secret=True,
)
def create_api_key(call: Call[KeyInput, Nothing]) -> NewKeyShown:
    """Create an API key; its text is shown this once."""
    wish, most = call.body.wish(call.scopes), wiring.limit_of(call.account_id, Quota.API_KEYS)
    key, text = create_key(call.account_id, wish, call.maker, wiring.accounts(), wiring.clock, most)
    return NewKeyShown(key_id=key.key_id, api_key=text)


@route(
    accounts,
    "DELETE",
    "/api-keys/{key_id}",
    Nothing,
    Nothing,
    None,
    status=204,
    scope=Scope.ADMIN,
    audit="api_key_revoked",
)
def revoke_api_key(call: Call[Nothing, Nothing], key_id: str) -> None:
    """Revoke an API key; it works for at most a minute longer, and makes no other key in it."""
    wiring.accounts().revoke_key(call.account_id, key_id, wiring.clock.now())
