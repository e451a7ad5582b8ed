"""The bounce reader's doors: the round of the lines' mailboxes, and the queue of what is to be read."""

from datetime import datetime

from chalice import Blueprint
from chalice.app import CloudWatchEvent, Rate, SQSEvent

from chalicelib import wiring
from chalicelib.blueprints.batches import BatchAnswer, handle_each, ids_in, keys_in
from chalicelib.blueprints.deadline import stop_at
from chalicelib.flow.bounce_mailboxes import read_mailbox, visit_mailboxes
from chalicelib.flow.take_bounce import take_inbound
from chalicelib.observability import log

bounce_reader = Blueprint(__name__)


@bounce_reader.schedule(Rate(5, unit=Rate.MINUTES))
def start_bounce_reading(event: CloudWatchEvent) -> None:  # noqa: ARG001  (its time decides nothing)
    """Every five minutes: ask for a reading of each bounce mailbox. Late, twice or never does no harm."""
    log("bounce_round", mailboxes=visit_mailboxes(wiring.lines(), wiring.bounce_queue()))


@bounce_reader.on_sqs_message(queue="bounces", batch_size=1)
def read_bounces(event: SQSEvent) -> BatchAnswer:
    """Read on in a line's bounce mailbox, or take in what Amazon SES received for us."""
    end = stop_at(event.context)

    def handle(body: str) -> None:
        keys = keys_in(body)
        if keys is None:
            _read(body, end)
        for key in keys or ():
            _take(key)

    return handle_each(event, handle)


def _read(body: str, end: datetime) -> None:
    account_id, line_id = ids_in(body, "account_id", "line_id")
    visit = read_mailbox(account_id, line_id, wiring.reading_ports(), end)
    if visit is not None:
        log(
            "mailbox_read",
            account_id=account_id,
            line_id=line_id,
            state=visit.state,
            messages=visit.messages,
            bounces=visit.bounces,
            passed_over=visit.passed_over,
        )


def _take(key: str) -> None:
    taken = take_inbound(key, wiring.settings().inbound_domain, wiring.files(), wiring.bounce_ports())
    log("inbound_taken", kind=taken.report.kind, account_id=taken.tags.account_id if taken.tags else None)
