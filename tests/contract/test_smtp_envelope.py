"""How addresses and sizes stand in MAIL and RCPT, what is refused before a word is said, and the proof."""

from dataclasses import replace

import pytest

from chalicelib.domain.delivery import Accepted, Envelope, MessageTags, Refused, Reports, Scope
from chalicelib.domain.line import ConnectionState
from tests.contract.faulty_smtp import EXTENSIONS, PASSWORD, Fault, FaultySmtp, drop, say
from tests.contract.smtp_builders import MESSAGE, line, send, sending

TAGS = MessageTags("acc1", "camp1", "contact1", 1, 1)


def at_the_wire(recipient: str, extensions: tuple[str, ...] = EXTENSIONS) -> tuple[object, list[bytes]]:
    with FaultySmtp(extensions=extensions) as server, sending() as sender:
        outcome = send(sender, line(server.port), MESSAGE, Envelope("from@почта.example", recipient))
    return outcome, server.commands[2:4]


def test_size_and_domains_in_a_labels() -> None:
    outcome, commands = at_the_wire("to@пример.example")
    assert isinstance(outcome, Accepted)
    assert commands == [
        b"MAIL FROM:<from@xn--80a1acny.example> SIZE=%d" % len(MESSAGE),
        b"RCPT TO:<to@xn--e1afmkfd.example>",
    ]


def test_a_local_part_beyond_ascii_needs_smtputf8() -> None:
    refused, commands = at_the_wire("иван@пример.example")
    assert isinstance(refused, Refused)
    assert (refused.scope, refused.reason.code) == (Scope.CONTACT, "smtputf8_not_supported")
    assert commands == [b"QUIT"]
    outcome, commands = at_the_wire("иван@пример.example", (*EXTENSIONS, "SMTPUTF8"))
    assert isinstance(outcome, Accepted)
    assert commands[0].endswith(b" SMTPUTF8")
    assert commands[1] == "RCPT TO:<иван@xn--e1afmkfd.example>".encode()


def asked(
    recipient: str, extensions: tuple[str, ...], *, success: bool = False, tags: MessageTags | None = TAGS
) -> list[bytes]:
    """MAIL and RCPT of a message whose reports are wished for."""
    reports = Reports("01hx5m", success) if tags else None
    with FaultySmtp(extensions=extensions) as server, sending() as sender:
        envelope = Envelope("from@example.com", recipient, tags, reports)
        assert isinstance(send(sender, line(server.port), MESSAGE, envelope), Accepted)
    return server.commands[2:4]


@pytest.mark.parametrize("extensions", [("DSN",), ("PIPELINING", "DSN")])
def test_reports_are_asked_for_where_they_are_offered(extensions: tuple[str, ...]) -> None:
    assert asked("to@example.org", extensions) == [
        b"MAIL FROM:<from@example.com> RET=HDRS ENVID=01hx5m",
        b"RCPT TO:<to@example.org> NOTIFY=FAILURE,DELAY ORCPT=rfc822;to@example.org",
    ]


def test_success_is_reported_where_somebody_reads_it() -> None:
    assert b" NOTIFY=SUCCESS,FAILURE,DELAY " in asked("to@example.org", ("DSN",), success=True)[1]


@pytest.mark.parametrize(("extensions", "tags"), [((), TAGS), (("DSN",), None)])
def test_nothing_is_asked_where_nothing_is_offered_or_wished(
    extensions: tuple[str, ...], tags: MessageTags | None
) -> None:
    assert asked("to@example.org", extensions, tags=tags) == [
        b"MAIL FROM:<from@example.com>",
        b"RCPT TO:<to@example.org>",
    ]


