"""The audit trail in DynamoDB: an account is one partition, in the order of time. Nothing here deletes."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from chalicelib.adapters.dynamodb.cursors import encode_cursor, page_start
from chalicelib.adapters.dynamodb.mapping import plain
from chalicelib.adapters.dynamodb.reading import bounded_page
from chalicelib.adapters.dynamodb.tables import AuditRow
from chalicelib.adapters.dynamodb.writing import update_if
from chalicelib.domain.access import Actor, ActorKind
from chalicelib.domain.audit import AuditEntry, Outcome
from chalicelib.domain.ids import first_id
from chalicelib.errors import FieldError, Invalid
from chalicelib.ports import Page

_READ_AT_ONCE = 1_000  # rows a read of a filtered page looks at
_FROM, _TO = "0", "~"  # no id sorts before or behind


class DynamoAuditStore:
    """Port ``AuditStore``. Entries expire by themselves after ``kept``."""

    def __init__(self, kept: timedelta) -> None:
        self._kept = kept

    def begin(self, account_id: str, entry: AuditEntry) -> None:
        """One write, which never replaces an entry."""
        AuditRow(
            account_id,
            entry.entry_id,
            action=entry.action,
            actor_kind=entry.actor.kind.value,
            actor_id=entry.actor.id,
            subject=dict(entry.subject) or None,
            outcome=entry.outcome.value,
            at=entry.at,
            expires_at=entry.at + self._kept,
        ).save(AuditRow.entry_id.does_not_exist())

    def conclude(
        self, account_id: str, entry_id: str, outcome: Outcome, subject: Mapping[str, str], code: str | None
    ) -> None:
        """One conditional write; an outcome that is there stays."""
        actions: list[Action] = [AuditRow.outcome.set(outcome.value)]
        if subject:
            actions.append(AuditRow.subject.set(dict(subject)))
        if code is not None:
            actions.append(AuditRow.code.set(code))
        update_if(AuditRow(account_id, entry_id), actions, AuditRow.outcome == Outcome.BEGUN.value)

    def page(
        self,
        account_id: str,
        cursor: str | None,
        limit: int,
        action: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Page[AuditEntry]:
        """Newest first; with an action a page may be short because its reads are bounded."""
        low, high = first_id(since) if since else _FROM, first_id(until) if until else _TO
        start = page_start(account_id, "entry_id", cursor)
        after = start["entry_id"]["S"] if start else ""
        if low >= high:
            return Page([], None)
        if start and not low <= after <= high:
            raise Invalid(FieldError("cursor", "cursor", "Use a cursor as a page of this list returned it."))
        items, place = bounded_page(
            lambda after, fit: _read(account_id, (low, high), after, fit, action), "entry_id", after, limit
        )
        found = [_entry(AuditRow.from_raw_data(item)) for item in items]
        return Page(found, encode_cursor(place) if place is not None else None)


def _read(
    account_id: str, between: tuple[str, str], after: str, limit: int, action: str | None
) -> dict[str, Any]:
    """One read; with an action it looks at more rows than fit, since few of them may be of it."""
    wanted: Condition | None = (AuditRow.action == action) if action else None
    found = AuditRow.query(
        account_id,
        AuditRow.entry_id.between(*between),
        filter_condition=wanted,
        page_size=_READ_AT_ONCE if action else limit,
        last_evaluated_key={"account_id": {"S": account_id}, "entry_id": {"S": after}} if after else None,
        scan_index_forward=False,
        consistent_read=True,
    )
    page: dict[str, Any] = next(found.page_iter)
    return page


def _entry(row: AuditRow) -> AuditEntry:
    return AuditEntry(
        entry_id=row.entry_id,
        actor=Actor(ActorKind(row.actor_kind), row.actor_id),
        action=row.action,
        at=row.at,
        subject=plain(row.subject or {}),
        outcome=Outcome(row.outcome),
        code=row.code,
    )
