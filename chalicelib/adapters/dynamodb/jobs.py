"""Import and export jobs in DynamoDB."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pynamodb.exceptions import DoesNotExist
from pynamodb.expressions.update import Action

from chalicelib.adapters.dynamodb.cursors import encode_cursor, page_start
from chalicelib.adapters.dynamodb.mapping import plain, reason_from, reason_item
from chalicelib.adapters.dynamodb.reading import bounded_page
from chalicelib.adapters.dynamodb.tables import ExportRow, ImportRow
from chalicelib.adapters.dynamodb.writing import put_once, update_if
from chalicelib.domain.delivery import Reason
from chalicelib.domain.dialog import DialogSource, TagFilter
from chalicelib.domain.file_columns import Choice, Use
from chalicelib.domain.job import ExportJob, ImportJob, ImportProgress, JobState
from chalicelib.errors import NotFound
from chalicelib.ports import Page

_READ_AT_ONCE = 1_000  # rows a read of a campaign's imports looks at
_OPEN = (JobState.WAITING, JobState.QUEUED, JobState.RUNNING)


class DynamoImportStore:
    """Port ``ImportStore``."""

    def add(self, account_id: str, job: ImportJob) -> None:
        """Store a new job, waiting for its file."""
        row = ImportRow(
            account_id,
            job.import_id,
            campaign_id=job.campaign_id,
            file_name=job.file_name,
            state=job.state,
            previews=job.previews,
            source=_source_item(job.source) if job.source else None,
            created_at=job.created_at,
        )
        put_once(row, ImportRow.import_id.does_not_exist())

    def get(self, account_id: str, import_id: str) -> ImportJob:
        """Read a job; raises NotFound."""
        try:
            return _import(ImportRow.get(account_id, import_id, consistent_read=True))
        except DoesNotExist as error:
            raise NotFound("import") from error

    def page(self, account_id: str, campaign_id: str, cursor: str | None, limit: int) -> Page[ImportJob]:
        """The imports of one campaign, newest first; a page may be short because its reads are bounded."""
        start = page_start(account_id, "import_id", cursor)
        items, place = bounded_page(
            lambda after, _: _read_imports(account_id, campaign_id, after),
            "import_id",
            start["import_id"]["S"] if start else "",
            limit,
        )
        jobs = [_import(ImportRow.from_raw_data(item)) for item in items]
        return Page(jobs, encode_cursor(place) if place is not None else None)

    def begin(self, account_id: str, import_id: str, now: datetime) -> ImportJob | None:
        """Mark it running; None when it is over or doesn't exist."""
        row = ImportRow(account_id, import_id)
        actions: list[Action] = [ImportRow.state.set(JobState.RUNNING), ImportRow.begun_at.set(now)]
        begun = update_if(row, actions, ImportRow.state.is_in(*_OPEN))
        return _import(row) if begun else None

    def present(self, account_id: str, import_id: str) -> None:
        """From Running to Review; does nothing when it was started or ended in between."""
        running = (ImportRow.state == JobState.RUNNING) & (ImportRow.previews == True)  # noqa: E712
        update_if(ImportRow(account_id, import_id), [ImportRow.state.set(JobState.REVIEW)], running)

    def preview_again(self, account_id: str, import_id: str, choice: Choice) -> bool:
        """From Review back to Queued with another choice; False when it isn't in Review."""
        actions: list[Action] = [
            ImportRow.state.set(JobState.QUEUED),
            ImportRow.choice.set(_choice_item(choice)),
        ]
        return update_if(ImportRow(account_id, import_id), actions, ImportRow.state == JobState.REVIEW)

    def approve(self, account_id: str, import_id: str) -> bool:
        """From Review to Queued as an import; False when it isn't in Review."""
        actions: list[Action] = [ImportRow.state.set(JobState.QUEUED), ImportRow.previews.set(False)]
        return update_if(ImportRow(account_id, import_id), actions, ImportRow.state == JobState.REVIEW)

    def finish(self, account_id: str, import_id: str, progress: ImportProgress, now: datetime) -> None:
        """Mark it done, unless another run already moved on from this checkpoint."""
        actions: list[Action] = [ImportRow.state.set(JobState.DONE), ImportRow.finished_at.set(now)]
        as_seen = (ImportRow.state == JobState.RUNNING) & (ImportRow.next_row == progress.next_row)
        update_if(ImportRow(account_id, import_id), actions, as_seen)

    def fail(self, account_id: str, import_id: str, reason: Reason, now: datetime) -> None:
        """Mark it failed with a reason; one that is over stays as it is."""
        actions: list[Action] = [
            ImportRow.state.set(JobState.FAILED),
            ImportRow.reason.set(reason_item(reason)),
            ImportRow.finished_at.set(now),
        ]
        update_if(ImportRow(account_id, import_id), actions, ImportRow.state.is_in(*_OPEN))

    def purge(self, account_id: str, campaign_id: str) -> None:
        """Remove the campaign's import jobs."""
        for row in ImportRow.query(
            account_id, filter_condition=ImportRow.campaign_id == campaign_id, consistent_read=True
        ):
            row.delete()


