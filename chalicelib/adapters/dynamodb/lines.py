"""Lines in DynamoDB."""

import zlib
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from pynamodb.exceptions import DoesNotExist, PynamoDBException, UpdateError
from pynamodb.expressions.update import Action

from chalicelib.adapters.dynamodb.bounce_mailboxes import (
    ROUND,
    attributes_of,
    mailbox_of,
    reading_item,
)
from chalicelib.adapters.dynamodb.braking import lift, pull
from chalicelib.adapters.dynamodb.cursors import encode_cursor, page_start
from chalicelib.adapters.dynamodb.line_mapping import (
    channel_from,
    channel_values,
    limits_from,
    limits_item,
    verification_from,
    verification_item,
)
from chalicelib.adapters.dynamodb.mapping import (
    brake_from,
    instant_from,
    reason_from,
    reason_item,
    sortable,
    whole,
)
from chalicelib.adapters.dynamodb.tables import LineRow
from chalicelib.adapters.dynamodb.usage import put_counted, remove_counted
from chalicelib.adapters.dynamodb.writing import refused
from chalicelib.domain.brake import Brake
from chalicelib.domain.line import BounceMailbox, Connection, ConnectionState, Line, LinePlan, Reading
from chalicelib.domain.quota import NO_LIMIT, Quota
from chalicelib.errors import NotFound
from chalicelib.ports import Page

_CHECK_SHARDS = 4  # partitions of the round of lines that are proven again by themselves


class DynamoLineStore:
    """Port ``LineStore``."""

    def add(self, account_id: str, line: Line, most: int = NO_LIMIT) -> bool:
        """Store a new line, and count it."""
        row, new = _row(account_id, line), LineRow.line_id.does_not_exist()
        return put_counted(lambda write: write.save(row, new), 1, account_id, Quota.LINES, most)

    def get(self, account_id: str, line_id: str) -> Line:
        """Read a line; raises NotFound."""
        try:
            return _line(LineRow.get(account_id, line_id, consistent_read=True))
        except DoesNotExist as error:
            raise NotFound("line") from error

    def page(self, account_id: str, cursor: str | None, limit: int) -> Page[Line]:
        """The account's lines, in the order they were added."""
        start = page_start(account_id, "line_id", cursor)
        found = LineRow.query(account_id, limit=limit, last_evaluated_key=start, consistent_read=True)
        lines = [_line(row) for row in found]
        last = found.last_evaluated_key
        return Page(lines, encode_cursor(last["line_id"]["S"]) if last else None)

    def set_connection(self, account_id: str, line_id: str, connection: Connection) -> None:
        """Store what is known of the channel; raises NotFound when the line was deleted."""
        reason = connection.reason
        self._update(
            account_id,
            line_id,
            [
                LineRow.connection_state.set(connection.state),
                _set_or_remove(LineRow.checked_at, connection.checked_at),
                _set_or_remove(LineRow.connection_reason, reason and reason_item(reason)),
                _set_or_remove(LineRow.size_limit, connection.size_limit),
                _set_or_remove(LineRow.quota, limits_item(connection.quota) or None),
                _set_or_remove(LineRow.verification, verification_item(connection.verification)),
                *_check_actions(line_id, connection.check_at),
            ],
        )

    def due_for_check(self, now: datetime) -> Iterator[tuple[str, str]]:
        """(account, line) of all whose ``check_at`` is over, over all accounts."""
        for shard in range(_CHECK_SHARDS):
            due = LineRow.lines_to_check.query(str(shard), LineRow.check_at <= sortable(now))
            for row in due:
                yield row.account_id, row.line_id

    def set_plan(self, account_id: str, line_id: str, plan: str) -> None:
        """Change the plan (the operator's right only); raises NotFound."""
        self._update(account_id, line_id, [LineRow.plan.set(plan)])

    def set_password(self, account_id: str, line_id: str, sealed: bytes) -> None:
        """Replace the password; raises NotFound."""
        self._update(account_id, line_id, [LineRow.password.set(sealed)])

    def pull_brake(self, account_id: str, line_id: str, brake: Brake, seen_lift: datetime | None) -> bool:
        """Store the brake unless there is one or it was lifted since; False then, and without line."""
        return pull(LineRow(account_id, line_id), LineRow.line_id.exists(), brake, seen_lift)

    def lift_brake(self, account_id: str, line_id: str, at: datetime) -> bool:
        """Take the brake off; False when there is none."""
        return lift(LineRow(account_id, line_id), at)

    def set_bounce_mailbox(self, account_id: str, line_id: str, mailbox: BounceMailbox | None) -> None:
        """Set another mailbox or none; raises NotFound when the line was deleted."""
        self._update(
            account_id,
            line_id,
            [_set_or_remove(getattr(LineRow, name), value) for name, value in attributes_of(mailbox).items()],
        )

    def set_reading(self, account_id: str, line_id: str, mailbox_id: str, reading: Reading) -> bool:
        """Store how far a mailbox was read; False when it isn't the line's any more."""
        try:
            LineRow(account_id, line_id).update(
                actions=[LineRow.mailbox_reading.set(reading_item(reading))],
                condition=LineRow.mailbox_id == mailbox_id,
            )
        except UpdateError as error:
            if refused(error):
                return False
            raise
        return True

    def with_bounce_mailbox(self) -> Iterator[tuple[str, str]]:
        """(account, line) of all that carry the mark of the readers' round."""
        for row in LineRow.lines_with_mailbox.query(ROUND):
            yield row.account_id, row.line_id

    def remove(self, account_id: str, line_id: str) -> None:
        """Remove the line and its password; raises NotFound."""
        row, there = LineRow(account_id, line_id), LineRow.line_id.exists()
        if not remove_counted(lambda write: write.delete(row, there), account_id, Quota.LINES):
            raise NotFound("line")

    def _update(self, account_id: str, line_id: str, actions: list[Action]) -> None:
        try:
            LineRow(account_id, line_id).update(actions=actions, condition=LineRow.line_id.exists())
        except UpdateError as error:
            raise _not_found(error) from error


