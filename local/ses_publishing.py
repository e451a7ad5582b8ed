"""Publishing events as Amazon SNS does at its worst: late, twice, out of order, and before the sender knows.

What was published is written in a ledger, in order, to be compared with what the product made of it.
"""

import heapq
import itertools
import json
import logging
import random
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local.ses_events import SUBJECT, Event, Happening

_AT_ONCE = 10  # SNS takes no more in a batch
_IDLE = 0.3  # seconds without a new event after which an unfilled window is published all the same
_TRIES = 5
_BETWEEN_TRIES = 1.0  # seconds

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Disorder:
    """How events misbehave. By default not at all: each comes once, in order, soon.

    Each event waits a random time up to ``delay`` seconds; the share ``duplicates`` of them is published
    twice, each time after a delay of its own. ``window`` events are gathered and published in random order.
    The share ``early`` of the messages has its events published before SendEmail's reply leaves.
    """

    delay: float = 0.0
    duplicates: float = 0.0
    window: int = 1
    early: float = 0.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Due:
    """An event to publish: where, what the ledger says of it, its payload. ``tags`` are the sender's."""

    topic: str
    message_id: str
    recipient: str
    happening: Happening
    tags: Mapping[str, str]
    payload: Event
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Published:
    """A line of the ledger."""

    message_id: str
    recipient: str
    happening: Happening
    tags: Mapping[str, str]


class Publisher:
    """Publishes on a thread of its own from ``start`` to ``stop``; what still waits then is dropped.

    ``lost`` counts the events SNS would not take at the fifth try.
    """

    def __init__(self, sns: Any, disorder: Disorder, *, remembered: int) -> None:
        self._sns = sns
        self._disorder = disorder
        self._chance = random.Random(disorder.seed)  # noqa: S311 - a seeded draw can be repeated
        self._numbers = itertools.count()
        self._waiting: list[tuple[float, int, Due]] = []
        self._held: list[Due] = []
        self._window: list[Due] = []
        self._ledger: deque[Published] = deque(maxlen=remembered)
        self._changed = threading.Condition()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="ses-events", daemon=True)
        self.lost = 0

    def start(self) -> None:
        """Begin to publish."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread; what waits is not published any more."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._thread.join()

    def ledger(self) -> list[Published]:
        """What was published, in order: the last ``remembered`` events."""
        with self._changed:
            return list(self._ledger)

    def backlog(self) -> int:
        """How many events are still to be published, the held ones too."""
        with self._changed:
            return len(self._waiting) + len(self._held) + len(self._window)

    def hold(self, events: Iterable[Due]) -> None:
        """Keep events back until ``release``."""
        with self._changed:
            self._held.extend(events)

    def release(self) -> None:
        """Let the held events go."""
        with self._changed:
            released, self._held = self._held, []
        self.put(released)

    def put(self, events: Iterable[Due]) -> None:
        """Have events published, in all the disorder that is wished."""
        with self._changed:
            for event in events:
                for _ in range(1 + self._is_drawn(self._disorder.duplicates)):
                    self._wait(event, self._chance.uniform(0, self._disorder.delay))
            self._changed.notify_all()

    def put_early(self, events: Sequence[Due]) -> bool:
        """For the share of messages that are early: publish before this returns. Tells whether it did."""
        with self._changed:
            if not self._is_drawn(self._disorder.early):
                return False
        self._publish(events)
        with self._changed:
            again = [event for event in events if self._is_drawn(self._disorder.duplicates)]
            for event in again:
                self._wait(event, self._chance.uniform(0, self._disorder.delay))
            self._changed.notify_all()
        return True

    def _is_drawn(self, share: float) -> bool:
        return self._chance.random() < share

    def _wait(self, event: Due, seconds: float) -> None:
        heapq.heappush(self._waiting, (time.monotonic() + seconds, next(self._numbers), event))

    def _run(self) -> None:
        while self._fill_window():
            self._publish(self._window)
            with self._changed:
                self._window = []

    def _fill_window(self) -> bool:
        """Gather the events to publish next, and shuffle them; False when the publisher was stopped."""
        with self._changed:
            while not self._stopped:
                before = len(self._window)
                self._gather_due()
                is_full = len(self._window) >= self._disorder.window
                if self._window and (is_full or len(self._window) == before):
                    self._shuffle()
                    return True
                if self._window:
                    self._changed.wait_for(lambda: self._stopped or self._until_due() == 0, _IDLE)
                else:  # what is put meanwhile may be due before what waits now, or be the first to wait
                    self._changed.wait(self._until_due())
            return False

    def _gather_due(self) -> None:
        most = max(self._disorder.window, _AT_ONCE)
        while len(self._window) < most and self._until_due() == 0:
            self._window.append(heapq.heappop(self._waiting)[2])

    def _until_due(self) -> float | None:
        """Seconds until the next event is due; None if there is none."""
        return max(0.0, self._waiting[0][0] - time.monotonic()) if self._waiting else None

    def _shuffle(self) -> None:
        if self._disorder.window > 1:
            self._chance.shuffle(self._window)

    def _publish(self, events: Sequence[Due]) -> None:
        """Publish in the given order, as many at once as SNS takes."""
        for _, of_topic in itertools.groupby(events, lambda event: event.topic):
            for batch in _batches(list(of_topic)):
                refused = self._refused(batch)
                with self._changed:
                    self._note(event for number, event in enumerate(batch) if number not in refused)
                    self._try_again(batch[number] for number in refused)

    def _refused(self, batch: Sequence[Due]) -> set[int]:
        """Hand a batch of one topic's events to SNS; returns the places of those it didn't take."""
        entries = [
            {"Id": str(number), "Subject": SUBJECT, "Message": json.dumps(event.payload)}
            for number, event in enumerate(batch)
        ]
        try:
            answer = self._sns.publish_batch(TopicArn=batch[0].topic, PublishBatchRequestEntries=entries)
        except (BotoCoreError, ClientError) as error:
            _log.warning("SNS took no events: %s", type(error).__name__)
            return set(range(len(batch)))
        return {int(failed["Id"]) for failed in answer.get("Failed", [])}

    def _note(self, events: Iterable[Due]) -> None:
        self._ledger.extend(
            Published(one.message_id, one.recipient, one.happening, one.tags) for one in events
        )

    def _try_again(self, refused: Iterable[Due]) -> None:
        for event in refused:
            if event.tries + 1 < _TRIES:
                self._wait(replace(event, tries=event.tries + 1), _BETWEEN_TRIES)
            else:
                self.lost += 1


def _batches(events: Sequence[Due]) -> Iterator[Sequence[Due]]:
    for first in range(0, len(events), _AT_ONCE):
        yield events[first : first + _AT_ONCE]