class DynamoExportStore:
    """Port ``ExportStore``."""

    def add(self, account_id: str, job: ExportJob) -> None:
        """Store a new job."""
        row = ExportRow(
            account_id,
            job.export_id,
            campaign_id=job.campaign_id,
            state=job.state,
            created_at=job.created_at,
        )
        put_once(row, ExportRow.export_id.does_not_exist())

    def get(self, account_id: str, export_id: str) -> ExportJob:
        """Read a job; raises NotFound."""
        try:
            return _export(ExportRow.get(account_id, export_id, consistent_read=True))
        except DoesNotExist as error:
            raise NotFound("export") from error

    def progress(self, account_id: str, export_id: str, rows: int) -> bool:
        """Mark it running with so many rows written; False when it is over or doesn't exist."""
        actions: list[Action] = [ExportRow.state.set(JobState.RUNNING), ExportRow.rows.set(rows)]
        return update_if(ExportRow(account_id, export_id), actions, ExportRow.state.is_in(*_OPEN))

    def finish(self, account_id: str, export_id: str, counted: Mapping[str, int], now: datetime) -> None:
        """Mark it done with what was written, by status."""
        actions: list[Action] = [
            ExportRow.state.set(JobState.DONE),
            ExportRow.rows.set(sum(counted.values())),
            ExportRow.counted.set(dict(counted)),
            ExportRow.finished_at.set(now),
        ]
        update_if(ExportRow(account_id, export_id), actions, ExportRow.state == JobState.RUNNING)

    def fail(self, account_id: str, export_id: str, reason: Reason, now: datetime) -> None:
        """Mark it failed with a reason; one that is over stays as it is."""
        actions: list[Action] = [
            ExportRow.state.set(JobState.FAILED),
            ExportRow.reason.set(reason_item(reason)),
            ExportRow.finished_at.set(now),
        ]
        update_if(ExportRow(account_id, export_id), actions, ExportRow.state.is_in(*_OPEN))

    def purge(self, account_id: str, campaign_id: str) -> None:
        """Remove the campaign's export jobs."""
        for row in ExportRow.query(
            account_id, filter_condition=ExportRow.campaign_id == campaign_id, consistent_read=True
        ):
            row.delete()


def _read_imports(account_id: str, campaign_id: str, after: str) -> dict[str, Any]:
    """One read, which looks at more rows than fit: few of the account's may be of this campaign."""
    found = ImportRow.query(
        account_id,
        filter_condition=ImportRow.campaign_id == campaign_id,
        page_size=_READ_AT_ONCE,
        last_evaluated_key={"account_id": {"S": account_id}, "import_id": {"S": after}} if after else None,
        scan_index_forward=False,
    )
    page: dict[str, Any] = next(found.page_iter)
    return page


def _import(row: ImportRow) -> ImportJob:
    numbers = {name: int(getattr(row, name)) for name in ImportProgress.__slots__ if name != "place"}
    return ImportJob(
        import_id=row.import_id,
        campaign_id=row.campaign_id,
        file_name=row.file_name,
        state=JobState(row.state),
        created_at=row.created_at,
        progress=ImportProgress(**numbers, place=row.place),
        reason=reason_from(row.reason),
        finished_at=row.finished_at,
        previews=bool(row.previews),
        choice=_choice_from(row.choice),
        source=_source_from(row.source),
        begun_at=row.begun_at,
    )


def _choice_item(choice: Choice) -> dict[str, Any]:
    uses = [[number, use.value] for number, use in choice.uses]
    return {"uses": uses, "every_address": choice.every_address}


def _choice_from(item: Any) -> Choice | None:
    if item is None:
        return None
    values = plain(item)
    uses = tuple((int(number), Use(use)) for number, use in values["uses"])
    return Choice(uses, bool(values["every_address"]))


def _source_item(source: DialogSource) -> dict[str, Any]:
    parts = {name: list(getattr(source.tags, name)) for name in TagFilter.__slots__}
    return {"line_id": source.line_id, **parts}


def _source_from(item: Any) -> DialogSource | None:
    if item is None:
        return None
    values = plain(item)
    return DialogSource(
        values["line_id"], TagFilter(**{name: tuple(values[name]) for name in TagFilter.__slots__})
    )


def _export(row: ExportRow) -> ExportJob:
    return ExportJob(
        export_id=row.export_id,
        campaign_id=row.campaign_id,
        state=JobState(row.state),
        created_at=row.created_at,
        rows=int(row.rows),
        counted={status: int(count) for status, count in plain(row.counted or {}).items()},
        reason=reason_from(row.reason),
        finished_at=row.finished_at,
    )
