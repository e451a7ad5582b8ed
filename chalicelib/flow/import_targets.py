"""Where the rows of an import go: into a campaign, the account's suppression list, or a line's dialogs."""

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Protocol, TypeVar

from chalicelib.domain.address import contact_id
from chalicelib.domain.contact_file import (
    Candidate,
    FileRejected,
    Look,
    RejectedRow,
    SheetRow,
    look_at_contacts,
    read_contacts,
)
from chalicelib.domain.dialog import DialogChange
from chalicelib.domain.dialog_file import look_at_dialogs, read_dialogs
from chalicelib.domain.job import ImportJob, ImportProgress
from chalicelib.domain.suppression import Suppression
from chalicelib.domain.suppression_file import look_at_suppressions, read_suppressions
from chalicelib.errors import QuotaReached
from chalicelib.flow.columns import MAX_CAMPAIGN_COLUMNS, TooManyColumnsError, note_columns
from chalicelib.flow.contacts import check_room
from chalicelib.ports import (
    CampaignStore,
    Clock,
    ContactStore,
    DialogStore,
    JobQueue,
    LimitOf,
    NewContact,
    SuppressionStore,
)

T = TypeVar("T")
PIECE = 90  # rows between two checkpoints: what one transaction carries
_LOOK_EVERY = 10  # pieces between two looks at how many contacts there are
PIECE_OF_DIALOGS = 60  # which may be larger


class Target(Protocol[T]):
    """What an import does with its rows. ``piece`` is how many of them one write takes."""

    piece: int

    def read(self, rows: Iterable[SheetRow | RejectedRow]) -> Iterator[T | RejectedRow]:
        """What becomes of each row of the file; raises FileRejected."""

    def look(self, rows: Iterable[SheetRow | RejectedRow]) -> Look:
        """What a preview shows of it; raises FileRejected."""

    def incomplete(self, taken: Sequence[T]) -> int:
        """How many of these rows are taken without the value of a further column."""

    def store(self, taken: Sequence[T], seen: ImportProgress, read: ImportProgress) -> ImportProgress:
        """Store a piece and move the checkpoint in one write; raises Outdated and NotFound."""

    def finished(self) -> None:
        """Tell who waits for the rows that all of them are there."""


class CampaignTarget:
    """The contacts of a campaign. Who is on the suppression list is added, counted, and not sent to later."""

    piece = PIECE

    def __init__(
        self,
        account_id: str,
        job: ImportJob,
        campaigns: CampaignStore,
        contacts: ContactStore,
        suppressions: SuppressionStore,
        dispatch_queue: JobQueue,
        limit_of: LimitOf,
    ) -> None:
        self._account_id = account_id
        self._job = job
        self._campaigns = campaigns
        self._contacts = contacts
        self._suppressions = suppressions
        self._dispatch_queue = dispatch_queue
        self._limit_of = limit_of
        self._stored = 0
        self._columns: AbstractSet[str] | None = None

    def read(self, rows: Iterable[SheetRow | RejectedRow]) -> Iterator[Candidate | RejectedRow]:
        """The people of a contact file."""
        return read_contacts(rows, self._job.choice)

    def look(self, rows: Iterable[SheetRow | RejectedRow]) -> Look:
        """The same people, and what the columns are for."""
        return look_at_contacts(rows, self._job.choice)

    def incomplete(self, taken: Sequence[Candidate]) -> int:
        """Contacts with a value that can't be kept."""
        return sum(bool(row.left_out) for row in taken)

    def store(self, taken: Sequence[Candidate], seen: ImportProgress, read: ImportProgress) -> ImportProgress:
        """Note their columns, then add them to the campaign; raises FileRejected, and NotFound without it."""
        if taken:
            self._look_for_room()
        self._note_columns(taken)
        listed = self._suppressions.find(self._account_id, (row.key for row in taken))
        contacts = [self._contact(row, row.key in listed) for row in taken]
        campaign_id, import_id = self._job.campaign_id, self._job.import_id
        return self._contacts.add_imported(self._account_id, campaign_id, import_id, contacts, seen, read)

    def _look_for_room(self) -> None:
        if self._stored % _LOOK_EVERY == 0:
            try:
                check_room(self._account_id, self._job.campaign_id, 0, self._contacts, self._limit_of)
            except QuotaReached as error:
                raise FileRejected(error.code, str(error)) from error
        self._stored += 1

    def _note_columns(self, taken: Sequence[Candidate]) -> None:
        campaign_id = self._job.campaign_id
        if self._columns is None:
            self._columns = set(self._campaigns.get(self._account_id, campaign_id).columns)
        people = (row.person for row in taken)
        try:
            self._columns = note_columns(
                self._account_id, campaign_id, self._columns, people, self._campaigns
            )
        except TooManyColumnsError as error:
            text = (
                f"With this file the campaign's contacts would have more than {MAX_CAMPAIGN_COLUMNS} further"
                " columns. Remove the columns that no mail needs, or leave them out in the preview."
            )
            raise FileRejected("too_many_columns", text) from error

    def _contact(self, row: Candidate, suppressed: bool) -> NewContact:
        identity = contact_id(self._job.campaign_id, row.key)
        return NewContact(identity, row.person, self._job.created_at, row.row_number, suppressed)

    def finished(self) -> None:
        """Ask for a visit of the dispatcher."""
        self._dispatch_queue.put({"account_id": self._account_id, "campaign_id": self._job.campaign_id})


