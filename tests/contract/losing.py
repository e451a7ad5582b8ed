"""Replies that get lost on the way back, after the write was done, and answers of an AWS that is busy."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.exceptions import ReadTimeoutError
from botocore.httpsession import URLLib3Session
from pynamodb.models import Model

from chalicelib.adapters.dynamodb.writing import connection

EVENT = "before-send.dynamodb"


def client_of(model: type[Model]) -> Any:
    """The client that a model's single writes go through."""
    return model._get_connection().connection.client


def transactions() -> Any:
    """The client that transactions go through."""
    return connection().client


@contextmanager
def first_reply_lost(client: Any, operation: str) -> Iterator[list[str]]:
    """The first call is carried out and its reply dropped; yields the calls that were made."""
    session = URLLib3Session()

    def drop(calls: list[str], request: Any) -> None:
        if len(calls) == 1:
            assert session.send(request).status_code == 200
            raise ReadTimeoutError(endpoint_url=request.url)

    try:
        with _before_send(client, operation, drop) as calls:
            yield calls
    finally:
        session.close()


@contextmanager
def transaction_in_progress(times: int) -> Iterator[list[str]]:
    """The first transaction is carried out; so often it is answered that it is still being worked on."""
    session = URLLib3Session()

    def answer(calls: list[str], request: Any) -> AWSResponse | None:
        if len(calls) > times:
            return None
        if len(calls) == 1:
            assert session.send(request).status_code == 200
        return _error(request.url, {"__type": "com.amazonaws#TransactionInProgressException"})

    try:
        with _before_send(transactions(), "TransactWriteItems", answer) as calls:
            yield calls
    finally:
        session.close()


@contextmanager
def first_call_refused(client: Any, operation: str, code: str) -> Iterator[list[str]]:
    """The first call is answered with an error instead of being carried out."""

    def refuse(calls: list[str], request: Any) -> AWSResponse | None:
        return _error(request.url, {"__type": f"com.amazonaws#{code}"}) if len(calls) == 1 else None

    with _before_send(client, operation, refuse) as calls:
        yield calls


@contextmanager
def keys_left_unprocessed(client: Any, calls: int) -> Iterator[list[str]]:
    """The first reads by keys are answered with nothing, all of their keys being left for later."""

    def leave(made: list[str], request: Any) -> AWSResponse | None:
        if len(made) > calls:
            return None
        body = {"Responses": {}, "UnprocessedKeys": json.loads(request.body)["RequestItems"]}
        return _answer(request.url, 200, body)

    with _before_send(client, "BatchGetItem", leave) as made:
        yield made


@contextmanager
def first_transaction_cancelled(code: str, items: int) -> Iterator[list[str]]:
    """The first transaction is cancelled for a reason that passes."""
    body = {
        "__type": "com.amazonaws#TransactionCanceledException",
        "message": "Transaction cancelled",
        "CancellationReasons": [{"Code": code}, *({"Code": "None"} for _ in range(items - 1))],
    }

    def cancel(calls: list[str], request: Any) -> AWSResponse | None:
        return _error(request.url, body) if len(calls) == 1 else None

    with _before_send(transactions(), "TransactWriteItems", cancel) as calls:
        yield calls


@contextmanager
def _before_send(
    client: Any, operation: str, act: Callable[[list[str], Any], AWSResponse | None]
) -> Iterator[list[str]]:
    calls: list[str] = []

    def handler(request: Any, **_: Any) -> AWSResponse | None:
        calls.append(operation)
        return act(calls, request)

    client.meta.events.register(f"{EVENT}.{operation}", handler)
    try:
        yield calls
    finally:
        client.meta.events.unregister(f"{EVENT}.{operation}", handler)


class _Body:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self._content


def _error(url: str, body: dict[str, Any]) -> AWSResponse:
    return _answer(url, 400, body)


def _answer(url: str, status: int, body: dict[str, Any]) -> AWSResponse:
    headers = {"Content-Type": "application/x-amz-json-1.0"}
    return AWSResponse(url, status, headers, _Body(json.dumps(body).encode()))
