"""What accounts use of what is limited, in memory."""

from collections import defaultdict
from dataclasses import replace
from datetime import datetime

from chalicelib.domain.quota import Quota
from chalicelib.domain.usage import Usage


class FakeUsageStore:
    """Port ``UsageStore``; the other fakes count here what they store."""

    def __init__(self) -> None:
        self._usages: defaultdict[str, Usage] = defaultdict(Usage)
        self._requests: dict[str, tuple[datetime, int]] = {}

    def get(self, account_id: str) -> Usage:
        return self._usages[account_id]

    def replace(self, account_id: str, usage: Usage) -> bool:
        there = self._usages[account_id]
        if there.revision != usage.revision:
            return False
        self._usages[account_id] = replace(
            there,
            uploads=usage.uploads,
            imports=usage.imports,
            places=usage.places,
            revision=usage.revision + 1,
        )
        return True

    def count_requests(self, account_id: str, minute: datetime, count: int) -> int:
        there, requests = self._requests.get(account_id, (minute, 0))
        if there > minute:
            return count
        self._requests[account_id] = minute, count + (requests if there == minute else 0)
        return self._requests[account_id][1]

    def count(self, account_id: str, quota: Quota, most: int, amount: int = 1) -> bool:
        """So many more, unless there were more than ``most`` then."""
        room: bool = getattr(self._usages[account_id], quota) + amount <= most
        if room:
            self._add(account_id, quota, amount)
        return room

    def uncount(self, account_id: str, quota: Quota, amount: int = 1) -> None:
        self._add(account_id, quota, -amount)

    def _add(self, account_id: str, quota: Quota, change: int) -> None:
        there = self._usages[account_id]
        counted = {quota.value: getattr(there, quota) + change}
        self._usages[account_id] = replace(there, **counted)
