"""Identities: claim one for an account, have SES verify it, follow that, and give it up with its last line.

The claim in our table says whose an identity is, SES says whether it is proven; a line needs both to send.
"""

from dataclasses import dataclass, replace
from datetime import timedelta

from chalicelib.domain.delivery import Refused, TryLater
from chalicelib.domain.identity import (
    SES_SIZE_LIMIT,
    Claim,
    IdentityReport,
    SendingQuota,
    Verification,
    VerificationState,
    is_domain,
    next_check,
    next_review,
)
from chalicelib.domain.line import Connection, ConnectionState, Line, SesChannel
from chalicelib.domain.ses_errors import reason
from chalicelib.errors import Conflict
from chalicelib.ports import Clock, IdentityStore, IdentityVerifier, JobQueue, LineStore

SOON = timedelta(minutes=5)  # until SES is asked again when it didn't answer

_PAGE = 100


@dataclass(frozen=True, slots=True)
class IdentityPorts:
    """What following an identity needs."""

    lines: LineStore
    identities: IdentityStore
    verifier: IdentityVerifier
    clock: Clock


def claim_identity(
    account_id: str, identity: str, identities: IdentityStore, jobs: JobQueue, clock: Clock
) -> Claim:
    """Make an identity the account's; raises Conflict when it can't be, and never says why.

    The account that has it may have no line of it any more: a job looks, and gives it up in that case.
    """
    claim = identities.claim(account_id, identity, clock.now())
    if claim is None:
        holder = identities.holder(identity)
        if holder is not None:
            jobs.put({"account_id": holder, "identity": identity})
        why = reason("identity_not_yours")
        raise Conflict(why.code, why.text)
    return claim


def follow_identity(account_id: str, line: Line, channel: SesChannel, ports: IdentityPorts) -> Connection:
    """Have SES verify the line's identity, or see how that stands; what is now known of the connection."""
    now = ports.clock.now()
    claim = ports.identities.find(account_id, channel.identity)
    if claim is None:
        return line.connection.failed(now, reason("identity_not_yours"))
    if not claim.holds(now):
        return line.connection.failed(now, reason("identity_not_verified_in_time"))
    anew = _asked_again(line.connection, channel.identity)
    report = ports.verifier.verify(account_id, channel.identity, anew=anew)
    if isinstance(report, IdentityReport):
        return _as_reported(line.connection, claim, report, ports)
    return _without_answer(line.connection, report, ports)


def release_identity(account_id: str, identity: str, ports: IdentityPorts) -> bool:
    """Give an identity up when no line of the account uses it; False when one does."""
    cursor: str | None = None
    while True:
        page = ports.lines.page(account_id, cursor, _PAGE)
        if any(line.channel == SesChannel(identity) for line in page.items):
            return False
        cursor = page.cursor
        if cursor is None:
            break
    if ports.identities.find(account_id, identity) is not None:
        ports.verifier.forget(account_id, identity)
        ports.identities.release(account_id, identity, ports.clock.now())
    return True


def _asked_again(known: Connection, identity: str) -> bool:
    """Whether a person wants another try: SES gave up, or its mail to the address is lost or too old."""
    if known.state is not ConnectionState.CONNECTING or known.verification is None:
        return False
    state = known.verification.state
    return state is VerificationState.FAILED or (
        state is VerificationState.PENDING and not is_domain(identity)
    )


def _as_reported(
    before: Connection, claim: Claim, report: IdentityReport, ports: IdentityPorts
) -> Connection:
    now = ports.clock.now()
    known = replace(before, checked_at=now, size_limit=SES_SIZE_LIMIT)
    above = [ports.identities.find(claim.account_id, identity) for identity in report.inherits_from]
    if None in above:  # SES would let us send as it, because of a domain that is somebody else's
        return known.failed(now, reason("identity_not_yours"))
    proven = report.state is VerificationState.VERIFIED and all(own and own.verified for own in above)
    if not ports.identities.set_verified(claim.account_id, claim.identity, now, verified=proven):
        return known.failed(now, reason("identity_not_yours"))
    if proven:
        return _verified(replace(known, verification=Verification(report.state, report.records)), ports)
    waits = replace(claim, verified=False, since=now if claim.verified else claim.since)
    return _unverified(known, waits, report, ports)


def _verified(known: Connection, ports: IdentityPorts) -> Connection:
    quota, now = ports.verifier.quota(), ports.clock.now()
    if not isinstance(quota, SendingQuota):
        return _without_answer(known, quota, ports)
    return replace(
        known,
        state=ConnectionState.CONNECTED,
        reason=reason("ses_sandbox") if quota.sandbox else None,
        quota=quota.limits,
        check_at=next_review(now),
    )


def _unverified(known: Connection, claim: Claim, report: IdentityReport, ports: IdentityPorts) -> Connection:
    now = ports.clock.now()
    failed = report.state is VerificationState.FAILED
    state = VerificationState.FAILED if failed else VerificationState.PENDING
    known = replace(known, verification=Verification(state, report.records, claim.until))
    if failed:
        return known.failed(now, reason("identity_failed"))
    return replace(
        known,
        state=ConnectionState.VERIFYING,
        reason=reason("identity_not_verified"),
        check_at=next_check(claim.since, now),
    )


def _without_answer(known: Connection, answer: TryLater | Refused, ports: IdentityPorts) -> Connection:
    """A clear no ends it. Where SES just didn't answer, what was known stays, and it is asked again soon."""
    now = ports.clock.now()
    if isinstance(answer, Refused):
        return known.failed(now, answer.reason)
    waits = known.state is not ConnectionState.CONNECTED
    return replace(
        known,
        state=ConnectionState.VERIFYING if waits else known.state,
        checked_at=now,
        reason=answer.reason if waits else known.reason,
        check_at=now + SOON,
    )
