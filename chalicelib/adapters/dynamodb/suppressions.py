"""Suppressed addresses in DynamoDB: an account is one partition, in the order of the addresses' keys.

New addresses are put in pieces, each one transaction: a lost reply is repeated under the same token, so what
was added is counted once. An address that is there already is merged with by an optimistic write.

Of an erased address there is only its mark, in a partition of its own: no page of the list meets it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from pynamodb.expressions.condition import Condition
from pynamodb.transactions import TransactWrite

from chalicelib.adapters.dynamodb.checkpoint import Checkpoint
from chalicelib.adapters.dynamodb.cursors import decode_key_cursor, encode_cursor
from chalicelib.adapters.dynamodb.reading import bounded_page, read_all
from chalicelib.adapters.dynamodb.tables import SuppressionRow
from chalicelib.adapters.dynamodb.writing import connection, delete_if, put_if, transact_if
from chalicelib.domain.job import ImportProgress
from chalicelib.domain.suppression import Suppression, SuppressionReason, merged
from chalicelib.errors import NotFound, Outdated
from chalicelib.ports import AddressMarks, Page

PIECE = 90  # addresses in one transaction; DynamoDB takes 100 items, one of which may be a checkpoint
_READ_AT_ONCE = 1_000  # rows a read of a filtered page looks at
_MERGES = 12  # tries, when somebody else changes the same address at the same time


class DynamoSuppressionStore:
    """Port ``SuppressionStore``."""

    def __init__(self, marks: AddressMarks | None = None) -> None:
        """Without ``marks`` it can't tell who was erased: for those who only add and page."""
        self._marks = marks

    def add(self, account_id: str, suppressions: Sequence[Suppression]) -> int:
        """Add those that are new, in pieces of one transaction each; merge with the others."""
        fresh = _distinct(suppressions)
        return sum(
            _add_piece(account_id, fresh[start : start + PIECE]) for start in range(0, len(fresh), PIECE)
        )

    def add_imported(
        self,
        account_id: str,
        import_id: str,
        suppressions: Sequence[Suppression],
        seen: ImportProgress,
        read: ImportProgress,
    ) -> ImportProgress:
        """Add one piece (at most PIECE addresses) and move the checkpoint, in one transaction."""
        checkpoint = Checkpoint(account_id, import_id, seen, read, len(suppressions))
        return checkpoint.with_added(_add_piece(account_id, _distinct(suppressions), checkpoint))

    def find(self, account_id: str, keys: Iterable[str]) -> Mapping[str, Suppression]:
        """Those of the keys that are on the list or erased, by consistent reads of up to 100 places each."""
        wanted = list(dict.fromkeys(keys))
        marked = self._marked(account_id, wanted)
        places = [_place(account_id, key) for key in wanted]
        places += [_place(_erased(account_id), mark) for mark in marked]
        rows = list(read_all(SuppressionRow, places))
        found = {}
        for row in sorted(rows, key=lambda row: bool(row.account_id == account_id)):  # a readable one wins
            if row.account_id == account_id:
                found[row.address_key] = _suppression(row)
            else:
                key = marked[row.address_key]
                found[key] = replace(_suppression(row), key=key, address=key, erased=True)
        return found

    def remove(self, account_id: str, key: str) -> None:
        """Take an address off the list, and off the erased ones, each in one conditional write."""
        erased = [_remove(_erased(account_id), mark) for mark in self._marked(account_id, [key])]
        if not any([_remove(account_id, key), *erased]):
            raise NotFound("suppressed address")

    def erase(self, account_id: str, key: str, now: datetime) -> bool:
        """The mark first, then the readable entry: at no time the address is neither."""
        if self._marks is None:
            raise ValueError("erasing takes marks")
        there = next((_suppression(row) for row in read_all(SuppressionRow, [_place(account_id, key)])), None)
        mark = self._marks.mark(account_id, key)
        kept = there or Suppression(key, "", SuppressionReason.ADDED, now)
        row = _row(_erased(account_id), replace(kept, key=mark, address="", campaign_id=None))
        put_if(row, SuppressionRow.address_key.does_not_exist())  # one that was erased before keeps its mark
        return _remove(account_id, key)

    def _marked(self, account_id: str, keys: Iterable[str]) -> dict[str, str]:
        """The keys by their marks."""
        return {self._marks.mark(account_id, key): key for key in keys} if self._marks else {}

    def page(
        self,
        account_id: str,
        cursor: str | None,
        limit: int,
        reason: SuppressionReason | None = None,
        prefix: str = "",
    ) -> Page[Suppression]:
        """In the order of the keys; with a reason, a page may be short because its reads are bounded."""
        after = decode_key_cursor(cursor, prefix) if cursor is not None else ""
        items, place = bounded_page(
            lambda after, fit: _read(account_id, after, fit, reason, prefix), "address_key", after, limit
        )
        found = [_suppression(SuppressionRow.from_raw_data(item)) for item in items]
        return Page(found, encode_cursor(place) if place is not None else None)


