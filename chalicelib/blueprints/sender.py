"""The sender's door: one message of the send queue is one contact."""

from chalice import Blueprint
from chalice.app import SQSEvent

from chalicelib import wiring
from chalicelib.adapters.sqs import decode_order
from chalicelib.blueprints.batches import BatchAnswer, handle_each
from chalicelib.blueprints.deadline import stop_at
from chalicelib.observability import log

sender = Blueprint(__name__)


@sender.on_sqs_message(queue="send", batch_size=10)
def send_emails(event: SQSEvent) -> BatchAnswer:
    """Hand over the messages of a batch one after the other, over warm connections."""
    end = stop_at(event.context)

    def send(body: str) -> None:
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

    return handle_each(event, send)
