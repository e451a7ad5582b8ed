"""Import and export jobs in memory."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from chalicelib.domain.delivery import Reason
from chalicelib.domain.file_columns import Choice
from chalicelib.domain.job import ExportJob, ImportJob, ImportProgress, JobState
from chalicelib.errors import NotFound, Outdated
from chalicelib.ports import Page
from tests.fakes.paging import page_of

_OPEN = (JobState.WAITING, JobState.QUEUED, JobState.RUNNING)


class FakeImportStore:
    """Port ``ImportStore``."""

    def __init__(self) -> None:
        self._jobs: dict[tuple[str, str], ImportJob] = {}

    def add(self, account_id: str, job: ImportJob) -> None:
        self._jobs.setdefault((account_id, job.import_id), job)

    def get(self, account_id: str, import_id: str) -> ImportJob:
        if (account_id, import_id) not in self._jobs:
            raise NotFound("import")
        return self._jobs[account_id, import_id]

    def page(self, account_id: str, campaign_id: str, cursor: str | None, limit: int) -> Page[ImportJob]:
        own = [job for (owner, _), job in sorted(self._jobs.items()) if owner == account_id]
        return page_of([job for job in own[::-1] if job.campaign_id == campaign_id], cursor, limit)

    def begin(self, account_id: str, import_id: str, now: datetime) -> ImportJob | None:
        job = self._open(account_id, import_id)
        return self._put(account_id, replace(job, state=JobState.RUNNING, begun_at=now)) if job else None

    def present(self, account_id: str, import_id: str) -> None:
        job = self._jobs.get((account_id, import_id))
        if job and job.state is JobState.RUNNING and job.previews:
            self._put(account_id, replace(job, state=JobState.REVIEW))

    def preview_again(self, account_id: str, import_id: str, choice: Choice) -> bool:
        job = self._in_review(account_id, import_id)
        if job:
            self._put(account_id, replace(job, state=JobState.QUEUED, choice=choice))
        return job is not None

    def approve(self, account_id: str, import_id: str) -> bool:
        job = self._in_review(account_id, import_id)
        if job:
            self._put(account_id, replace(job, state=JobState.QUEUED, previews=False))
        return job is not None

    def finish(self, account_id: str, import_id: str, progress: ImportProgress, now: datetime) -> None:
        job = self._jobs.get((account_id, import_id))
        if job and (job.state, job.progress.next_row) == (JobState.RUNNING, progress.next_row):
            self._put(account_id, replace(job, state=JobState.DONE, finished_at=now))

    def fail(self, account_id: str, import_id: str, reason: Reason, now: datetime) -> None:
        job = self._open(account_id, import_id)
        if job:
            self._put(account_id, replace(job, state=JobState.FAILED, reason=reason, finished_at=now))

    def purge(self, account_id: str, campaign_id: str) -> None:
        for key in [
            key for key, job in self._jobs.items() if key[0] == account_id and job.campaign_id == campaign_id
        ]:
            del self._jobs[key]

    def check(self, account_id: str, import_id: str, seen: ImportProgress) -> None:
        """Raise Outdated unless it runs and its checkpoint is the one seen; for the contacts' write."""
        job = self._jobs.get((account_id, import_id))
        if job is None or (job.state, job.progress.next_row) != (JobState.RUNNING, seen.next_row):
            raise Outdated

    def checkpoint(self, account_id: str, import_id: str, progress: ImportProgress) -> ImportProgress:
        """Move the checkpoint; for the contacts' write."""
        return self._put(account_id, replace(self.get(account_id, import_id), progress=progress)).progress

    def _in_review(self, account_id: str, import_id: str) -> ImportJob | None:
        job = self._jobs.get((account_id, import_id))
        return job if job and job.state is JobState.REVIEW else None

    def _open(self, account_id: str, import_id: str) -> ImportJob | None:
        job = self._jobs.get((account_id, import_id))
        return job if job and job.state in _OPEN else None

    def _put(self, account_id: str, job: ImportJob) -> ImportJob:
        self._jobs[account_id, job.import_id] = job
        return job


class FakeExportStore:
    """Port ``ExportStore``."""

    def __init__(self) -> None:
        self._jobs: dict[tuple[str, str], ExportJob] = {}

    def add(self, account_id: str, job: ExportJob) -> None:
        self._jobs.setdefault((account_id, job.export_id), job)

    def get(self, account_id: str, export_id: str) -> ExportJob:
        if (account_id, export_id) not in self._jobs:
            raise NotFound("export")
        return self._jobs[account_id, export_id]

    def progress(self, account_id: str, export_id: str, rows: int) -> bool:
        job = self._jobs.get((account_id, export_id))
        if job is None or job.state not in _OPEN:
            return False
        self._jobs[account_id, export_id] = replace(job, state=JobState.RUNNING, rows=rows)
        return True

    def finish(self, account_id: str, export_id: str, counted: Mapping[str, int], now: datetime) -> None:
        job = self._jobs.get((account_id, export_id))
        if job and job.state is JobState.RUNNING:
            total, counts = sum(counted.values()), dict(counted)
            self._jobs[account_id, export_id] = replace(
                job, state=JobState.DONE, rows=total, counted=counts, finished_at=now
            )

    def fail(self, account_id: str, export_id: str, reason: Reason, now: datetime) -> None:
        job = self._jobs.get((account_id, export_id))
        if job and job.state in _OPEN:
            failed = replace(job, state=JobState.FAILED, reason=reason, finished_at=now)
            self._jobs[account_id, export_id] = failed

    def purge(self, account_id: str, campaign_id: str) -> None:
        for key in [
            key for key, job in self._jobs.items() if key[0] == account_id and job.campaign_id == campaign_id
        ]:
            del self._jobs[key]