@pytest.mark.parametrize(
    ("recipient", "original"),
    [
        ("a+b=c@example.org", b"rfc822;a+2Bb+3Dc@example.org"),
        ("to@пример.example", b"rfc822;to@xn--e1afmkfd.example"),
        ("и+1@пример.example", rb"utf-8;\x{438}\x{2B}1@xn--e1afmkfd.example"),
        ("a\\я@example.org", rb"utf-8;a\x{5C}\x{44F}@example.org"),
    ],
)
def test_the_original_address_is_written_so_that_it_survives(recipient: str, original: bytes) -> None:
    assert asked(recipient, ("DSN", "SMTPUTF8"))[1].endswith(b" NOTIFY=FAILURE,DELAY ORCPT=" + original)


def test_an_envelope_id_can_not_break_the_command() -> None:
    envelope = Envelope("from@example.com", "to@example.org", TAGS, Reports("a+b=c\r\nRSET", success=False))
    with FaultySmtp(extensions=("DSN",)) as server, sending() as sender:
        assert isinstance(send(sender, line(server.port), MESSAGE, envelope), Accepted)
    assert server.commands[2] == b"MAIL FROM:<from@example.com> RET=HDRS ENVID=a+2Bb+3Dc+0D+0ARSET"


@pytest.mark.parametrize(
    "recipient",
    [
        "",
        "to",
        "to@",
        "@example.org",
        "a b@example.org",
        "a@b>\r\nRCPT TO:<c@example.org",
        "a@\ud800.org",
        "a\x00@example.org",
        "a@b.example\x85",
        "a@" + "ü" * 70 + ".org",
        "a" * 400 + "@example.org",
    ],
)
def test_an_address_that_can_not_be_one_never_reaches_the_wire(recipient: str) -> None:
    outcome, commands = at_the_wire(recipient)
    assert isinstance(outcome, Refused)
    assert (outcome.scope, outcome.reason.code) == (Scope.CONTACT, "address_invalid")
    assert commands == [b"QUIT"]


def test_a_message_beyond_the_announced_size_is_not_begun() -> None:
    with FaultySmtp(extensions=["SIZE 100"]) as server, sending() as sender:
        outcome = send(sender, line(server.port), b"x" * 99 + b"\n")
        assert isinstance(send(sender, line(server.port), b"x" * 98 + b"\n"), Accepted)
    assert isinstance(outcome, Refused)
    assert (outcome.scope, outcome.reason.code) == (Scope.CONTENT, "message_too_large")
    assert server.verbs == ["EHLO", "AUTH", "MAIL", "RCPT", "DATA", "QUIT"]


def test_a_line_is_proven_without_a_message() -> None:
    with FaultySmtp() as server, sending() as sender:
        proof = sender.prove(line(server.port), PASSWORD)
    assert (proof.state, proof.size_limit, proof.reason) == (ConnectionState.CONNECTED, 20_000_000, None)
    assert proof.checked_at is not None
    assert proof.checked_at.tzinfo is not None
    assert server.verbs == ["EHLO", "AUTH", "MAIL", "RSET", "QUIT"]


def test_a_line_is_proven_with_an_address_of_its_return_path() -> None:
    with FaultySmtp(extensions=()) as server, sending() as sender:
        sender.prove(replace(line(server.port), return_path="b+{token}@example.com"), PASSWORD)
    assert server.commands[2] == b"MAIL FROM:<b+" + b"0" * 53 + b"@example.com>"


@pytest.mark.parametrize(
    ("at", "fault", "code", "stage"),
    [
        ("banner", drop, "no_greeting", "banner"),
        ("auth", say(b"535 5.7.8 no\r\n"), "credentials_rejected", "auth"),
        ("mail", say(b"553 5.7.1 sender address not owned\r\n"), "from_not_allowed", "mail"),
    ],
)
def test_a_proof_that_fails_names_the_step(at: str, fault: Fault | None, code: str, stage: str) -> None:
    with FaultySmtp({at: [fault]}) as server, sending() as sender:
        proof = sender.prove(line(server.port), PASSWORD)
    assert proof.state is ConnectionState.FAILED
    assert proof.reason is not None
    assert (proof.reason.code, proof.reason.stage) == (code, stage)
    assert proof.reason.text
