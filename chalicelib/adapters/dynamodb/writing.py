"""How writes are tried again, and how an answer is read.

A transaction may be cancelled because another one touched the same item, and so may a single write. That is
not a "no": botocore does not repeat it, so we do, with jitter. A failed condition *is* the answer and goes to
the caller.
"""

import random
import time
from collections.abc import Callable
from contextvars import ContextVar
from functools import cache
from typing import Any, TypeVar
from uuid import uuid4

from pynamodb.connection import Connection
from pynamodb.exceptions import DeleteError, PutError, PynamoDBException, TransactWriteError, UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.models import Model

T = TypeVar("T")

CONDITION_FAILED = "ConditionalCheckFailedException"
_IN_PROGRESS = "TransactionInProgressException"
_PASSING = {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}
_TRIES = 12
_LONGEST_WAIT = 1.0  # seconds
_token: ContextVar[str | None] = ContextVar("_token", default=None)


class _Tokened(Connection):
    """Sends a transaction under the token that `transact` gave it."""

    def transact_write_items(self, *args: Any, **kwargs: Any) -> dict[Any, Any]:
        return super().transact_write_items(*args, **{**kwargs, "client_request_token": _token.get()})


@cache
def connection() -> Connection:
    """The process's connection for transactions, which span tables; making one costs 40 ms of CPU."""
    return _Tokened()


def refused(error: PynamoDBException) -> bool:
    """Whether a single write failed because its condition did not hold."""
    return _code(error) == CONDITION_FAILED


def failed_conditions(error: TransactWriteError) -> set[int]:
    """Positions of the items whose condition did not hold, in the order DynamoDB was given them."""
    return {
        position
        for position, reason in enumerate(error.cancellation_reasons)
        if reason is not None and reason.code == "ConditionalCheckFailed"
    }


def transact(commit: Callable[[], T]) -> T:
    """Run a transaction until it is decided; raises TransactWriteError when a condition failed.

    ``commit`` builds the transaction anew each time: PynamoDB keeps what was added to a used one. While
    DynamoDB says that it is still in progress, it is sent under the same token: with another one it would
    meet its own first writes, and take them for somebody else's.
    """
    token = uuid4().hex

    def send() -> T:
        nonlocal token
        before = _token.set(token)
        try:
            return commit()
        except TransactWriteError as error:
            if _code(error) != _IN_PROGRESS:
                token = uuid4().hex
            raise
        finally:
            _token.reset(before)

    return _until_decided(send, _passing)


def write_one(write: Callable[[], T]) -> T:
    """Run a write of a single item, again while a transaction is working on that item.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html
    """
    return _until_decided(write, lambda error: _code(error) == "TransactionConflictException")


def transact_if(commit: Callable[[], object]) -> set[int]:
    """Run a transaction until it is decided: the positions whose condition failed, none when it is done."""
    try:
        transact(commit)
    except TransactWriteError as error:
        failed = failed_conditions(error)
        if not failed:
            raise
        return failed
    return set()


def put_once(row: Model, new: Condition) -> None:
    """Put an item unless it is there: its random id comes again only when a request is repeated."""
    put_if(row, new)


def put_if(row: Model, condition: Condition) -> bool:
    """Put one item if the condition holds; False, and nothing written, when it doesn't."""
    try:
        write_one(lambda: row.save(condition))
    except PutError as error:
        if refused(error):
            return False
        raise
    return True


def update_if(row: Model, actions: list[Action], condition: Condition) -> bool:
    """Update one item if the condition holds; False, and nothing written, when it doesn't."""
    try:
        write_one(lambda: row.update(actions, condition))
    except UpdateError as error:
        if refused(error):
            return False
        raise
    return True


def delete_if(row: Model, condition: Condition) -> bool:
    """Delete one item if the condition holds; False, and nothing deleted, when it doesn't."""
    try:
        write_one(lambda: row.delete(condition))
    except DeleteError as error:
        if refused(error):
            return False
        raise
    return True


def _until_decided(write: Callable[[], T], passes: Callable[[PynamoDBException], bool]) -> T:
    for attempt in range(_TRIES):
        try:
            return write()
        except PynamoDBException as error:
            if not passes(error) or attempt == _TRIES - 1:
                raise
            time.sleep(random.uniform(0, min(_LONGEST_WAIT, 0.02 * 2**attempt)))  # noqa: S311
    raise AssertionError("the last try either returns or raises")


def _code(error: PynamoDBException) -> str | None:
    """What DynamoDB answered; None when it didn't, where PynamoDB's own property raises AttributeError."""
    answer = getattr(error.cause, "response", None) or {}
    code: str | None = answer.get("Error", {}).get("Code")
    return code


def _passing(error: PynamoDBException) -> bool:
    if not isinstance(error, TransactWriteError) or failed_conditions(error):
        return False
    codes = {reason.code for reason in error.cancellation_reasons if reason is not None}
    return bool(codes & _PASSING) or _code(error) == _IN_PROGRESS
