"""Contacts and totals in DynamoDB: every move of a row and of its total is one transaction.

Each method's write carries a condition on the state it starts from, so a message that comes twice, a second
dispatcher or a late sender changes nothing. A write that loses its reply is told apart from a write that
lost: transactions by botocore's ClientRequestToken, the claim by finding its own token in the row.
"""

from collections.abc import Sequence
from datetime import datetime

from pynamodb.exceptions import DoesNotExist, UpdateError
from pynamodb.expressions.update import Action

from chalicelib.adapters.dynamodb import contact_reads as reads
from chalicelib.adapters.dynamodb import contact_rows as rows
from chalicelib.adapters.dynamodb import contact_writes as writes
from chalicelib.adapters.dynamodb.checkpoint import Checkpoint
from chalicelib.adapters.dynamodb.mapping import sortable
from chalicelib.adapters.dynamodb.reading import read_all
from chalicelib.adapters.dynamodb.tables import ContactRow, TotalsRow
from chalicelib.adapters.dynamodb.writing import refused, write_one
from chalicelib.domain.contact import PARTS, Contact, ContactStatus, Person, Totals
from chalicelib.domain.job import ImportProgress
from chalicelib.domain.personal_data import without_person
from chalicelib.errors import Conflict, NotFound
from chalicelib.ports import NewContact, Page, Release, SendOrder, Settlement

_AFTER_ALL_TIMES = "9"  # sorts behind every instant of the work index


