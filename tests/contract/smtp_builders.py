"""Lines, envelopes and senders for the tests of the SMTP adapter."""

from collections.abc import Iterator
from contextlib import contextmanager

from chalicelib.adapters.smtp import SmtpSender, Timeouts
from chalicelib.domain.delivery import Connected, Envelope, Message, Outcome
from chalicelib.domain.line import Line, Security, SmtpChannel
from tests.contract.faulty_smtp import PASSWORD, USER

SHORT = Timeouts(resolve=2, connect=0.5, opening=0.7, command=0.4, body=0.6, final=0.4, goodbye=0.3)
PATIENT = Timeouts(
    10, 10, 20, 20, 20, 20, 20, 20
)  # where nothing has to run out: a busy machine fails no test
ENVELOPE = Envelope("from@example.com", "to@example.org")
MESSAGE = b"Subject: hello\r\n\r\nFirst line\r\n"


def line(port: int, security: Security = Security.NONE, *, user: str = USER, host: str = "localhost") -> Line:
    return Line("line-1", "Office", SmtpChannel(host, port, security, user), "from@example.com")


class End:
    """The end that many messages share: so many lines, read as often as somebody wants them."""

    lines = b"x" * 70 + b"\r\n"

    def __init__(self, count: int) -> None:
        self._count = count

    def __len__(self) -> int:
        return self._count * len(self.lines)

    def __iter__(self) -> Iterator[bytes]:
        yield from [self.lines] * self._count


@contextmanager
def sending(ca_file: str | None = None, timeouts: Timeouts = PATIENT) -> Iterator[SmtpSender]:
    sender = SmtpSender(ca_file, timeouts)
    try:
        yield sender
    finally:
        sender.close()


def send(
    sender: SmtpSender, to: Line, message: Message = MESSAGE, envelope: Envelope = ENVELOPE
) -> Outcome | Connected:
    """What the sender's step does: connect, and if that worked, deliver."""
    connected = sender.connect(to, PASSWORD)
    if not isinstance(connected, Connected):
        return connected
    return sender.deliver(to, envelope, message, lambda: True)
