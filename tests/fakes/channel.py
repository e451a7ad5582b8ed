"""A mail server that does as it is told, recipient by recipient."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from chalicelib.domain.delivery import (
    Accepted,
    Connected,
    Envelope,
    Message,
    Outcome,
    Reason,
    Refused,
    TryLater,
    Unknown,
    Withheld,
    obstacle,
)
from chalicelib.domain.line import Connection, ConnectionState, Line

LOST_REPLY = Unknown(Reason("outcome_unknown", "The server did not answer after the hand-over."))


@dataclass(frozen=True, slots=True)
class Mail:
    """One accepted message."""

    line_id: str
    sender: str
    recipient: str
    text: bytes


class FakeEmailSender:
    """Port ``EmailSender``. ``outcomes`` are played back by recipient, then everything is accepted.

    ``before_connected`` runs while a server is dialled, ``before_data`` just before the go-ahead is asked
    for: where a pause or a deletion may come in.
    ``recipient`` is whom the message is for that was given one last.
    ``Unknown`` counts as accepted, because it may be.
    """

    def __init__(self) -> None:
        self.connects: Connected | TryLater | Refused = Connected()
        self.outcomes: dict[str, list[Outcome]] = defaultdict(list)
        self.accepted: list[Mail] = []
        self.passwords: list[str] = []
        self.recipient = ""
        self.before_connected: Callable[[], object] = lambda: None
        self.before_data: Callable[[], object] = lambda: None
        self.after_data: Callable[[], object] = lambda: None

    def connect(self, line: Line, password: str) -> Connected | TryLater | Refused:
        self.passwords.append(password)
        self.before_connected()
        return self.connects

    def deliver(
        self, line: Line, envelope: Envelope, message: Message, go_ahead: Callable[[], bool]
    ) -> Outcome:
        self.before_data()
        withheld = obstacle(go_ahead)
        if withheld is not None:
            return withheld
        self.recipient = envelope.recipient
        script = self.outcomes[envelope.recipient]
        outcome = script.pop(0) if script else Accepted()
        try:
            text = bytes(message)
        except OSError as error:
            return Withheld(error)
        if isinstance(outcome, Accepted | Unknown):
            self.accepted.append(Mail(line.line_id, envelope.sender, envelope.recipient, text))
        self.after_data()
        return outcome

    def recipients(self) -> list[str]:
        return [mail.recipient for mail in self.accepted]


class FakeProver:
    """Port ``LineProver``. ``during`` runs while it talks to the server."""

    def __init__(self) -> None:
        self.answer = Connection(ConnectionState.CONNECTED)
        self.passwords: list[str] = []
        self.during: Callable[[], object] = lambda: None

    def prove(self, line: Line, password: str) -> Connection:
        self.passwords.append(password)
        self.during()
        return self.answer
