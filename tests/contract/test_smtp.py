"""The fault matrix: where a server may fail, what we call it, and how many messages it really has."""

import re
from dataclasses import dataclass, field

import pytest

from chalicelib.adapters.smtp import Timeouts
from chalicelib.domain.delivery import Accepted, Envelope, Refused, Scope, TryLater, Unknown
from tests.contract.faulty_smtp import (
    EXTENSIONS,
    PASSWORD,
    Fault,
    FaultySmtp,
    drip,
    drop,
    hang,
    reset,
    say,
    then,
    wait,
)
from tests.contract.smtp_builders import MESSAGE, PATIENT, SHORT, line, send, sending

CONTACT, CONTENT, LINE, RATE = Scope.CONTACT, Scope.CONTENT, Scope.LINE, Scope.RATE
WITHOUT_PIPELINING = tuple(word for word in EXTENSIONS if word != "PIPELINING")
LARGE = b"Subject: large\r\n\r\n" + b"x" * 78 + b"\r\n" + (b"y" * 998 + b"\r\n") * 12_000


@dataclass(frozen=True)
class Row:
    name: str
    at: str
    fault: Fault
    outcome: type
    scope: Scope | None
    code: str
    kept: int = 0
    message: bytes = field(default=MESSAGE, repr=False)

    @property
    def timeouts(self) -> Timeouts:
        """Short where something has to run out; "inside a body" the server stops reading, too."""
        return SHORT if re.search("hang|drips|inside a body", self.name) else PATIENT


