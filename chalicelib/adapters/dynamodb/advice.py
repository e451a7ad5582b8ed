"""The lines' advice in DynamoDB."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from pynamodb.exceptions import DoesNotExist
from pynamodb.expressions.update import Action

from chalicelib.adapters.dynamodb.mapping import reason_from, reason_item
from chalicelib.adapters.dynamodb.tables import AdviceRow
from chalicelib.adapters.dynamodb.writing import update_if
from chalicelib.domain.advice.finding import Finding, Level, Record
from chalicelib.domain.delivery import Reason
from chalicelib.errors import NotFound
from chalicelib.ports import Advice


class DynamoAdviceStore:
    """Port ``AdviceStore``."""

    def ask(self, account_id: str, line_id: str, at: datetime) -> Advice:
        """Note the wish; what is there of an earlier one stays until there is something newer."""
        row = AdviceRow(account_id, line_id)
        row.update(actions=[AdviceRow.asked_at.set(at), AdviceRow.reason.remove()])
        return _advice(row)

    def get(self, account_id: str, line_id: str) -> Advice:
        """Read it; raises NotFound when nobody asked."""
        try:
            return _advice(AdviceRow.get(account_id, line_id, consistent_read=True))
        except DoesNotExist as error:
            raise NotFound("advice") from error

    def give(self, account_id: str, line_id: str, checked_at: datetime, findings: Sequence[Finding]) -> None:
        """Store what was found, if somebody still asks."""
        text = json.dumps([asdict(finding) for finding in findings])
        actions: list[Action] = [
            AdviceRow.checked_at.set(checked_at),
            AdviceRow.findings.set(text),
            AdviceRow.reason.remove(),
        ]
        update_if(AdviceRow(account_id, line_id), actions, AdviceRow.asked_at.exists())

    def fail(self, account_id: str, line_id: str, reason: Reason, now: datetime) -> None:
        """Store why there is none, if somebody still asks."""
        actions: list[Action] = [AdviceRow.checked_at.set(now), AdviceRow.reason.set(reason_item(reason))]
        update_if(AdviceRow(account_id, line_id), actions, AdviceRow.asked_at.exists())

    def remove(self, account_id: str, line_id: str) -> None:
        """Forget it."""
        AdviceRow(account_id, line_id).delete()


def _advice(row: AdviceRow) -> Advice:
    return Advice(
        asked_at=row.asked_at,
        checked_at=row.checked_at,
        findings=tuple(_finding(**item) for item in json.loads(row.findings or "[]")),
        reason=reason_from(row.reason),
    )


def _finding(code: str, level: str, text: str, record: dict[str, str] | None) -> Finding:
    return Finding(code, Level(level), text, Record(**record) if record else None)
