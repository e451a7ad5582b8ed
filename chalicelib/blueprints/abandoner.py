"""The abandoner's door: jobs whose messages failed too often, which are now marked as failed."""

import json

from chalice import Blueprint
from chalice.app import SQSEvent

from chalicelib import wiring
from chalicelib.blueprints.batches import BatchAnswer, handle_each, ids_in
from chalicelib.blueprints.importer import jobs_in
from chalicelib.domain.delivery import Reason
from chalicelib.flow.advice import give_up_advising
from chalicelib.flow.lines import give_up_connecting
from chalicelib.observability import log

abandoner = Blueprint(__name__)

_REASON = Reason("gave_up", "It was tried several times and did not come to an end. Please start it again.")


@abandoner.on_sqs_message(queue="abandoned", batch_size=1)
def abandon_jobs(event: SQSEvent) -> BatchAnswer:
    """Mark imports, exports, preflights, proofs and advice that were given up as failed: nobody waits on."""
    return handle_each(event, _abandon)


def _abandon(body: str) -> None:
    message, now = json.loads(body), wiring.clock.now()
    if "export_id" in message:
        account_id, export_id = ids_in(body, "account_id", "export_id")
        wiring.exports().fail(account_id, export_id, _REASON, now)
    elif "preflight_id" in message:
        account_id, campaign_id, preflight_id = ids_in(body, "account_id", "campaign_id", "preflight_id")
        wiring.preflights().fail(account_id, campaign_id, preflight_id, _REASON, now)
    elif "identity" in message:  # whoever asks for it next has it looked at again
        ids_in(body, "account_id", "identity")
    elif "advice_for" in message:
        account_id, line_id = ids_in(body, "account_id", "advice_for")
        give_up_advising(account_id, line_id, _REASON, wiring.advice(), wiring.clock)
    elif "domain" in message:
        account_id, _ = ids_in(body, "account_id", "domain")  # the daily look comes again; nobody waits
    elif "line_id" in message:
        account_id, line_id = ids_in(body, "account_id", "line_id")
        give_up_connecting(account_id, line_id, _REASON, wiring.lines(), wiring.clock)
    else:
        for job in jobs_in(body):
            wiring.imports().fail(job.account_id, job.import_id, _REASON, now)
    log("job_abandoned")
