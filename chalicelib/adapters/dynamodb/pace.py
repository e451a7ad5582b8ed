"""The dispatcher's memory in DynamoDB: one row per campaign, one per line.

A reservation replaces the campaign's cursor and the ledgers of its lines in one transaction, on condition
that none of them changed since they were read. So two dispatchers never give out the same slot, and a
line's limits hold over all its campaigns.
"""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from chalicelib.adapters.dynamodb.tables import PaceRow
from chalicelib.adapters.dynamodb.writing import connection, transact_if, update_if, write_one
from chalicelib.domain.ledger import Ledger
from chalicelib.domain.schedule import Cursor
from chalicelib.ports import Pace

# Longer than the longest rest of ours between two failures in a row. What a server itself asks us to wait for
# may be longer, as with a used-up quota: such failures don't add up, and they shouldn't.
_FORGOTTEN = timedelta(minutes=30)


class DynamoPaceStore:
    """Port ``PaceStore``."""

    def load(self, account_id: str, campaign_id: str, line_ids: Sequence[str]) -> Pace:
        """Read the campaign's cursor and its lines' ledgers; what isn't there yet is new."""
        subjects = [_campaign(campaign_id), *(_line(line_id) for line_id in line_ids)]
        found = {
            row.subject: row
            for row in PaceRow.batch_get([(account_id, s) for s in subjects], consistent_read=True)
        }
        rows = [found.get(subject) or PaceRow(account_id, subject) for subject in subjects]
        own, lines = rows[0], dict(zip(line_ids, rows[1:], strict=True))
        return Pace(
            cursor=_cursor(own.state),
            ledgers={line_id: _ledger(row.state) for line_id, row in lines.items()},
            resting_until={i: row.resting_until for i, row in lines.items() if row.resting_until},
            token={row.subject: int(row.token) for row in rows},
            held_until=_held_until(own.state),
        )

    def reserve(self, account_id: str, campaign_id: str, pace: Pace) -> bool:
        """Store the new cursor and ledgers if all rows are as they were read."""
        states = {_campaign(campaign_id): _cursor_text(pace.cursor, pace.held_until)}
        states |= {_line(line_id): json.dumps(ledger.to_dict()) for line_id, ledger in pace.ledgers.items()}

        def commit() -> None:
            with TransactWrite(connection=connection()) as write:
                for subject, state in states.items():
                    seen = pace.token[subject]
                    unchanged = PaceRow.token.does_not_exist() if seen == 0 else PaceRow.token == seen
                    actions: list[Action] = [PaceRow.state.set(state), PaceRow.token.set(seen + 1)]
                    write.update(PaceRow(account_id, subject), actions, unchanged)

        return not transact_if(commit)

    def line_failed(self, account_id: str, line_id: str, now: datetime, until: datetime) -> int | None:
        """Count one more failure in a row; after ``_FORGOTTEN`` without any, the count starts anew."""
        awake = PaceRow.resting_until.does_not_exist() | (PaceRow.resting_until <= now)
        lately = PaceRow.failed_at > now - _FORGOTTEN
        row = PaceRow(account_id, _line(line_id))
        rest: list[Action] = [PaceRow.failed_at.set(now), PaceRow.resting_until.set(until)]
        counted = update_if(row, [PaceRow.failures.add(1), *rest], awake & lately) or update_if(
            row, [PaceRow.failures.set(1), *rest], awake & ~lately
        )
        return int(row.failures) if counted else None

    def line_worked(self, account_id: str, line_id: str) -> None:
        """Forget the failures in a row and the rest that came of them."""
        row = PaceRow(account_id, _line(line_id))
        forgotten: list[Action] = [
            PaceRow.failures.set(0),
            PaceRow.failed_at.remove(),
            PaceRow.resting_until.remove(),
        ]
        write_one(lambda: row.update(forgotten))

    def rest_line(self, account_id: str, line_id: str, until: datetime) -> None:
        """Give out no slot of the line before ``until``; a longer rest stays."""
        shorter = PaceRow.resting_until.does_not_exist() | (PaceRow.resting_until < until)
        update_if(PaceRow(account_id, _line(line_id)), [PaceRow.resting_until.set(until)], shorter)

    def forget(self, account_id: str, campaign_id: str) -> None:
        """Remove the campaign's cursor. Ledgers stay: they belong to the lines."""
        PaceRow(account_id, _campaign(campaign_id)).delete()

    def forget_line(self, account_id: str, line_id: str) -> None:
        """Remove a line's ledger, failures and rest."""
        PaceRow(account_id, _line(line_id)).delete()


def _campaign(campaign_id: str) -> str:
    return f"campaign#{campaign_id}"


def _line(line_id: str) -> str:
    return f"line#{line_id}"


def _cursor(state: str | None) -> Cursor:
    if state is None:
        return Cursor(last=None, drawn=0, turn=0)
    values = json.loads(state)
    last = datetime.fromisoformat(values["last"]) if values["last"] else None
    return Cursor(last=last, drawn=values["drawn"], turn=values["turn"])


def _cursor_text(cursor: Cursor, held_until: datetime | None) -> str:
    return json.dumps(
        {
            "last": cursor.last.isoformat() if cursor.last else None,
            "drawn": cursor.drawn,
            "turn": cursor.turn,
            "held_until": held_until.isoformat() if held_until else None,
        }
    )


def _held_until(state: str | None) -> datetime | None:
    held_until = json.loads(state).get("held_until") if state else None
    return datetime.fromisoformat(held_until) if held_until else None


def _ledger(state: str | None) -> Ledger:
    return Ledger.from_dict(json.loads(state)) if state else Ledger()
