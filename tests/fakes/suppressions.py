"""Suppressed addresses in memory."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from chalicelib.domain.job import ImportProgress
from chalicelib.domain.suppression import Suppression, SuppressionReason, merged
from chalicelib.errors import NotFound
from chalicelib.ports import AddressMarks, Page
from tests.fakes.jobs import FakeImportStore
from tests.fakes.paging import page_of


class FakeSuppressionStore:
    """Port ``SuppressionStore``."""

    def __init__(self, imports: FakeImportStore | None = None, marks: AddressMarks | None = None) -> None:
        self._imports = imports or FakeImportStore()
        self._marks = marks
        self.erased: dict[tuple[str, str | None], Suppression] = {}  # by account and mark
        self._lists: dict[str, dict[str, Suppression]] = {}

    def add(self, account_id: str, suppressions: Sequence[Suppression]) -> int:
        rows = self._lists.setdefault(account_id, {})
        before = len(rows)
        for suppression in suppressions:
            seen = rows.get(suppression.key)
            rows[suppression.key] = merged(seen, suppression) if seen else suppression
        return len(rows) - before

    def add_imported(
        self,
        account_id: str,
        import_id: str,
        suppressions: Sequence[Suppression],
        seen: ImportProgress,
        read: ImportProgress,
    ) -> ImportProgress:
        self._imports.check(account_id, import_id, seen)
        added = self.add(account_id, suppressions)
        duplicates = read.duplicates + len(suppressions) - added
        return self._imports.checkpoint(
            account_id, import_id, replace(read, added=read.added + added, duplicates=duplicates)
        )

    def find(self, account_id: str, keys: Iterable[str]) -> Mapping[str, Suppression]:
        rows = self._lists.get(account_id, {})
        found = {}
        for key in keys:
            gone = self.erased.get(self._place(account_id, key)) if self.erased else None
            if key in rows:
                found[key] = rows[key]
            elif gone:
                found[key] = replace(gone, key=key, address=key, erased=True)
        return found

    def remove(self, account_id: str, key: str) -> None:
        gone = self.erased.pop(self._place(account_id, key), None) if self.erased else None
        if self._lists.get(account_id, {}).pop(key, None) is None and gone is None:
            raise NotFound("suppressed address")

    def erase(self, account_id: str, key: str, now: datetime) -> bool:
        if self._marks is None:
            raise ValueError("erasing takes marks")
        there = self._lists.get(account_id, {}).pop(key, None)
        kept = replace(there or Suppression(key, "", SuppressionReason.ADDED, now), key="", address="")
        self.erased.setdefault(self._place(account_id, key), replace(kept, campaign_id=None))
        return there is not None

    def _place(self, account_id: str, key: str) -> tuple[str, str | None]:
        return account_id, self._marks.mark(account_id, key) if self._marks else None

    def page(
        self,
        account_id: str,
        cursor: str | None,
        limit: int,
        reason: SuppressionReason | None = None,
        prefix: str = "",
    ) -> Page[Suppression]:
        rows = self._lists.get(account_id, {})
        found = [row for _, row in sorted(rows.items()) if reason is None or reason in row.reasons]
        return page_of([row for row in found if row.key.startswith(prefix)], cursor, limit)
