"""Reading a line's dialogs: pages in the order of their keys, and walks over all of them."""

from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import and_, or_
from typing import Any

from pynamodb.expressions.condition import Condition

from chalicelib.adapters.dynamodb import dialog_rows as rows
from chalicelib.adapters.dynamodb import reading
from chalicelib.adapters.dynamodb.cursors import decode_key_cursor, encode_cursor
from chalicelib.adapters.dynamodb.tables import DialogRow
from chalicelib.domain.dialog import Dialog, TagFilter, tag_key
from chalicelib.ports import Page, Passed, Walk

_READ_AHEAD = 20  # rows of one bucket read beyond its even share of a page
_READ_AT_ONCE = 250  # rows of one bucket that a read of a filtered page looks at
_STRETCH = 1_000  # rows that one step of a walk looks at; 1 MB ends it earlier


def read_page(
    account_id: str, line_id: str, cursor: str | None, limit: int, wanted: TagFilter, prefix: str
) -> Page[Dialog]:
    """All buckets side by side; a page reaches as far as each of them was read."""
    after = decode_key_cursor(cursor, prefix) if cursor is not None else ""
    found: list[Dialog] = []
    scanned = 0
    while True:
        pieces = [
            _Piece.read(rows.partition(account_id, line_id, bucket), after, limit, wanted, prefix)
            for bucket in range(rows.BUCKETS)
        ]
        reached = min((piece.last for piece in pieces if piece.last), default="")
        found += sorted(
            (one for piece in pieces for one in piece.dialogs if not reached or one.key <= reached),
            key=lambda one: one.key,
        )
        if len(found) > limit:
            return Page(found[:limit], encode_cursor(found[limit - 1].key))
        scanned += sum(piece.scanned for piece in pieces)
        if not reached or len(found) == limit or scanned >= reading.SCANNED_ENOUGH:
            return Page(found, encode_cursor(reached) if reached else None)
        after = reached


@dataclass(frozen=True, slots=True)
class _Piece:
    """Part of one bucket; ``last`` is the key to go on after, "" at the bucket's end."""

    dialogs: list[Dialog]
    last: str
    scanned: int

    @classmethod
    def read(cls, partition: str, after: str, limit: int, wanted: TagFilter, prefix: str) -> "_Piece":
        condition = _has_tags(wanted)
        return cls.of(
            partition,
            after,
            DialogRow.address_key.startswith(prefix) if prefix else None,
            condition,
            _READ_AT_ONCE if condition is not None else limit // rows.BUCKETS + _READ_AHEAD,
        )

    @classmethod
    def of(
        cls, partition: str, after: str, keys: Condition | None, condition: Condition | None, size: int
    ) -> "_Piece":
        """One read that looks at ``size`` rows at most."""
        found = DialogRow.query(
            partition,
            keys,
            filter_condition=condition,
            page_size=size,
            last_evaluated_key={"bucket": {"S": partition}, "address_key": {"S": after}} if after else None,
            consistent_read=True,
        )
        page: dict[str, Any] = next(found.page_iter)
        dialogs = [rows.dialog_from(DialogRow.from_raw_data(item)) for item in page["Items"]]
        last = page.get("LastEvaluatedKey")
        return cls(dialogs, last["address_key"]["S"] if last else "", page["ScannedCount"])


def walk(account_id: str, line_id: str, place: str, wanted: TagFilter, created_until: datetime) -> Walk:
    """One read of one bucket after the other. A place is the bucket's number and the key passed last."""
    number, _, after = place.partition(":")
    bucket = int(number or 0)
    made: Condition = DialogRow.created_at <= created_until
    tagged = _has_tags(wanted)
    condition = made if tagged is None else made & tagged
    piece = _Piece.of(rows.partition(account_id, line_id, bucket), after, None, condition, _STRETCH)
    passed = [Passed(f"{bucket}:{one.key}", one) for one in piece.dialogs]
    if piece.last:
        return Walk(passed, f"{bucket}:{piece.last}")
    return Walk(passed, f"{bucket + 1}:" if bucket + 1 < rows.BUCKETS else None)


def _has_tags(wanted: TagFilter) -> Condition | None:
    """The filter as DynamoDB reads it; None for one that everybody passes."""
    parts = [_has(name) for name in wanted.all_of] + [~_has(name) for name in wanted.none_of]
    if wanted.any_of:
        parts.append(reduce(or_, map(_has, wanted.any_of)))
    return reduce(and_, parts) if parts else None


def _has(name: str) -> Condition:
    has: Condition = DialogRow.tags.contains(tag_key(name))
    return has
