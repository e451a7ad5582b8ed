"""An account (tenant) and the API keys that act for it.

A key reads ``pl_<key id>_<secret>``. The id is public and finds the row; of the secret only a salted SHA-256
is kept. A fast hash is enough: the secret has 256 random bits, so there is nothing to guess.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.line import LinePlan

PREFIX = "pl"


@dataclass(frozen=True, slots=True)
class Account:
    """One customer. ``line_plan`` is the plan a line of this account starts with; the operator decides it."""

    account_id: str
    name: str
    line_plan: LinePlan
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One key's row: everything but the secret. ``revoked_at`` is None while the key is in force."""

    key_id: str
    account_id: str
    name: str
    salt: str
    digest: str
    created_at: datetime
    revoked_at: datetime | None = None

    def opens_with(self, secret: str) -> bool:
        """Whether this secret is the key's own and the key is in force; compared in constant time."""
        return hmac.compare_digest(_digest(self.salt, secret), self.digest) and self.revoked_at is None


def mint_key(account_id: str, name: str, now: datetime) -> tuple[ApiKey, str]:
    """Make a key. The second value is the text to show the customer once; it can't be had again."""
    key_id, secret, salt = secrets.token_hex(6), secrets.token_hex(32), secrets.token_hex(16)
    key = ApiKey(key_id, account_id, name, salt, _digest(salt, secret), now)
    return key, f"{PREFIX}_{key_id}_{secret}"


def split_key(text: str) -> tuple[str, str] | None:
    """Take ``pl_<key id>_<secret>`` apart; None when it doesn't look like that."""
    match text.split("_"):
        case [prefix, key_id, secret] if prefix == PREFIX and key_id and secret:
            return key_id, secret
    return None


def _digest(salt: str, secret: str) -> str:
    return hashlib.sha256(f"{salt}:{secret}".encode()).hexdigest()
