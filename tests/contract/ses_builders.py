"""A sender before the bridge, and the queue behind the topic of its configuration set."""

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from local.emulator import Emulator
from local.maildir import Maildir
from local.ports import remembered_port
from local.ses_bridge import Options, SesBridge, run_bridge

SENDER = "news@sender.example"
ALL_TYPES = [
    "SEND",
    "DELIVERY",
    "DELIVERY_DELAY",
    "BOUNCE",
    "COMPLAINT",
    "REJECT",
    "OPEN",
    "CLICK",
]
MESSAGE = (
    b"From: =?utf-8?q?Zo=C3=AB?= <news@sender.example>\r\nTo: anna@shop.example\r\n"
    b"Subject: =?utf-8?b?0J/RgNC40LLQtdGC?=\r\nX-Long: folded\r\n over lines\r\n\r\nHello \xff\r\n"
)


@dataclass(frozen=True)
class Ses:
    """SES as a sender finds it: the client speaks with the bridge, ``queue`` gets the events."""

    bridge: SesBridge
    maildir: Maildir
    client: Any
    sqs: Any
    queue: str
    configuration_set: str

    def send(self, recipient: str, content: bytes = MESSAGE, **changed: Any) -> str:
        """Send a raw message; returns SES's id of it. Raises botocore's errors."""
        tags = [{"Name": "contact", "Value": recipient.partition("@")[0].replace("+", "-")}]
        order = {
            "FromEmailAddress": SENDER,
            "Destination": {"ToAddresses": [recipient]},
            "Content": {"Raw": {"Data": content}},
            "ConfigurationSetName": self.configuration_set,
            "EmailTags": tags,
        }
        return str(self.client.send_email(**{**order, **changed})["MessageId"])

    def envelopes(self, count: int) -> list[dict[str, Any]]:
        """So many of SNS's messages to the queue, as they come."""
        found: list[dict[str, Any]] = []
        for _ in range(100):
            if len(found) >= count:
                break
            answer = self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10, WaitTimeSeconds=1)
            for message in answer.get("Messages", []):
                found.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
        assert len(found) == count, found
        return found

    def events(self, count: int) -> list[dict[str, Any]]:
        """So many events, as they come."""
        return [json.loads(envelope["Message"]) for envelope in self.envelopes(count)]

    def waiting(self) -> int:
        """How many events are in the queue."""
        answer = self.sqs.get_queue_attributes(
            QueueUrl=self.queue, AttributeNames=["ApproximateNumberOfMessages"]
        )
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])


@contextmanager
def ses(cloud: Emulator, folder: Path, options: Options | None = None) -> Iterator[Ses]:
    """A bridge before the emulator, a verified sender, and a configuration set whose topic feeds a queue."""
    maildir = Maildir(folder / "Maildir")
    with run_bridge(cloud, maildir, remembered_port(folder / "port"), options) as bridge:
        once = Config(retries={"total_max_attempts": 1}, read_timeout=30)
        session = cloud.session()
        client = session.client("sesv2", endpoint_url=bridge.url, config=once)
        sqs = session.client("sqs", endpoint_url=cloud.endpoint)
        name = f"set-{uuid.uuid4().hex[:12]}"
        queue = _queue_of_set(session, cloud.endpoint, client, name)
        client.create_email_identity(EmailIdentity=SENDER)
        yield Ses(bridge, maildir, client, sqs, queue, name)
        for one in (client, sqs):
            one.close()


def _queue_of_set(session: boto3.Session, endpoint: str, client: Any, name: str) -> str:
    sns = session.client("sns", endpoint_url=endpoint)
    sqs = session.client("sqs", endpoint_url=endpoint)
    topic = sns.create_topic(Name=name)["TopicArn"]
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "sns.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": arn,
                "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
            }
        ],
    }
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps(policy)})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    client.create_configuration_set(ConfigurationSetName=name)
    client.create_configuration_set_event_destination(
        ConfigurationSetName=name,
        EventDestinationName="events",
        EventDestination={
            "Enabled": True,
            "MatchingEventTypes": ALL_TYPES,
            "SnsDestination": {"TopicArn": topic},
        },
    )
    return str(queue)
