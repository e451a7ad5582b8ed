"""Preflights in memory."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from chalicelib.domain.delivery import Reason
from chalicelib.domain.job import JobState
from chalicelib.domain.preflight import Missing, Preflight
from chalicelib.errors import NotFound


class FakePreflightStore:
    """Port ``PreflightStore``."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, str], Preflight] = {}

    def ask(self, account_id: str, preflight: Preflight) -> None:
        self._last[account_id, preflight.campaign_id] = preflight

    def get(self, account_id: str, campaign_id: str) -> Preflight:
        if (account_id, campaign_id) not in self._last:
            raise NotFound("preflight")
        return self._last[account_id, campaign_id]

    def progress(self, account_id: str, campaign_id: str, preflight_id: str, checked: int) -> bool:
        return self._change(account_id, campaign_id, preflight_id, state=JobState.RUNNING, checked=checked)

    def finish(
        self,
        account_id: str,
        campaign_id: str,
        preflight_id: str,
        checked: int,
        missing: Sequence[Missing],
        now: datetime,
    ) -> None:
        result = {"checked": checked, "missing": tuple(missing), "finished_at": now}
        self._change(account_id, campaign_id, preflight_id, state=JobState.DONE, **result)

    def fail(
        self, account_id: str, campaign_id: str, preflight_id: str, reason: Reason, now: datetime
    ) -> None:
        changes = {"reason": reason, "finished_at": now}
        self._change(account_id, campaign_id, preflight_id, state=JobState.FAILED, **changes)

    def remove(self, account_id: str, campaign_id: str) -> None:
        self._last.pop((account_id, campaign_id), None)

    def _change(self, account_id: str, campaign_id: str, preflight_id: str, **changes: object) -> bool:
        last = self._last.get((account_id, campaign_id))
        if (
            last is None
            or last.preflight_id != preflight_id
            or last.state in (JobState.DONE, JobState.FAILED)
        ):
            return False
        self._last[account_id, campaign_id] = replace(last, **changes)  # type: ignore[arg-type]
        return True
