"""Dialogs in memory."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from chalicelib.domain.dialog import (
    EVERYBODY,
    Changed,
    Dialog,
    DialogChange,
    Outcome,
    TagFilter,
    apply_all,
    tag_key,
)
from chalicelib.domain.job import ImportProgress
from chalicelib.errors import NotFound
from chalicelib.ports import Page, Passed, Walk
from tests.fakes.jobs import FakeImportStore
from tests.fakes.lines import FakeLineStore
from tests.fakes.paging import page_of

STRETCH = 1_000  # dialogs that one step of a walk looks at


def accepts(wanted: TagFilter, tags: Iterable[str]) -> bool:
    """Whether a dialog with these tags is meant."""
    keys = {tag_key(name) for name in tags}
    any_of, all_of, none_of = (
        {tag_key(name) for name in names} for names in (wanted.any_of, wanted.all_of, wanted.none_of)
    )
    return (not any_of or bool(any_of & keys)) and all_of <= keys and not none_of & keys


class FakeDialogStore:
    """Port ``DialogStore``; looks at the lines and imports that its writes depend on."""

    def __init__(self, lines: FakeLineStore, imports: FakeImportStore) -> None:
        self._lines = lines
        self._imports = imports
        self._rows: dict[tuple[str, str], dict[str, Dialog]] = {}
        self._order: dict[tuple[str, str], list[str]] = {}

    def change(
        self, account_id: str, line_id: str, changes: Sequence[DialogChange], now: datetime
    ) -> list[Changed]:
        rows = self._rows.setdefault((account_id, line_id), {})
        there = {change.key: rows[change.key] for change in changes if change.key in rows}
        results, wished = apply_all(changes, there, now)
        if wished:
            self._lines.get(account_id, line_id)
            rows.update({dialog.key: dialog for dialog in wished})
            self._order.pop((account_id, line_id), None)
        return results

    def change_imported(
        self,
        account_id: str,
        line_id: str,
        import_id: str,
        changes: Sequence[DialogChange],
        seen: ImportProgress,
        read: ImportProgress,
        now: datetime,
    ) -> ImportProgress:
        self._lines.get(account_id, line_id)
        self._imports.check(account_id, import_id, seen)
        outcomes = [result.outcome for result in self.change(account_id, line_id, changes, now)]
        added = outcomes.count(Outcome.CREATED)
        progress = replace(
            read,
            added=read.added + added,
            duplicates=read.duplicates + len(changes) - added,
            updated=read.updated + outcomes.count(Outcome.UPDATED),
        )
        return self._imports.checkpoint(account_id, import_id, progress)

    def find(self, account_id: str, line_id: str, key: str) -> Dialog:
        rows = self._rows.get((account_id, line_id), {})
        if key not in rows:
            raise NotFound("dialog")
        return rows[key]

    def page(
        self,
        account_id: str,
        line_id: str,
        cursor: str | None,
        limit: int,
        wanted: TagFilter = EVERYBODY,
        prefix: str = "",
    ) -> Page[Dialog]:
        rows = self._rows.get((account_id, line_id), {})
        found = [row for key, row in sorted(rows.items()) if key.startswith(prefix)]
        return page_of([row for row in found if accepts(wanted, row.tags)], cursor, limit)

    def walk(
        self, account_id: str, line_id: str, place: str, wanted: TagFilter, created_until: datetime
    ) -> Walk:
        rows = self._rows.get((account_id, line_id), {})
        order = self._order.setdefault((account_id, line_id), sorted(rows))
        start = bisect_right(order, place)
        keys = order[start : start + STRETCH]
        wished = [
            Passed(key, rows[key])
            for key in keys
            if rows[key].created_at <= created_until and accepts(wanted, rows[key].tags)
        ]
        return Walk(wished, keys[-1] if start + STRETCH < len(order) else None)

    def remove(self, account_id: str, line_id: str, key: str) -> None:
        if self._rows.get((account_id, line_id), {}).pop(key, None) is None:
            raise NotFound("dialog")
        self._order.pop((account_id, line_id), None)

    def purge(self, account_id: str, line_id: str) -> None:
        self._rows.pop((account_id, line_id), None)
        self._order.pop((account_id, line_id), None)
