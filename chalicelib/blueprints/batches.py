"""Batches of queue messages: each one is handled by itself, and only those that failed come back.

The answer has the shape of ReportBatchItemFailures; the event sources in ``infra/`` are switched to it.
Without the switch Lambda would delete the whole batch, so a test reads it in the packaged template.
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_plus

from chalice.app import SQSEvent

from chalicelib.observability import log

BatchAnswer = dict[str, list[dict[str, str]]]


def handle_each(event: SQSEvent, handle: Callable[[str], object]) -> BatchAnswer:
    """Give each message's body to ``handle``; a message whose handling raises is delivered again later."""
    failed = []
    for record in event.to_dict()["Records"]:
        try:
            handle(record["body"])
        except Exception as error:  # noqa: BLE001  (one message must never take its neighbours along)
            log("message_failed", message_id=record["messageId"], error=error)
            failed.append({"itemIdentifier": record["messageId"]})
    log("batch_handled", messages=len(event.to_dict()["Records"]), failed=len(failed))
    return {"batchItemFailures": failed}


def keys_in(body: str) -> list[str] | None:
    """The files that S3 tells of, none for its test event; None for a message that isn't S3's.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
    """
    message = json.loads(body)
    if message.get("Event") == "s3:TestEvent":
        return []
    if "Records" not in message:
        return None
    return [unquote_plus(record["s3"]["object"]["key"]) for record in message["Records"]]


def ids_in(body: str, *names: str) -> list[str]:
    """The named ids in a job's message; raises ValueError for anything else."""
    message: Any = json.loads(body)
    if not isinstance(message, dict) or not all(isinstance(message.get(name), str) for name in names):
        raise ValueError(f"a job names {', '.join(names)}")
    return [message[name] for name in names]
