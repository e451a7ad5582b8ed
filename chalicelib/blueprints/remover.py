"""The remover's door: the queue of deleted campaigns and lines whose rows and files are to go."""

import json

from chalice import Blueprint
from chalice.app import SQSEvent

from chalicelib import wiring
from chalicelib.blueprints.batches import BatchAnswer, handle_each, ids_in
from chalicelib.flow.campaign import purge_campaign
from chalicelib.flow.dialogs import purge_dialogs
from chalicelib.observability import log

remover = Blueprint(__name__)


@remover.on_sqs_message(queue="removal", batch_size=1)
def remove_campaigns(event: SQSEvent) -> BatchAnswer:
    """Remove everything of a deleted campaign, and the dialogs of a deleted line."""
    return handle_each(event, _remove)


def _remove(body: str) -> None:
    if "line_id" in json.loads(body):
        account_id, line_id = ids_in(body, "account_id", "line_id")
        gone = purge_dialogs(account_id, line_id, wiring.removal_ports())
        log("dialogs_removed", account_id=account_id, line_id=line_id, removed=gone)
        return
    account_id, campaign_id = ids_in(body, "account_id", "campaign_id")
    purge_campaign(account_id, campaign_id, wiring.removal_ports())
    log("campaign_removed", account_id=account_id, campaign_id=campaign_id)
