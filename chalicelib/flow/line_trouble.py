"""Line trouble: what a sender does about a line that fails, rests or falls silent, and when it works again.

A failing line never costs a contact: whoever met the failure goes back; the line rests or goes out of use.
"""

from contextlib import suppress
from datetime import datetime

from chalicelib.domain.delivery import Reason, Refused, Scope, Stage, TryLater
from chalicelib.domain.retry import LINE_WAITS, RATE_WAIT, line_wait
from chalicelib.errors import NotFound
from chalicelib.ports import Clock, LineStore, PaceStore

PASSES_BY_ITSELF = frozenset({"sending_quota_used_up"})  # nothing is wrong with the line
_ABOUT_A_MESSAGE = (Stage.RCPT, Stage.DATA)

LineKey = tuple[str, str]  # account id, line id


class LineTrouble:
    """What one process of senders has met on its lines; what others need to know is in the stores."""

    def __init__(self, pace: PaceStore, lines: LineStore, clock: Clock) -> None:
        self._pace = pace
        self._lines = lines
        self._clock = clock
        self._troubled: set[LineKey] = set()
        self._resting: dict[LineKey, datetime] = {}
        self._silent_to: dict[LineKey, str] = {}

    def rests(self, key: LineKey) -> bool:
        """Whether this process knows that nothing may leave through the line for now."""
        now = self._clock.now()
        return now < self._resting.get(key, now)

    def worked(self, key: LineKey) -> None:
        """Forget failures this process has seen; a write for every message would cost more than it tells."""
        self._silent_to.pop(key, None)
        if key in self._troubled:
            self._pace.line_worked(*key)
            self._troubled.discard(key)

    def failed(self, key: LineKey, outcome: TryLater | Refused) -> None:
        """Let the line rest, or take it out of use."""
        now = self._clock.now()
        self._troubled.add(key)
        if isinstance(outcome, Refused):
            self.take_out_of_use(key, outcome.reason)
        elif outcome.scope is Scope.RATE or outcome.reason.code in PASSES_BY_ITSELF:
            self._rest(key, now + max(RATE_WAIT, outcome.after or RATE_WAIT))
        else:
            failures = self._pace.line_failed(*key, now, now + LINE_WAITS[0])
            self._resting[key] = now + LINE_WAITS[0]
            wait = line_wait(failures, outcome.after) if failures else LINE_WAITS[0]
            if wait is None:
                self.take_out_of_use(key, outcome.reason)
            elif failures and wait > LINE_WAITS[0]:
                self._rest(key, now + wait)

    def fell_silent(self, key: LineKey, contact_id: str, reason: Reason) -> bool:
        """Whether the server left two contacts in a row without an answer before the final dot.

        One such silence may be about the recipient or the message; the second one, to somebody else, is
        about the line. Any word of the server ends the row.
        """
        if reason.stage not in _ABOUT_A_MESSAGE or reason.reply_code is not None:
            self._silent_to.pop(key, None)
            return False
        return self._silent_to.setdefault(key, contact_id) != contact_id

    def take_out_of_use(self, key: LineKey, reason: Reason) -> None:
        """Nothing leaves through it until a person has connected it again."""
        with suppress(NotFound):
            connection = self._lines.get(*key).connection
            self._lines.set_connection(*key, connection.failed(self._clock.now(), reason))

    def _rest(self, key: LineKey, until: datetime) -> None:
        self._pace.rest_line(*key, until)
        self._resting[key] = until
