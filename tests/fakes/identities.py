"""SES identities in memory: who claimed them, and an SES that does as it is told."""

from dataclasses import replace
from datetime import datetime

from chalicelib.domain.delivery import Refused, TryLater
from chalicelib.domain.identity import (
    Claim,
    DnsRecord,
    IdentityReport,
    SendingQuota,
    VerificationState,
    claimed,
    given_up,
)
from chalicelib.domain.ledger import LineLimits


class FakeIdentityStore:
    """Port ``IdentityStore``."""

    def __init__(self) -> None:
        self._claims: dict[str, Claim] = {}

    def claim(self, account_id: str, identity: str, now: datetime) -> Claim | None:
        found = self._claims.get(identity)
        wanted = claimed(found, account_id, identity, now)
        if wanted is not None:
            self._claims[identity] = wanted
        elif found is not None:
            self._claims[identity] = replace(found, contested=True)
        return wanted

    def find(self, account_id: str, identity: str) -> Claim | None:
        found = self._claims.get(identity)
        return found if found is not None and found.account_id == account_id else None

    def holder(self, identity: str) -> str | None:
        found = self._claims.get(identity)
        return found.account_id if found is not None else None

    def set_verified(self, account_id: str, identity: str, now: datetime, *, verified: bool) -> bool:
        found = self.find(account_id, identity)
        if found is None:
            return False
        since = now if found.verified and not verified else found.since
        self._claims[identity] = replace(found, verified=verified, since=since)
        return True

    def release(self, account_id: str, identity: str, now: datetime) -> None:
        found = self.find(account_id, identity)
        if found is not None:
            left = given_up(found, now)
            del self._claims[identity]
            if left is not None:
                self._claims[identity] = left


class FakeVerifier:
    """Port ``IdentityVerifier``. An identity is pending until a test says otherwise."""

    def __init__(self) -> None:
        self.reports: dict[str, IdentityReport] = {}
        self.trouble: TryLater | Refused | None = None
        self.allowance: SendingQuota | TryLater | Refused = SendingQuota(
            LineLimits(per_second=14, per_day=50_000)
        )
        self.begun: dict[str, str] = {}
        self.anew: list[str] = []
        self.forgotten: list[tuple[str, str]] = []

    def verify(
        self, account_id: str, identity: str, *, anew: bool = False
    ) -> IdentityReport | TryLater | Refused:
        if self.trouble is not None:
            return self.trouble
        if anew:
            self.anew.append(identity)
        self.begun[identity] = account_id
        return self.reports.get(identity, IdentityReport(VerificationState.PENDING, (record(identity),)))

    def quota(self) -> SendingQuota | TryLater | Refused:
        return self.allowance

    def forget(self, account_id: str, identity: str) -> None:
        if self.begun.get(identity) == account_id:
            del self.begun[identity]
        self.forgotten.append((account_id, identity))

    def verified(self, identity: str, *inherits_from: str) -> None:
        """From now on SES calls it verified."""
        self.reports[identity] = IdentityReport(
            VerificationState.VERIFIED, (record(identity),), inherits_from
        )


def record(identity: str) -> DnsRecord:
    return DnsRecord("CNAME", f"token._domainkey.{identity}", "token.dkim.example")
