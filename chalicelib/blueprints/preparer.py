"""The preparer's door: the upload of an attachment arrived in S3."""

from chalice import Blueprint
from chalice.app import SQSEvent

from chalicelib import wiring
from chalicelib.blueprints.batches import BatchAnswer, handle_each, keys_in
from chalicelib.flow.attachments import prepare_attachment
from chalicelib.observability import log

preparer = Blueprint(__name__)

_PREFIX = "attachment-uploads"


@preparer.on_sqs_message(queue="attachments", batch_size=1)
def prepare_attachments(event: SQSEvent) -> BatchAnswer:
    """Check and encode uploaded files, once for all the messages that will carry them."""
    return handle_each(event, _prepare)


def attachments_in(body: str) -> list[tuple[str, str, str]]:
    """The account, campaign and attachment of each upload that S3 tells of; its test event names none."""
    found = []
    for key in keys_in(body) or ():
        prefix, *names = key.split("/")
        if prefix == _PREFIX:
            account_id, campaign_id, attachment_id = names
            found.append((account_id, campaign_id, attachment_id))
    return found


def _prepare(body: str) -> None:
    for account_id, campaign_id, attachment_id in attachments_in(body):
        done = prepare_attachment(account_id, campaign_id, attachment_id, wiring.attachment_ports())
        log(
            "attachment_prepared",
            account_id=account_id,
            campaign_id=campaign_id,
            attachment_id=attachment_id,
            done=str(done).lower(),
        )
