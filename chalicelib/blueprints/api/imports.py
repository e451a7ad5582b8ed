"""Routes of imports: upload a file of contacts, and see what became of it."""

from datetime import datetime
from typing import Literal, Self

from chalice import Blueprint
from pydantic import Field

from chalicelib import wiring
from chalicelib.blueprints.api.models import Input, OneLine, Output, PageQuery, Reason, Upload
from chalicelib.blueprints.api.requests import Call, Nothing
from chalicelib.blueprints.api.routing import route
from chalicelib.domain.contact_file import MAX_COLUMNS
from chalicelib.domain.dialog import DialogSource
from chalicelib.domain.file_columns import Choice, Use
from chalicelib.domain.job import ImportJob, JobState
from chalicelib.flow import import_preview as review
from chalicelib.flow import imports as steps
from chalicelib.ports import UploadForm

imports = Blueprint(__name__)

FileType = Literal["csv", "xlsx"]


class FileInput(Input):
    """A file to be uploaded, and whether it is to be looked at before it is imported."""

    file_name: OneLine = Field("contacts", min_length=1, max_length=255)
    file_type: FileType = Field(
        "csv", description="csv also for HTML tables and old .xls files: the content decides what a file is."
    )
    file_size: int | None = Field(
        None,
        ge=1,
        le=steps.MAX_UPLOAD,
        description="In bytes. The form takes no more then, and no more counts on the quota of storage.",
    )
    review: bool = Field(
        False,
        strict=True,
        description="Make a preview of the uploaded file and wait, instead of importing it at once.",
    )


class ColumnUse(Input):
    """What a column is used for, instead of what was proposed."""

    number: int = Field(ge=1, le=MAX_COLUMNS, description="The column's place in the file, the first is 1.")
    use: Use = Field(description="tags and last_message only for dialogs.")


class PreviewInput(Input):
    """Corrections of the proposal; nothing keeps what was chosen last.

    Email columns are asked for an address in the order they are given here.
    """

    columns: list[ColumnUse] | None = Field(None, max_length=MAX_COLUMNS)
    every_address: bool = Field(
        False, strict=True, description="Each address of a row is a recipient, not only the first valid one."
    )

    def choice(self) -> Choice | None:
        """What it changes; None for nothing."""
        if not self.model_fields_set:
            return None
        uses = {column.number: column.use for column in self.columns or ()}
        return Choice(tuple(uses.items()), self.every_address)


class ProfileShown(Output):
    """What kind of file it is taken for."""

    code: str
    title: str


class ColumnShown(Output):
    """A column of the file: what it is used for, and the variable's name its values can be called by."""

    number: int
    header: str
    use: Use
    variable: str


class PersonShown(Output):
    """The contact that a row would add."""

    email: str
    first_name: str
    last_name: str
    middle_name: str
    p1: str
    p2: str
    p3: str
    extra: dict[str, str]


class PreviewRowShown(Output):
    """One row: the contact it would add, or the code and text of why it would be rejected."""

    number: int
    person: PersonShown | None
    code: str | None
    text: str | None


class TypoShown(Output):
    """A domain that looks mistyped, how often it occurs, and what was likely meant."""

    domain: str
    meant: str
    count: int


class PreviewShown(Output):
    """What the import would do: duplicates (within the file) and suppressed are parts of valid."""

    profile: ProfileShown
    has_header: bool
    header_row: int | None = Field(
        description="Its number in the file: rows above it are a title. null without header."
    )
    columns: list[ColumnShown]
    email_columns: list[int] = Field(description="In the order in which they are asked for an address.")
    found_by_data: list[int] = Field(
        description="Those of email_columns whose headers promise no addresses: look at them first."
    )
    every_address: bool
    rows: list[PreviewRowShown] = Field(description="The first 20.")
    valid: int
    invalid: int
    duplicates: int
    suppressed: int
    role_accounts: int = Field(description="Addresses such as info@ or sales@.")
    invalid_by_code: dict[str, int]
    left_out: dict[str, int] = Field(
        description="By further column: how many contacts have a value there that is too long to be kept,"
        " or has control characters in it. They are imported without it."
    )
    typos: list[TypoShown]
    complete: bool = Field(description="False when the file was too long to be looked through to its end.")


class PreviewAnswer(Output):
    """The import and its preview; ``preview`` is null while it is being made: ask again then."""

    import_id: str
    state: JobState
    preview: PreviewShown | None


class SourceShown(Output):
    """Dialogs of a line that have such tags; empty lists ask for nothing."""

    line_id: str
    any_of: list[str]
    all_of: list[str]
    none_of: list[str]

    @classmethod
    def of(cls, source: DialogSource | None) -> Self | None:
        """A source as it is shown; None stays None."""
        if source is None:
            return None
        tags = source.tags
        return cls(
            line_id=source.line_id,
            any_of=list(tags.any_of),
            all_of=list(tags.all_of),
            none_of=list(tags.none_of),
        )