class DynamoContactStore:
    """Port ``ContactStore``."""

    def add(self, account_id: str, campaign_id: str, contacts: Sequence[NewContact]) -> int:
        """Add those that are new, in pieces; a contact that is there already stays as it is."""
        fresh = writes.distinct(contacts)
        return sum(len(writes.add_piece(account_id, campaign_id, piece)) for piece in writes.pieces(fresh))

    def add_imported(
        self,
        account_id: str,
        campaign_id: str,
        import_id: str,
        contacts: Sequence[NewContact],
        seen: ImportProgress,
        read: ImportProgress,
    ) -> ImportProgress:
        """Add one piece (at most ``writes.PIECE`` contacts) and move the checkpoint, in one transaction."""
        checkpoint = Checkpoint(account_id, import_id, seen, read, len(contacts))
        added = writes.add_piece(account_id, campaign_id, writes.distinct(contacts), checkpoint)
        return checkpoint.with_added(len(added), sum(contact.suppressed for contact in added))

    def get(self, account_id: str, campaign_id: str, contact_id: str) -> Contact:
        """Read a contact; raises NotFound."""
        partition = rows.partition(account_id, campaign_id, rows.bucket_of(contact_id))
        try:
            return rows.contact_from(ContactRow.get(partition, contact_id, consistent_read=True))
        except DoesNotExist as error:
            raise NotFound("contact") from error

    def page(
        self,
        account_id: str,
        campaign_id: str,
        cursor: str | None,
        limit: int,
        status: ContactStatus | None = None,
    ) -> Page[Contact]:
        """Contacts bucket by bucket, in the order of their ids."""
        return reads.read_page(account_id, campaign_id, cursor, limit, status)

    def find(self, account_id: str, campaign_id: str, contact_ids: Sequence[str]) -> list[Contact]:
        """Those of the ids that are there, read whole."""
        places = [
            {
                "bucket": rows.partition(account_id, campaign_id, rows.bucket_of(contact_id)),
                "contact_id": contact_id,
            }
            for contact_id in contact_ids
        ]
        return [rows.contact_from(row) for row in read_all(ContactRow, places)]

    def edit(self, account_id: str, campaign_id: str, contact_id: str, person: Person) -> Contact:
        """Replace the fields in one write, on condition that it is Not sent."""
        row = rows.keys(account_id, campaign_id, contact_id)
        try:
            waiting = ContactRow.status == ContactStatus.NOT_SENT
            write_one(lambda: row.update(rows.person_actions(person), waiting))
        except UpdateError as error:
            if not refused(error):
                raise
            raise self._in_use(account_id, campaign_id, contact_id) from error
        return rows.contact_from(row)

    def remove(self, account_id: str, campaign_id: str, contact_id: str) -> None:
        """Remove a contact that is Not sent, and its count."""
        if not writes.remove_waiting(account_id, campaign_id, contact_id):
            raise self._in_use(account_id, campaign_id, contact_id)

    def _in_use(self, account_id: str, campaign_id: str, contact_id: str) -> Conflict:
        status = self.get(account_id, campaign_id, contact_id).status
        text = f"This contact is {status}: only one that is not_sent can be changed or removed."
        return Conflict("contact_in_use", text)

    def totals(self, account_id: str, campaign_id: str) -> Totals:
        """The sum of the shards; each move stays within one shard, so no row is ever in no status."""
        totals = Totals()
        for row in TotalsRow.query(f"{account_id}#{campaign_id}", consistent_read=True):
            for part in PARTS:
                setattr(totals, part, getattr(totals, part) + int(getattr(row, part)))
            for status in ContactStatus:
                totals.by_status[status] += int(getattr(row, status))
        return totals

    def waiting(self, account_id: str, campaign_id: str, now: datetime, limit: int) -> list[Contact]:
        """The earliest due over all buckets; the index tells, the release decides."""
        return reads.earliest(account_id, campaign_id, rows.WAITING, sortable(now), limit)

    def release(self, account_id: str, campaign_id: str, releases: Sequence[Release]) -> list[Release]:
        """Not sent → Pending in pieces, each one transaction with its total and a check of the campaign."""
        released: list[Release] = []
        for piece in writes.pieces(releases):
            moved = writes.release_piece(account_id, campaign_id, piece)
            if moved is None:
                break
            released.extend(moved)
        return released

    def reopen(
        self, account_id: str, campaign_id: str, contacts: Sequence[Contact], token: str, now: datetime
    ) -> int | None:
        """Error → Not sent in pieces, each with a check of the campaign and its wish; returns how many."""
        reopened = 0
        for piece in writes.pieces(contacts):
            moved = writes.reopen_piece(account_id, campaign_id, piece, token, now)
            if moved is None:
                return None
            reopened += len(moved)
        return reopened

    def claim(
        self, account_id: str, order: SendOrder, token: str, content_version: int, now: datetime
    ) -> Contact | None:
        """One conditional write. When it is refused, our own token in the row says that it did succeed."""
        row = rows.keys(account_id, order.campaign_id, order.contact_id)
        actions: list[Action] = [ContactRow.claim.set(token), ContactRow.content_version.set(content_version)]
        try:
            write_one(lambda: row.update(actions, rows.claimable(order, now)))
        except UpdateError as error:
            if not refused(error):
                raise
            return self._claimed_after_all(account_id, order, token)
        return rows.contact_from(row)

    def _claimed_after_all(self, account_id: str, order: SendOrder, token: str) -> Contact | None:
        contact = self._find(account_id, order)
        return contact if contact and contact.claim == token else None

    def settle(self, account_id: str, order: SendOrder, token: str | None, settlement: Settlement) -> bool:
        """Row and total in one transaction, only from Pending and only by the holder of the claim."""
        if writes.settle(account_id, order, token, settlement):
            return True
        if token is None or settlement.status is ContactStatus.NOT_SENT:
            return False
        # The sweeper may have called it unknown while the reply was on its way: evidence heals that.
        contact = self._find(account_id, order)
        overtaken = contact is not None and contact.claim == token and contact.outcome_unknown
        return overtaken and writes.settle(account_id, order, token, settlement, ContactStatus.ERROR)

    def record(self, account_id: str, campaign_id: str, seen: Contact, known: Contact) -> bool:
        """Row and total in one transaction, on condition that the row is there and as it was read."""
        return writes.record(account_id, campaign_id, seen, known)

    def erase(self, account_id: str, campaign_id: str, seen: Contact) -> bool:
        """Row and total in one transaction, as ``record``, and while nobody claims it or lets it go."""
        return writes.erase(account_id, campaign_id, seen, without_person(seen))

    def overdue(self, account_id: str, campaign_id: str, now: datetime, limit: int) -> list[Contact]:
        """Pending contacts whose lease has run out, read whole."""
        found = reads.earliest(account_id, campaign_id, rows.IN_FLIGHT, sortable(now), limit)
        pending = self._read_pending(account_id, campaign_id, found)
        return [contact for contact in pending if contact.lease_until and contact.lease_until <= now]

    def count_overdue(self, account_id: str, campaign_id: str, since: datetime, limit: int) -> int:
        """From the index alone: no contact is read."""
        return len(reads.earliest(account_id, campaign_id, rows.IN_FLIGHT, sortable(since), limit))

    def pending(self, account_id: str, campaign_id: str, limit: int) -> list[Contact]:
        """Pending contacts without a claim, read whole."""
        found = reads.earliest(account_id, campaign_id, rows.IN_FLIGHT, _AFTER_ALL_TIMES, limit)
        return [c for c in self._read_pending(account_id, campaign_id, found) if c.claim is None]

    def _read_pending(self, account_id: str, campaign_id: str, found: Sequence[Contact]) -> list[Contact]:
        contacts = self.find(account_id, campaign_id, [contact.contact_id for contact in found])
        return [contact for contact in contacts if contact.status is ContactStatus.PENDING]

    def purge(self, account_id: str, campaign_id: str) -> None:
        """Remove every bucket and the totals."""
        for bucket in range(rows.BUCKETS):
            partition = rows.partition(account_id, campaign_id, bucket)
            with ContactRow.batch_write() as batch:
                for row in ContactRow.query(
                    partition, attributes_to_get=["bucket", "contact_id"], consistent_read=True
                ):
                    batch.delete(row)
        with TotalsRow.batch_write() as batch:
            for shard in TotalsRow.query(f"{account_id}#{campaign_id}", consistent_read=True):
                batch.delete(shard)

    def _find(self, account_id: str, order: SendOrder) -> Contact | None:
        try:
            return self.get(account_id, order.campaign_id, order.contact_id)
        except NotFound:
            return None
