"""Imports: upload a file of contacts, of addresses not to write to, or of dialogs, and import it.

An import reads its file from the start each time, but stores and counts nothing before its checkpoint, and
the checkpoint moves in the same write as the contacts. So a message that comes twice, a run that dies
half-way and two runs at once add nobody twice and lose nobody.
"""

import csv
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol, TextIO

from chalicelib.domain.campaign import CampaignAction, check_action
from chalicelib.domain.contact_file import FileRejected, RejectedRow
from chalicelib.domain.csv_cells import harmless
from chalicelib.domain.delivery import Reason
from chalicelib.domain.ids import new_id
from chalicelib.domain.job import ImportJob, JobState
from chalicelib.domain.quota import usual_limit
from chalicelib.errors import NotFound, Outdated, found
from chalicelib.flow.contacts import ContactPorts
from chalicelib.flow.dialog_contacts import add_from_dialogs, campaign_target
from chalicelib.flow.import_preview import make_preview
from chalicelib.flow.import_targets import DialogTarget, ListTarget, Target
from chalicelib.ports import (
    CampaignStore,
    Clock,
    ContactFileReader,
    ContactStore,
    DialogStore,
    FileStore,
    GiveLeave,
    ImportStore,
    JobQueue,
    LimitOf,
    LineStore,
    Page,
    SuppressionStore,
    UploadForm,
)

MAX_UPLOAD = 200_000_000  # bytes
_OTHER_RUN_IS_OVER = timedelta(minutes=15)  # what a function lives at most, and a message can be held back
CONTENT_TYPES = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@dataclass(frozen=True, slots=True)
class ImportPorts:
    """What an importer needs."""

    campaigns: CampaignStore
    contacts: ContactStore
    lines: LineStore
    dialogs: DialogStore
    imports: ImportStore
    suppressions: SuppressionStore
    files: FileStore
    read_rows: ContactFileReader
    import_queue: JobQueue
    dispatch_queue: JobQueue
    clock: Clock
    limit_of: LimitOf = usual_limit


def start_import(
    account_id: str,
    campaign_id: str,
    file_name: str,
    file_type: str,
    ports: ContactPorts,
    *,
    review: bool = False,
    size: int | None = None,
) -> tuple[ImportJob, UploadForm]:
    """Make an import job and the form to upload its file with, of at most ``size`` bytes.

    The upload itself starts the import, or, with ``review``, the preview that a person wants to see before.
    Raises QuotaReached.
    """
    check_action(ports.campaigns.get(account_id, campaign_id).status, CampaignAction.ADD_CONTACTS)
    now = ports.clock.now()
    job = ImportJob(new_id(now), campaign_id, file_name, JobState.WAITING, now, previews=review)
    return job, begin_upload(account_id, job, file_type, size, ports)


class UploadPorts(Protocol):
    """What every import of a file needs of the ports of who asks for it."""

    @property
    def imports(self) -> ImportStore: ...
    @property
    def files(self) -> FileStore: ...
    @property
    def leave(self) -> GiveLeave: ...


def begin_upload(
    account_id: str, job: ImportJob, file_type: str, size: int | None, ports: UploadPorts
) -> UploadForm:
    """Store the job and make its form, if the account may have it; raises QuotaReached."""
    most = size or MAX_UPLOAD
    ports.leave(account_id, job.import_id, most)
    ports.imports.add(account_id, job)
    key = upload_key(account_id, job.campaign_id, job.import_id)
    return ports.files.presign_upload(key, CONTENT_TYPES[file_type], most)


def list_imports(
    account_id: str, campaign_id: str, cursor: str | None, limit: int, ports: ContactPorts
) -> Page[ImportJob]:
    """A page of a campaign's imports, newest first; raises NotFound."""
    ports.campaigns.get(account_id, campaign_id)
    return ports.imports.page(account_id, campaign_id, cursor, limit)


