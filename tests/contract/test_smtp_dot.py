"""The dot that never left, on real sockets: what is certain of it, and what isn't."""

import os
import socket
import ssl
import time
from collections.abc import Iterator

import pytest
import trustme

from chalicelib.adapters.smtp import Timeouts
from chalicelib.adapters.smtp.connection import SmtpConnection
from chalicelib.adapters.smtp.dialogue import Dialogue
from chalicelib.adapters.smtp.extensions import Extensions
from chalicelib.adapters.smtp.wire import Wire
from chalicelib.domain.delivery import LongMessage, Outcome, Scope, TryLater, Unknown
from chalicelib.domain.smtp_rules import CONNECTION_LOST
from tests.contract.faulty_smtp import FaultySmtp, hang
from tests.contract.smtp_builders import ENVELOPE, MESSAGE, End

BRIEF = Timeouts(10, 10, 20, 20, 20, 20, goodbye=0.5)


class EndThenSilence(End):
    """After its last line nothing more can be written, though the server is still there."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(20)
        self._same = socket.socket(fileno=os.dup(sock.fileno()))  # so that TLS knows nothing of it

    def __iter__(self) -> Iterator[bytes]:
        yield from super().__iter__()
        self._same.shutdown(socket.SHUT_WR)
        self._same.close()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def deliver(server: FaultySmtp, tls: ssl.SSLContext | None = None) -> Outcome:
    sock = socket.create_connection(("127.0.0.1", server.port))
    end = EndThenSilence(sock)
    wire = Wire(sock)
    if tls is not None:
        wire.start_tls(tls, "localhost", time.monotonic() + 10)
    wire.read_reply(time.monotonic() + 10)
    connection = SmtpConnection(Dialogue(wire, 20), Extensions({}), BRIEF)
    outcome = connection.deliver(ENVELOPE, LongMessage(MESSAGE, end), lambda: True)
    assert not connection.is_open
    return outcome


def test_a_dot_of_which_no_byte_was_taken_is_no_hand_over() -> None:
    with FaultySmtp({"body": [hang]}) as server:
        outcome = deliver(server)
    assert isinstance(outcome, TryLater)
    assert (outcome.reason.code, outcome.scope) == (CONNECTION_LOST, Scope.CONTACT)
    assert server.accepted == []


def test_over_tls_nobody_can_be_sure_of_that(authority: trustme.CA) -> None:
    """A record that failed may be in the library or on its way, so it stays a doubt."""
    ours, theirs = ssl.create_default_context(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.configure_trust(ours)
    authority.issue_cert("localhost").configure_cert(theirs)
    with FaultySmtp({"body": [hang]}, tls=theirs, implicit=True) as server:
        assert isinstance(deliver(server, ours), Unknown)
