"""The queues. A message names rows by id; what is in it is never more than a reason to look at the row."""

import json
import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.adapters.aws import client
from chalicelib.observability import log
from chalicelib.ports import Depth, Release, SendOrder

_BATCH = 10  # entries of a SendMessageBatch call
_LONGEST_DELAY = 900  # seconds


class SqsJobQueue:
    """Port ``JobQueue``."""

    def __init__(self, url: str) -> None:
        self._url = url

    def put(self, message: Mapping[str, str], after: timedelta = timedelta(0)) -> None:
        """Queue one job; the account is its message group, so that one account can't starve the others."""
        client("sqs").send_message(
            QueueUrl=self._url,
            MessageBody=json.dumps(dict(message)),
            MessageGroupId=message["account_id"],
            DelaySeconds=_seconds(after),
        )


class SqsQueueGauge:
    """Port ``QueueGauge``. SQS calls its numbers approximate: a quiet queue's are right within a minute."""

    def __init__(self, queues: Mapping[str, str], dead: Mapping[str, str]) -> None:
        """The URLs of the queues and of those for dead letters, by their names."""
        self._queues = queues
        self._dead = dead

    def depths(self) -> Mapping[str, Depth]:
        """One call for each queue."""
        return {name: _depth(url) for name, url in self._queues.items()}

    def dead_letters(self) -> Mapping[str, int]:
        """One call for each queue; somebody who looks at a message hides it, and it counts all the same."""
        depths = {name: _depth(url) for name, url in self._dead.items()}
        return {name: depth.waiting + depth.in_flight for name, depth in depths.items()}


_DEPTHS = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


def _depth(url: str) -> Depth:
    answer = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=list(_DEPTHS))
    return Depth(*(int(answer["Attributes"][name]) for name in _DEPTHS))


class SqsDispatchQueue(SqsJobQueue):
    """Port ``DispatchQueue``."""

    def put_visit(self, account_id: str, campaign_id: str, after: timedelta, follow_ups: int) -> None:
        """Queue a visit, out of sight until then."""
        message = {"account_id": account_id, "campaign_id": campaign_id, "follow_ups": str(follow_ups)}
        self.put(message, after)

    def put_releases(self, account_id: str, campaign_id: str, releases: Sequence[Release]) -> None:
        """Queue a piece of a campaign's release, some 110 bytes a contact."""
        rows = [
            [
                r.contact_id,
                r.generation,
                r.attempt,
                r.line_id,
                r.slot_at.isoformat(),
                r.lease_until.isoformat(),
            ]
            for r in releases
        ]
        self.put({"account_id": account_id, "campaign_id": campaign_id, "releases": json.dumps(rows)})


def decode_releases(text: str) -> list[Release]:
    """Read back the releases of a message of the dispatch queue."""
    return [
        Release(
            contact_id,
            generation,
            attempt,
            line_id,
            datetime.fromisoformat(slot),
            datetime.fromisoformat(lease),
        )
        for contact_id, generation, attempt, line_id, slot, lease in json.loads(text)
    ]


class SqsSendQueue:
    """Port ``SendQueue``."""

    def __init__(self, url: str) -> None:
        self._url = url

    def put(self, orders: Sequence[SendOrder], now: datetime) -> list[SendOrder]:
        """Queue the orders in batches, each delayed to its slot; returns those that SQS didn't take."""
        failed: list[SendOrder] = []
        for start in range(0, len(orders), _BATCH):
            failed += self._put_batch(orders[start : start + _BATCH], now)
        return failed

    def _put_batch(self, orders: Sequence[SendOrder], now: datetime) -> list[SendOrder]:
        entries = [
            {
                "Id": str(number),
                "MessageBody": encode_order(order),
                "DelaySeconds": _seconds(order.slot_at - now),
                "MessageGroupId": order.account_id,
            }
            for number, order in enumerate(orders)
        ]
        try:
            answer = client("sqs").send_message_batch(QueueUrl=self._url, Entries=entries)
        except (BotoCoreError, ClientError) as error:
            # Perhaps queued all the same: such a message finds its release gone and does nothing.
            log("send_batch_failed", error=error)
            return list(orders)
        return [orders[int(entry["Id"])] for entry in answer.get("Failed", [])]


def _seconds(delay: timedelta) -> int:
    """A delay in whole seconds, rounded up: a message before its slot could be outside the window."""
    return max(0, min(math.ceil(delay.total_seconds()), _LONGEST_DELAY))


def encode_order(order: SendOrder) -> str:
    """An order as the body of a message."""
    return json.dumps(
        {
            "account_id": order.account_id,
            "campaign_id": order.campaign_id,
            "contact_id": order.contact_id,
            "line_id": order.line_id,
            "generation": order.generation,
            "attempt": order.attempt,
            "slot_at": order.slot_at.isoformat(),
        }
    )


def decode_order(body: str) -> SendOrder:
    """Read back what ``encode_order`` made; raises ValueError or KeyError for anything else."""
    values = json.loads(body)
    return SendOrder(
        account_id=values["account_id"],
        campaign_id=values["campaign_id"],
        contact_id=values["contact_id"],
        line_id=values["line_id"],
        generation=values["generation"],
        attempt=values["attempt"],
        slot_at=datetime.fromisoformat(values["slot_at"]),
    )
