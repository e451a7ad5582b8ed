"""A test message: what one contact would get, to an address that a person typed. No contact knows of it.

Time settles what no process could: an order that waits behind others may still come, one that comes too late
is never carried out, and a hand-over that nobody recorded is unknown for good. So there is no job that has to
clear up, and what is shown as failed stays so.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from chalicelib.domain.contact import OUTCOME_UNKNOWN, Person
from chalicelib.domain.content import Content
from chalicelib.domain.delivery import Reason

ORDER_LIVES = timedelta(hours=1)  # nothing is handed over for an older one; behind a big release it waits
HAND_OVER_ENDS = timedelta(minutes=6)  # longer than a sender lives after its claim
CLOCKS_DIFFER = timedelta(minutes=1)
KEPT = timedelta(days=30)
MARK = "[Test] "

NOT_IN_TIME = Reason("not_in_time", "It could not be sent in time, and nothing was. Please send another one.")
NO_REPLY = Reason(OUTCOME_UNKNOWN, "Nobody knows whether the server took it. It is not sent again by itself.")


class SampleState(StrEnum):
    """How far a test message is."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Sample:
    """One test message. ``contact_id`` draws the options of variables, ``person`` is as it was when asked."""

    sample_id: str
    campaign_id: str
    line_id: str
    recipient: str
    contact_id: str
    person: Person
    content_version: int
    asked_at: datetime
    state: SampleState = SampleState.QUEUED
    claimed_at: datetime | None = None
    finished_at: datetime | None = None
    reason: Reason | None = None
    remote_id: str | None = None

    def at(self, now: datetime) -> "Sample":
        """The message with the state that the time has given it."""
        if self.state is SampleState.QUEUED and now > self.asked_at + ORDER_LIVES + CLOCKS_DIFFER:
            return replace(self, state=SampleState.FAILED, reason=NOT_IN_TIME)
        claimed = self.claimed_at or self.asked_at
        if self.state is SampleState.SENDING and now > claimed + HAND_OVER_ENDS:
            return replace(self, state=SampleState.UNKNOWN, reason=NO_REPLY)
        return self


def marked(content: Content) -> Content:
    """The content with a subject that says it is a test."""
    return replace(content, subject=f"{MARK}{content.subject}")
