"""One connection for many messages: when it is used again, when it is opened anew, and the envelope."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.adapters.smtp import connection as connection_module
from chalicelib.adapters.smtp import sender as sender_module
from chalicelib.adapters.smtp.opening import Timeouts
from chalicelib.domain.delivery import (
    Accepted,
    Connected,
    LongMessage,
    Refused,
    Scope,
    Stage,
    TryLater,
    Unknown,
    Withheld,
)
from chalicelib.domain.line import Line, SmtpChannel
from chalicelib.flow.composed import ADDRESSING, HAND_OVER
from tests.contract.faulty_smtp import (
    EXTENSIONS,
    PASSWORD,
    USER,
    Fault,
    FaultySmtp,
    drip,
    drop,
    hang,
    say,
    swallow,
    then,
)
from tests.contract.smtp_builders import ENVELOPE, MESSAGE, PATIENT, SHORT, End, line, send, sending


def test_messages_of_a_line_share_a_connection() -> None:
    with FaultySmtp() as server, sending() as sender:
        outcomes = [send(sender, line(server.port)) for _ in range(5)]
    assert outcomes == [Accepted("4XYZ1234", "Ok: queued as 4XYZ1234")] * 5
    assert server.connections == 1
    assert len(server.accepted) == 5


def test_connect_tells_the_size_limit() -> None:
    with FaultySmtp() as server, sending() as sender:
        assert sender.connect(line(server.port), PASSWORD) == Connected(20_000_000)
        assert sender.connect(line(server.port), PASSWORD) == Connected(20_000_000)
    with FaultySmtp(extensions=["SIZE"]) as server, sending() as sender:
        assert sender.connect(line(server.port), PASSWORD) == Connected(None)


def test_other_settings_or_another_password_get_another_connection() -> None:
    with FaultySmtp() as server, sending() as sender:
        sender.connect(line(server.port), PASSWORD)
        refused = sender.connect(line(server.port), "another")
        assert isinstance(refused, Refused)
        assert refused.reason.code == "credentials_rejected"
        assert sender.connect(line(server.port, user=""), PASSWORD) == Connected(20_000_000)
    assert server.connections == 3


def test_only_so_many_connections_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender_module, "MOST_WARM", 2)
    with FaultySmtp() as server, sending() as sender:
        for name in ("a", "b", "a", "c", "a", "b"):
            channel = SmtpChannel("localhost", server.port, line(1).channel.security, USER)
            sender.connect(Line(name, name, channel, "from@example.com"), PASSWORD)
    assert server.connections == 4, "b was the one unused for longest"


@pytest.mark.parametrize("farewell", [b"", b"421 4.4.2 idle too long\r\n"])
def test_a_server_that_hangs_up_between_messages_is_called_again(farewell: bytes) -> None:
    faults = {"kept": [then(say(b"250 Ok\r\n" + farewell), drop)]}
    with FaultySmtp(faults) as server, sending() as sender:
        assert isinstance(send(sender, line(server.port)), Accepted)
        server.sessions[0].join()
        sender.connect(line(server.port), PASSWORD)
        assert server.connections == 2, "it is noticed before anything is claimed"
        assert isinstance(send(sender, line(server.port)), Accepted)
    assert server.connections == 2
    assert len(server.accepted) == 2


@pytest.mark.parametrize("fault", [drop, hang, then(say(b"421 4.7.0 enough for today\r\n"), drop)])
def test_a_rested_connection_that_dies_at_mail_is_replaced_once(fault: Fault | None) -> None:
    asked: list[str] = []

    def agree() -> bool:
        asked.append("once")
        return True

    with FaultySmtp({"mail": [None, fault]}) as server, sending(None, SHORT) as sender:
        assert isinstance(send(sender, line(server.port)), Accepted)
        sender.connect(line(server.port), PASSWORD)
        outcome = sender.deliver(line(server.port), ENVELOPE, MESSAGE, agree)
    assert isinstance(outcome, Accepted)
    assert asked == ["once"]
    assert server.connections == 2
    assert len(server.accepted) == 2


def test_after_a_doubt_the_connection_is_not_used_again() -> None:
    with FaultySmtp({"kept": [say(b"354 Go\r\n")]}) as server, sending() as sender:
        assert isinstance(send(sender, line(server.port)), Unknown)
        assert isinstance(send(sender, line(server.port)), Accepted)
    assert server.connections == 2


def test_a_server_that_dies_at_every_mail_is_not_called_for_ever() -> None:
    with FaultySmtp({"mail": [None, drop, drop, drop]}) as server, sending() as sender:
        assert isinstance(send(sender, line(server.port)), Accepted)
        outcome = send(sender, line(server.port))
    assert isinstance(outcome, TryLater)
    assert outcome.scope is Scope.LINE
    assert server.connections == 2


@pytest.fixture
def probing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_module, "PROBE_AFTER", 0.0)


@pytest.mark.parametrize("fault", [None, drop, hang, say(b"421 bye\r\n")])
@pytest.mark.usefixtures("probing")
def test_after_a_rest_the_connection_is_asked_first(fault: Fault | None) -> None:
    with FaultySmtp({"noop": [fault]}) as server, sending(None, SHORT) as sender:
        assert isinstance(send(sender, line(server.port)), Accepted)
        assert isinstance(send(sender, line(server.port)), Accepted)
    assert server.verbs.count("NOOP") == 1
    assert server.connections == (1 if fault is None else 2)
    assert len(server.accepted) == 2


@pytest.mark.parametrize("extensions", [EXTENSIONS, ("SIZE 1000",)], ids=["pipelined", "one by one"])
@pytest.mark.parametrize("at", ["mail", "rcpt", "data", "dot"])
def test_a_refused_message_does_not_spoil_the_next(at: str, extensions: tuple[str, ...]) -> None:
    with FaultySmtp({at: [say(b"550 5.1.1 no\r\n")]}, extensions) as server, sending() as sender:
        assert isinstance(send(sender, line(server.port)), Refused)
        assert isinstance(send(sender, line(server.port)), Accepted)
    assert server.connections == 1
    assert server.verbs.count("RSET") == (0 if at == "dot" else 1)
    assert server.accepted == [MESSAGE]


@pytest.mark.parametrize("fault", [drop, hang, say(b"500 what?\r\n")])
def test_a_reset_that_fails_costs_only_the_connection(fault: Fault | None) -> None:
    faults: dict[str, list[Fault | None]] = {"rcpt": [say(b"550 5.1.1 no\r\n")], "rset": [fault]}
    with FaultySmtp(faults) as server, sending(None, SHORT) as sender:
        assert isinstance(send(sender, line(server.port)), Refused)
        assert isinstance(send(sender, line(server.port)), Accepted)
    assert server.connections == 2


def test_without_the_go_ahead_nothing_is_handed_over() -> None:
    asked: list[list[str]] = []

    def refuse() -> bool:
        asked.append(server.verbs)
        return False

    with FaultySmtp() as server, sending() as sender:
        sender.connect(line(server.port), PASSWORD)
        assert sender.deliver(line(server.port), ENVELOPE, MESSAGE, refuse) == Withheld()
        assert isinstance(send(sender, line(server.port)), Accepted)
    assert asked == [["EHLO", "AUTH", "MAIL", "RCPT"]]
    assert server.verbs[4:8] == ["RSET", "MAIL", "RCPT", "DATA"]
    assert server.connections == 1
    assert len(server.accepted) == 1


def test_an_exception_of_ours_in_the_middle_hands_over_nothing() -> None:
    class Failing(End):
        def __iter__(self) -> Iterator[bytes]:
            yield self.lines
            raise ZeroDivisionError

    with FaultySmtp() as server, sending() as sender:
        sender.connect(line(server.port), PASSWORD)
        outcome = sender.deliver(line(server.port), ENVELOPE, LongMessage(MESSAGE, Failing(1)), lambda: True)
        assert isinstance(outcome, Withheld)
        assert isinstance(outcome.failure, ZeroDivisionError)
        assert isinstance(send(sender, line(server.port)), Accepted)
    assert server.accepted == [MESSAGE]


def test_a_go_ahead_that_can_not_be_asked_for_hands_over_nothing() -> None:
    def fail() -> bool:
        raise TimeoutError

    with FaultySmtp() as server, sending() as sender:
        sender.connect(line(server.port), PASSWORD)
        outcome = sender.deliver(line(server.port), ENVELOPE, MESSAGE, fail)
        assert isinstance(outcome, Withheld)
        assert isinstance(outcome.failure, TimeoutError)
        assert isinstance(send(sender, line(server.port)), Accepted)
    assert server.verbs[2:6] == ["MAIL", "RCPT", "RSET", "MAIL"]
    assert server.accepted == [MESSAGE]


def test_a_server_that_is_silent_to_mail_is_not_called_again_once_the_time_is_up() -> None:
    """All of it has to be over while there is time for the hand-over, or the process ends in the middle."""
    times = replace(PATIENT, addressing=0.5)
    with FaultySmtp({"mail": [None, hang]}) as server, sending(None, times) as sender:
        assert isinstance(send(sender, line(server.port)), Accepted)
        outcome = send(sender, line(server.port))
        assert isinstance(outcome, TryLater)
        assert outcome.reason.stage is Stage.MAIL
    assert server.connections == 1


def test_a_server_that_is_slow_to_greet_the_second_time_is_given_up() -> None:
    times = replace(PATIENT, addressing=1)
    slow = drip(b"220 faulty.test ESMTP\r\n", 0.1)
    with FaultySmtp({"mail": [None, drop], "banner": [None, slow]}) as server, sending(None, times) as sender:
        assert isinstance(send(sender, line(server.port)), Accepted)
        outcome = send(sender, line(server.port))
        assert isinstance(outcome, TryLater)
        assert outcome.reason.stage is Stage.BANNER
    assert server.connections == 2


def test_mail_and_rcpt_share_the_time_for_both() -> None:
    times = replace(PATIENT, addressing=0.5)
    slow = [drip(b"250 2.1.0 ok\r\n", 0.03)], [drip(b"250 2.1.5 ok\r\n", 0.03)]
    with FaultySmtp({"mail": slow[0], "rcpt": slow[1]}) as server, sending(None, times) as sender:
        outcome = send(sender, line(server.port))
        assert isinstance(outcome, TryLater)
        assert outcome.reason.stage is Stage.RCPT
    assert server.accepted == []


def test_the_usual_times_fit_into_what_a_sender_leaves_for_them() -> None:
    usual = Timeouts()
    assert timedelta(seconds=usual.addressing) < ADDRESSING
    assert timedelta(seconds=usual.hand_over) <= HAND_OVER


def test_the_rest_of_a_message_the_server_refuses_is_spared() -> None:
    class InVain(End):
        def __iter__(self) -> Iterator[bytes]:
            yield from super().__iter__()
            raise AssertionError("72 MB were sent in vain")

    faults = {"body": [then(say(b"552 5.3.4 too big\r\n"), swallow)]}
    with FaultySmtp(faults, ["PIPELINING"]) as server, sending() as sender:
        sender.connect(line(server.port), PASSWORD)
        message = LongMessage(MESSAGE, InVain(1_000_000))
        outcome = sender.deliver(line(server.port), ENVELOPE, message, lambda: True)
    assert isinstance(outcome, Refused)
    assert outcome.reason.code == "message_too_large"


def test_to_deliver_without_a_connection_is_a_mistake() -> None:
    with sending() as sender, pytest.raises(LookupError):
        sender.deliver(line(1), ENVELOPE, MESSAGE, lambda: True)