def read_import(account_id: str, import_id: str, ports: ContactPorts) -> tuple[ImportJob, str | None]:
    """An import, and a link to its file's rejected rows once it is done; raises NotFound."""
    job = ports.imports.get(account_id, import_id)
    if job.into_campaign:
        ports.campaigns.get(account_id, job.campaign_id)
    if job.state is not JobState.DONE or job.source:
        return job, None
    key = rejected_key(account_id, job.campaign_id, import_id)
    return job, ports.files.presign_download(key, "rejected.csv")


def sample_file_link(file_type: str, make: Callable[[str], bytes], files: FileStore) -> str:
    """Put the sample contact file where it can be downloaded, and link to it; raises NotFound."""
    if file_type not in CONTENT_TYPES:
        raise NotFound("sample file")
    key = f"samples/contacts.{file_type}"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "sample")
        path.write_bytes(make(file_type))
        files.put(key, path, CONTENT_TYPES[file_type])
    return files.presign_download(key, f"contacts.{file_type}")


def upload_key(account_id: str, campaign_id: str, import_id: str) -> str:
    """Where an import's file is uploaded to."""
    return f"uploads/{account_id}/{campaign_id}/{import_id}"


def rejected_key(account_id: str, campaign_id: str, import_id: str) -> str:
    """Where the list of an import's rejected rows is kept, as CSV."""
    return f"results/{account_id}/{campaign_id}/{import_id}-rejected.csv"


def import_contacts(
    account_id: str, import_id: str, ports: ImportPorts, stop_at: datetime, key: str | None = None
) -> JobState:
    """Import an uploaded file, or dialogs. Returns Running when time ran out and a message asks to go on.

    A file that can't be taken ends the job as Failed with the reason; contacts of rows before the fault
    stay, and are counted. ``key`` is the file's, when its upload is what brought us here: a file that came
    after its campaign was deleted is removed.
    """
    job = ports.imports.begin(account_id, import_id, ports.clock.now())
    if job is None:
        if key is not None and _is_gone(account_id, import_id, ports.imports):
            ports.files.purge(key)
        return JobState.DONE
    state = _go_on(account_id, job, ports, stop_at)
    if job.adds_contacts and state is not JobState.RUNNING:
        ports.campaigns.end_imports(account_id, job.campaign_id, [import_id])
    return state


def _go_on(account_id: str, job: ImportJob, ports: ImportPorts, stop_at: datetime) -> JobState:
    import_id = job.import_id
    with tempfile.TemporaryDirectory() as folder:
        try:
            if job.adds_contacts:
                ports.campaigns.begin_import(account_id, job.campaign_id, import_id)
            if job.source:
                return add_from_dialogs(account_id, job, job.source, ports, stop_at)
            return _Run(account_id, job, Path(folder), ports, stop_at).go()
        except FileRejected as rejection:
            reason = Reason(rejection.code, rejection.text)
            ports.imports.fail(account_id, import_id, reason, ports.clock.now())
            return JobState.FAILED
        except NotFound as error:
            reason = _gone(job, error.kind)
            ports.imports.fail(account_id, import_id, reason, ports.clock.now())
            ports.files.purge(upload_key(account_id, job.campaign_id, import_id))
            return JobState.FAILED
        except Outdated:
            # Another run has moved on, or our own write did whose reply was lost. Should nobody be at work
            # any more, this message goes on; else it finds the job over, or is the one that comes too late.
            message = {"account_id": account_id, "import_id": import_id}
            ports.import_queue.put(message, _OTHER_RUN_IS_OVER)
            return JobState.RUNNING


def _gone(job: ImportJob, kind: str) -> Reason:
    if kind == "line":
        return Reason("line_gone", "The line was deleted meanwhile. What was added before stays.")
    if not job.into_campaign:
        return Reason("file_gone", "The file was deleted while it was imported.")
    return Reason("campaign_gone", "The campaign or the file was deleted while it was imported.")


