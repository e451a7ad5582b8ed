"""One signed-in connection that carries messages one after another, each with exactly one outcome."""

import math
import time
from collections.abc import Callable
from contextlib import suppress

from chalicelib.adapters.smtp.body import on_the_wire, size
from chalicelib.adapters.smtp.dialogue import Dialogue, Failed, denial
from chalicelib.adapters.smtp.envelope import Opening, mail_from, opening
from chalicelib.adapters.smtp.extensions import Extensions
from chalicelib.adapters.smtp.opening import Timeouts
from chalicelib.adapters.smtp.wire import UnsentError, WireError
from chalicelib.domain.delivery import (
    Accepted,
    Envelope,
    Message,
    Outcome,
    Refused,
    Stage,
    TryLater,
    Unknown,
    Withheld,
    obstacle,
    time_to_carry,
)
from chalicelib.domain.smtp_replies import classify, refusal, split_reply

PROBE_AFTER = 5.0  # seconds of rest after which the connection is asked whether it still lives

_OK, _GO_ON, _CLOSING = 250, 354, 421
_TAKEN = (250, 251, 252)  # for RCPT: here, forwarded, not verified (RFC 5321, 4.3.2)
_POSITIVE = 2


class SmtpConnection:
    """Not for several threads. Once `is_open` is False it stays so; the sender then opens another."""

    def __init__(self, dialogue: Dialogue, extensions: Extensions, timeouts: Timeouts) -> None:
        self._dialogue = dialogue
        self._wire = dialogue.wire
        self._extensions = extensions
        self._timeouts = timeouts
        self._last_used = time.time()
        self.fresh = True  # no message was tried on it yet

    @property
    def is_open(self) -> bool:
        """Whether another message may be tried on it."""
        return self._wire.is_open

    @property
    def size_limit(self) -> int | None:
        """The most octets of a message the server announced (RFC 1870), if any."""
        return self._extensions.size_limit

    def supports(self, extension: str) -> bool:
        """Whether the server announced the EHLO keyword, given in capitals."""
        return self._extensions.offers(extension)

    def alive(self) -> bool:
        """Whether it can be used again. After a rest this costs a round trip (NOOP); never raises."""
        if not self.is_open or self._wire.interrupted():
            return False
        # Wall clock: the monotonic one of a frozen Lambda may stand still while the server counts on.
        rest = time.time() - self._last_used
        return 0 <= rest < PROBE_AFTER or self._agrees(b"NOOP")

    def deliver(
        self,
        envelope: Envelope,
        message: Message,
        go_ahead: Callable[[], bool],
        addressed_by: float = math.inf,
    ) -> Outcome:
        """Hands one message over. ``go_ahead`` is asked once, after the recipient was taken and before DATA.

        ``addressed_by``: the instant of `time.monotonic` when the server's word on it has to be here.

        The server's no, silence and nonsense are outcomes, and so is an exception before the final dot, from
        ``go_ahead`` or a file of ``message`` that can't be read: the connection is given up without that dot.
        """
        length = size(message) if isinstance(message, bytes) else len(message)
        commands = opening(envelope, length, self._extensions)
        if isinstance(commands, Refused):
            return commands
        self.fresh = False
        outcome: Outcome | None = None
        try:
            outcome = self._transaction(commands, message, go_ahead, addressed_by)
        except Failed as failed:
            outcome = failed.verdict
        finally:
            if outcome is None:  # an exception after the dot: nobody knows where the dialogue stands
                self._wire.close()
        self._settle(outcome)
        return outcome

    def try_sender(self, address: str) -> TryLater | Refused | None:
        """What the server says to MAIL FROM this address, taken back at once; None when it agrees."""
        command = mail_from(address, self._extensions)
        if isinstance(command, Refused):
            return command
        try:
            self._dialogue.ask(Stage.MAIL, command, _OK)
        except Failed as failed:
            return failed.verdict
        self._agrees(b"RSET")
        return None

    def close(self) -> None:
        """Says QUIT without insisting on an answer; nothing that happens here concerns a message."""
        if self.is_open:
            self._agrees(b"QUIT")
        self._wire.close()

    def _transaction(
        self, commands: Opening, message: Message, go_ahead: Callable[[], bool], addressed_by: float
    ) -> Outcome:
        with self._dialogue.until(addressed_by):
            self._address(commands)
        to = commands.recipient
        return obstacle(go_ahead) or self._write_body(message, to) or self._end_of_message(to)

    def _address(self, commands: Opening) -> None:
        """MAIL and RCPT, in one packet where the server allows (RFC 2920). Raises Failed."""
        if not self.supports("PIPELINING"):
            self._dialogue.ask(Stage.MAIL, commands.mail, _OK)
            self._dialogue.say(Stage.RCPT, commands.rcpt)
        else:
            self._dialogue.say(Stage.MAIL, commands.mail + b"\r\n" + commands.rcpt)
            self._answer_to_mail()
        reply = self._dialogue.hear(Stage.RCPT)
        if reply.code not in _TAKEN:
            raise denial(Stage.RCPT, reply, commands.recipient)

    def _answer_to_mail(self) -> None:
        reply = self._dialogue.hear(Stage.MAIL)
        if reply.code == _OK:
            return
        if reply.code != _CLOSING:
            with suppress(Failed):
                self._dialogue.hear(Stage.RCPT)  # a refused MAIL is followed by the refusal of its RCPT
        raise denial(Stage.MAIL, reply)

    def _write_body(self, message: Message, recipient: str) -> Outcome | None:
        """DATA and all but the dot that ends it; the outcome if the message broke off or the server spoke."""
        more = time_to_carry(len(message)).total_seconds()
        deadline = time.monotonic() + self._timeouts.body + more
        with self._dialogue.until(deadline):
            self._dialogue.say(Stage.DATA, b"DATA")
            reply = self._dialogue.hear(Stage.DATA)
        if reply.code != _GO_ON:
            raise denial(Stage.DATA, reply, recipient)
        try:
            for piece in on_the_wire(message):
                if self._wire.interrupted():  # seldom, but it spares the rest of a message that is refused
                    break
                self._wire.write(piece, deadline)
        except WireError:
            return self._last_words(recipient)
        except Exception as error:  # noqa: BLE001  (such as a file that can't be read: without its dot it is no message)
            self._wire.close()
            return Withheld(error)
        return self._last_words(recipient) if self._wire.interrupted() else None

    def _last_words(self, recipient: str) -> Outcome:
        """Before the dot nothing can be accepted, unless the server says it did: then nobody knows what."""
        try:
            reply = self._wire.read_reply(time.monotonic() + self._timeouts.goodbye)
        except WireError:
            return refusal(Stage.DATA, None, None, "")
        finally:
            self._wire.close()
        if reply.code // 100 == _POSITIVE:
            return classify(Stage.DOT, None, None, "")
        return refusal(Stage.DATA, reply.code, *split_reply(reply.lines), recipient)

    def _end_of_message(self, recipient: str) -> Outcome:
        """The hand-over: once it is written the server may have the message, and only its reply can tell."""
        deadline = time.monotonic() + self._timeouts.final
        try:
            self._wire.write(b".\r\n", deadline)
            reply = self._wire.read_reply(deadline)
        except UnsentError:
            return self._last_words(recipient)
        except WireError:
            self._wire.close()
            return classify(Stage.DOT, None, None, "")
        return classify(Stage.DOT, reply.code, *split_reply(reply.lines), recipient)

    def _settle(self, outcome: Outcome) -> None:
        """Leaves the connection between two transactions, or closed."""
        self._last_used = time.time()
        if not self.is_open or isinstance(outcome, Accepted):
            return
        if isinstance(outcome, Withheld):
            self._reset()
        elif isinstance(outcome, Unknown) or outcome.reason.reply_code in (None, _CLOSING):
            self._wire.close()
        elif outcome.reason.stage is not Stage.DOT:
            self._reset()

    def _reset(self) -> None:
        if not self._agrees(b"RSET"):
            self._wire.close()

    def _agrees(self, command: bytes) -> bool:
        """Whether a command that concerns no message is answered with 250, and soon."""
        with suppress(Failed), self._dialogue.until(time.monotonic() + self._timeouts.goodbye):
            self._dialogue.ask(Stage.EHLO, command, _OK)
            return True
        return False
