"""Command and reply, each at a stage: whatever goes wrong becomes a verdict that knows when it happened."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager

from chalicelib.adapters.smtp.wire import GarbledError, Reply, Wire, WireError
from chalicelib.domain.credentials import Credentials
from chalicelib.domain.delivery import Refused, Stage, TryLater
from chalicelib.domain.smtp_replies import refusal, split_reply, unreadable


class Failed(Exception):
    """The dialogue ended before the hand-over; ``verdict`` says what that means."""

    def __init__(self, verdict: TryLater | Refused) -> None:
        super().__init__(verdict.reason.code)
        self.verdict = verdict


class Dialogue:
    """A conversation up to, and not including, the final dot. ``patience``: seconds for each reply."""

    def __init__(self, wire: Wire, patience: float) -> None:
        self.wire = wire
        self._patience = patience
        self._limit = math.inf

    @contextmanager
    def until(self, deadline: float) -> Iterator[None]:
        """Within it nothing is awaited beyond this instant of `time.monotonic`, however many replies."""
        self._limit = deadline
        try:
            yield
        finally:
            self._limit = math.inf

    def deadline(self) -> float:
        """When the next reply has to be complete."""
        return min(time.monotonic() + self._patience, self._limit)

    def ask(self, stage: Stage, command: bytes, expect: int, signing_in: Credentials | None = None) -> Reply:
        """Sends one command line and returns the reply with the code expected. Raises Failed.

        ``signing_in``: with what; its password is struck out of what the server says.
        """
        self.say(stage, command)
        reply = self.hear(stage)
        if signing_in is not None:
            reply = Reply(reply.code, tuple(map(signing_in.strike_out, reply.lines)))
        return require(stage, reply, expect)

    def say(self, stage: Stage, command: bytes) -> None:
        """Sends one or more command lines; the line end of the last is added. Raises Failed."""
        if self.wire.has_unread:  # every later reply would be taken for the answer to another command
            self.wire.close()
            raise Failed(unreadable(stage))
        try:
            self.wire.write(command + b"\r\n", self.deadline())
        except WireError as error:
            raise self._silence(stage, error) from error

    def hear(self, stage: Stage) -> Reply:
        """The next reply, whatever its code. Raises Failed."""
        try:
            return self.wire.read_reply(self.deadline())
        except WireError as error:
            raise self._silence(stage, error) from error

    def _silence(self, stage: Stage, error: WireError) -> Failed:
        self.wire.close()
        return Failed(
            unreadable(stage) if isinstance(error, GarbledError) else refusal(stage, None, None, "")
        )


def require(stage: Stage, reply: Reply, expect: int) -> Reply:
    """The reply itself when its code is the one expected. Raises Failed."""
    if reply.code != expect:
        raise denial(stage, reply)
    return reply


def denial(stage: Stage, reply: Reply, recipient: str = "") -> Failed:
    """A reply that is not the one needed, as the end of the dialogue. It may quote the ``recipient``."""
    return Failed(refusal(stage, reply.code, *split_reply(reply.lines), recipient))
