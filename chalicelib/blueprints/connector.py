"""The connector's door: the queue of lines whose connection is to be proven."""

from chalice import Blueprint
from chalice.app import SQSEvent

from chalicelib import wiring
from chalicelib.blueprints.batches import BatchAnswer, handle_each, ids_in
from chalicelib.flow.lines import prove_line
from chalicelib.observability import log

connector = Blueprint(__name__)


@connector.on_sqs_message(queue="connect", batch_size=1)
def connect_lines(event: SQSEvent) -> BatchAnswer:
    """Prove a line: resolve, connect, TLS, EHLO, AUTH, MAIL FROM."""
    return handle_each(event, _prove)


def _prove(body: str) -> None:
    account_id, line_id = ids_in(body, "account_id", "line_id")
    state = prove_line(account_id, line_id, wiring.proof_ports())
    log("line_proven", account_id=account_id, line_id=line_id, state=state)
