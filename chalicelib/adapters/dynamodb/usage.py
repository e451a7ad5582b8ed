"""What accounts use of what is limited, in DynamoDB: one small row for each account.

Counts change in the transaction of the row that is counted, so they are exact, and a limit is a condition of
that transaction: of two who want the last place, one gets it. Nothing on the way of a mail touches them.
"""

from collections.abc import Callable
from datetime import datetime

from pynamodb.exceptions import DoesNotExist
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from chalicelib.adapters.dynamodb.mapping import plain, sortable
from chalicelib.adapters.dynamodb.tables import UsageRow
from chalicelib.adapters.dynamodb.writing import connection, transact_if, update_if
from chalicelib.domain.job_place import read_place
from chalicelib.domain.quota import Quota
from chalicelib.domain.usage import Usage

_TRIES = 2  # somebody else may begin the minute between the two writes
_COUNTS = {
    Quota.CAMPAIGNS: UsageRow.campaigns,
    Quota.LINES: UsageRow.lines,
    Quota.API_KEYS: UsageRow.api_keys,
    Quota.DOMAINS: UsageRow.domains,
    Quota.ATTACHMENTS: UsageRow.attachments,
}


class DynamoUsageStore:
    """Port ``UsageStore``."""

    def get(self, account_id: str) -> Usage:
        """Read the row; without one, nothing was ever counted."""
        try:
            row = UsageRow.get(account_id, consistent_read=True)
        except DoesNotExist:
            return Usage()
        return Usage(
            campaigns=int(row.campaigns),
            lines=int(row.lines),
            api_keys=int(row.api_keys),
            domains=int(row.domains),
            attachments=int(row.attachments),
            uploads={day: int(size) for day, size in plain(row.uploads or {}).items()},
            imports=tuple(row.imports or ()),
            places=tuple(read_place(text) for text in row.places or ()),
            revision=int(row.revision),
        )

    def replace(self, account_id: str, usage: Usage) -> bool:
        """One conditional write of imports, uploads and places."""
        actions: list[Action] = [
            UsageRow.uploads.set(dict(usage.uploads)),
            UsageRow.imports.set(list(usage.imports)),
            UsageRow.places.set([place.text for place in usage.places]),
            UsageRow.revision.set(usage.revision + 1),
        ]
        seen: Condition = UsageRow.revision == usage.revision
        if usage.revision == 0:
            seen |= UsageRow.revision.does_not_exist()
        return update_if(UsageRow(account_id), actions, seen)

    def count_requests(self, account_id: str, minute: datetime, count: int) -> int:
        """One write; two with the first of a minute."""
        row, start = UsageRow(account_id), sortable(minute)
        for _ in range(_TRIES):
            if update_if(row, [UsageRow.requests.add(count)], UsageRow.minute == start):
                return int(row.requests)
            begin: list[Action] = [UsageRow.minute.set(start), UsageRow.requests.set(count)]
            if update_if(row, begin, UsageRow.minute.does_not_exist() | (UsageRow.minute < start)):
                return count
        return count  # a later minute has begun


def put_counted(
    write: Callable[[TransactWrite], None], rows: int, account_id: str, quota: Quota, most: int
) -> bool:
    """Put so many rows and count one more; False, and nothing written, when there are ``most``.

    The first row has to be put on condition that it isn't there. One that is was put by us: its random id
    comes again only when a request that broke off is repeated. Then nothing is left to write.
    """
    failed = write_counted(write, account_id, quota, 1, most)
    return 0 in failed or rows not in failed


def write_counted(
    write: Callable[[TransactWrite], None], account_id: str, quota: Quota, amount: int, most: int
) -> set[int]:
    """Do what ``write`` does and count so many more, up to ``most``, or nothing of it.

    Returns the positions whose condition failed; the count comes after the rows of ``write``.
    """
    count = _COUNTS[quota]
    room: Condition = count <= most - amount
    if amount <= most:
        room |= count.does_not_exist()

    def commit() -> None:
        with TransactWrite(connection=connection()) as transaction:
            write(transaction)
            transaction.update(UsageRow(account_id), [count.add(amount)], room)

    return transact_if(commit)


def remove_counted(
    write: Callable[[TransactWrite], None], account_id: str, quota: Quota, amount: int = 1
) -> bool:
    """Take away what ``write`` does on a condition, and count so many less; False when it didn't hold."""
    count = _COUNTS[quota]

    def commit() -> None:
        with TransactWrite(connection=connection()) as transaction:
            write(transaction)
            transaction.update(UsageRow(account_id), [count.add(-amount)])

    return not transact_if(commit)
