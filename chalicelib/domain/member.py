"""The people of an account, and the invitations that bring them in.

A person belongs to at most one account, known by the ``sub`` of their sign-in: then a request needs to name
no account, and nobody acts in the wrong one. An invitation's token reads
``pi_<account>_<invitation>_<secret>``; of the secret, 256 random bits, only a salted SHA-256 is kept.
"""

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.domain.access import Actor, Role
from chalicelib.domain.account import digest_of, is_secret
from chalicelib.domain.address import Address
from chalicelib.domain.ids import is_id, new_id
from chalicelib.errors import Conflict

INVITATION_LIVES = timedelta(days=7)
MAX_PEOPLE = 200  # members and open invitations of an account
_PREFIX = "pi"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who signed in. ``address`` is one they proved to read, None when there is none."""

    sub: str
    address: Address | None


@dataclass(frozen=True, slots=True)
class Member:
    """A person in an account. ``email`` is their address when they joined."""

    account_id: str
    sub: str
    email: str
    role: Role
    joined_at: datetime


@dataclass(frozen=True, slots=True)
class Invitation:
    """An open invitation of one address; gone once it is accepted or withdrawn. ``expires_at`` is UTC.

    ``by`` made it, and it is good no longer than they could make it again.
    """

    account_id: str
    invitation_id: str
    email: str
    address_key: str
    role: Role
    by: Actor
    salt: str
    digest: str
    invited_at: datetime
    expires_at: datetime

    def opens_with(self, secret: str, now: datetime) -> bool:
        """Whether this secret is its own and it has not expired; compared in constant time."""
        return hmac.compare_digest(digest_of(self.salt, secret), self.digest) and now < self.expires_at

    def is_for(self, person: Person) -> bool:
        """Whether the person proved to read the address that was invited."""
        return person.address is not None and person.address.key == self.address_key


def mint_invitation(
    account_id: str, address: Address, role: Role, by: Actor, now: datetime
) -> tuple[Invitation, str]:
    """Make an invitation. The second value is the token to show once; it can't be had again."""
    secret, salt = secrets.token_hex(32), secrets.token_hex(16)
    expires_at = (now + INVITATION_LIVES).replace(microsecond=0)
    invitation = Invitation(
        account_id=account_id,
        invitation_id=new_id(now),
        email=address.text,
        address_key=address.key,
        role=role,
        by=by,
        salt=salt,
        digest=digest_of(salt, secret),
        invited_at=now,
        expires_at=expires_at,
    )
    return invitation, f"{_PREFIX}_{account_id}_{invitation.invitation_id}_{secret}"


def already_member() -> Conflict:
    """Why somebody doesn't come into another account."""
    text = "You belong to an account already; a person is in one. Have an owner remove you there first."
    return Conflict("already_member", text)


def split_token(token: str) -> tuple[str, str, str] | None:
    """The account, the invitation and the secret that a token names.

    None for a text that ``mint_invitation`` doesn't make: a table is never asked for what can't be an id.
    """
    match token.split("_"):
        case [prefix, account_id, invitation_id, secret] if (
            prefix == _PREFIX and is_id(account_id) and is_id(invitation_id) and is_secret(secret)
        ):
            return account_id, invitation_id, secret
    return None
