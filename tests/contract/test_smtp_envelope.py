"""How addresses and sizes stand in MAIL and RCPT, what is refused before a word is said, and the proof."""

import pytest

from chalicelib.domain.delivery import Accepted, Envelope, Refused, Scope
from chalicelib.domain.line import ConnectionState
from tests.contract.faulty_smtp import EXTENSIONS, PASSWORD, Fault, FaultySmtp, drop, say
from tests.contract.smtp_builders import MESSAGE, line, send, sending


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