def _place(partition: str, key: str) -> dict[str, str]:
    return {"account_id": partition, "address_key": key}


def _erased(account_id: str) -> str:
    """The partition of an account's marks."""
    return f"{account_id}#erased"


def _remove(partition: str, key: str) -> bool:
    """Remove an entry; False when there is none."""
    return delete_if(SuppressionRow(partition, key), SuppressionRow.address_key.exists())


def _read(
    account_id: str, after: str, limit: int, reason: SuppressionReason | None, prefix: str
) -> dict[str, Any]:
    """One read; with a reason it looks at more rows than fit, since few of them may carry it."""
    place = {"account_id": {"S": account_id}, "address_key": {"S": after}}
    found = SuppressionRow.query(
        account_id,
        SuppressionRow.address_key.startswith(prefix) if prefix else None,
        filter_condition=_carries(reason) if reason else None,
        page_size=_READ_AT_ONCE if reason else limit,
        last_evaluated_key=place if after else None,
        consistent_read=True,
    )
    page: dict[str, Any] = next(found.page_iter)
    return page


def _carries(reason: SuppressionReason) -> Condition:
    first: Condition = SuppressionRow.reason == reason
    return first | SuppressionRow.also.contains(reason)


def _distinct(suppressions: Sequence[Suppression]) -> list[Suppression]:
    """One for each key: a transaction may name an item only once."""
    by_key: dict[str, Suppression] = {}
    for suppression in suppressions:
        seen = by_key.get(suppression.key)
        by_key[suppression.key] = merged(seen, suppression) if seen else suppression
    return list(by_key.values())


def _add_piece(account_id: str, piece: Sequence[Suppression], checkpoint: Checkpoint | None = None) -> int:
    """Put the new ones of a piece, all of them or none, after merging with the others; returns how many."""
    left = list(piece)
    while left or checkpoint:
        failed = transact_if(lambda new=left: _put(account_id, new, checkpoint))  # type: ignore[misc]
        if not failed:
            break
        if len(left) in failed:
            raise Outdated
        _merge(account_id, [one for position, one in enumerate(left) if position in failed])
        left = [one for position, one in enumerate(left) if position not in failed]
    return len(left)


def _put(account_id: str, new: Sequence[Suppression], checkpoint: Checkpoint | None) -> None:
    """The addresses take the positions from 0 on, the checkpoint the one after them."""
    with TransactWrite(connection=connection()) as write:
        for suppression in new:
            write.save(_row(account_id, suppression), SuppressionRow.address_key.does_not_exist())
        if checkpoint:
            checkpoint.write_into(write, len(new))


def _merge(account_id: str, suppressions: Sequence[Suppression]) -> None:
    """Merge into what is there. Few writes come of it: most of what comes again says nothing new."""
    places = [{"account_id": account_id, "address_key": one.key} for one in suppressions]
    there = {row.address_key: _suppression(row) for row in read_all(SuppressionRow, places)}
    for one in suppressions:
        seen = there.get(one.key)
        if seen is None or merged(seen, one) != seen:
            _merge_one(account_id, one)


def _merge_one(account_id: str, suppression: Suppression) -> None:
    for _ in range(_MERGES):
        place = {"account_id": account_id, "address_key": suppression.key}
        seen = next((_suppression(row) for row in read_all(SuppressionRow, [place])), None)
        wished = merged(seen, suppression) if seen else suppression
        if wished == seen or _replace(account_id, wished, seen):
            return
    raise TimeoutError("a suppressed address was changed by others again and again")


def _replace(account_id: str, wished: Suppression, seen: Suppression | None) -> bool:
    """Write an entry if it is still as seen, None being absent; False when it isn't."""
    return put_if(_row(account_id, wished), _as_seen(seen))


def _as_seen(seen: Suppression | None) -> Condition:
    if seen is None:
        absent: Condition = SuppressionRow.address_key.does_not_exist()
        return absent
    also = SuppressionRow.also
    return (
        (SuppressionRow.reason == seen.reason)
        & (SuppressionRow.added_at == seen.added_at)
        & (also == set(_words(seen.also)) if seen.also else also.does_not_exist())
    )


def _row(account_id: str, suppression: Suppression) -> SuppressionRow:
    return SuppressionRow(
        account_id,
        suppression.key,
        address=suppression.address,
        reason=suppression.reason.value,
        added_at=suppression.added_at,
        campaign_id=suppression.campaign_id,
        also=set(_words(suppression.also)) or None,
    )


def _words(reasons: Iterable[SuppressionReason]) -> Iterator[str]:
    return (reason.value for reason in reasons)


def _suppression(row: SuppressionRow) -> Suppression:
    return Suppression(
        key=row.address_key,
        address=row.address,
        reason=SuppressionReason(row.reason),
        added_at=row.added_at,
        campaign_id=row.campaign_id,
        also=frozenset(SuppressionReason(word) for word in row.also or ()),
    )
