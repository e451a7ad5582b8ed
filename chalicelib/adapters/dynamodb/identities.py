"""Claims on SES identities in DynamoDB."""

from datetime import datetime

from pynamodb.exceptions import DoesNotExist
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from chalicelib.adapters.dynamodb.tables import IdentityRow
from chalicelib.adapters.dynamodb.writing import delete_if, put_if, update_if
from chalicelib.domain.identity import Claim, claimed, given_up

_TRIES = 3  # when somebody else claims at the same moment; the second look decides, as a rule


class DynamoIdentityStore:
    """Port ``IdentityStore``."""

    def claim(self, account_id: str, identity: str, now: datetime) -> Claim | None:
        """Claim the identity, on condition that nothing changed since it was looked at."""
        for _ in range(_TRIES):
            found = _read(identity)
            wanted = claimed(found, account_id, identity, now)
            if wanted is None:
                _contest(found)
                return None
            if wanted == found or _put(wanted, found):
                return wanted
        return None

    def find(self, account_id: str, identity: str) -> Claim | None:
        """The account's own claim."""
        found = _read(identity)
        return found if found is not None and found.account_id == account_id else None

    def holder(self, identity: str) -> str | None:
        """The account with the last claim, lapsed or not."""
        found = _read(identity)
        return found.account_id if found is not None else None

    def set_verified(self, account_id: str, identity: str, now: datetime, *, verified: bool) -> bool:
        """Mark the own claim; False when it isn't the account's (any more)."""
        own = IdentityRow.account_id == account_id
        if verified:
            return update_if(IdentityRow(identity), [IdentityRow.verified.set(True)], own)
        lost: list[Action] = [IdentityRow.verified.set(False), IdentityRow.since.set(now)]
        update_if(IdentityRow(identity), lost, own & (IdentityRow.verified == True))  # noqa: E712
        return self.find(account_id, identity) is not None

    def release(self, account_id: str, identity: str, now: datetime) -> None:
        """Give the own claim up; another account's stays. A request that comes in between is noted, too."""
        for _ in range(_TRIES):
            found = self.find(account_id, identity)
            if found is None or _give_up(found, now):
                return


def _read(identity: str) -> Claim | None:
    try:
        row = IdentityRow.get(identity, consistent_read=True)
    except DoesNotExist:
        return None
    return Claim(row.account_id, row.identity, row.since, row.verified, row.contested)


def _put(claim: Claim, found: Claim | None) -> bool:
    row = IdentityRow(claim.identity, account_id=claim.account_id, since=claim.since)
    return put_if(row, IdentityRow.identity.does_not_exist() if found is None else _unchanged(found))


def _give_up(found: Claim, now: datetime) -> bool:
    unchanged = _unchanged(found) & (IdentityRow.contested == found.contested)
    left, row = given_up(found, now), IdentityRow(found.identity)
    if left is not None:
        lapsed: list[Action] = [IdentityRow.since.set(left.since), IdentityRow.verified.set(left.verified)]
        return update_if(row, lapsed, unchanged)
    return delete_if(row, unchanged)


def _contest(found: Claim | None) -> None:
    if found is not None and not found.contested:
        update_if(IdentityRow(found.identity), [IdentityRow.contested.set(True)], _unchanged(found))


def _unchanged(found: Claim) -> Condition:
    return (
        (IdentityRow.account_id == found.account_id)
        & (IdentityRow.since == found.since)
        & (IdentityRow.verified == found.verified)
    )
