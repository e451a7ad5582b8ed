"""What is told of a message after it was handed over: by Amazon SES, by a bounce, by the pixel, by a reader.

Events come twice, late, in any order, and before the sender has written down that it sent. An event says
what happened and to which release of a contact; what it changes is decided in ``flow/track.py``.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from chalicelib.domain.delivery import MessageTags, Reason


class EventType(StrEnum):
    """What happened, in the words of Amazon SES's event publishing; a download is our own."""

    SEND = "send"
    DELIVERY = "delivery"
    DELIVERY_DELAY = "delivery_delay"
    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    REJECT = "reject"
    RENDERING_FAILURE = "rendering_failure"
    OPEN = "open"
    CLICK = "click"
    DOWNLOAD = "download"
    UNSUBSCRIBE = "unsubscribe"


class BounceType(StrEnum):
    """Whether another try could ever work; the words of SES, for bounces read from mail too."""

    PERMANENT = "permanent"
    TRANSIENT = "transient"
    UNDETERMINED = "undetermined"


class Opener(StrEnum):
    """Who fetched an image or followed a link, as far as the request tells."""

    HUMAN = "human"
    MACHINE = "machine"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class DeliveryEvent:
    """One event of one message. ``at`` is when it happened (aware UTC), as its reporter says.

    ``reason`` is set for what went wrong: a bounce, a complaint, a reject, a failure, a delay.
    ``bounce_type`` is set for a bounce, ``opener`` for an open, a click or a download. ``suppress`` tells
    that the address itself must not be written to again, whatever becomes of the status; ``recipient`` is
    that address where the reporter names it, for a contact that was deleted since.
    """

    type: EventType
    tags: MessageTags
    at: datetime
    reason: Reason | None = None
    bounce_type: BounceType | None = None
    opener: Opener | None = None
    suppress: bool = False
    recipient: str | None = None
