"""The remover's door: the queue of deleted campaigns whose rows and files are to go."""

from chalice import Blueprint
from chalice.app import SQSEvent

from chalicelib import wiring
from chalicelib.blueprints.batches import BatchAnswer, handle_each, ids_in
from chalicelib.flow.campaign import purge_campaign
from chalicelib.observability import log

remover = Blueprint(__name__)


@remover.on_sqs_message(queue="removal", batch_size=1)
def remove_campaigns(event: SQSEvent) -> BatchAnswer:
    """Remove everything of a deleted campaign."""
    return handle_each(event, _remove)


def _remove(body: str) -> None:
    account_id, campaign_id = ids_in(body, "account_id", "campaign_id")
    purge_campaign(account_id, campaign_id, wiring.removal_ports())
    log("campaign_removed", account_id=account_id, campaign_id=campaign_id)
