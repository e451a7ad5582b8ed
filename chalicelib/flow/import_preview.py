"""The preview of an import: what its file is taken for, looked at and corrected before anything is added."""

import json
import tempfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from chalicelib.domain.campaign import CampaignAction, check_action
from chalicelib.domain.contact_file import Look
from chalicelib.domain.file_columns import OF_DIALOGS, Choice, Use
from chalicelib.domain.import_preview import as_json, choice_json, look_through
from chalicelib.domain.job import ImportJob, JobState
from chalicelib.errors import Conflict, FieldError, Invalid, NotFound
from chalicelib.flow.contacts import ContactPorts
from chalicelib.ports import Clock, FileStore, ImportStore, SuppressionStore

_ONLY_OF_DIALOGS = "Only dialogs have tags and a last message: use the column as a variable."


class PreviewPorts(Protocol):
    """What making a preview needs of an importer's ports."""

    @property
    def imports(self) -> ImportStore: ...
    @property
    def suppressions(self) -> SuppressionStore: ...
    @property
    def files(self) -> FileStore: ...
    @property
    def clock(self) -> Clock: ...


def preview_import(
    account_id: str, import_id: str, choice: Choice | None, ports: ContactPorts
) -> tuple[ImportJob, dict[str, Any] | None]:
    """The preview of an import that was started with ``review``; None while it is being made.

    ``choice`` corrects the use of columns: another one than the preview was made for starts a new one. Raises
    NotFound, Conflict when there is nothing to preview, and Invalid for a column that the file doesn't have.
    """
    job = ports.imports.get(account_id, import_id)
    if not job.previews or job.state in (JobState.DONE, JobState.FAILED):
        text = "This import has no preview: start it with review, and look at it before you start it."
        raise Conflict("no_preview", text)
    if job.state is not JobState.REVIEW:
        return job, None
    made = _stored_preview(account_id, job, ports)
    if made["choice"] == choice_json(job.choice if choice is None else choice):
        return job, made
    wished = choice or Choice()
    _check_choice(wished, made, job)
    ports.imports.preview_again(account_id, import_id, wished)
    ports.import_queue.put({"account_id": account_id, "import_id": import_id})
    return ports.imports.get(account_id, import_id), None


def approve_import(account_id: str, import_id: str, ports: ContactPorts) -> ImportJob:
    """Import what was previewed. Asked twice, it is the same; raises NotFound and Conflict."""
    job = ports.imports.get(account_id, import_id)
    if job.into_campaign:
        check_action(ports.campaigns.get(account_id, job.campaign_id).status, CampaignAction.ADD_CONTACTS)
    if not ports.imports.approve(account_id, import_id) and ports.imports.get(account_id, import_id).previews:
        raise Conflict("not_in_review", "The preview isn't ready. Read the import until its state is review.")
    if job.into_campaign:
        ports.campaigns.begin_import(account_id, job.campaign_id, import_id)
    ports.import_queue.put({"account_id": account_id, "import_id": import_id})
    return ports.imports.get(account_id, import_id)


def preview_key(account_id: str, campaign_id: str, import_id: str) -> str:
    """Where an import's preview is kept, as JSON."""
    return f"results/{account_id}/{campaign_id}/{import_id}-preview.json"


def _stored_preview(account_id: str, job: ImportJob, ports: ContactPorts) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "preview.json")
        ports.files.fetch(preview_key(account_id, job.campaign_id, job.import_id), path)
        made: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return made


def _check_choice(choice: Choice, made: Mapping[str, Any], job: ImportJob) -> None:
    """Raise Invalid for a column or use the file doesn't have, and for a choice without an email column."""
    last = len(made["columns"])
    wrong = [
        FieldError(f"columns[{at}].number", "no_such_column", f"The file has the columns 1 to {last}.")
        for at, (number, _) in enumerate(choice.uses)
        if not 1 <= number <= last
    ]
    if job.into_line is None:
        wrong += [
            FieldError(f"columns[{at}].use", "only_of_dialogs", _ONLY_OF_DIALOGS)
            for at, (_, use) in enumerate(choice.uses)
            if use in OF_DIALOGS.values()
        ]
    uses = {column["number"]: column["use"] for column in made["columns"]} | dict(choice.uses)
    if not wrong and Use.EMAIL not in uses.values():
        wrong.append(FieldError("columns", "no_email_column", "Choose at least one column for email."))
    if wrong:
        raise Invalid(*wrong)


def make_preview(
    account_id: str,
    job: ImportJob,
    look: Look,
    ports: PreviewPorts,
    stop_at: datetime,
) -> None:
    """Go through an uploaded file's rows and keep what was found; made twice, it is the same.

    Raises FileRejected, and NotFound when the job was removed meanwhile; no file is left behind then.
    """
    preview = look_through(
        look,
        lambda keys: len(ports.suppressions.find(account_id, keys)),
        lambda: ports.clock.now() < stop_at,
    )
    key = preview_key(account_id, job.campaign_id, job.import_id)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "preview.json")
        path.write_text(json.dumps(as_json(preview, job.choice)), encoding="utf-8")
        ports.files.put(key, path, "application/json")
    try:
        ports.imports.get(account_id, job.import_id)
    except NotFound:
        ports.files.purge(key)
        raise
    ports.imports.present(account_id, job.import_id)
