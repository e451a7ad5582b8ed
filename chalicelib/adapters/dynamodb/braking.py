"""Pulling and lifting the brake of a row, a line's or a campaign's alike, in one conditional write."""

from datetime import datetime

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path
from pynamodb.expressions.update import Action

from chalicelib.adapters.dynamodb.mapping import brake_item
from chalicelib.adapters.dynamodb.tables import CampaignRow, LineRow
from chalicelib.adapters.dynamodb.writing import update_if
from chalicelib.domain.brake import Brake


def pull(row: LineRow | CampaignRow, exists: Condition, brake: Brake, seen_lift: datetime | None) -> bool:
    """Store the brake. Counts that were read before somebody lifted it must not pull it again."""
    lifted_at = type(row).brake_lifted_at
    as_seen = lifted_at.does_not_exist() if seen_lift is None else lifted_at == seen_lift
    free = type(row).brake.does_not_exist()
    return update_if(row, [type(row).brake.set(brake_item(brake))], exists & free & as_seen)


def lift(row: LineRow | CampaignRow, at: datetime) -> bool:
    """Remove the brake and stamp the row."""
    actions: list[Action] = [type(row).brake.remove(), type(row).brake_lifted_at.set(at)]
    return update_if(row, actions, Path("brake").exists())
