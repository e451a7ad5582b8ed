"""Work that outlives a request: imports of contacts and exports of a report."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from chalicelib.domain.delivery import Reason
from chalicelib.domain.dialog import DialogSource
from chalicelib.domain.file_columns import Choice

LONGEST_SILENCE = timedelta(days=1)
"""After it an import that nobody took up is dead: its message comes again within hours, or is given up."""
SUPPRESSION_LIST = "suppressions"
"""In place of a campaign's id: the job is about the account's suppression list."""
_DIALOGS = "dialogs-"


def dialogs_of(line_id: str) -> str:
    """In place of a campaign's id: the job is about the dialogs of this line."""
    return f"{_DIALOGS}{line_id}"


class JobState(StrEnum):
    """How far a job is. ``waiting`` is an import whose file has not arrived yet, ``review`` one whose preview
    a person looks at: it goes on when they say so.
    """

    WAITING = "waiting"
    REVIEW = "review"
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ImportProgress:
    """Rows dealt with so far; ``rows == added + duplicates + rejected``.

    ``suppressed`` counts those of the added whose address was on the suppression list then, ``updated`` those
    of the duplicates that were changed by what the file says, ``incomplete`` rows that were taken without the
    value of a further column which can't be kept (``domain/further_columns.py``).

    ``next_row`` is the checkpoint: rows before it are stored for good and are never counted again. ``place``
    belongs to it where the rows are dialogs: where the walk over them goes on, "" at its beginning.
    """

    next_row: int = 0
    rows: int = 0
    added: int = 0
    duplicates: int = 0
    rejected: int = 0
    suppressed: int = 0
    updated: int = 0
    incomplete: int = 0
    place: str = ""


@dataclass(frozen=True, slots=True)
class ImportJob:
    """One uploaded file on its way into a campaign, the SUPPRESSION_LIST, or a line's dialogs.

    ``previews``: it is looked at and not imported yet. ``choice`` is what a person changed about the use of
    its columns. With ``source`` there is no file: a line's dialogs are on their way into the campaign.
    ``begun_at`` is when a run last took it up.
    """

    import_id: str
    campaign_id: str
    file_name: str
    state: JobState
    created_at: datetime
    progress: ImportProgress = field(default_factory=ImportProgress)
    reason: Reason | None = None
    finished_at: datetime | None = None
    previews: bool = False
    choice: Choice | None = None
    source: DialogSource | None = None
    begun_at: datetime | None = None

    @property
    def adds_contacts(self) -> bool:
        """Whether a run of it adds contacts to a campaign."""
        return self.into_campaign and not self.previews

    def is_under_way(self, now: datetime) -> bool:
        """Whether a run of it adds contacts, or will; not once nobody took it up for LONGEST_SILENCE."""
        seen_at = self.begun_at or self.created_at
        alive = self.state in (JobState.QUEUED, JobState.RUNNING) and now < seen_at + LONGEST_SILENCE
        return alive and self.adds_contacts

    @property
    def into_campaign(self) -> bool:
        """Whether it adds contacts to a campaign."""
        return self.campaign_id != SUPPRESSION_LIST and self.into_line is None

    @property
    def into_line(self) -> str | None:
        """The line whose dialogs it adds to, if it does."""
        return self.campaign_id.removeprefix(_DIALOGS) if self.campaign_id.startswith(_DIALOGS) else None


@dataclass(frozen=True, slots=True)
class ExportJob:
    """One Excel report. ``counted`` holds the rows written, by status: the proof against the totals.

    Or one CSV file of the SUPPRESSION_LIST, counted by reason.
    """

    export_id: str
    campaign_id: str
    state: JobState
    created_at: datetime
    rows: int = 0
    counted: dict[str, int] = field(default_factory=dict)
    reason: Reason | None = None
    finished_at: datetime | None = None
