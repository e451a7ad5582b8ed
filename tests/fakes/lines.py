"""Lines in memory."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from chalicelib.domain.brake import Brake
from chalicelib.domain.line import BounceMailbox, Connection, Line, LinePlan, Reading
from chalicelib.domain.quota import NO_LIMIT, Quota
from chalicelib.errors import NotFound
from chalicelib.ports import Page
from tests.fakes.paging import page_of
from tests.fakes.usage import FakeUsageStore


class FakeLineStore:
    """Port ``LineStore``."""

    def __init__(self, usage: FakeUsageStore | None = None) -> None:
        self._usage = usage or FakeUsageStore()
        self._lines: dict[tuple[str, str], Line] = {}

    def add(self, account_id: str, line: Line, most: int = NO_LIMIT) -> bool:
        if (account_id, line.line_id) in self._lines:
            return True
        if not self._usage.count(account_id, Quota.LINES, most):
            return False
        self._lines[account_id, line.line_id] = line
        return True

    def get(self, account_id: str, line_id: str) -> Line:
        if (account_id, line_id) not in self._lines:
            raise NotFound("line")
        return self._lines[account_id, line_id]

    def page(self, account_id: str, cursor: str | None, limit: int) -> Page[Line]:
        own = [line for (owner, _), line in sorted(self._lines.items()) if owner == account_id]
        return page_of(own, cursor, limit)

    def set_connection(self, account_id: str, line_id: str, connection: Connection) -> None:
        line = self.get(account_id, line_id)
        self._lines[account_id, line_id] = replace(line, connection=connection)

    def due_for_check(self, now: datetime) -> Iterator[tuple[str, str]]:
        for key, line in sorted(self._lines.items()):
            if line.connection.check_at is not None and line.connection.check_at <= now:
                yield key

    def set_plan(self, account_id: str, line_id: str, plan: str) -> None:
        line = self.get(account_id, line_id)
        self._lines[account_id, line_id] = replace(line, plan=LinePlan(plan))

    def set_password(self, account_id: str, line_id: str, sealed: bytes) -> None:
        line = self.get(account_id, line_id)
        self._lines[account_id, line_id] = replace(line, password=sealed)

    def pull_brake(self, account_id: str, line_id: str, brake: Brake, seen_lift: datetime | None) -> bool:
        stored = self._lines.get((account_id, line_id))
        if stored is None or stored.brake or stored.brake_lifted_at != seen_lift:
            return False
        self._lines[account_id, line_id] = replace(stored, brake=brake)
        return True

    def lift_brake(self, account_id: str, line_id: str, at: datetime) -> bool:
        stored = self._lines.get((account_id, line_id))
        if stored is None or stored.brake is None:
            return False
        self._lines[account_id, line_id] = replace(stored, brake=None, brake_lifted_at=at)
        return True

    def set_bounce_mailbox(self, account_id: str, line_id: str, mailbox: BounceMailbox | None) -> None:
        line = self.get(account_id, line_id)
        self._lines[account_id, line_id] = replace(line, bounce_mailbox=mailbox)

    def set_reading(self, account_id: str, line_id: str, mailbox_id: str, reading: Reading) -> bool:
        line = self._lines.get((account_id, line_id))
        if line is None or line.bounce_mailbox is None or line.bounce_mailbox.mailbox_id != mailbox_id:
            return False
        mailbox = replace(line.bounce_mailbox, reading=reading)
        self._lines[account_id, line_id] = replace(line, bounce_mailbox=mailbox)
        return True

    def with_bounce_mailbox(self) -> Iterator[tuple[str, str]]:
        return (key for key, line in list(self._lines.items()) if line.bounce_mailbox is not None)

    def remove(self, account_id: str, line_id: str) -> None:
        self.get(account_id, line_id)
        del self._lines[account_id, line_id]
        self._usage.uncount(account_id, Quota.LINES)
