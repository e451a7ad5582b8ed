"""Requests about one person's data, and marks of addresses, in memory."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from chalicelib.domain.delivery import Reason
from chalicelib.domain.job import JobState
from chalicelib.domain.personal_data import PersonalDataJob, mark_of
from chalicelib.errors import NotFound


class FakeAddressMarks:
    """Port ``AddressMarks``, by a key that everybody may know."""

    def mark(self, account_id: str, address_key: str) -> str:
        return mark_of(b"a key", account_id, address_key)


class FakePersonalDataStore:
    """Port ``PersonalDataStore``."""

    def __init__(self) -> None:
        self._jobs: dict[tuple[str, str], PersonalDataJob] = {}

    def add(self, account_id: str, job: PersonalDataJob) -> None:
        self._jobs.setdefault((account_id, job.job_id), job)

    def get(self, account_id: str, job_id: str) -> PersonalDataJob:
        if (account_id, job_id) not in self._jobs:
            raise NotFound("request")
        return self._jobs[account_id, job_id]

    def begin(self, account_id: str, job_id: str) -> PersonalDataJob | None:
        self._change(account_id, job_id, state=JobState.RUNNING)
        job = self._jobs.get((account_id, job_id))
        return job if job and job.state is JobState.RUNNING else None

    def note(self, account_id: str, job_id: str, mark: str, found: Mapping[str, int]) -> bool:
        job = self._jobs.get((account_id, job_id))
        if job is None or job.state is not JobState.RUNNING:
            return False
        self._change(account_id, job_id, mark=mark, found=dict(found))
        return True

    def finish(self, account_id: str, job_id: str, now: datetime) -> None:
        self._change(account_id, job_id, state=JobState.DONE, finished_at=now, address=None, key=None)

    def fail(self, account_id: str, job_id: str, reason: Reason, now: datetime) -> None:
        self._change(
            account_id, job_id, state=JobState.FAILED, reason=reason, finished_at=now, address=None, key=None
        )

    def _change(self, account_id: str, job_id: str, **changes: object) -> None:
        job = self._jobs.get((account_id, job_id))
        if job and job.state in (JobState.QUEUED, JobState.RUNNING):
            self._jobs[account_id, job_id] = replace(job, **changes)  # type: ignore[arg-type]
