"""The lines' SMTP servers: one warm connection for each line, and the proof that a line works."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from chalicelib.adapters.smtp.connection import SmtpConnection
from chalicelib.adapters.smtp.dial import Resolver, resolve
from chalicelib.adapters.smtp.dialogue import Failed
from chalicelib.adapters.smtp.opening import Network, Timeouts, open_dialogue, trust
from chalicelib.domain.delivery import Connected, Envelope, Message, Outcome, Reason, Refused, Stage, TryLater
from chalicelib.domain.line import Connection, ConnectionState, Line, SmtpChannel
from chalicelib.domain.return_path import sample_sender

MOST_WARM = 16  # connections one process keeps; the one unused for longest is closed first

_CLOSING = 421


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class _Warm:
    channel: SmtpChannel
    password: str = field(repr=False)  # to reconnect when the server hung up on a rested connection
    connection: SmtpConnection

    def serves(self, channel: SmtpChannel, password: str) -> bool:
        return (self.channel, self.password) == (channel, password) and self.connection.alive()


class SmtpSender:
    """Not for several threads. Call `connect`, then `deliver`, for each message.

    ``ca_file``: PEM file of authorities trusted besides the system's. ``resolver`` decides which addresses
    may be dialled at all; ``now`` stamps a proof, in UTC. Nothing the network does is raised; a missing
    ``ca_file`` is (OSError).
    """

    def __init__(
        self,
        ca_file: str | None = None,
        timeouts: Timeouts | None = None,
        resolver: Resolver = resolve,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._now = now
        self._network = Network(trust(ca_file), resolver, timeouts or Timeouts())
        self._warm: dict[str, _Warm] = {}

    @property
    def timeouts(self) -> Timeouts:
        """The times in force; ``hand_over`` is what a go-ahead has to leave room for."""
        return self._network.timeouts

    def connect(self, line: Line, password: str) -> Connected | TryLater | Refused:
        """Opens the line's connection, or makes sure of the one it has. Sends no part of a message."""
        warm = self._warm.pop(line.line_id, None)
        if warm is None:
            return self._open(line, password)
        if not warm.serves(_server(line), password):
            warm.connection.close()
            return self._open(line, password)
        self._warm[line.line_id] = warm  # last in the order: most recently used
        return Connected(warm.connection.size_limit)

    def deliver(
        self,
        line: Line,
        envelope: Envelope,
        message: Message,
        go_ahead: Callable[[], bool],
    ) -> Outcome:
        """Hands one message over on the connection that `connect` made ready, see `SmtpConnection.deliver`.

        A server that hung up since the previous message is called once more: nothing was said yet. All of
        it up to the go-ahead takes ``timeouts.addressing`` at most.
        Raises LookupError when `connect` was not called or did not return Connected.
        """
        warm = self._warm[line.line_id]
        first_use = warm.connection.fresh
        addressed_by = time.monotonic() + self.timeouts.addressing
        outcome = self._deliver(line, envelope, message, go_ahead, addressed_by)
        left = addressed_by - time.monotonic()
        if first_use or not _hung_up(outcome) or left <= 0:
            return outcome
        opened = self._open(line, warm.password, self.timeouts.within(left))
        if not isinstance(opened, Connected):
            return opened
        return self._deliver(line, envelope, message, go_ahead, addressed_by)

    def prove(self, line: Line, password: str) -> Connection:
        """Tries all but a message: resolve, connect, TLS, EHLO, AUTH, SIZE, MAIL FROM as in its messages.

        On a connection of its own. The reason of a failure names the stage and what to do.
        """
        try:
            connection = self._dial(_server(line), password, self.timeouts)
        except Failed as failed:
            return self._unproven(failed.verdict.reason)
        problem = connection.try_sender(sample_sender(line))
        connection.close()
        if problem is not None:
            return self._unproven(problem.reason)
        return Connection(ConnectionState.CONNECTED, self._now(), size_limit=connection.size_limit)

    def close(self) -> None:
        """Says goodbye on all warm connections."""
        while self._warm:
            self._warm.popitem()[1].connection.close()

    def _unproven(self, reason: Reason) -> Connection:
        return Connection(ConnectionState.FAILED, self._now(), reason)

    def _open(
        self, line: Line, password: str, timeouts: Timeouts | None = None
    ) -> Connected | TryLater | Refused:
        while len(self._warm) >= MOST_WARM:
            self._warm.pop(next(iter(self._warm))).connection.close()
        try:
            connection = self._dial(_server(line), password, timeouts or self.timeouts)
        except Failed as failed:
            return failed.verdict
        self._warm[line.line_id] = _Warm(_server(line), password, connection)
        return Connected(connection.size_limit)

    def _dial(self, channel: SmtpChannel, password: str, timeouts: Timeouts) -> SmtpConnection:
        dialogue, extensions = open_dialogue(channel, password, replace(self._network, timeouts=timeouts))
        return SmtpConnection(dialogue, extensions, self.timeouts)

    def _deliver(
        self,
        line: Line,
        envelope: Envelope,
        message: Message,
        go_ahead: Callable[[], bool],
        addressed_by: float,
    ) -> Outcome:
        connection = self._warm[line.line_id].connection
        try:
            return connection.deliver(envelope, message, go_ahead, addressed_by)
        finally:
            if not connection.is_open:
                del self._warm[line.line_id]


def _hung_up(outcome: Outcome) -> bool:
    """MAIL got no answer, or only the farewell of a server that had waited (or carried) enough."""
    return (
        isinstance(outcome, TryLater)
        and outcome.reason.stage is Stage.MAIL
        and outcome.reason.reply_code in (None, _CLOSING)
    )


def _server(line: Line) -> SmtpChannel:
    if isinstance(line.channel, SmtpChannel):
        return line.channel
    raise TypeError("this line sends through no SMTP server")
