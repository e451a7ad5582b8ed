"""The dispatcher's doors: the schedule's tick, and the queue of campaigns to visit."""

import json

from chalice import Blueprint
from chalice.app import CloudWatchEvent, Rate, SQSEvent

from chalicelib import wiring
from chalicelib.adapters.sqs import decode_releases
from chalicelib.blueprints.batches import BatchAnswer, handle_each, ids_in
from chalicelib.flow.dispatch import release_contacts, visit_all, visit_campaign
from chalicelib.flow.lines import ask_for_due_checks
from chalicelib.observability import log

dispatcher = Blueprint(__name__)


@dispatcher.schedule(Rate(1, unit=Rate.MINUTES))
def start_dispatch(event: CloudWatchEvent) -> None:  # noqa: ARG001  (the time of the tick decides nothing)
    """Every minute: ask for a visit to each active campaign, and for a proof of each line whose check is due.

    Late, twice or not at all does no harm.
    """
    campaigns = visit_all(wiring.campaigns(), wiring.dispatch_queue())
    lines = ask_for_due_checks(wiring.lines(), wiring.connect_queue(), wiring.clock)
    log("tick", campaigns=campaigns, lines=lines)


@dispatcher.on_sqs_message(queue="dispatch", batch_size=1)
def dispatch_campaign(event: SQSEvent) -> BatchAnswer:
    """Visit a campaign (settle, give the next slots, finish), or release a piece of a big one."""
    return handle_each(event, _dispatch)


def _dispatch(body: str) -> None:
    account_id, campaign_id = ids_in(body, "account_id", "campaign_id")
    ports = wiring.dispatch_ports()
    message = json.loads(body)
    if "releases" in message:
        releases = decode_releases(ids_in(body, "releases")[0])
        count = release_contacts(account_id, campaign_id, releases, ports)
        log("contacts_released", account_id=account_id, campaign_id=campaign_id, contacts=count)
    else:
        count = visit_campaign(account_id, campaign_id, ports, int(message.get("follow_ups", 0)))
        log("campaign_visited", account_id=account_id, campaign_id=campaign_id, slots=count)
