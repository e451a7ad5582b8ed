"""Reading contacts: pages of a campaign, and the work index."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from chalicelib.adapters.dynamodb import contact_rows as rows
from chalicelib.adapters.dynamodb import reading
from chalicelib.adapters.dynamodb.cursors import decode_cursor, encode_cursor
from chalicelib.adapters.dynamodb.tables import ContactRow, WorkIndex
from chalicelib.domain.contact import Contact, ContactStatus, Person
from chalicelib.errors import FieldError, Invalid
from chalicelib.ports import Page

_READ_AHEAD = 20  # index entries of one bucket read beyond its even share
_READ_AT_ONCE = 1_000  # rows a read of a filtered page looks at


def read_page(
    account_id: str, campaign_id: str, cursor: str | None, limit: int, status: ContactStatus | None
) -> Page[Contact]:
    """Contacts bucket by bucket; with a status, a page may be short because its reads are bounded."""
    bucket, after = _position(cursor)
    found: list[Contact] = []
    scanned = 0
    while len(found) < limit and scanned < reading.SCANNED_ENOUGH:
        partition = rows.partition(account_id, campaign_id, bucket)
        piece = _Piece.read(partition, after, limit - len(found), status)
        found.extend(piece.contacts)
        scanned += piece.scanned
        after = piece.last
        bucket += not after
        if bucket == rows.BUCKETS:
            return Page(found, None)
    return Page(found, encode_cursor(bucket, after))


def _position(cursor: str | None) -> tuple[int, str]:
    if cursor is None:
        return 0, ""
    bucket, after = decode_cursor(cursor, int, str)
    if not 0 <= int(bucket) < rows.BUCKETS:
        raise Invalid(FieldError("cursor", "cursor", "Use a cursor as a page of this list returned it."))
    return int(bucket), str(after)


@dataclass(frozen=True, slots=True)
class _Piece:
    """Part of one bucket; ``last`` is the id to go on after, "" at the bucket's end."""

    contacts: list[Contact]
    last: str
    scanned: int

    @classmethod
    def read(cls, partition: str, after: str, limit: int, status: ContactStatus | None) -> "_Piece":
        """One read; with a status it looks at more rows than fit, since few of them may be of that status."""
        found = ContactRow.query(
            partition,
            filter_condition=(ContactRow.status == status) if status else None,
            page_size=_READ_AT_ONCE if status else limit,
            last_evaluated_key={"bucket": {"S": partition}, "contact_id": {"S": after}} if after else None,
            consistent_read=True,
        )
        page: dict[str, Any] = next(found.page_iter)
        contacts = [rows.contact_from(ContactRow.from_raw_data(item)) for item in page["Items"]]
        if len(contacts) > limit:
            return cls(contacts[:limit], contacts[limit - 1].contact_id, page["ScannedCount"])
        last = page.get("LastEvaluatedKey")
        return cls(contacts, last["contact_id"]["S"] if last else "", page["ScannedCount"])


def earliest(account_id: str, campaign_id: str, kind: str, until: str, limit: int) -> list[Contact]:
    """The first of the work index over all buckets, up to ``until``.

    Only id, generation and attempt are filled. The index may lag behind: it tells what to try, and the
    conditional write that follows decides.
    """
    partitions = (rows.work_key(account_id, campaign_id, bucket, kind) for bucket in range(rows.BUCKETS))
    found = heapq.merge(*(_work(partition, until, limit) for partition in partitions))
    return [
        Contact(contact_id, Person(""), generation=generation, attempt=attempt)
        for _, contact_id, generation, attempt in islice(found, limit)
    ]


def _work(partition: str, until: str, limit: int) -> Iterator[tuple[str, str, int, int]]:
    """One bucket of the work index by time, read page by page as far as it is looked at."""
    page = min(limit, limit // rows.BUCKETS + _READ_AHEAD)
    found = ContactRow.work_index.query(partition, WorkIndex.work_at <= until, limit=limit, page_size=page)
    return ((row.work_at, row.contact_id, int(row.generation), int(row.attempt)) for row in found)
