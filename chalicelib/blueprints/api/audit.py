"""The route of the audit trail: who did what, when, and how it ended."""

from typing import Self

from chalice import Blueprint
from pydantic import AwareDatetime, Field

from chalicelib import wiring
from chalicelib.blueprints.api.models import ActorShown, Output, PageQuery
from chalicelib.blueprints.api.requests import Call, Nothing
from chalicelib.blueprints.api.routing import route
from chalicelib.domain.access import Scope
from chalicelib.domain.audit import AuditEntry, Outcome
from chalicelib.flow.audit import read_trail

audit = Blueprint(__name__)


class AuditQuery(PageQuery):
    """A page of the trail: all of it, or one kind of act, or a stretch of time."""

    action: str | None = Field(
        None, max_length=60, description="Only acts of this kind: campaign_launched, …"
    )
    since: AwareDatetime | None = Field(None, description="Only acts from this time on, with its zone.")
    until: AwareDatetime | None = Field(None, description="Only acts before this time, with its zone.")


class AuditEntryShown(Output):
    """One act. ``unknown``: it was begun, and nobody wrote down how it ended."""

    entry_id: str
    at: AwareDatetime
    actor: ActorShown
    action: str
    subject: dict[str, str] = Field(description="Ids by what they name: campaign_id, line_id, …")
    outcome: Outcome
    code: str | None = Field(description="Why it was refused.")

    @classmethod
    def of(cls, entry: AuditEntry) -> Self:
        """An entry as it is shown."""
        return cls(
            entry_id=entry.entry_id,
            at=entry.at,
            actor=ActorShown.of(entry.actor),
            action=entry.action,
            subject=dict(entry.subject),
            outcome=entry.outcome,
            code=entry.code,
        )


class AuditPage(Output):
    """A page of the trail, newest first. With an action a page may be short, or empty, and not the last."""

    items: list[AuditEntryShown]
    next_cursor: str | None


@route(audit, "GET", "/audit", Nothing, AuditQuery, AuditPage, scope=Scope.ADMIN)
def list_audit_entries(call: Call[Nothing, AuditQuery]) -> AuditPage:
    """List who did what, newest first; nobody can change or delete it."""
    query = call.query
    page = read_trail(
        call.account_id,
        query.cursor,
        query.limit,
        query.action,
        query.since,
        query.until,
        wiring.audit_ports(),
    )
    return AuditPage(items=[AuditEntryShown.of(entry) for entry in page.items], next_cursor=page.cursor)