MATRIX = [
    Row("banner 554", "banner", say(b"554 5.7.1 go away\r\n"), Refused, LINE, "server_refuses_us"),
    Row("banner 421", "banner", say(b"421 4.3.2 busy\r\n"), TryLater, RATE, "server_busy"),
    Row("banner drop", "banner", drop, TryLater, LINE, "no_greeting"),
    Row("banner reset", "banner", then(wait, reset), TryLater, LINE, "no_greeting"),
    Row("banner hang", "banner", hang, TryLater, LINE, "no_greeting"),
    Row("banner of FTP", "banner", say(b"200 news\r\n"), TryLater, LINE, "not_an_smtp_server"),
    Row("banner of POP", "banner", say(b"+OK POP3 s3cret\r\n"), TryLater, LINE, "not_an_smtp_server"),
    Row("banner of HTTP", "banner", say(b"HTTP/1.1 400 x\r\n\r\n"), TryLater, LINE, "not_an_smtp_server"),
    Row(
        "banner that drips and is complete in 3 s",
        "banner",
        drip(b"220 " + b"x" * 54 + b"\r\n", 0.05),
        TryLater,
        LINE,
        "no_greeting",
    ),
    Row("EHLO drop", "ehlo", drop, TryLater, LINE, "connection_lost"),
    Row("EHLO 502", "ehlo", say(b"502 what?\r\n"), Refused, LINE, "out_of_step"),
    Row(
        "EHLO 2,000 lines",
        "ehlo",
        say(b"250-X\r\n" * 2000 + b"250 Y\r\n"),
        TryLater,
        LINE,
        "unreadable_reply",
    ),
    Row("EHLO 101 lines", "ehlo", say(b"250-X\r\n" * 100 + b"250 Y\r\n"), TryLater, LINE, "unreadable_reply"),
    Row("EHLO 70 KB", "ehlo", say(b"250 " + b"x" * 70_000 + b"\r\n"), TryLater, LINE, "unreadable_reply"),
    Row("AUTH 535", "auth", say(b"535 5.7.8 wrong\r\n"), Refused, LINE, "credentials_rejected"),
    Row("AUTH 454", "auth", say(b"454 4.7.0 later\r\n"), TryLater, LINE, "login_put_off"),
    Row("AUTH 530", "auth", say(b"530 5.7.0 first STARTTLS\r\n"), Refused, LINE, "encryption_required"),
    Row("AUTH drop", "auth", drop, TryLater, LINE, "connection_lost"),
    Row("MAIL 451", "mail", say(b"451 4.3.0 later\r\n"), TryLater, LINE, "sender_put_off"),
    Row("MAIL 421", "mail", then(say(b"421 4.4.2 bye\r\n"), drop), TryLater, RATE, "server_busy"),
    Row("MAIL 550", "mail", say(b"550 5.7.1 no\r\n"), Refused, LINE, "sender_refused"),
    Row("MAIL drop", "mail", drop, TryLater, LINE, "connection_lost"),
    Row("MAIL hang", "mail", hang, TryLater, LINE, "connection_lost"),
    Row("RCPT 450", "rcpt", say(b"450 4.2.0 greylisted\r\n"), TryLater, CONTACT, "greylisted"),
    Row("RCPT 550", "rcpt", say(b"550 5.1.1 no such user\r\n"), Refused, CONTACT, "mailbox_unknown"),
    Row("RCPT 421", "rcpt", then(say(b"421 4.3.2 bye\r\n"), drop), TryLater, RATE, "server_busy"),
    Row("RCPT hang", "rcpt", hang, TryLater, CONTACT, "connection_lost"),
    Row("RCPT drop", "rcpt", drop, TryLater, CONTACT, "connection_lost"),
    Row("RCPT garbage", "rcpt", say(b"\xff\xfe\r\n"), TryLater, CONTACT, "unreadable_reply"),
    Row("DATA drop", "data", drop, TryLater, CONTACT, "connection_lost"),
    Row("DATA hang", "data", hang, TryLater, CONTACT, "connection_lost"),
    Row("DATA 451", "data", say(b"451 4.3.0 later\r\n"), TryLater, CONTACT, "message_put_off"),
    Row("DATA 554", "data", say(b"554 5.5.1 no\r\n"), Refused, CONTACT, "message_refused"),
    Row("DATA 250", "data", say(b"250 yes?\r\n"), TryLater, CONTACT, "unreadable_reply"),
    Row("drop inside a body", "body", drop, TryLater, CONTACT, "connection_lost", message=LARGE),
    Row("reset inside a body", "body", reset, TryLater, CONTACT, "connection_lost", message=LARGE),
    Row("hang inside a body", "body", hang, TryLater, CONTACT, "connection_lost", message=LARGE),
    Row(
        "552 inside a body",
        "body",
        then(say(b"552 5.3.4 too big\r\n"), hang),
        Refused,
        CONTENT,
        "message_too_large",
        message=LARGE,
    ),
    Row(
        "250 inside a body",
        "body",
        then(say(b"250 Ok\r\n"), hang),
        Unknown,
        None,
        "outcome_unknown",
        message=LARGE,
    ),
    Row("dot 451", "dot", say(b"451 4.3.0 later\r\n"), TryLater, CONTACT, "message_put_off"),
    Row("dot 452", "dot", say(b"452 4.2.2 full\r\n"), TryLater, CONTACT, "mailbox_full"),
    Row("dot 421", "dot", then(say(b"421 4.3.2 bye\r\n"), drop), TryLater, RATE, "server_busy"),
    Row("dot 550", "dot", say(b"550 5.7.1 spam\r\n"), Refused, CONTENT, "content_refused"),
    Row("dot and drop, thrown away", "dot", drop, Unknown, None, "outcome_unknown"),
    Row("dot and drop, kept", "kept", drop, Unknown, None, "outcome_unknown", 1),
    Row("dot and reset, kept", "kept", reset, Unknown, None, "outcome_unknown", 1),
    Row("dot and hang, kept", "kept", hang, Unknown, None, "outcome_unknown", 1),
    Row("final reply binary", "kept", say(b"\xff\x00\xfe\r\n"), Unknown, None, "outcome_unknown", 1),
    Row(
        "final reply unfinished", "kept", then(say(b"250-Ok\r\n"), drop), Unknown, None, "outcome_unknown", 1
    ),
    Row(
        "final reply of two minds", "kept", say(b"250-Ok\r\n550 no\r\n"), Unknown, None, "outcome_unknown", 1
    ),
    Row("final reply 354", "kept", say(b"354 Go\r\n"), Unknown, None, "outcome_unknown", 1),
    Row(
        "final reply that drips and is complete in 3 s",
        "kept",
        drip(b"250 " + b"x" * 54 + b"\r\n", 0.05),
        Unknown,
        None,
        "outcome_unknown",
        1,
    ),
    Row("250, then drop", "kept", then(say(b"250 Ok\r\n"), drop), Accepted, None, "", 1),
    Row("250, then 421", "kept", then(say(b"250 Ok\r\n421 bye\r\n"), drop), Accepted, None, "", 1),
    Row("251 at the dot", "kept", say(b"251 Ok\r\n"), Accepted, None, "", 1),
    Row("QUIT 421", "quit", say(b"421 4.4.2 bye\r\n"), Accepted, None, "", 1),
    Row("QUIT drop", "quit", drop, Accepted, None, "", 1),
    Row("QUIT hang", "quit", hang, Accepted, None, "", 1),
]


