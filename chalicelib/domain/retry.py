"""How long to wait before trying again, after a failure that is known not to have reached anybody."""

from datetime import timedelta

CONTACT_WAITS = tuple(timedelta(minutes=m) for m in (5, 10, 15, 30, 60, 120, 240))
LINE_WAITS = tuple(timedelta(minutes=m) for m in (1, 2, 5, 10))  # the fifth failure in a row is the last
RATE_WAIT = timedelta(seconds=30)
_JITTER = 0.2


def contact_wait(failures: int, hint: timedelta | None, draw: float) -> timedelta | None:
    """The wait before a contact's next attempt; None when it has had them all.

    ``failures`` counts passing failures so far (from 1), ``hint`` is the server's own wish and only ever
    lengthens the wait, ``draw`` in [0, 1) spreads it by ±20 % so that a batch doesn't come back as one.
    """
    if failures > len(CONTACT_WAITS):
        return None
    wait = CONTACT_WAITS[failures - 1] * (1 - _JITTER + 2 * _JITTER * draw)
    return max(wait, hint) if hint else wait


def line_wait(failures: int, hint: timedelta | None) -> timedelta | None:
    """How long a line rests after its ``failures``-th failure in a row (from 1); None: stop using it."""
    if failures > len(LINE_WAITS):
        return None
    wait = LINE_WAITS[failures - 1]
    return max(wait, hint) if hint else wait
