"""The door of what SES tells: the queue that its topic writes to."""

from chalice import Blueprint
from chalice.app import SQSEvent

from chalicelib import wiring
from chalicelib.adapters.ses_events import KeptOut, read_event
from chalicelib.blueprints.batches import BatchAnswer, handle_each
from chalicelib.flow.track import Tracked, track
from chalicelib.observability import log

events = Blueprint(__name__)


class TooEarly(Exception):
    """There may be no such contact yet: the queue brings the event again when its visibility times out."""


@events.on_sqs_message(queue="ses-events", batch_size=10)
def track_events(event: SQSEvent) -> BatchAnswer:
    """Let each event change its contact. What can't be read comes back, and ends with the dead letters."""
    return handle_each(event, _track)


def _track(body: str) -> None:
    found = read_event(body)
    if isinstance(found, KeptOut):
        log("event_kept_out", why=found)
        return
    tags = found.tags
    became = track(found, wiring.track_ports())
    log(
        "event_tracked",
        account_id=tags.account_id,
        campaign_id=tags.campaign_id,
        contact_id=tags.contact_id,
        generation=tags.generation,
        attempt=tags.attempt,
        type=found.type,
        became=became,
    )
    if became is Tracked.UNKNOWN_YOUNG:
        raise TooEarly
