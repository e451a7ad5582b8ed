"""Brakes: a line or a campaign whose mail bounces or annoys too often stops by itself.

Messages are counted by the hour in which they were *sent*, the accepted ones and those of them that got into
trouble, so that the two belong together: a rate is a share of the same messages, and a complaint that comes
after a brake was lifted, about mail from before, isn't held against what was sent since.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from chalicelib.domain.delivery import Reason

# Three days: nearly all complaints about a mail come within them, and a campaign that is paced over weeks
# still has a sample. What a line did last week says little about the list it sends to now.
WINDOW = timedelta(hours=72)
HOUR = timedelta(hours=1)
# Senders count what was accepted at the end of a batch, and trouble can be faster than that: with fewer
# messages than this, a campaign that has just begun would look worse than it is.
LEAST_MESSAGES = 50
_SURE = 1.645  # one-sided 95 % of the normal distribution


class Trouble(StrEnum):
    """What counts against a message that was accepted."""

    BOUNCE = "bounce"  # permanent ones only
    COMPLAINT = "complaint"


class Braked(StrEnum):
    """What has a brake."""

    LINE = "line"
    CAMPAIGN = "campaign"


class BrakeLevel(StrEnum):
    """How far it has come."""

    OK = "ok"
    WARNING = "warning"
    PULLED = "pulled"


@dataclass(frozen=True, slots=True)
class Subject:
    """One line or one campaign of an account."""

    kind: Braked
    id: str


@dataclass(frozen=True, slots=True)
class Counts:
    """Messages that were accepted, and how many of them bounced for good or were reported as spam."""

    accepted: int = 0
    bounced: int = 0
    complained: int = 0

    def __add__(self, other: Self) -> "Counts":
        return Counts(
            self.accepted + other.accepted,
            self.bounced + other.bounced,
            self.complained + other.complained,
        )

    def of(self, trouble: Trouble) -> int:
        """How many messages had this trouble."""
        return self.bounced if trouble is Trouble.BOUNCE else self.complained

    def messages(self, trouble: Trouble) -> int:
        """How many messages there were to have it: a count of accepted ones may be late or lost."""
        return max(self.accepted, self.of(trouble))

    def rate(self, trouble: Trouble) -> float | None:
        """The share of messages that had this trouble, 0 to 1; None when nothing was sent."""
        messages = self.messages(trouble)
        return self.of(trouble) / messages if messages else None


@dataclass(frozen=True, slots=True)
class HourCounts:
    """What was sent within one hour, which starts at the aware UTC instant ``hour``."""

    hour: datetime
    counts: Counts


@dataclass(frozen=True, slots=True)
class Limit:
    """When a trouble is too much: shares of 0 to 1, and the fewest troubled messages that mean anything."""

    trouble: Trouble
    code: str
    warning: float
    pause: float
    least: int
    happened: str
    advice: str


def limits_at(bounce: float, complaint: float) -> tuple[Limit, ...]:
    """Limits that pause at these shares (0 to 1), and warn at a half and a third of them."""
    return (
        Limit(
            trouble=Trouble.BOUNCE,
            code="bounce_rate",
            warning=bounce / 2,
            pause=bounce,
            least=5,
            happened="bounced for good",
            advice="Take out old, guessed and bought addresses",
        ),
        Limit(
            trouble=Trouble.COMPLAINT,
            code="complaint_rate",
            warning=complaint / 3,
            pause=complaint,
            least=3,
            happened="were reported as spam",
            advice="Write only to people who asked for it, and make it easy to unsubscribe",
        ),
    )


# Half of what makes Amazon SES look at an account (5 %) or pause it (10 %); and what Gmail asks for.
# https://docs.aws.amazon.com/ses/latest/dg/reputationdashboardmessages.html
# https://support.google.com/a/answer/81126
LIMITS = limits_at(bounce=0.05, complaint=0.003)


@dataclass(frozen=True, slots=True)
class Brake:
    """A brake that was pulled; only the operator of the service lifts it. ``at`` is aware UTC."""

    reason: Reason
    at: datetime


@dataclass(frozen=True, slots=True)
class BrakeState:
    """What is known of a brake: its level, the counts of the window, why, and since when it is pulled."""

    level: BrakeLevel
    counts: Counts
    reason: Reason | None = None
    since: datetime | None = None


def hour_of(instant: datetime) -> datetime:
    """The start of the hour an aware UTC instant lies in."""
    return instant.replace(minute=0, second=0, microsecond=0)


def window_start(now: datetime) -> datetime:
    """The first hour that still counts."""
    return hour_of(now) - WINDOW + HOUR


def in_window(hours: Iterable[HourCounts], now: datetime) -> Counts:
    """The sum of the hours that count at the aware UTC instant ``now``."""
    start = window_start(now)
    return sum((h.counts for h in hours if h.hour >= start), Counts())


def state_of(counts: Counts, pulled: Brake | None, limits: Sequence[Limit] = LIMITS) -> BrakeState:
    """The state shown: a brake that was pulled stays so whatever the counts have become."""
    if pulled:
        return BrakeState(BrakeLevel.PULLED, counts, pulled.reason, pulled.at)
    return judge(counts, limits)


def judge(counts: Counts, limits: Sequence[Limit] = LIMITS) -> BrakeState:
    """What the counts ask for: nothing, a warning, or the brake; the first limit that is passed says why."""
    for level, passes in ((BrakeLevel.PULLED, _must_stop), (BrakeLevel.WARNING, _should_warn)):
        limit = next((limit for limit in limits if passes(limit, counts)), None)
        if limit:
            return BrakeState(level, counts, Reason(limit.code, _text(limit, level, counts)))
    return BrakeState(BrakeLevel.OK, counts)


def _should_warn(limit: Limit, counts: Counts) -> bool:
    rate = counts.rate(limit.trouble)
    enough = counts.messages(limit.trouble) >= LEAST_MESSAGES and counts.of(limit.trouble) >= limit.least
    return enough and rate is not None and rate >= limit.warning


def _must_stop(limit: Limit, counts: Counts) -> bool:
    """The rate is over the limit, and that it is over the warning is no accident of a small sample."""
    rate = counts.rate(limit.trouble)
    if rate is None or rate < limit.pause or not _should_warn(limit, counts):
        return False
    return surely_above(counts.of(limit.trouble), counts.messages(limit.trouble)) > limit.warning


def surely_above(troubled: int, messages: int) -> float:
    """The share that the true one is above with 95 % certainty: the lower bound of Wilson's score interval.

    E. B. Wilson, Probable Inference (1927); unlike the plain normal interval it holds for a few messages too.
    """
    if messages == 0:
        return 0.0
    square = _SURE**2
    middle = troubled + square / 2
    spread = _SURE * math.sqrt(troubled * (messages - troubled) / messages + square / 4)
    return max(0.0, (middle - spread) / (messages + square))


def _text(limit: Limit, level: BrakeLevel, counts: Counts) -> str:
    troubled, messages = counts.of(limit.trouble), counts.messages(limit.trouble)
    numbers = (
        f"{troubled:,} of {messages:,} messages of the last {WINDOW.days} days {limit.happened}: "
        f"{_percent(troubled / messages)}"
    )
    if level is BrakeLevel.WARNING:
        return f"{numbers}. At {_percent(limit.pause)} sending stops by itself. {limit.advice}."
    return (
        f"{numbers}, and {_percent(limit.pause)} is the most. {limit.advice}; "
        "then ask the operator of the service to lift the brake."
    )


def _percent(share: float) -> str:
    return f"{share * 100:.2f}".rstrip("0").rstrip(".") + " %"
