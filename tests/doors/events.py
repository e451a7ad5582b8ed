"""Events as AWS hands them to a Lambda.

https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
"""

import json
from typing import Any
from urllib.parse import quote_plus


def sqs_event(*bodies: object) -> dict[str, Any]:
    """A batch of messages, text as it is and anything else as JSON; their ids are message-0, message-1, …"""
    return {"Records": [_record(number, body) for number, body in enumerate(bodies)]}


def _record(number: int, body: object) -> dict[str, Any]:
    return {
        "messageId": f"message-{number}",
        "receiptHandle": f"handle-{number}",
        "body": body if isinstance(body, str) else json.dumps(body),
        "attributes": {"ApproximateReceiveCount": "1"},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:queue",
        "awsRegion": "us-east-1",
    }


def upload_notification(*keys: str) -> dict[str, Any]:
    """What S3 puts on the import queue for uploaded files."""
    return {
        "Records": [
            {"eventName": "ObjectCreated:Post", "s3": {"object": {"key": quote_plus(k)}}} for k in keys
        ]
    }


TEST_NOTIFICATION = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "files"}
"""What S3 puts there once, when it is told of the queue."""


TICK: dict[str, Any] = {
    "version": "0",
    "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
    "account": "000000000000",
    "region": "us-east-1",
    "time": "2026-03-02T12:00:00Z",
    "source": "aws.events",
    "detail-type": "Scheduled Event",
    "resources": [],
    "detail": {},
}
"""What EventBridge calls a scheduled function with.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-run-lambda-schedule.html
"""


def failed_ids(answer: dict[str, list[dict[str, str]]]) -> list[str]:
    """The messages that a handler wants to have again."""
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]
