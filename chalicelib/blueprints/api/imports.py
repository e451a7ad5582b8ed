"""Routes of imports: upload a file of contacts, and see what became of it."""

from datetime import datetime
from typing import Literal

from chalice import Blueprint
from pydantic import Field

from chalicelib import wiring
from chalicelib.blueprints.api.models import Input, Output, PageQuery, Reason, Upload
from chalicelib.blueprints.api.requests import Call, Nothing
from chalicelib.blueprints.api.routing import route
from chalicelib.domain.job import ImportJob, JobState
from chalicelib.flow import imports as steps

imports = Blueprint(__name__)

FileType = Literal["csv", "xlsx"]


class ImportInput(Input):
    """A file to be uploaded."""

    file_name: str = Field("contacts", min_length=1, max_length=255)
    file_type: FileType = "csv"


class ImportShown(Output):
    """An import job: rows == added + duplicates + rejected."""

    import_id: str
    campaign_id: str
    file_name: str
    state: JobState
    rows: int
    added: int
    duplicates: int
    rejected: int
    reason: Reason | None
    rejected_url: str | None = Field(description="The rejected rows as CSV, for 15 minutes.")
    created_at: datetime
    finished_at: datetime | None


class ImportStarted(Output):
    """A new import job, and the form to upload its file with."""

    import_id: str
    upload: Upload


class ImportPage(Output):
    """A page of import jobs, newest first."""

    items: list[ImportShown]
    next_cursor: str | None


class SampleFile(Output):
    """Where to download a sample file, for 15 minutes."""

    url: str


@route(
    imports,
    "POST",
    "/campaigns/{campaign_id}/imports",
    ImportInput,
    Nothing,
    ImportStarted,
    status=201,
    problems=(409,),
)
def create_import(call: Call[ImportInput, Nothing], campaign_id: str) -> ImportStarted:
    """Start an import: upload the file with the form, and the import begins by itself."""
    job, form = steps.start_import(
        call.account_id, campaign_id, call.body.file_name, call.body.file_type, wiring.contact_ports()
    )
    upload = Upload(
        url=form.url, fields=dict(form.fields), max_bytes=steps.MAX_UPLOAD, expires_at=form.expires_at
    )
    return ImportStarted(import_id=job.import_id, upload=upload)


@route(imports, "GET", "/campaigns/{campaign_id}/imports", Nothing, PageQuery, ImportPage)
def list_imports(call: Call[Nothing, PageQuery], campaign_id: str) -> ImportPage:
    """List the imports of a campaign, newest first."""
    page = steps.list_imports(
        call.account_id, campaign_id, call.query.cursor, call.query.limit, wiring.contact_ports()
    )
    return ImportPage(items=[_import_shown(job, None) for job in page.items], next_cursor=page.cursor)


@route(imports, "GET", "/imports/{import_id}", Nothing, Nothing, ImportShown)
def read_import(call: Call[Nothing, Nothing], import_id: str) -> ImportShown:
    """Read how far an import is; when it is done, with a link to its rejected rows."""
    job, link = steps.read_import(call.account_id, import_id, wiring.contact_ports())
    return _import_shown(job, link)


@route(imports, "GET", "/sample-files/{file_type}", Nothing, Nothing, SampleFile)
def read_sample_file(call: Call[Nothing, Nothing], file_type: str) -> SampleFile:  # noqa: ARG001
    """Get a sample contact file, csv or xlsx."""
    return SampleFile(url=steps.sample_file_link(file_type, wiring.sample_file, wiring.files()))


def _import_shown(job: ImportJob, rejected_url: str | None) -> ImportShown:
    progress = job.progress
    return ImportShown(
        import_id=job.import_id,
        campaign_id=job.campaign_id,
        file_name=job.file_name,
        state=job.state,
        rows=progress.rows,
        added=progress.added,
        duplicates=progress.duplicates,
        rejected=progress.rejected,
        reason=Reason.of(job.reason),
        rejected_url=rejected_url,
        created_at=job.created_at,
        finished_at=job.finished_at,
    )
