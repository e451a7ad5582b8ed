"""The exporter's door: the queue of reports to write, and of other work that reads all contacts."""

import json

from chalice import Blueprint
from chalice.app import SQSEvent

from chalicelib import wiring
from chalicelib.blueprints.batches import BatchAnswer, handle_each, ids_in
from chalicelib.domain.job import SUPPRESSION_LIST
from chalicelib.flow.personal_data import work_on_personal_data
from chalicelib.flow.preflight import check_contacts
from chalicelib.flow.report import export_report
from chalicelib.flow.suppression_export import export_list, export_subject
from chalicelib.observability import log

exporter = Blueprint(__name__)


@exporter.on_sqs_message(queue="exports", batch_size=1)
def export_reports(event: SQSEvent) -> BatchAnswer:
    """Write a campaign's report or the suppression list; do a preflight; hand out or erase personal data."""
    return handle_each(event, _work)


def _work(body: str) -> None:
    message = json.loads(body)
    if "personal_data_id" in message:
        account_id, job_id = ids_in(body, "account_id", "personal_data_id")
        work_on_personal_data(account_id, job_id, wiring.personal_data_work_ports())
        log("personal_data_worked_on", account_id=account_id, job_id=job_id)
    elif "preflight_id" in message:
        account_id, campaign_id, preflight_id = ids_in(body, "account_id", "campaign_id", "preflight_id")
        check_contacts(account_id, campaign_id, preflight_id, wiring.checking_ports())
        log("preflight_done", account_id=account_id, campaign_id=campaign_id)
    else:
        _export(body)


def _export(body: str) -> None:
    account_id, export_id = ids_in(body, "account_id", "export_id")
    subject = export_subject(account_id, export_id, wiring.exports())
    if subject == SUPPRESSION_LIST:
        export_list(account_id, export_id, wiring.list_export_ports())
    elif subject is not None:
        export_report(account_id, export_id, wiring.report_ports())
    log("report_exported", account_id=account_id, export_id=export_id)
