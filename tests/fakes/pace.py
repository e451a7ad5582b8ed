"""The dispatcher's memory, in memory."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from chalicelib.domain.ledger import Ledger
from chalicelib.domain.schedule import Cursor
from chalicelib.ports import Pace

_FORGOTTEN = timedelta(minutes=30)
Key = tuple[str, str]


class FakePaceStore:
    """Port ``PaceStore``."""

    def __init__(self) -> None:
        self._cursors: dict[Key, Cursor] = {}
        self._ledgers: dict[Key, Ledger] = {}
        self._held: dict[Key, datetime | None] = {}
        self._rests: dict[Key, datetime] = {}
        self._failures: dict[Key, tuple[int, datetime]] = {}
        self._tokens: dict[Key, int] = {}

    def load(self, account_id: str, campaign_id: str, line_ids: Sequence[str]) -> Pace:
        subjects = [_campaign(campaign_id), *map(_line, line_ids)]
        return Pace(
            cursor=self._cursors.get((account_id, campaign_id), Cursor()),
            ledgers={one: self._ledgers.get((account_id, one), Ledger()) for one in line_ids},
            resting_until={
                one: self._rests[account_id, one] for one in line_ids if (account_id, one) in self._rests
            },
            held_until=self._held.get((account_id, campaign_id)),
            token={subject: self._tokens.get((account_id, subject), 0) for subject in subjects},
        )

    def reserve(self, account_id: str, campaign_id: str, pace: Pace) -> bool:
        subjects = [_campaign(campaign_id), *map(_line, pace.ledgers)]
        if any(self._tokens.get((account_id, one), 0) != pace.token[one] for one in subjects):
            return False
        for one in subjects:
            self._tokens[account_id, one] = pace.token[one] + 1
        self._cursors[account_id, campaign_id] = pace.cursor
        self._held[account_id, campaign_id] = pace.held_until
        for line_id, ledger in pace.ledgers.items():
            self._ledgers[account_id, line_id] = ledger
        return True

    def line_failed(self, account_id: str, line_id: str, now: datetime, until: datetime) -> int | None:
        if now < self._rests.get((account_id, line_id), now):
            return None
        self._rests[account_id, line_id] = until
        count, last = self._failures.get((account_id, line_id), (0, now))
        count = count + 1 if last > now - _FORGOTTEN else 1
        self._failures[account_id, line_id] = (count, now)
        return count

    def line_worked(self, account_id: str, line_id: str) -> None:
        self._failures.pop((account_id, line_id), None)
        self._rests.pop((account_id, line_id), None)

    def rest_line(self, account_id: str, line_id: str, until: datetime) -> None:
        self._rests[account_id, line_id] = max(until, self._rests.get((account_id, line_id), until))

    def forget(self, account_id: str, campaign_id: str) -> None:
        self._cursors.pop((account_id, campaign_id), None)
        self._held.pop((account_id, campaign_id), None)
        self._tokens.pop((account_id, _campaign(campaign_id)), None)

    def forget_line(self, account_id: str, line_id: str) -> None:
        self.line_worked(account_id, line_id)
        self._ledgers.pop((account_id, line_id), None)
        self._tokens.pop((account_id, _line(line_id)), None)


def _campaign(campaign_id: str) -> str:
    return f"campaign#{campaign_id}"


def _line(line_id: str) -> str:
    return f"line#{line_id}"
