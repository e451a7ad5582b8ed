"""SES identities: the addresses and domains that a line of the platform's SES may send from.

One SES account verifies everybody's identities, and SES lets it send from any of them. Which customer may
use which one is therefore ours to say. An identity is written as ``Address.key`` writes it: an address or a
domain in lower case, the domain in A-labels; `domain/address.py` reads it.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from chalicelib.domain.ledger import LineLimits

UNVERIFIED_FOR = timedelta(hours=72)  # how long SES looks for a domain's records, and a claim waits for it
SES_SIZE_LIMIT = 40_000_000  # bytes of an encoded message that SES takes
OTHERS_FIRST = timedelta(hours=24)  # after a contested claim lapsed, how long its account may not renew it

_DAY = timedelta(days=1)
_CHECKS = (  # while it waits: until this age, this far apart; people publish records in the first hour
    (timedelta(minutes=10), timedelta(minutes=1)),
    (timedelta(hours=1), timedelta(minutes=5)),
    (timedelta(hours=6), timedelta(minutes=15)),
)
_SELDOM = timedelta(hours=1)


class VerificationState(StrEnum):
    """What SES says of an identity."""

    PENDING = "pending"  # it looks for the records, or waits for the link in its mail to be followed
    VERIFIED = "verified"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class DnsRecord:
    """A record that the domain's owner has to publish."""

    type: str
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What is known of a line's identity. ``until`` is when an unverified one is given up; None: verified."""

    state: VerificationState
    records: tuple[DnsRecord, ...] = ()
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class IdentityReport:
    """What SES says of an identity. ``inherits_from``: verified ones above it, which alone would do."""

    state: VerificationState
    records: tuple[DnsRecord, ...] = ()
    inherits_from: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SendingQuota:
    """What SES lets the platform send. ``sandbox``: only to addresses that are verified themselves."""

    limits: LineLimits
    sandbox: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """Which account an identity belongs to. One that isn't verified lapses, so that nobody can squat.

    ``contested``: another account asked for it meanwhile.
    """

    account_id: str
    identity: str
    since: datetime
    verified: bool = False
    contested: bool = False

    def holds(self, now: datetime) -> bool:
        """Whether it still keeps other accounts out."""
        return self.verified or now < self.until

    @property
    def until(self) -> datetime:
        """When it lapses, if it isn't verified by then."""
        return self.since + UNVERIFIED_FOR


def claimed(found: Claim | None, account_id: str, identity: str, now: datetime) -> Claim | None:
    """The claim after this account has asked for the identity; None when it is refused.

    Asking again doesn't prolong a claim. One that lapsed may be taken up anew, by its own account too, unless
    somebody else had asked: those come first then.
    """
    if found is None:
        return Claim(account_id, identity, now)
    if found.holds(now):
        return found if found.account_id == account_id else None
    if found.account_id == account_id and found.contested and now < found.until + OTHERS_FIRST:
        return None
    return Claim(account_id, identity, now)


def given_up(found: Claim, now: datetime) -> Claim | None:
    """What is left of a claim that its account gives up: for a contested one, that others come first now."""
    return replace(found, verified=False, since=now - UNVERIFIED_FOR) if found.contested else None


def is_domain(identity: str) -> bool:
    """Whether the identity is a whole domain and not one address."""
    return "@" not in identity


def covers(identity: str, address_key: str) -> bool:
    """Whether the identity lets SES send from the address: it is the address, or a domain that holds it."""
    return identity == address_key or identity in above(address_key)


def above(identity: str) -> list[str]:
    """The domains whose verification SES would let this identity inherit, the nearest first.

    ``bob@mail.example.com`` lies in ``mail.example.com`` and ``example.com``.
    """
    domain = identity.rpartition("@")[2]
    labels = domain.split(".")
    return [".".join(labels[start:]) for start in range(is_domain(identity), len(labels) - 1)]


def next_check(since: datetime, now: datetime) -> datetime:
    """When to ask SES again about an identity that waits since then: often at first, then seldom."""
    apart = next((wait for age, wait in _CHECKS if now - since < age), _SELDOM)
    return min(now + apart, max(since + UNVERIFIED_FOR, now + timedelta(minutes=1)))


def next_review(now: datetime) -> datetime:
    """When to look again at one that is verified: records vanish, and quotas change."""
    return now + _DAY
