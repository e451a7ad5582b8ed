"""Requests under an Idempotency-Key in DynamoDB. They expire by themselves, and are not read from then on."""

from datetime import datetime

from pynamodb.exceptions import DoesNotExist
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from chalicelib.adapters.dynamodb.tables import RepeatRow
from chalicelib.adapters.dynamodb.writing import put_if, update_if
from chalicelib.domain.repeat import Repeat


class DynamoRepeatStore:
    """Port ``RepeatStore``."""

    def begin(self, account_id: str, key: str, new: Repeat, now: datetime) -> bool:
        """One conditional write."""
        row = RepeatRow(
            account_id,
            key,
            fingerprint=new.fingerprint,
            seed=new.seed,
            begun_at=new.begun_at,
            token=new.token,
            lease_until=new.lease_until,
            expires_at=new.expires_at,
        )
        return put_if(row, RepeatRow.key.does_not_exist() | (RepeatRow.expires_at <= now))

    def get(self, account_id: str, key: str) -> Repeat | None:
        """Read one; also one that has expired and is still there."""
        try:
            return _repeat(RepeatRow.get(account_id, key, consistent_read=True))
        except DoesNotExist:
            return None

    def take_over(self, account_id: str, key: str, seen_token: str, ours: Repeat) -> bool:
        """Change token and lease, if it is as seen and not done."""
        actions: list[Action] = [
            RepeatRow.token.set(ours.token),
            RepeatRow.lease_until.set(ours.lease_until),
        ]
        return update_if(RepeatRow(account_id, key), actions, _held_by(seen_token))

    def settle(self, account_id: str, key: str, token: str, answer: bytes | None) -> None:
        """Write the answer, if it is held by this token."""
        actions: list[Action] = [RepeatRow.done.set(True)]
        if answer is not None:
            actions.append(RepeatRow.answer.set(answer))
        update_if(RepeatRow(account_id, key), actions, _held_by(token))


def _held_by(token: str) -> Condition:
    held: Condition = (RepeatRow.token == token) & (RepeatRow.done == False)  # noqa: E712
    return held


def _repeat(row: RepeatRow) -> Repeat:
    return Repeat(
        fingerprint=row.fingerprint,
        seed=row.seed,
        begun_at=row.begun_at,
        token=row.token,
        lease_until=row.lease_until,
        done=bool(row.done),
        answer=row.answer,
    )
