"""The audit trail in memory."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from chalicelib.domain.audit import AuditEntry, Outcome
from chalicelib.ports import Page
from tests.fakes.paging import page_of


class FakeAuditStore:
    """Port ``AuditStore``. ``begins`` and ``concludes`` make it fail as one that can't be reached does,
    ``refused`` for some accounts only.
    """

    def __init__(self) -> None:
        self._entries: dict[tuple[str, str], AuditEntry] = {}
        self.begins = self.concludes = True
        self.refused: Callable[[str], bool] = lambda _: False

    @property
    def accounts(self) -> set[str]:
        """Whose trails there are."""
        return {account_id for account_id, _ in self._entries}

    def begin(self, account_id: str, entry: AuditEntry) -> None:
        if not self.begins or self.refused(account_id):
            raise TimeoutError("no answer")
        self._entries[account_id, entry.entry_id] = entry

    def conclude(
        self, account_id: str, entry_id: str, outcome: Outcome, subject: Mapping[str, str], code: str | None
    ) -> None:
        if not self.concludes:
            raise TimeoutError("no answer")
        entry = self._entries.get((account_id, entry_id))
        if entry and entry.outcome is Outcome.BEGUN:
            self._entries[account_id, entry_id] = replace(
                entry, outcome=outcome, subject=dict(subject), code=code
            )

    def page(
        self,
        account_id: str,
        cursor: str | None,
        limit: int,
        action: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Page[AuditEntry]:
        rows = [entry for (account, _), entry in self._entries.items() if account == account_id]
        found = [
            entry
            for entry in sorted(rows, key=lambda entry: entry.entry_id, reverse=True)
            if action in (None, entry.action)
            and (since is None or entry.at >= since)
            and (until is None or entry.at < until)
        ]
        return page_of(found, cursor, limit)
