"""How many contacts of a campaign are on the suppression list, told before anything is sent.

Nobody keeps that number: the list changes without the campaigns. It is counted from the smaller side, the
list or the waiting contacts, within bounds that an API call can keep. It is only shown; what binds is the
sender's look.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.domain.address import contact_id
from chalicelib.domain.contact import ContactStatus
from chalicelib.flow.clearance import suppressed_among
from chalicelib.ports import Clock, ContactStore, SuppressionStore

MOST = 10_000  # entries of the list, or contacts, that are looked at
_TIME = timedelta(seconds=8)  # after which no further page is read
_AT_ONCE = 500
_NOT_SENT = ContactStatus.NOT_SENT


@dataclass(frozen=True, slots=True)
class CountPorts:
    """What is counted from."""

    contacts: ContactStore
    suppressions: SuppressionStore
    clock: Clock


@dataclass(frozen=True, slots=True)
class SuppressedCount:
    """Not sent contacts on the list; when not ``complete``, so many were found as far as was looked."""

    contacts: int
    complete: bool


def count_suppressed(account_id: str, campaign_id: str, ports: CountPorts) -> SuppressedCount:
    """Count the Not sent contacts that are on the list now and so won't be written to."""
    return _Count(account_id, campaign_id, ports).count()


class _Count:
    def __init__(self, account_id: str, campaign_id: str, ports: CountPorts) -> None:
        self._account_id = account_id
        self._campaign_id = campaign_id
        self._ports = ports
        self._stop_at: datetime = ports.clock.now() + _TIME

    def count(self) -> SuppressedCount:
        waiting = self._ports.contacts.totals(self._account_id, self._campaign_id).by_status[_NOT_SENT]
        if waiting == 0:
            return SuppressedCount(0, complete=True)
        keys = self._short_list(min(waiting, MOST))
        return self._by_contacts() if keys is None else self._by_list(keys)

    def _short_list(self, most: int) -> list[str] | None:
        """All keys of the list; None when there are more than so many, or the time is up."""
        keys: list[str] = []
        cursor = None
        while len(keys) <= most and self._has_time():
            page = self._ports.suppressions.page(self._account_id, cursor, _AT_ONCE)
            keys += (one.key for one in page.items)
            cursor = page.cursor
            if cursor is None:
                return keys if len(keys) <= most else None
        return None

    def _by_list(self, keys: Sequence[str]) -> SuppressedCount:
        """Look the list up in the campaign: a contact's id is made of its address."""
        found = 0
        for start in range(0, len(keys), _AT_ONCE):
            if not self._has_time():
                return SuppressedCount(found, complete=False)
            ids = [contact_id(self._campaign_id, key) for key in keys[start : start + _AT_ONCE]]
            contacts = self._ports.contacts.find(self._account_id, self._campaign_id, ids)
            found += sum(contact.status is _NOT_SENT for contact in contacts)
        return SuppressedCount(found, complete=True)

    def _by_contacts(self) -> SuppressedCount:
        """Look the campaign up in the list."""
        found = seen = 0
        for emails, is_last in self._waiting():
            found += len(suppressed_among(self._account_id, emails, self._ports.suppressions))
            seen += len(emails)
            if is_last:
                return SuppressedCount(found, complete=True)
            if seen >= MOST or not self._has_time():
                break
        return SuppressedCount(found, complete=False)

    def _waiting(self) -> Iterator[tuple[list[str], bool]]:
        """The addresses of the Not sent contacts page by page, and whether it is the last."""
        cursor = None
        while True:
            page = self._ports.contacts.page(
                self._account_id, self._campaign_id, cursor, _AT_ONCE, ContactStatus.NOT_SENT
            )
            cursor = page.cursor
            yield [contact.person.email for contact in page.items], cursor is None
            if cursor is None:
                return

    def _has_time(self) -> bool:
        return self._ports.clock.now() < self._stop_at