def _is_gone(account_id: str, import_id: str, imports: ImportStore) -> bool:
    return found(lambda: imports.get(account_id, import_id)) is None


def _target(account_id: str, job: ImportJob, ports: ImportPorts) -> Target[Any]:
    if job.into_campaign:
        return campaign_target(account_id, job, ports)
    if job.into_line is not None:
        return DialogTarget(account_id, job, job.into_line, ports.dialogs, ports.clock)
    return ListTarget(account_id, job, ports.suppressions)


class _Run:
    """One run over an uploaded file, from its checkpoint on."""

    def __init__(
        self, account_id: str, job: ImportJob, folder: Path, ports: ImportPorts, stop_at: datetime
    ) -> None:
        self._account_id = account_id
        self._job = job
        self._folder = folder
        self._ports = ports
        self._stop_at = stop_at
        self._progress = job.progress
        self._target = _target(account_id, job, ports)

    def go(self) -> JobState:
        upload, rejected = self._folder / "upload", self._folder / "rejected.csv"
        self._ports.files.fetch(
            upload_key(self._account_id, self._job.campaign_id, self._job.import_id), upload
        )
        if self._job.previews:
            make_preview(
                self._account_id,
                self._job,
                self._target.look(self._ports.read_rows(upload)),
                self._ports,
                self._stop_at,
            )
            return JobState.REVIEW
        with rejected.open("w", encoding="utf-8-sig", newline="") as list_of_rejected:
            if not self._store(self._pieces(upload, list_of_rejected)):
                self._ports.import_queue.put(
                    {"account_id": self._account_id, "import_id": self._job.import_id}
                )
                return JobState.RUNNING
        self._finish(rejected)
        return JobState.DONE

    def _pieces(self, upload: Path, list_of_rejected: TextIO) -> Iterator[list[Any]]:
        """The file's rows in the target's pieces; rejected ones are also written to their list."""
        write = csv.writer(list_of_rejected).writerow
        write(("row", "value", "code", "reason"))
        piece: list[Any] = []
        for row in self._target.read(self._ports.read_rows(upload)):
            if isinstance(row, RejectedRow):
                write((row.row_number, harmless(row.value), row.code, harmless(row.text)))
            piece.append(row)
            if len(piece) == self._target.piece:
                yield piece
                piece = []
        if piece:
            yield piece

    def _store(self, pieces: Iterator[list[Any]]) -> bool:
        """Store piece by piece behind the checkpoint; False when the time was up before the end."""
        first_row = 0
        for piece in pieces:
            if first_row >= self._progress.next_row:
                if self._ports.clock.now() >= self._stop_at:
                    return False
                self._store_piece(first_row, piece)
            first_row += len(piece)
        return True

    def _store_piece(self, first_row: int, piece: list[Any]) -> None:
        seen = self._progress
        taken = [row for row in piece if not isinstance(row, RejectedRow)]
        read = replace(
            seen,
            next_row=first_row + len(piece),
            rows=seen.rows + len(piece),
            rejected=seen.rejected + len(piece) - len(taken),
            incomplete=seen.incomplete + self._target.incomplete(taken),
        )
        self._progress = self._target.store(taken, seen, read)

    def _finish(self, rejected: Path) -> None:
        ports = self._ports
        key = rejected_key(self._account_id, self._job.campaign_id, self._job.import_id)
        ports.files.put(key, rejected, CONTENT_TYPES["csv"])
        self._take_back_if_removed(key)
        ports.imports.finish(self._account_id, self._job.import_id, self._progress, ports.clock.now())
        self._target.finished()

    def _take_back_if_removed(self, key: str) -> None:
        """Raise NotFound, and leave no file, when the campaign was removed with its jobs meanwhile."""
        try:
            self._ports.imports.get(self._account_id, self._job.import_id)
        except NotFound:
            self._ports.files.purge(key)
            raise
