"""Requests about one person's data in DynamoDB. The address leaves the row when the request is over."""

from collections.abc import Mapping
from datetime import datetime

from pynamodb.exceptions import DoesNotExist
from pynamodb.expressions.update import Action

from chalicelib.adapters.dynamodb.mapping import plain, reason_from, reason_item
from chalicelib.adapters.dynamodb.tables import PersonalDataRow
from chalicelib.adapters.dynamodb.writing import put_once, update_if
from chalicelib.domain.delivery import Reason
from chalicelib.domain.job import JobState
from chalicelib.domain.personal_data import KEPT, JobKind, PersonalDataJob
from chalicelib.errors import NotFound

_OPEN = (JobState.QUEUED, JobState.RUNNING)


class DynamoPersonalDataStore:
    """Port ``PersonalDataStore``."""

    def add(self, account_id: str, job: PersonalDataJob) -> None:
        """Store a new one."""
        row = PersonalDataRow(
            account_id,
            job.job_id,
            kind=job.kind.value,
            state=job.state.value,
            address=job.address,
            address_key=job.key,
            created_at=job.created_at,
            expires_at=job.created_at + KEPT,
        )
        put_once(row, PersonalDataRow.job_id.does_not_exist())

    def get(self, account_id: str, job_id: str) -> PersonalDataJob:
        """Read one; raises NotFound."""
        try:
            return _job(PersonalDataRow.get(account_id, job_id, consistent_read=True))
        except DoesNotExist as error:
            raise NotFound("request") from error

    def begin(self, account_id: str, job_id: str) -> PersonalDataJob | None:
        """Mark it running; one that runs already is begun again."""
        row = PersonalDataRow(account_id, job_id)
        running: list[Action] = [PersonalDataRow.state.set(JobState.RUNNING.value)]
        return _job(row) if update_if(row, running, PersonalDataRow.state.is_in(*_OPEN)) else None

    def note(self, account_id: str, job_id: str, mark: str, found: Mapping[str, int]) -> bool:
        """Replace what was found, while it runs."""
        row = PersonalDataRow(account_id, job_id)
        actions: list[Action] = [PersonalDataRow.mark.set(mark), PersonalDataRow.found.set(dict(found))]
        return update_if(row, actions, PersonalDataRow.state == JobState.RUNNING)

    def finish(self, account_id: str, job_id: str, now: datetime) -> None:
        """Done, without the address."""
        self._end(account_id, job_id, JobState.DONE, None, now)

    def fail(self, account_id: str, job_id: str, reason: Reason, now: datetime) -> None:
        """Failed, without the address."""
        self._end(account_id, job_id, JobState.FAILED, reason, now)

    def _end(
        self, account_id: str, job_id: str, state: JobState, reason: Reason | None, now: datetime
    ) -> None:
        actions: list[Action] = [
            PersonalDataRow.state.set(state.value),
            PersonalDataRow.finished_at.set(now),
            PersonalDataRow.address.remove(),
            PersonalDataRow.address_key.remove(),
        ]
        if reason is not None:
            actions.append(PersonalDataRow.reason.set(reason_item(reason)))
        update_if(PersonalDataRow(account_id, job_id), actions, PersonalDataRow.state.is_in(*_OPEN))


def _job(row: PersonalDataRow) -> PersonalDataJob:
    return PersonalDataJob(
        job_id=row.job_id,
        kind=JobKind(row.kind),
        state=JobState(row.state),
        created_at=row.created_at,
        address=row.address,
        key=row.address_key,
        mark=row.mark or "",
        found={kind: int(count) for kind, count in plain(row.found or {}).items()},
        reason=reason_from(row.reason),
        finished_at=row.finished_at,
    )
