"""Audit: every act is in the trail before it is begun, and its outcome after it has ended.

An act that can't be written down isn't begun. One whose outcome can't be written down stays *begun*, and is
shown as unknown: nothing that happened is missing, and nothing is claimed that nobody knows.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.access import Actor
from chalicelib.domain.audit import AuditEntry, Outcome, ids_among
from chalicelib.domain.ids import fresh_id
from chalicelib.errors import Conflict, Forbidden, Invalid, NotFound, PostlineError
from chalicelib.observability import log
from chalicelib.ports import AuditStore, Clock, Page


@dataclass(frozen=True, slots=True)
class AuditPorts:
    """What the trail needs."""

    trail: AuditStore
    clock: Clock


@contextmanager
def recorded(
    account_id: str, actor: Actor, action: str, subject: Mapping[str, object], ports: AuditPorts
) -> Iterator[dict[str, object]]:
    """Do the act within the block. What is put into the yielded dict becomes part of the subject.

    What the block raises goes on to the caller: a PostlineError is a refusal, anything else leaves it open
    how far the act came.
    """
    now = ports.clock.now()
    entry = AuditEntry(fresh_id(now), actor, action, now, ids_among(subject.items()))
    ports.trail.begin(account_id, entry)
    made: dict[str, object] = {}
    try:
        yield made
    except PostlineError as error:
        _conclude(account_id, entry, Outcome.REFUSED, {}, _code_of(error), ports)
        raise
    except Exception:
        _conclude(account_id, entry, Outcome.UNKNOWN, {}, None, ports)
        raise
    _conclude(account_id, entry, Outcome.DONE, ids_among(made.items()), None, ports)


def read_trail(
    account_id: str,
    cursor: str | None,
    limit: int,
    action: str | None,
    since: datetime | None,
    until: datetime | None,
    ports: AuditPorts,
) -> Page[AuditEntry]:
    """A page of the trail, newest first; raises Invalid for a cursor of another list."""
    page = ports.trail.page(account_id, cursor, limit, action, since, until)
    now = ports.clock.now()
    return Page([entry.seen_at(now) for entry in page.items], page.cursor)


def _conclude(
    account_id: str,
    entry: AuditEntry,
    outcome: Outcome,
    made: Mapping[str, str],
    code: str | None,
    ports: AuditPorts,
) -> None:
    """The act is over, whatever becomes of this: its answer must not depend on it."""
    try:
        ports.trail.conclude(account_id, entry.entry_id, outcome, {**entry.subject, **made}, code)
    except Exception as error:  # noqa: BLE001  (the entry says begun, and is read as unknown)
        log("outcome_not_recorded", account_id=account_id, entry_id=entry.entry_id, error=error)


def _code_of(error: PostlineError) -> str:
    match error:
        case Conflict(code=code) | Forbidden(code=code):
            return code
        case NotFound():
            return "not_found"
        case Invalid():
            return "invalid"
    return "refused"
