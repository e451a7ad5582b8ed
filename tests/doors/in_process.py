"""What a handler is called with, and what stands behind it in these tests."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from chalicelib.domain.delivery import Reason
from chalicelib.errors import NotFound

BROKEN = "broken"
"""The account (or contact) whose handling fails, as it would when AWS can't be reached."""


class OutOfReach(Exception):
    """AWS didn't answer."""


class Context:
    """The part of a Lambda's context that the doors look at."""

    function_name = "a-function"
    aws_request_id = "a-request"

    def get_remaining_time_in_millis(self) -> int:
        return 300_000


@dataclass
class EmptyStore:
    """A store of anything: it holds nothing, remembers whom it was asked about, and fails for BROKEN."""

    asked: list[tuple[str, str]] = field(default_factory=list)
    purged: list[str] = field(default_factory=list)

    def _look(self, account_id: str, item_id: str) -> None:
        self.asked.append((account_id, item_id))
        if account_id == BROKEN:
            raise OutOfReach(account_id)

    def get(self, account_id: str, item_id: str) -> Any:
        self._look(account_id, item_id)
        raise NotFound("thing")

    def status(self, account_id: str, item_id: str) -> None:
        if (account_id, item_id) not in self.asked:
            self._look(account_id, item_id)

    def purge(self, *keys: str) -> None:
        self.purged.append(keys[-1])

    def now(self) -> datetime:
        return datetime.now(UTC)

    def session(self) -> None:
        """Nobody answers, and nobody is asked."""

    def begin(self, account_id: str, item_id: str, _now: datetime | None = None) -> None:
        self._look(account_id, item_id)

    def fail(self, account_id: str, item_id: str, reason: Reason, now: datetime) -> None:
        assert now <= datetime.now(UTC)
        assert reason.text
        self._look(account_id, item_id)
