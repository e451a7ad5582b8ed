"""How many items are read by their keys: consistent, in full, or not at all."""

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from pynamodb.models import Model

M = TypeVar("M", bound=Model)

SCANNED_ENOUGH = 50_000  # rows that a filtered page looks at before it is handed out short
_AT_ONCE = 100  # keys DynamoDB takes in one request
_TRIES = 12
_LONGEST_WAIT = 1.0  # seconds


def read_all(model: type[M], keys: Sequence[dict[str, str]]) -> Iterator[M]:
    """The items that exist, of distinct keys (attribute names and values), as they are right now.

    A busy DynamoDB answers a part of a request and names the rest as unprocessed; that is asked for again,
    with jitter. Raises TimeoutError when it stays unprocessed: what wasn't read is never taken for absent.
    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
    """
    for start in range(0, len(keys), _AT_ONCE):
        yield from (model.from_raw_data(item) for item in _read(model, list(keys[start : start + _AT_ONCE])))


def bounded_page(
    read: Callable[[str, int], Mapping[str, Any]], range_key: str, after: str, limit: int
) -> tuple[list[dict[str, Any]], str | None]:
    """So many raw items of a filtered query, and the range key to go on after; None at the end.

    ``read`` makes one request for the items after a key, of which so many still fit; more may come. A page
    may be short, since what all its reads look at is bounded.
    """
    found: list[dict[str, Any]] = []
    scanned = 0
    while len(found) < limit and scanned < SCANNED_ENOUGH:
        page = read(after, limit - len(found))
        found += page["Items"]
        if len(found) > limit:
            return found[:limit], found[limit - 1][range_key]["S"]
        scanned += page["ScannedCount"]
        last = page.get("LastEvaluatedKey")
        if not last:
            return found, None
        after = last[range_key]["S"]
    return found, after


def _read(model: type[Model], keys: list[Any]) -> list[Any]:
    connection, table = model._get_connection(), model.Meta.table_name  # noqa: SLF001
    found: list[Any] = []
    for attempt in range(_TRIES):
        answer = connection.batch_get_item(keys, consistent_read=True)
        found.extend(answer["Responses"].get(table, []))
        keys = answer.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])
        if not keys:
            return found
        time.sleep(random.uniform(0, min(_LONGEST_WAIT, 0.02 * 2**attempt)))  # noqa: S311
    raise TimeoutError(f"DynamoDB left keys of {table} unread")
