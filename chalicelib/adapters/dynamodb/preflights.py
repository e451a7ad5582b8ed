"""The campaigns' preflights in DynamoDB."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from pynamodb.exceptions import DoesNotExist
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from chalicelib.adapters.dynamodb.mapping import reason_from, reason_item
from chalicelib.adapters.dynamodb.tables import PreflightRow
from chalicelib.adapters.dynamodb.writing import update_if
from chalicelib.domain.delivery import Reason
from chalicelib.domain.job import JobState
from chalicelib.domain.preflight import Missing, Preflight
from chalicelib.errors import NotFound

_OPEN = (JobState.QUEUED, JobState.RUNNING)


class DynamoPreflightStore:
    """Port ``PreflightStore``."""

    def ask(self, account_id: str, preflight: Preflight) -> None:
        """Store it in place of the last one."""
        PreflightRow(
            account_id,
            preflight.campaign_id,
            preflight_id=preflight.preflight_id,
            content_version=preflight.content_version,
            state=preflight.state,
            asked_at=preflight.asked_at,
        ).save()

    def get(self, account_id: str, campaign_id: str) -> Preflight:
        """Read the last one; raises NotFound."""
        try:
            return _preflight(PreflightRow.get(account_id, campaign_id, consistent_read=True))
        except DoesNotExist as error:
            raise NotFound("preflight") from error

    def progress(self, account_id: str, campaign_id: str, preflight_id: str, checked: int) -> bool:
        """Mark it running with so many contacts looked at; False when nobody waits for it."""
        actions: list[Action] = [
            PreflightRow.state.set(JobState.RUNNING),
            PreflightRow.checked.set(checked),
        ]
        return update_if(PreflightRow(account_id, campaign_id), actions, _awaited(preflight_id))

    def finish(
        self,
        account_id: str,
        campaign_id: str,
        preflight_id: str,
        checked: int,
        missing: Sequence[Missing],
        now: datetime,
    ) -> None:
        """Mark it done with what was found, if somebody waits for it."""
        actions: list[Action] = [
            PreflightRow.state.set(JobState.DONE),
            PreflightRow.checked.set(checked),
            PreflightRow.missing.set(json.dumps([asdict(one) for one in missing])),
            PreflightRow.finished_at.set(now),
        ]
        update_if(PreflightRow(account_id, campaign_id), actions, _awaited(preflight_id))

    def fail(
        self, account_id: str, campaign_id: str, preflight_id: str, reason: Reason, now: datetime
    ) -> None:
        """Mark it failed with a reason, if somebody waits for it."""
        actions: list[Action] = [
            PreflightRow.state.set(JobState.FAILED),
            PreflightRow.reason.set(reason_item(reason)),
            PreflightRow.finished_at.set(now),
        ]
        update_if(PreflightRow(account_id, campaign_id), actions, _awaited(preflight_id))

    def remove(self, account_id: str, campaign_id: str) -> None:
        """Forget it."""
        PreflightRow(account_id, campaign_id).delete()


def _awaited(preflight_id: str) -> Condition:
    return (PreflightRow.preflight_id == preflight_id) & PreflightRow.state.is_in(*_OPEN)


def _preflight(row: PreflightRow) -> Preflight:
    return Preflight(
        preflight_id=row.preflight_id,
        campaign_id=row.campaign_id,
        content_version=int(row.content_version),
        state=JobState(row.state),
        asked_at=row.asked_at,
        checked=int(row.checked),
        missing=tuple(
            Missing(**{**item, "fields": tuple(item["fields"])}) for item in json.loads(row.missing or "[]")
        ),
        reason=reason_from(row.reason),
        finished_at=row.finished_at,
    )