class ListTarget:
    """The account's suppression list."""

    piece = PIECE

    def __init__(self, account_id: str, job: ImportJob, suppressions: SuppressionStore) -> None:
        self._account_id = account_id
        self._job = job
        self._suppressions = suppressions

    def read(self, rows: Iterable[SheetRow | RejectedRow]) -> Iterator[Suppression | RejectedRow]:
        """The addresses of a contact file, or of a list that was exported."""
        return read_suppressions(rows, self._job.created_at, self._job.choice)

    def look(self, rows: Iterable[SheetRow | RejectedRow]) -> Look:
        """The same addresses, and what the columns are for."""
        return look_at_suppressions(rows, self._job.choice)

    def incomplete(self, taken: Sequence[Suppression]) -> int:  # noqa: ARG002
        """None: the list keeps no further columns."""
        return 0

    def store(
        self, taken: Sequence[Suppression], seen: ImportProgress, read: ImportProgress
    ) -> ImportProgress:
        """Add them to the list."""
        return self._suppressions.add_imported(self._account_id, self._job.import_id, taken, seen, read)

    def finished(self) -> None:
        """Nobody waits: senders ask the list before each message."""


class DialogTarget:
    """The dialogs of a line."""

    piece = PIECE_OF_DIALOGS

    def __init__(
        self, account_id: str, job: ImportJob, line_id: str, dialogs: DialogStore, clock: Clock
    ) -> None:
        self._account_id = account_id
        self._job = job
        self._line_id = line_id
        self._dialogs = dialogs
        self._clock = clock

    def read(self, rows: Iterable[SheetRow | RejectedRow]) -> Iterator[DialogChange | RejectedRow]:
        """What the rows of a contact file tell of dialogs; each run rejects the same rows."""
        return read_dialogs(rows, self._job.created_at, self._job.choice)

    def look(self, rows: Iterable[SheetRow | RejectedRow]) -> Look:
        """The same rows, and what the columns are for."""
        return look_at_dialogs(rows, self._job.created_at, self._job.choice)

    def incomplete(self, taken: Sequence[DialogChange]) -> int:
        """Dialogs with a value that can't be kept."""
        return sum(bool(change.left_out) for change in taken)

    def store(
        self, taken: Sequence[DialogChange], seen: ImportProgress, read: ImportProgress
    ) -> ImportProgress:
        """Take it in, as told now; raises NotFound when the line is gone."""
        import_id, now = self._job.import_id, self._clock.now()
        return self._dialogs.change_imported(
            self._account_id, self._line_id, import_id, taken, seen, read, now
        )

    def finished(self) -> None:
        """Nobody waits: campaigns take dialogs when a person says so."""
