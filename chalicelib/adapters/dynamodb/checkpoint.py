"""The checkpoint of an import, which moves in the same write as the rows it tells of."""

from dataclasses import dataclass, replace

from pynamodb.transactions import TransactWrite

from chalicelib.adapters.dynamodb.tables import ImportRow
from chalicelib.domain.job import ImportProgress, JobState


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The import whose progress is written together with one piece of so many ``items``."""

    account_id: str
    import_id: str
    seen: ImportProgress
    read: ImportProgress
    items: int

    def with_added(self, added: int, suppressed: int = 0, updated: int = 0) -> ImportProgress:
        """The progress to store when so many of the piece's items are new, some of those suppressed.

        Of the others, so many were ``updated``.
        """
        return replace(
            self.read,
            added=self.read.added + added,
            duplicates=self.read.duplicates + self.items - added,
            suppressed=self.read.suppressed + suppressed,
            updated=self.read.updated + updated,
        )

    def write_into(self, write: TransactWrite, added: int, suppressed: int = 0, updated: int = 0) -> None:
        """Move the checkpoint, on condition that no other run moved it."""
        progress = self.with_added(added, suppressed, updated)
        write.update(
            ImportRow(self.account_id, self.import_id),
            [
                ImportRow.next_row.set(progress.next_row),
                ImportRow.rows.set(progress.rows),
                ImportRow.added.set(progress.added),
                ImportRow.duplicates.set(progress.duplicates),
                ImportRow.rejected.set(progress.rejected),
                ImportRow.suppressed.set(progress.suppressed),
                ImportRow.updated.set(progress.updated),
                ImportRow.incomplete.set(progress.incomplete),
                ImportRow.place.set(progress.place),
            ],
            (ImportRow.next_row == self.seen.next_row) & (ImportRow.state == JobState.RUNNING),
        )
