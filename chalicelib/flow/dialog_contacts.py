"""Contacts of a campaign from a line's dialogs, as these are when it is asked for.

The job passes over the dialogs in an order that nothing changes, and the place it has come to moves in the
same write as the contacts. So, as with files, a message that comes twice, a run that dies half-way and two
runs at once add nobody twice and lose nobody. Dialogs made after the job are left out, however long it takes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from chalicelib.domain.campaign import CampaignAction, check_action
from chalicelib.domain.contact_file import Candidate
from chalicelib.domain.dialog import DialogSource
from chalicelib.domain.ids import new_id
from chalicelib.domain.job import ImportJob, ImportProgress, JobState
from chalicelib.errors import FieldError, Invalid
from chalicelib.flow.import_targets import CampaignTarget
from chalicelib.flow.lines import find_line
from chalicelib.ports import (
    CampaignStore,
    Clock,
    ContactStore,
    DialogStore,
    GiveLeave,
    ImportStore,
    JobQueue,
    LimitOf,
    LineStore,
    Passed,
    SuppressionStore,
)


@dataclass(frozen=True, slots=True)
class SourcePorts:
    """What asking for contacts from dialogs needs."""

    campaigns: CampaignStore
    lines: LineStore
    imports: ImportStore
    import_queue: JobQueue
    clock: Clock
    leave: GiveLeave


class WalkPorts(Protocol):
    """What the job needs of an importer's ports."""

    @property
    def campaigns(self) -> CampaignStore: ...
    @property
    def contacts(self) -> ContactStore: ...
    @property
    def lines(self) -> LineStore: ...
    @property
    def dialogs(self) -> DialogStore: ...
    @property
    def imports(self) -> ImportStore: ...
    @property
    def suppressions(self) -> SuppressionStore: ...
    @property
    def import_queue(self) -> JobQueue: ...
    @property
    def dispatch_queue(self) -> JobQueue: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def limit_of(self) -> LimitOf: ...


def start_from_dialogs(
    account_id: str, campaign_id: str, source: DialogSource, ports: SourcePorts
) -> ImportJob:
    """Make the job and queue it. Raises NotFound, Conflict, QuotaReached, and Invalid without such a line."""
    check_action(ports.campaigns.get(account_id, campaign_id).status, CampaignAction.ADD_CONTACTS)
    if find_line(account_id, source.line_id, ports.lines) is None:
        raise Invalid(FieldError("line_id", "line_missing", "You have no line with this id."))
    now = ports.clock.now()
    job = ImportJob(new_id(now), campaign_id, "", JobState.QUEUED, now, source=source)
    ports.leave(account_id, job.import_id, 0)
    ports.imports.add(account_id, job)
    ports.campaigns.begin_import(account_id, campaign_id, job.import_id)
    ports.import_queue.put({"account_id": account_id, "import_id": job.import_id})
    return job


def add_from_dialogs(
    account_id: str, job: ImportJob, source: DialogSource, ports: WalkPorts, stop_at: datetime
) -> JobState:
    """Go on with the job. Returns Running when time ran out and a message asks to go on.

    Raises NotFound when the line or the campaign is gone, Outdated when another run went on meanwhile.
    """
    walk = _Walk(account_id, job, source, ports, stop_at)
    ports.lines.get(account_id, source.line_id)
    if not walk.comes_to_an_end():
        ports.import_queue.put({"account_id": account_id, "import_id": job.import_id})
        return JobState.RUNNING
    ports.lines.get(account_id, source.line_id)  # a line that was deleted meanwhile has lost some before us
    ports.imports.finish(account_id, job.import_id, walk.progress, ports.clock.now())
    walk.target.finished()
    return JobState.DONE


def campaign_target(account_id: str, job: ImportJob, ports: WalkPorts) -> CampaignTarget:
    """Where contacts of files and of dialogs go."""
    return CampaignTarget(
        account_id,
        job,
        ports.campaigns,
        ports.contacts,
        ports.suppressions,
        ports.dispatch_queue,
        ports.limit_of,
    )


class _Walk:
    """One run of the job, from its place on."""

    def __init__(
        self, account_id: str, job: ImportJob, source: DialogSource, ports: WalkPorts, stop_at: datetime
    ) -> None:
        self._account_id = account_id
        self._job = job
        self._source = source
        self._ports = ports
        self._stop_at = stop_at
        self.progress = job.progress
        self.target = campaign_target(account_id, job, ports)

    def comes_to_an_end(self) -> bool:
        """Add stretch by stretch; False when the time was up before the end."""
        place: str | None = self.progress.place
        while place is not None:
            if self._is_late():
                self._keep(place)
                return False
            stretch = self._ports.dialogs.walk(
                self._account_id, self._source.line_id, place, self._source.tags, self._job.created_at
            )
            for start in range(0, len(stretch.dialogs), self.target.piece):
                if self._is_late():
                    return False
                self._add(stretch.dialogs[start : start + self.target.piece])
            place = stretch.place
        return True

    def _is_late(self) -> bool:
        return self._ports.clock.now() >= self._stop_at

    def _add(self, piece: Sequence[Passed]) -> None:
        seen = self.progress
        people = [
            Candidate(number, passed.dialog.key, passed.dialog.person)
            for number, passed in enumerate(piece, seen.rows + 1)
        ]
        self._store(people, _passed(seen, len(piece), piece[-1].place))

    def _keep(self, place: str) -> None:
        """Keep a place to which nobody led who was to be added."""
        if place != self.progress.place:
            self._store([], _passed(self.progress, 0, place))

    def _store(self, people: Sequence[Candidate], read: ImportProgress) -> None:
        self.progress = self.target.store(people, self.progress, read)


def _passed(seen: ImportProgress, count: int, place: str) -> ImportProgress:
    return replace(seen, next_row=seen.next_row + count, rows=seen.rows + count, place=place)
