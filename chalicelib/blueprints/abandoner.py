"""The abandoner's door: jobs whose messages failed too often, which are now marked as failed."""

import json
from collections.abc import Callable
from datetime import datetime

from chalice import Blueprint
from chalice.app import SQSEvent

from chalicelib import wiring
from chalicelib.blueprints.batches import BatchAnswer, handle_each, ids_in
from chalicelib.blueprints.importer import jobs_in
from chalicelib.blueprints.preparer import attachments_in
from chalicelib.domain.delivery import Reason
from chalicelib.flow.advice import give_up_advising
from chalicelib.flow.lines import give_up_connecting
from chalicelib.observability import log

abandoner = Blueprint(__name__)

_REASON = Reason("gave_up", "It was tried several times and did not come to an end. Please start it again.")


@abandoner.on_sqs_message(queue="abandoned", batch_size=1)
def abandon_jobs(event: SQSEvent) -> BatchAnswer:
    """Mark jobs of all kinds that were given up as failed: nobody waits on."""
    return handle_each(event, _abandon)


def _abandon(body: str) -> None:
    message, now = json.loads(body), wiring.clock.now()
    give_up = next((act for name, act in _JOBS.items() if name in message), _abandon_uploads)
    give_up(body, now)
    log("job_abandoned")


def _abandon_export(body: str, now: datetime) -> None:
    account_id, export_id = ids_in(body, "account_id", "export_id")
    wiring.exports().fail(account_id, export_id, _REASON, now)


def _abandon_personal_data(body: str, now: datetime) -> None:
    account_id, job_id = ids_in(body, "account_id", "personal_data_id")
    wiring.personal_data().fail(account_id, job_id, _REASON, now)


def _abandon_preflight(body: str, now: datetime) -> None:
    account_id, campaign_id, preflight_id = ids_in(body, "account_id", "campaign_id", "preflight_id")
    wiring.preflights().fail(account_id, campaign_id, preflight_id, _REASON, now)


def _abandon_identity(body: str, _now: datetime) -> None:
    """Whoever asks for it next has it looked at again."""
    ids_in(body, "account_id", "identity")


def _abandon_advice(body: str, _now: datetime) -> None:
    account_id, line_id = ids_in(body, "account_id", "advice_for")
    give_up_advising(account_id, line_id, _REASON, wiring.advice(), wiring.clock)


def _abandon_domain(body: str, _now: datetime) -> None:
    """The daily look comes again; nobody waits."""
    ids_in(body, "account_id", "domain")


def _abandon_line(body: str, _now: datetime) -> None:
    account_id, line_id = ids_in(body, "account_id", "line_id")
    give_up_connecting(account_id, line_id, _REASON, wiring.lines(), wiring.clock)


def _abandon_uploads(body: str, now: datetime) -> None:
    attachments = attachments_in(body)
    for account_id, campaign_id, attachment_id in attachments:
        wiring.attachments().fail(account_id, campaign_id, attachment_id, _REASON)
    for job in () if attachments else jobs_in(body):
        wiring.imports().fail(job.account_id, job.import_id, _REASON, now)


_JOBS: dict[str, Callable[[str, datetime], None]] = {
    "export_id": _abandon_export,
    "personal_data_id": _abandon_personal_data,
    "preflight_id": _abandon_preflight,
    "identity": _abandon_identity,
    "advice_for": _abandon_advice,
    "domain": _abandon_domain,
    "line_id": _abandon_line,
}
"""By what a job's message names, in this order; the others tell of uploads."""
