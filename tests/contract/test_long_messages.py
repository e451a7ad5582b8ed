"""Messages whose end is shared: what servers get of them, and what they are told before."""

from chalicelib.domain.delivery import Accepted, LongMessage, Refused
from chalicelib.domain.line import Line, SesChannel
from tests.contract.faulty_ses import MESSAGE_ID, FaultySes
from tests.contract.faulty_smtp import FaultySmtp, drop
from tests.contract.smtp_builders import ENVELOPE, End, line, send, sending
from tests.contract.test_ses_sending import sender as ses_sender

OWN = b"Subject: hello\r\n\r\n.first line\r\nlast line\r\n"
LONG = LongMessage(OWN, End(10_000))


def test_a_server_gets_both_parts_and_knows_the_size_before() -> None:
    with FaultySmtp() as server, sending() as sender:
        assert isinstance(send(sender, line(server.port), LONG), Accepted)
        assert isinstance(send(sender, line(server.port), LONG), Accepted)
    assert server.accepted == [bytes(LONG)] * 2
    assert any(b"SIZE=%d" % len(bytes(LONG)) in command for command in server.commands)


def test_what_a_server_says_it_does_not_take_is_not_begun() -> None:
    with FaultySmtp(extensions=["SIZE 700000"]) as server, sending() as sender:
        refused = send(sender, line(server.port), LONG)
    assert isinstance(refused, Refused)
    assert refused.reason.code == "message_too_large"
    assert b"DATA" not in server.commands


def test_a_rested_connection_that_hung_up_is_opened_again_for_it() -> None:
    with FaultySmtp({"mail": [None, drop]}) as server, sending() as sender:
        send(sender, line(server.port), LONG)
        assert isinstance(send(sender, line(server.port), LONG), Accepted)
    assert server.accepted == [bytes(LONG)] * 2


def test_ses_gets_it_in_one_call() -> None:
    to = Line("l1", "SES", SesChannel("shop.example"), "news@shop.example")
    with FaultySes() as server:
        outcome = ses_sender(server.endpoint).deliver(to, ENVELOPE, LONG, lambda: True)
        assert outcome == Accepted(MESSAGE_ID)
        assert [request.message for request in server.requests] == [bytes(LONG)]


def test_ses_is_not_given_more_than_40_mb() -> None:
    to = Line("l1", "SES", SesChannel("shop.example"), "news@shop.example")
    with FaultySes() as server:
        too_long = LongMessage(OWN, End(600_000))
        refused = ses_sender(server.endpoint).deliver(to, ENVELOPE, too_long, lambda: True)
        assert isinstance(refused, Refused)
        assert server.requests == []
