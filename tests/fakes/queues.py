"""Queues in memory, which give out what is in them when a test says so."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from chalicelib.ports import Depth, Release, SendOrder


class FakeJobQueue:
    """Port ``JobQueue``."""

    def __init__(self) -> None:
        self.messages: list[dict[str, str]] = []

    def put(self, message: Mapping[str, str], after: timedelta = timedelta(0)) -> None:
        self.messages.append(dict(message))

    def take(self) -> list[dict[str, str]]:
        """Everything that is queued; the queue is empty then."""
        taken, self.messages = self.messages, []
        return taken


class FakeQueueGauge:
    """Port ``QueueGauge``. It tells what a test says."""

    def __init__(self) -> None:
        self.queues: dict[str, Depth] = {"send": Depth(0, 0, 0)}
        self.dead: dict[str, int] = {"dead_send": 0}

    def depths(self) -> Mapping[str, Depth]:
        return self.queues

    def dead_letters(self) -> Mapping[str, int]:
        return self.dead


class FakeDispatchQueue(FakeJobQueue):
    """Port ``DispatchQueue``. ``pieces`` holds (account, campaign, releases); ``visits`` what comes later."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[tuple[str, str, list[Release]]] = []
        self.visits: list[tuple[str, str, timedelta]] = []

    def put_visit(self, account_id: str, campaign_id: str, after: timedelta, follow_ups: int) -> None:
        self.visits.append((account_id, campaign_id, after))

    def put_releases(self, account_id: str, campaign_id: str, releases: Sequence[Release]) -> None:
        self.pieces.append((account_id, campaign_id, list(releases)))

    def take_pieces(self) -> list[tuple[str, str, list[Release]]]:
        taken, self.pieces = self.pieces, []
        return taken


class FakeSendQueue:
    """Port ``SendQueue``. ``refuses`` holds the contacts whose orders it doesn't take."""

    def __init__(self) -> None:
        self.orders: list[SendOrder] = []
        self.refuses: set[str] = set()

    def put(self, orders: Sequence[SendOrder], now: datetime) -> list[SendOrder]:
        self.orders += [order for order in orders if order.contact_id not in self.refuses]
        return [order for order in orders if order.contact_id in self.refuses]

    def take(self) -> list[SendOrder]:
        """Everything that is queued, earliest slot first; the queue is empty then."""
        taken, self.orders = sorted(self.orders, key=lambda order: order.slot_at), []
        return taken