class ImportShown(Output):
    """An import job: rows == added + duplicates + rejected."""

    import_id: str
    campaign_id: str | None = Field(
        description="null: an import into the suppression list, or a line's dialogs."
    )
    file_name: str = Field(description="Empty where the contacts come from dialogs.")
    line_id: str | None = Field(description="An import into the dialogs of this line; else null.")
    from_dialogs: SourceShown | None = Field(description="The dialogs the contacts come from; else null.")
    state: JobState
    rows: int
    added: int
    duplicates: int
    rejected: int
    suppressed: int = Field(
        description="How many of the added won't be sent to: they were on the suppression list."
    )
    updated: int = Field(description="How many of the duplicates, being dialogs, were brought up to date.")
    incomplete: int = Field(
        description="Rows taken without a value of a further column: too long, or with control characters."
    )
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
    FileInput,
    Nothing,
    ImportStarted,
    status=201,
    problems=(409,),
    audit="import_created",
)
def create_import(call: Call[FileInput, Nothing], campaign_id: str) -> ImportStarted:
    """Start an import: upload the file with the form, and the import begins by itself."""
    job, form = steps.start_import(
        call.account_id,
        campaign_id,
        call.body.file_name,
        call.body.file_type,
        wiring.contact_ports(),
        review=call.body.review,
        size=call.body.file_size,
    )
    return import_started(job, form, call.body.file_size)


@route(imports, "GET", "/campaigns/{campaign_id}/imports", Nothing, PageQuery, ImportPage)
def list_imports(call: Call[Nothing, PageQuery], campaign_id: str) -> ImportPage:
    """List the imports of a campaign, newest first."""
    page = steps.list_imports(
        call.account_id, campaign_id, call.query.cursor, call.query.limit, wiring.contact_ports()
    )
    return ImportPage(items=[import_shown(job, None) for job in page.items], next_cursor=page.cursor)


@route(imports, "GET", "/imports/{import_id}", Nothing, Nothing, ImportShown)
def read_import(call: Call[Nothing, Nothing], import_id: str) -> ImportShown:
    """Read how far an import is; when it is done, with a link to its rejected rows."""
    job, link = steps.read_import(call.account_id, import_id, wiring.contact_ports())
    return import_shown(job, link)


@route(imports, "POST", "/imports/{import_id}/preview", PreviewInput, Nothing, PreviewAnswer, problems=(409,))
def preview_import(call: Call[PreviewInput, Nothing], import_id: str) -> PreviewAnswer:
    """See what an import would do, and correct what its columns are used for; nothing is added yet."""
    job, made = review.preview_import(call.account_id, import_id, call.body.choice(), wiring.contact_ports())
    shown = (
        PreviewShown.model_validate({name: made[name] for name in PreviewShown.model_fields})
        if made
        else None
    )
    return PreviewAnswer(import_id=job.import_id, state=job.state, preview=shown)


@route(
    imports,
    "POST",
    "/imports/{import_id}/start",
    Nothing,
    Nothing,
    ImportShown,
    status=202,
    problems=(409,),
    audit="import_started",
)
def start_previewed_import(call: Call[Nothing, Nothing], import_id: str) -> ImportShown:
    """Import the file as it was previewed."""
    return import_shown(review.approve_import(call.account_id, import_id, wiring.contact_ports()), None)


@route(imports, "GET", "/sample-files/{file_type}", Nothing, Nothing, SampleFile)
def read_sample_file(call: Call[Nothing, Nothing], file_type: str) -> SampleFile:  # noqa: ARG001
    """Get a sample contact file, csv or xlsx."""
    return SampleFile(url=steps.sample_file_link(file_type, wiring.sample_file, wiring.files()))


def import_started(job: ImportJob, form: UploadForm, size: int | None) -> ImportStarted:
    """A new import as it is shown, with the form for a file of at most ``size`` bytes."""
    upload = Upload(
        url=form.url, fields=dict(form.fields), max_bytes=size or steps.MAX_UPLOAD, expires_at=form.expires_at
    )
    return ImportStarted(import_id=job.import_id, upload=upload)


def import_shown(job: ImportJob, rejected_url: str | None) -> ImportShown:
    """An import as it is shown."""
    progress = job.progress
    return ImportShown(
        import_id=job.import_id,
        campaign_id=job.campaign_id if job.into_campaign else None,
        line_id=job.into_line,
        from_dialogs=SourceShown.of(job.source),
        file_name=job.file_name,
        state=job.state,
        rows=progress.rows,
        added=progress.added,
        duplicates=progress.duplicates,
        rejected=progress.rejected,
        suppressed=progress.suppressed,
        updated=progress.updated,
        incomplete=progress.incomplete,
        reason=Reason.of(job.reason),
        rejected_url=rejected_url,
        created_at=job.created_at,
        finished_at=job.finished_at,
    )