def _not_found(error: PynamoDBException) -> Exception:
    return NotFound("line") if refused(error) else error


def _set_or_remove(attribute: Any, value: Any) -> Action:
    action: Action = attribute.remove() if value is None else attribute.set(value)
    return action


def _check_actions(line_id: str, check_at: datetime | None) -> list[Action]:
    if check_at is None:
        return [LineRow.check.remove(), LineRow.check_at.remove()]
    shard = str(zlib.crc32(line_id.encode()) % _CHECK_SHARDS)
    return [LineRow.check.set(shard), LineRow.check_at.set(sortable(check_at))]


def _row(account_id: str, line: Line) -> LineRow:
    return LineRow(
        account_id,
        line.line_id,
        name=line.name,
        plan=line.plan,
        password=line.password or None,
        from_name=line.from_name,
        from_address=line.from_address,
        reply_to=line.reply_to,
        limits=limits_item(line.limits),
        connection_state=line.connection.state,
        created_at=line.created_at,
        **channel_values(line.channel),
        return_path=line.return_path,
        **attributes_of(line.bounce_mailbox),
    )


def _line(row: LineRow) -> Line:
    return Line(
        line_id=row.line_id,
        name=row.name,
        channel=channel_from(row),
        from_address=row.from_address,
        from_name=row.from_name,
        reply_to=row.reply_to,
        plan=LinePlan(row.plan),
        limits=limits_from(row.limits),
        connection=Connection(
            ConnectionState(row.connection_state),
            row.checked_at,
            reason_from(row.connection_reason),
            whole(row.size_limit),
            limits_from(row.quota),
            verification_from(row.verification),
            instant_from(row.check_at) if row.check_at else None,
        ),
        password=row.password or b"",
        created_at=row.created_at,
        brake=brake_from(row.brake),
        brake_lifted_at=row.brake_lifted_at,
        return_path=row.return_path,
        bounce_mailbox=mailbox_of(row),
    )