@pytest.mark.parametrize("extensions", [EXTENSIONS, WITHOUT_PIPELINING], ids=["pipelined", "one by one"])
@pytest.mark.parametrize("row", MATRIX, ids=lambda row: row.name)
def test_every_fault_has_its_outcome(row: Row, extensions: tuple[str, ...]) -> None:
    with FaultySmtp({row.at: [row.fault]}, extensions) as server, sending(None, row.timeouts) as sender:
        outcome = send(sender, line(server.port), row.message)
    assert type(outcome) is row.outcome
    assert getattr(outcome, "scope", None) == row.scope
    if isinstance(outcome, TryLater | Refused | Unknown):
        assert outcome.reason.code == row.code
    assert len(server.accepted) == row.kept
    assert not (server.accepted and isinstance(outcome, TryLater | Refused)), "it would be sent twice"
    assert server.accepted or not isinstance(outcome, Accepted), "it would be lost"


def test_a_port_that_refuses_is_a_fault_of_the_line() -> None:
    with FaultySmtp() as server:
        port = server.port
    with sending() as sender:
        outcome = send(sender, line(port))
    assert isinstance(outcome, TryLater)
    assert (outcome.scope, outcome.reason.code) == (LINE, "connect_failed")


def test_a_refused_tcp_connection_leaves_the_next_one_possible() -> None:
    with FaultySmtp({"banner": [drop]}) as server, sending() as sender:
        assert isinstance(send(sender, line(server.port)), TryLater)
        assert isinstance(send(sender, line(server.port)), Accepted)


@pytest.mark.parametrize("text", [b"+OK POP3 s3cret\r\n", b"HTTP/1.1 400 s3cret\r\n", b"200 s3cret\r\n"])
def test_what_is_no_smtp_server_is_not_quoted(text: bytes) -> None:
    with FaultySmtp({"banner": [say(text)]}) as server, sending() as sender:
        assert "s3cret" not in repr(send(sender, line(server.port)))


@pytest.mark.parametrize("extensions", [EXTENSIONS, WITHOUT_PIPELINING], ids=["pipelined", "one by one"])
@pytest.mark.parametrize("at", ["rcpt", "data", "body", "dot"])
def test_what_a_server_quotes_of_the_recipient_concerns_no_line(at: str, extensions: tuple[str, ...]) -> None:
    refuse = (
        then(say(b"550 relay: user unknown\r\n"), hang)
        if at == "body"
        else say(b"550 relay: user unknown\r\n")
    )
    message = LARGE if at == "body" else MESSAGE
    with FaultySmtp({at: [refuse]}, extensions) as server, sending() as sender:
        to = Envelope("from@example.com", "relay@example.org")
        outcome = send(sender, line(server.port), message, to)
    assert isinstance(outcome, Refused)
    assert (outcome.scope, outcome.reason.code) == (CONTACT, "mailbox_unknown")


def test_a_reply_out_of_turn_is_never_taken_for_the_final_one() -> None:
    faults = {"data": [then(say(b"354 Go\r\n250 2.0.0 Ok: queued as FAKE\r\n"), hang)]}
    with FaultySmtp(faults) as server, sending() as sender:
        outcome = send(sender, line(server.port))
    assert isinstance(outcome, Unknown)
    assert server.accepted == []


def test_a_second_reply_to_mail_is_not_taken_for_the_one_to_rcpt() -> None:
    faults = {"mail": [say(b"250 Ok\r\n250 Ok\r\n")], "rcpt": [say(b"550 5.1.1 no such user\r\n")]}
    with FaultySmtp(faults, WITHOUT_PIPELINING) as server, sending() as sender:
        outcome = send(sender, line(server.port))
    assert isinstance(outcome, TryLater)
    assert server.accepted == []


def slow(usual: bytes) -> Fault:
    return then(*[wait] * 5, say(usual))


def test_a_server_that_is_slow_at_each_step_is_not_waited_for_beyond_the_total() -> None:
    faults = {
        "banner": [slow(b"220 Hello\r\n")],
        "ehlo": [slow(b"250-x\r\n250 AUTH PLAIN\r\n")],
        "auth": [slow(b"235 Ok\r\n")],
    }
    with FaultySmtp(faults) as server, sending(None, SHORT) as sender:
        outcome = sender.connect(line(server.port), PASSWORD)
    assert isinstance(outcome, TryLater)
    assert outcome.scope is LINE
