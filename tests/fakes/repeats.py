"""Requests under an Idempotency-Key in memory."""

from dataclasses import replace
from datetime import datetime

from chalicelib.domain.repeat import Repeat


class FakeRepeatStore:
    """Port ``RepeatStore``."""

    def __init__(self) -> None:
        self._repeats: dict[tuple[str, str], Repeat] = {}

    def begin(self, account_id: str, key: str, new: Repeat, now: datetime) -> bool:
        there = self._repeats.get((account_id, key))
        if there is not None and there.expires_at > now:
            return False
        self._repeats[account_id, key] = new
        return True

    def get(self, account_id: str, key: str) -> Repeat | None:
        return self._repeats.get((account_id, key))

    def take_over(self, account_id: str, key: str, seen_token: str, ours: Repeat) -> bool:
        there = self._held(account_id, key, seen_token)
        if there is None:
            return False
        self._repeats[account_id, key] = replace(there, token=ours.token, lease_until=ours.lease_until)
        return True

    def settle(self, account_id: str, key: str, token: str, answer: bytes | None) -> None:
        there = self._held(account_id, key, token)
        if there is not None:
            self._repeats[account_id, key] = replace(there, done=True, answer=answer)

    def _held(self, account_id: str, key: str, token: str) -> Repeat | None:
        there = self._repeats.get((account_id, key))
        return there if there and there.token == token and not there.done else None
