"""Dialogs in DynamoDB: a line's are spread over eight partitions, in the order of the addresses' keys.

What is told of a dialog depends on what is there, so a piece of changes is read, worked out, and written in
one transaction on condition that nothing of it changed meanwhile; if something did, it is worked out again.
"""

import random
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from pynamodb.expressions.condition import Condition
from pynamodb.transactions import TransactWrite

from chalicelib.adapters.dynamodb import dialog_reads as reads
from chalicelib.adapters.dynamodb import dialog_rows as rows
from chalicelib.adapters.dynamodb.checkpoint import Checkpoint
from chalicelib.adapters.dynamodb.reading import read_all
from chalicelib.adapters.dynamodb.tables import DialogRow, LineRow
from chalicelib.adapters.dynamodb.writing import connection, delete_if, transact_if
from chalicelib.domain.dialog import (
    EVERYBODY,
    Changed,
    Dialog,
    DialogChange,
    Outcome,
    TagFilter,
    apply_all,
)
from chalicelib.domain.job import ImportProgress
from chalicelib.errors import NotFound, Outdated
from chalicelib.ports import Page, Walk

# Changes in one transaction, which takes 4 MB: the largest dialog has some 58 KB, most of it tags and fields
# in an alphabet of four bytes a character.
PIECE = 60
_TRIES = 12  # when others change the same dialogs at the same time
_LONGEST_WAIT = 1.0  # seconds


class DynamoDialogStore:
    """Port ``DialogStore``."""

    def change(
        self, account_id: str, line_id: str, changes: Sequence[DialogChange], now: datetime
    ) -> list[Changed]:
        """Take in changes, in pieces of one transaction each."""
        results: list[Changed] = []
        for start in range(0, len(changes), PIECE):
            results += _change_piece(account_id, line_id, changes[start : start + PIECE], now)
        return results

    def change_imported(
        self,
        account_id: str,
        line_id: str,
        import_id: str,
        changes: Sequence[DialogChange],
        seen: ImportProgress,
        read: ImportProgress,
        now: datetime,
    ) -> ImportProgress:
        """Take in one piece (at most PIECE changes) and move the checkpoint, in one transaction."""
        checkpoint = Checkpoint(account_id, import_id, seen, read, len(changes))
        return checkpoint.with_added(**_counts(_change_piece(account_id, line_id, changes, now, checkpoint)))

    def find(self, account_id: str, line_id: str, key: str) -> Dialog:
        """The dialog with this address, by a consistent read."""
        found = next(_read(account_id, line_id, [key]), None)
        if found is None:
            raise NotFound("dialog")
        return rows.dialog_from(found)

    def page(
        self,
        account_id: str,
        line_id: str,
        cursor: str | None,
        limit: int,
        wanted: TagFilter = EVERYBODY,
        prefix: str = "",
    ) -> Page[Dialog]:
        """In the order of the keys; with a filter, a page may be short because its reads are bounded."""
        return reads.read_page(account_id, line_id, cursor, limit, wanted, prefix)

    def walk(
        self, account_id: str, line_id: str, place: str, wanted: TagFilter, created_until: datetime
    ) -> Walk:
        """One read of one partition."""
        return reads.walk(account_id, line_id, place, wanted, created_until)

    def remove(self, account_id: str, line_id: str, key: str) -> None:
        """Remove a dialog, in one conditional write."""
        if not delete_if(rows.keys(account_id, line_id, key), DialogRow.address_key.exists()):
            raise NotFound("dialog")

    def purge(self, account_id: str, line_id: str) -> None:
        """Remove every bucket."""
        for bucket in range(rows.BUCKETS):
            found = DialogRow.query(
                rows.partition(account_id, line_id, bucket),
                attributes_to_get=["bucket", "address_key"],
                consistent_read=True,
            )
            with DialogRow.batch_write() as batch:
                for row in found:
                    batch.delete(row)


def _read(account_id: str, line_id: str, keys: Iterable[str]) -> Iterator[DialogRow]:
    places = [
        {"bucket": rows.partition(account_id, line_id, rows.bucket_of(key)), "address_key": key}
        for key in dict.fromkeys(keys)
    ]
    return read_all(DialogRow, places)


def _change_piece(
    account_id: str,
    line_id: str,
    changes: Sequence[DialogChange],
    now: datetime,
    checkpoint: Checkpoint | None = None,
) -> list[Changed]:
    """Work out a piece and write what it changes, all of it or none; again when somebody else was first."""
    for attempt in range(_TRIES):
        seen = {row.address_key: row for row in _read(account_id, line_id, (c.key for c in changes))}
        results, wished = apply_all(changes, {k: rows.dialog_from(row) for k, row in seen.items()}, now)
        new = [rows.row_of(account_id, line_id, one, _revision(seen.get(one.key)) + 1) for one in wished]
        if _written(account_id, line_id, new, checkpoint, _counts(results)):
            return results
        time.sleep(random.uniform(0, min(_LONGEST_WAIT, 0.02 * 2**attempt)))  # noqa: S311
    raise TimeoutError("dialogs were changed by others again and again")


def _counts(results: Sequence[Changed]) -> dict[str, int]:
    outcomes = [result.outcome for result in results]
    return {"added": outcomes.count(Outcome.CREATED), "updated": outcomes.count(Outcome.UPDATED)}


def _written(
    account_id: str,
    line_id: str,
    new: Sequence[DialogRow],
    checkpoint: Checkpoint | None,
    counts: Mapping[str, int],
) -> bool:
    """Write the rows that are new; False, and nothing written, when one of them was changed meanwhile."""
    if not new and not checkpoint:
        return True
    failed = transact_if(lambda: _put(account_id, line_id, new, checkpoint, counts))
    if failed:
        _raise_if_not_dialogs(failed, len(new))
    return not failed


def _put(
    account_id: str,
    line_id: str,
    new: Sequence[DialogRow],
    checkpoint: Checkpoint | None,
    counts: Mapping[str, int],
) -> None:
    """The line's check takes the position 0, the rows those from 1 on, the checkpoint the one after them."""
    with TransactWrite(connection=connection()) as write:
        write.condition_check(LineRow, account_id, line_id, LineRow.line_id.exists())
        for row in new:
            write.save(row, _as_seen(int(row.revision) - 1))
        if checkpoint:
            checkpoint.write_into(write, **counts)


def _raise_if_not_dialogs(failed: set[int], dialogs: int) -> None:
    if 0 in failed:
        raise NotFound("line")
    if max(failed) > dialogs:
        raise Outdated


def _revision(row: DialogRow | None) -> int:
    return int(row.revision) if row else 0


def _as_seen(revision: int) -> Condition:
    if not revision:
        absent: Condition = DialogRow.address_key.does_not_exist()
        return absent
    same: Condition = DialogRow.revision == revision
    return same
