"""An account (tenant) and the API keys that act for it.

A key reads ``pl_<key id>_<secret>``. The id is public and finds the row; of the secret only a salted SHA-256
is kept. A fast hash is enough: the secret has 256 random bits, so there is nothing to guess.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from chalicelib.domain.access import ALL_SCOPES, Actor, Scope
from chalicelib.domain.ids import new_id
from chalicelib.domain.line import LinePlan
from chalicelib.domain.quota import Quota

PREFIX = "pl"
_KEY = re.compile(PREFIX + r"_([0-9a-f]{12})_([0-9a-f]{64})").fullmatch
_SECRET = re.compile(r"[0-9a-f]{64}").fullmatch
USE_NOTED_EVERY = timedelta(hours=1)
"""How old the kept time of a key's last use becomes before it is written again."""


@dataclass(frozen=True, slots=True)
class Account:
    """One customer. ``line_plan`` is the plan a line of this account starts with, ``quotas`` the limits that
    are its own; the operator decides both.
    """

    account_id: str
    name: str
    line_plan: LinePlan
    created_at: datetime
    quotas: Mapping[Quota, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KeyWish:
    """What a new key is to be. ``expires_at`` (aware UTC) is None for one that works until it is revoked."""

    name: str
    scopes: frozenset[Scope] = ALL_SCOPES
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One key's row: everything but the secret. ``revoked_at`` is None until it is revoked.

    ``used_at`` is when it was last used, up to ``USE_NOTED_EVERY`` behind; None is never. Of a key from
    before it was kept nobody knows who made it: ``created_by`` is None.
    """

    key_id: str
    account_id: str
    name: str
    salt: str
    digest: str
    created_at: datetime
    scopes: frozenset[Scope] = ALL_SCOPES
    expires_at: datetime | None = None
    used_at: datetime | None = None
    revoked_at: datetime | None = None
    created_by: Actor | None = None

    @property
    def prefix(self) -> str:
        """The public part of the key's text."""
        return f"{PREFIX}_{self.key_id}"

    def opens_with(self, secret: str, now: datetime) -> bool:
        """Whether this secret is the key's own and the key is in force; compared in constant time."""
        return hmac.compare_digest(digest_of(self.salt, secret), self.digest) and self.in_force(now)

    def in_force(self, now: datetime) -> bool:
        """Whether it is neither revoked nor expired at ``now``."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def use_is_old(self, now: datetime) -> bool:
        """Whether it is time to note again that the key is used."""
        return self.used_at is None or self.used_at <= now - USE_NOTED_EVERY


def new_account(name: str, line_plan: LinePlan, now: datetime) -> Account:
    """An account with an id of its own; it isn't kept anywhere yet."""
    return Account(new_id(now), name, line_plan, now)


def mint_key(account_id: str, wish: KeyWish, by: Actor, now: datetime) -> tuple[ApiKey, str]:
    """Make a key. The second value is the text to show the customer once; it can't be had again."""
    key_id, secret, salt = secrets.token_hex(6), secrets.token_hex(32), secrets.token_hex(16)
    digest = digest_of(salt, secret)
    key = ApiKey(
        key_id=key_id,
        account_id=account_id,
        name=wish.name,
        salt=salt,
        digest=digest,
        created_at=now,
        scopes=wish.scopes,
        expires_at=wish.expires_at,
        created_by=by,
    )
    return key, f"{key.prefix}_{secret}"


def split_key(text: str) -> tuple[str, str] | None:
    """Take ``pl_<key id>_<secret>`` apart; None for a text that ``mint_key`` doesn't make.

    Anybody may send one: a table is never asked for what can't be the id of a key.
    """
    found = _KEY(text)
    return (found[1], found[2]) if found else None


def is_secret(text: str) -> bool:
    """Whether it has the form of a secret: 256 bits as ``secrets.token_hex`` writes them."""
    return _SECRET(text) is not None


def digest_of(salt: str, secret: str) -> str:
    """SHA-256 in hex: a key's secret has so much chance in it that nobody can try them all."""
    return hashlib.sha256(f"{salt}:{secret}".encode()).hexdigest()
