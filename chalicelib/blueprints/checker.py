"""The checker's doors: the daily look at all domains, and the queue of domains and lines to check in DNS."""

import json

from chalice import Blueprint
from chalice.app import CloudWatchEvent, Rate, SQSEvent

from chalicelib import wiring
from chalicelib.blueprints.batches import BatchAnswer, handle_each, ids_in
from chalicelib.flow.advice import advise_on_line
from chalicelib.flow.domains import ask_for_all_checks, check_domain
from chalicelib.observability import log

checker = Blueprint(__name__)


@checker.schedule(Rate(1, unit=Rate.DAYS))
def start_checks(event: CloudWatchEvent) -> None:  # noqa: ARG001  (the time of the tick decides nothing)
    """Every day: ask for a look at each domain's records. Twice or late does no harm."""
    log("checks_started", domains=ask_for_all_checks(wiring.domains(), wiring.check_queue()))


@checker.on_sqs_message(queue="checks", batch_size=1)
def check_dns(event: SQSEvent) -> BatchAnswer:
    """Look whether a domain's keys are published, or find the advice on a line."""
    return handle_each(event, _check)


def _check(body: str) -> None:
    if "advice_for" in json.loads(body):
        account_id, line_id = ids_in(body, "account_id", "advice_for")
        count = advise_on_line(account_id, line_id, wiring.advising_ports())
        log("line_advised", account_id=account_id, line_id=line_id, findings=count)
        return
    account_id, name = ids_in(body, "account_id", "domain")
    domain = check_domain(account_id, name, wiring.domain_check_ports())
    states = ",".join(key.state for key in domain.keys) if domain else "gone"
    log("domain_checked", account_id=account_id, states=states)
