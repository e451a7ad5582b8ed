"""The counts that brakes are judged by, in DynamoDB: one small row for each subject and hour.

Both sides of a rate err to the safe side. What was accepted is written at most once, so that what is lost
makes the rate look worse; what went wrong is written in a transaction, whose token makes a repeat harmless.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from chalicelib.adapters.dynamodb.mapping import instant_from, sortable
from chalicelib.adapters.dynamodb.tables import AcceptedRow, BrakeRow
from chalicelib.adapters.dynamodb.writing import connection, transact, write_one
from chalicelib.domain.brake import WINDOW, Counts, HourCounts, Subject, Trouble

if TYPE_CHECKING:
    from pynamodb.attributes import NumberAttribute

_KEPT = WINDOW + timedelta(days=1)  # DynamoDB removes expired rows within days; nobody reads them meanwhile
_NAMES = {Trouble.BOUNCE: "bounced", Trouble.COMPLAINT: "complained"}


class DynamoBrakeStore:
    """Port ``BrakeStore``."""

    def count_accepted(self, account_id: str, subject: Subject, hour: datetime, accepted: int) -> None:
        """Add to one row; the client of ``AcceptedRow`` never repeats a request."""
        row = AcceptedRow(_key(account_id, subject), sortable(hour))
        actions: list[Action] = [AcceptedRow.accepted.add(accepted), AcceptedRow.expires_at.set(hour + _KEPT)]
        write_one(lambda: row.update(actions))

    def count_trouble(
        self, account_id: str, subjects: Sequence[Subject], hour: datetime, trouble: Trouble
    ) -> None:
        """Add one to the row of each subject, in one transaction."""
        attribute: NumberAttribute = getattr(BrakeRow, _NAMES[trouble])

        def commit() -> None:
            with TransactWrite(connection=connection()) as write:
                for subject in subjects:
                    row = BrakeRow(_key(account_id, subject), sortable(hour))
                    write.update(row, [attribute.add(1), BrakeRow.expires_at.set(hour + _KEPT)])

        transact(commit)

    def hours(self, account_id: str, subject: Subject, since: datetime) -> list[HourCounts]:
        """One query of at most 72 small rows."""
        found = BrakeRow.query(
            _key(account_id, subject), BrakeRow.hour >= sortable(since), consistent_read=True
        )
        return [
            HourCounts(
                instant_from(row.hour), Counts(int(row.accepted), int(row.bounced), int(row.complained))
            )
            for row in found
        ]

    def forget(self, account_id: str, subject: Subject) -> None:
        """Delete the rows one by one: there are some 100 at most."""
        for row in BrakeRow.query(_key(account_id, subject), consistent_read=True):
            row.delete()


def _key(account_id: str, subject: Subject) -> str:
    return f"{account_id}#{subject.kind}#{subject.id}"
