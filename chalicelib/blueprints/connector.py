"""The connector's door: the queue of lines to prove, and of SES identities that may be used no more."""

import json

from chalice import Blueprint
from chalice.app import SQSEvent

from chalicelib import wiring
from chalicelib.blueprints.batches import BatchAnswer, handle_each, ids_in
from chalicelib.flow.identities import release_identity
from chalicelib.flow.lines import prove_line
from chalicelib.observability import log

connector = Blueprint(__name__)


@connector.on_sqs_message(queue="connect", batch_size=1)
def connect_lines(event: SQSEvent) -> BatchAnswer:
    """Prove a line: its SMTP server as far as MAIL FROM, or its identity at SES."""
    return handle_each(event, _connect)


def _connect(body: str) -> None:
    message = json.loads(body)
    if "identity" in message:
        account_id, identity = ids_in(body, "account_id", "identity")
        released = release_identity(account_id, identity, wiring.proof_ports().of_identities)
        log("identity_reviewed", account_id=account_id, released=released)
    else:
        _prove(body)


def _prove(body: str) -> None:
    account_id, line_id = ids_in(body, "account_id", "line_id")
    state = prove_line(account_id, line_id, wiring.proof_ports())
    log("line_proven", account_id=account_id, line_id=line_id, state=state)
