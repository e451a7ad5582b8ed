"""The sender's door: one message of the send queue is one contact, or one test message."""

import json

from chalice import Blueprint
from chalice.app import SQSEvent

from chalicelib import wiring
from chalicelib.adapters.sqs import decode_order
from chalicelib.blueprints.batches import BatchAnswer, handle_each, ids_in
from chalicelib.blueprints.deadline import stop_at
from chalicelib.flow.samples import send_sample
from chalicelib.observability import log

sender = Blueprint(__name__)


@sender.on_sqs_message(queue="send", batch_size=10)
def send_emails(event: SQSEvent) -> BatchAnswer:
    """Hand over the messages of a batch one after the other, over warm connections."""
    end = stop_at(event.context)

    def send(body: str) -> None:
        if "test_id" in json.loads(body):
            account_id, test_id = ids_in(body, "account_id", "test_id")
            state = send_sample(account_id, test_id, end, wiring.sample_ports())
            log("test_handled", account_id=account_id, test_id=test_id, state=state)
            return
        order = decode_order(body)
        outcome = wiring.sender().send(order, end)
        log(
            "order_handled",
            account_id=order.account_id,
            campaign_id=order.campaign_id,
            contact_id=order.contact_id,
            attempt=order.attempt,
            outcome=type(outcome).__name__,
        )

    answer = handle_each(event, send)
    _count_accepted()
    return answer


def _count_accepted() -> None:
    """Losing this count makes a brake quicker and nothing else: the batch itself is done."""
    try:
        wiring.sender().flush()
    except Exception as error:  # noqa: BLE001  (the messages are sent: none may come back for a count)
        log("accepted_not_counted", error=error)
