"""Suppressed addresses in memory."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from chalicelib.domain.job import ImportProgress
from chalicelib.domain.suppression import Suppression, SuppressionReason, merged
from chalicelib.errors import NotFound
from chalicelib.ports import Page
from tests.fakes.jobs import FakeImportStore
from tests.fakes.paging import page_of


class FakeSuppressionStore:
    """Port ``SuppressionStore``."""

    def __init__(self, imports: FakeImportStore | None = None) -> None:
        self._imports = imports or FakeImportStore()
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
        return {key: rows[key] for key in keys if key in rows}

    def remove(self, account_id: str, key: str) -> None:
        if self._lists.get(account_id, {}).pop(key, None) is None:
            raise NotFound("suppressed address")

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
