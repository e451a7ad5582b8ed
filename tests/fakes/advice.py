"""Advice in memory."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from chalicelib.domain.advice.finding import Finding
from chalicelib.domain.delivery import Reason
from chalicelib.errors import NotFound
from chalicelib.ports import Advice


class FakeAdviceStore:
    """Port ``AdviceStore``."""

    def __init__(self) -> None:
        self._advice: dict[tuple[str, str], Advice] = {}

    def ask(self, account_id: str, line_id: str, at: datetime) -> Advice:
        earlier = self._advice.get((account_id, line_id), Advice(at))
        self._advice[account_id, line_id] = replace(earlier, asked_at=at, reason=None)
        return self._advice[account_id, line_id]

    def get(self, account_id: str, line_id: str) -> Advice:
        if (account_id, line_id) not in self._advice:
            raise NotFound("advice")
        return self._advice[account_id, line_id]

    def give(self, account_id: str, line_id: str, checked_at: datetime, findings: Sequence[Finding]) -> None:
        self._change(account_id, line_id, checked_at=checked_at, findings=tuple(findings), reason=None)

    def fail(self, account_id: str, line_id: str, reason: Reason, now: datetime) -> None:
        self._change(account_id, line_id, checked_at=now, reason=reason)

    def remove(self, account_id: str, line_id: str) -> None:
        self._advice.pop((account_id, line_id), None)

    def _change(self, account_id: str, line_id: str, **changes: object) -> None:
        key = account_id, line_id
        if key in self._advice:
            self._advice[key] = replace(self._advice[key], **changes)  # type: ignore[arg-type]
