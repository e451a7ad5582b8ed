"""Contacts in memory. Totals are counted when asked for: here they can't drift."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from chalicelib.domain.campaign import CampaignStatus
from chalicelib.domain.contact import Contact, ContactStatus, Person, Totals
from chalicelib.domain.job import ImportProgress
from chalicelib.domain.personal_data import without_person
from chalicelib.errors import Conflict, NotFound
from chalicelib.ports import NewContact, Page, Release, SendOrder, Settlement
from tests.fakes.campaigns import FakeCampaignStore
from tests.fakes.contact_moves import (
    evidence,
    is_changed,
    is_release,
    learned,
    released,
    reopened,
    settled,
)
from tests.fakes.jobs import FakeImportStore
from tests.fakes.paging import page_of

Key = tuple[str, str, str]
NOT_SENT, PENDING = ContactStatus.NOT_SENT, ContactStatus.PENDING


class FakeContactStore:
    """Port ``ContactStore``; looks at the campaigns and imports that its writes depend on."""

    def __init__(self, campaigns: FakeCampaignStore, imports: FakeImportStore) -> None:
        self._campaigns = campaigns
        self._imports = imports
        self._rows: dict[Key, Contact] = {}
        self._order: dict[Key, tuple[datetime, str]] = {}
        self._reopened_for: dict[Key, str] = {}

    def add(self, account_id: str, campaign_id: str, contacts: Sequence[NewContact]) -> int:
        if self._campaigns.status(account_id, campaign_id) in (None, CampaignStatus.DELETING):
            raise NotFound("campaign")
        return sum(self._add(account_id, campaign_id, contact) for contact in contacts)

    def add_imported(
        self,
        account_id: str,
        campaign_id: str,
        import_id: str,
        contacts: Sequence[NewContact],
        seen: ImportProgress,
        read: ImportProgress,
    ) -> ImportProgress:
        if self._campaigns.status(account_id, campaign_id) in (None, CampaignStatus.DELETING):
            raise NotFound("campaign")
        self._imports.check(account_id, import_id, seen)
        new = [contact for contact in contacts if self._add(account_id, campaign_id, contact)]
        progress = replace(
            read,
            added=read.added + len(new),
            duplicates=read.duplicates + len(contacts) - len(new),
            suppressed=read.suppressed + sum(contact.suppressed for contact in new),
        )
        return self._imports.checkpoint(account_id, import_id, progress)

    def _add(self, account_id: str, campaign_id: str, new: NewContact) -> bool:
        key = (account_id, campaign_id, new.contact_id)
        if key in self._rows:
            return False
        self._rows[key] = Contact(new.contact_id, new.person, due=new.added_at)
        self._order[key] = (new.added_at, f"{new.number:08d}")
        return True

    def get(self, account_id: str, campaign_id: str, contact_id: str) -> Contact:
        if (account_id, campaign_id, contact_id) not in self._rows:
            raise NotFound("contact")
        return self._rows[account_id, campaign_id, contact_id]

    def page(
        self,
        account_id: str,
        campaign_id: str,
        cursor: str | None,
        limit: int,
        status: ContactStatus | None = None,
    ) -> Page[Contact]:
        """A cursor is a place among all of them, so that who changes the status moves nobody else's."""
        everybody = sorted((row for _, row in self._of(account_id, campaign_id)), key=lambda r: r.contact_id)
        left = page_of(everybody, cursor, len(everybody)).items
        places = [place for place, row in enumerate(left, 1) if status in (None, row.status)]
        read = places[limit - 1] if len(places) > limit else len(left)
        items = [left[place - 1] for place in places[:limit]]
        return Page(items, page_of(everybody, cursor, read).cursor)

    def find(self, account_id: str, campaign_id: str, contact_ids: Sequence[str]) -> list[Contact]:
        keys = ((account_id, campaign_id, contact_id) for contact_id in contact_ids)
        return [self._rows[key] for key in keys if key in self._rows]

    def edit(self, account_id: str, campaign_id: str, contact_id: str, person: Person) -> Contact:
        contact = self.get(account_id, campaign_id, contact_id)
        if contact.status is not NOT_SENT:
            raise Conflict("contact_in_use", f"This contact is {contact.status}.")
        kept = replace(person, email=contact.person.email)
        self._rows[account_id, campaign_id, contact_id] = replace(contact, person=kept)
        return self.get(account_id, campaign_id, contact_id)

    def remove(self, account_id: str, campaign_id: str, contact_id: str) -> None:
        contact = self.get(account_id, campaign_id, contact_id)
        if contact.status is not NOT_SENT:
            raise Conflict("contact_in_use", f"This contact is {contact.status}.")
        self._forget((account_id, campaign_id, contact_id))

    def totals(self, account_id: str, campaign_id: str) -> Totals:
        totals = Totals()
        for _, row in self._of(account_id, campaign_id):
            totals.count(row)
        return totals

    def waiting(self, account_id: str, campaign_id: str, now: datetime, limit: int) -> list[Contact]:
        due = [
            (
                self._order[key],
                Contact(row.contact_id, Person(""), generation=row.generation, attempt=row.attempt),
            )
            for key, row in self._of(account_id, campaign_id)
            if row.status is NOT_SENT and row.due is not None and row.due <= now
        ]
        return [contact for _, contact in sorted(due, key=lambda pair: pair[0])[:limit]]

    def release(self, account_id: str, campaign_id: str, releases: Sequence[Release]) -> list[Release]:
        if self._campaigns.status(account_id, campaign_id) is not CampaignStatus.IN_PROGRESS:
            return []
        return [
            release
            for release in releases
            if self._release((account_id, campaign_id, release.contact_id), release)
        ]

    def _release(self, key: Key, release: Release) -> bool:
        row = self._rows.get(key)
        as_seen = (NOT_SENT, release.generation, release.attempt)
        if row is None or (row.status, row.generation, row.attempt) != as_seen:
            return False
        self._rows[key] = released(row, release)
        return True

    def claim(
        self, account_id: str, order: SendOrder, token: str, content_version: int, now: datetime
    ) -> Contact | None:
        key = (account_id, order.campaign_id, order.contact_id)
        row = self._rows.get(key)
        if row is None or not is_release(row, order, PENDING):
            return None
        if row.claim is not None or row.lease_until is None or row.lease_until <= now:
            return row if row.claim == token else None
        self._rows[key] = replace(row, claim=token, content_version=content_version)
        return self._rows[key]

    def settle(self, account_id: str, order: SendOrder, token: str | None, settlement: Settlement) -> bool:
        key = (account_id, order.campaign_id, order.contact_id)
        row = self._rows.get(key)
        if row is None or row.claim != token:
            return False
        healed = token is not None and settlement.status is not NOT_SENT and row.outcome_unknown
        if not is_release(row, order, ContactStatus.ERROR if healed else PENDING):
            return False
        self._rows[key] = settled(row, settlement)
        if settlement.status is NOT_SENT:
            self._order[key] = (settlement.due or settlement.at, row.contact_id)
        return True

    def record(self, account_id: str, campaign_id: str, seen: Contact, known: Contact) -> bool:
        key = (account_id, campaign_id, seen.contact_id)
        row = self._rows.get(key)
        if row is None or is_changed(row, seen):
            return False
        self._rows[key] = learned(row, known)
        return True

    def erase(self, account_id: str, campaign_id: str, seen: Contact) -> bool:
        key = (account_id, campaign_id, seen.contact_id)
        row = self._rows.get(key)
        if row is None or is_changed(row, seen) or row.claim != seen.claim:
            return False
        self._rows[key] = without_person(row)
        return True

    def overdue(self, account_id: str, campaign_id: str, now: datetime, limit: int) -> list[Contact]:
        return self._pending(
            account_id, campaign_id, limit, lambda row: row.lease_until is not None and row.lease_until <= now
        )

    def count_overdue(self, account_id: str, campaign_id: str, since: datetime, limit: int) -> int:
        return len(self.overdue(account_id, campaign_id, since, limit))

    def pending(self, account_id: str, campaign_id: str, limit: int) -> list[Contact]:
        return self._pending(account_id, campaign_id, limit, lambda row: row.claim is None)

    def _pending(
        self, account_id: str, campaign_id: str, limit: int, chosen: Callable[[Contact], bool]
    ) -> list[Contact]:
        rows = (row for _, row in self._of(account_id, campaign_id) if row.status is PENDING)
        return [row for row in rows if chosen(row)][:limit]

    def reopen(
        self, account_id: str, campaign_id: str, contacts: Sequence[Contact], token: str, now: datetime
    ) -> int | None:
        if not self._campaigns.resends(account_id, campaign_id, token):
            return None
        return sum(
            self._reopen((account_id, campaign_id, seen.contact_id), seen, token, now) for seen in contacts
        )

    def _reopen(self, key: Key, seen: Contact, token: str, now: datetime) -> bool:
        row = self._rows.get(key)
        if row is None or self._reopened_for.get(key) == token:
            return False
        as_seen = (ContactStatus.ERROR, seen.generation, seen.outcome_unknown)
        if (row.status, row.generation, row.outcome_unknown) != as_seen or evidence(row) != evidence(seen):
            return False
        self._rows[key] = reopened(row, now)
        self._order[key] = (now, row.contact_id)
        self._reopened_for[key] = token
        return True

    def purge(self, account_id: str, campaign_id: str) -> None:
        for key, _ in self._of(account_id, campaign_id):
            self._forget(key)

    def _of(self, account_id: str, campaign_id: str) -> Iterator[tuple[Key, Contact]]:
        """A copy, because callers change rows while they go through them."""
        rows = [(key, row) for key, row in self._rows.items() if key[:2] == (account_id, campaign_id)]
        return iter(rows)

    def _forget(self, key: Key) -> None:
        del self._rows[key]
        del self._order[key]
        self._reopened_for.pop(key, None)
