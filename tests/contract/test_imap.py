"""The reader of mailboxes against a real dialogue: encrypted, bounded, and without a trace in the mailbox."""

import base64
import ssl
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest
import trustme

from chalicelib.adapters.imap import ImapReader, Patience
from chalicelib.adapters.imap import session as imap_session
from chalicelib.adapters.smtp import public_only, resolve
from chalicelib.domain.imap_advice import ADVICE, MailboxFailed
from chalicelib.domain.line import ImapChannel, Security
from tests.contract.faulty_imap import PASSWORD, USER, Fault, FaultyImap, Message, drop, hang, say

DAY = date(2026, 11, 24)
PATIENT = Patience(20, 20, 20, 5)
SHORT = Patience(resolve=2, connect=1, command=0.4, goodbye=0.2)


def certificate(authority: trustme.CA, name: str = "localhost") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    path: Path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


@pytest.fixture(scope="module")
def tls(authority: trustme.CA) -> ssl.SSLContext:
    return certificate(authority)


def channel(server: FaultyImap, user: str = USER, host: str = "localhost") -> ImapChannel:
    return ImapChannel(host, server.port, Security.TLS if server.implicit else Security.STARTTLS, user)


def inbox(*raws: bytes, first: int = 1) -> dict[int, Message]:
    return {number: Message(DAY, raw) for number, raw in enumerate(raws, first)}


def contents(
    server: FaultyImap, ca_file: str, after: int = 0, since: date = DAY, patience: Patience = PATIENT
) -> dict[int, bytes | None]:
    """All messages of an inbox, as one visit reads them."""
    with ImapReader(ca_file, patience).open(channel(server), server.password) as mailbox:
        return {uid: mailbox.fetch(uid, 100) for uid in mailbox.newer_than(after, since, 100)}


def fault_of(server: FaultyImap, ca_file: str, patience: Patience = PATIENT) -> str:
    """The reason why its inbox can't be read."""
    with pytest.raises(MailboxFailed) as failed:
        contents(server, ca_file, patience=patience)
    reason = failed.value.reason
    assert reason.text == ADVICE[reason.code]
    assert PASSWORD not in f"{reason.text}{reason.reply_text}"
    return reason.code


@pytest.mark.parametrize("implicit", [True, False], ids=["tls", "starttls"])
@pytest.mark.parametrize("capabilities", ["IMAP4rev1 AUTH=PLAIN STARTTLS", "IMAP4rev1 STARTTLS"])
def test_an_inbox_is_read_and_looks_as_before(
    tls: ssl.SSLContext, ca_file: str, implicit: bool, capabilities: str
) -> None:
    raws = (b"Subject: one\r\n\r\none", b"", b"Subject: {5}\r\n\r\n* 2 FETCH\r\n)\r\n", b"x" * 500)
    with FaultyImap(inbox(*raws), tls=tls, implicit=implicit, capabilities=capabilities) as server:
        assert contents(server, ca_file) == {uid: raw[:100] for uid, raw in enumerate(raws, 1)}
    assert not any(message.seen for message in server.messages.values())
    assert server.signed_out == 1
    assert PASSWORD.encode() not in server.in_clear


def test_it_tells_its_validity_and_what_is_new(tls: ssl.SSLContext, ca_file: str) -> None:
    old = Message(date(2026, 9, 5), b"old")
    reader = ImapReader(ca_file, PATIENT)
    with (
        FaultyImap({3: old, **inbox(b"a", b"b", b"c", first=7)}, tls=tls) as server,
        reader.open(channel(server), PASSWORD) as mailbox,
    ):
        assert mailbox.validity == 3857529045
        assert mailbox.newer_than(0, date(2026, 9, 5), 10) == [3, 7, 8, 9]
        assert mailbox.newer_than(0, date(2026, 9, 6), 10) == [7, 8, 9]
        assert mailbox.newer_than(7, DAY, 1) == [8]
        assert mailbox.newer_than(9, DAY, 10) == []
        assert mailbox.fetch(4, 10) is None


def test_an_empty_inbox_has_nothing_new(tls: ssl.SSLContext, ca_file: str) -> None:
    with FaultyImap(tls=tls) as server:
        assert contents(server, ca_file) == {}


@pytest.mark.parametrize("capabilities", ["IMAP4rev1 AUTH=PLAIN", "IMAP4rev1"])
def test_a_password_of_any_characters_is_given_as_it_is(
    tls: ssl.SSLContext, ca_file: str, capabilities: str
) -> None:
    with FaultyImap(tls=tls, capabilities=capabilities, password='a"b\\c {3} d') as server:
        assert contents(server, ca_file) == {}


@pytest.mark.parametrize(
    ("password", "capabilities", "code"),
    [
        ("пароль", "IMAP4rev1 AUTH=PLAIN", None),
        ("пароль", "IMAP4rev1", "credentials_rejected"),
        ("a\r\nT1 SELECT INBOX", "IMAP4rev1", "credentials_rejected"),
    ],
)
def test_what_login_can_not_carry_is_not_sent(
    tls: ssl.SSLContext, ca_file: str, password: str, capabilities: str, code: str | None
) -> None:
    with FaultyImap(tls=tls, capabilities=capabilities, password=password) as server:
        if code is None:
            assert contents(server, ca_file) == {}
        else:
            assert fault_of(server, ca_file) == code
            assert [line for line in server.commands if b"LOGIN" in line] == []


def test_a_wrong_password_is_told_with_the_servers_words(tls: ssl.SSLContext, ca_file: str) -> None:
    reader = ImapReader(ca_file, PATIENT)
    with (
        FaultyImap(tls=tls) as server,
        pytest.raises(MailboxFailed) as failed,
        reader.open(channel(server), "wrong"),
    ):
        pass
    assert failed.value.reason.code == "credentials_rejected"
    assert failed.value.reason.reply_text == "[AUTHENTICATIONFAILED] Invalid credentials"


def base64_of(text: str) -> bytes:
    return base64.b64encode(text.encode())


BACKSLASHES = 'Canary" \\91c2'
QUOTES: list[tuple[str, str, str, bytes, str]] = [
    ("authenticate", PASSWORD, "NO", b"bad: " + PASSWORD.encode(), "bad: ***"),
    ("authenticate", PASSWORD, "NO", base64_of(f"\0{USER}\0{PASSWORD}"), "***"),
    ("authenticate", PASSWORD, "BAD", base64_of(f"\0{USER}\0{PASSWORD}").upper(), "***"),
    ("authenticate", "Пароль-91c2", "BAD", "нет: Пароль-91c2".encode(), "нет: ***"),
    ("login", PASSWORD, "NO", b'LOGIN u "' + PASSWORD.encode() + b'"', 'LOGIN u "***"'),
    ("login", BACKSLASHES, "NO", b'LOGIN u "Canary\\" \\\\91c2"', 'LOGIN u "***"'),
    ("login", BACKSLASHES, "BAD", b'LOGIN u "Canary\\" \\\\91c2"', 'LOGIN u "***"'),
]


@pytest.mark.parametrize(("point", "password", "kind", "quote", "shown"), QUOTES)
def test_a_password_the_server_quotes_is_struck_out(
    tls: ssl.SSLContext, ca_file: str, point: str, password: str, kind: str, quote: bytes, shown: str
) -> None:
    refusal = say(f"%T {kind} [AUTHENTICATIONFAILED] ".encode() + quote + b"\r\n")
    capabilities = "IMAP4rev1 AUTH=PLAIN" if point == "authenticate" else "IMAP4rev1"
    script = {point: [refusal]}
    with (
        FaultyImap(faults=script, tls=tls, capabilities=capabilities, password=password) as server,
        pytest.raises(MailboxFailed) as failed,
    ):
        contents(server, ca_file)
    assert failed.value.reason.reply_text == f"[AUTHENTICATIONFAILED] {shown}"


def test_a_password_that_is_quoted_later_is_struck_out_too(tls: ssl.SSLContext, ca_file: str) -> None:
    late = say(b"%T NO after LOGIN u " + PASSWORD.encode() + b"\r\n")
    with (
        FaultyImap(faults={"examine": [late]}, tls=tls) as server,
        pytest.raises(MailboxFailed) as failed,
    ):
        contents(server, ca_file)
    assert failed.value.reason.reply_text == "after LOGIN u ***"


def test_messages_stay_as_they_are_whatever_the_password_is(tls: ssl.SSLContext, ca_file: str) -> None:
    raw = b"* NO OK\r\nOK NO \r\nFETCH\r\n"
    for password in ("OK", "1", "FETCH"):
        with FaultyImap(inbox(raw), tls=tls, password=password) as server:
            assert contents(server, ca_file) == {1: raw}


@pytest.mark.parametrize("implicit", [True, False])
@pytest.mark.parametrize("case", ["certificate_untrusted", "certificate_name_mismatch"])
def test_a_certificate_that_does_not_fit_ends_it_before_the_password(
    authority: trustme.CA, ca_file: str, implicit: bool, case: str
) -> None:
    wrong = certificate(trustme.CA()) if case.endswith("untrusted") else certificate(authority, "other.test")
    capabilities = "IMAP4rev1 STARTTLS"
    with FaultyImap(tls=wrong, implicit=implicit, capabilities=capabilities) as server:
        assert fault_of(server, ca_file) == case
    assert not [line for line in server.commands if b"LOGIN" in line or b"AUTH" in line]


def test_without_starttls_nothing_is_said_in_the_clear(ca_file: str) -> None:
    with FaultyImap(implicit=False) as server:
        assert fault_of(server, ca_file) == "starttls_not_offered"
    assert [line.split()[1] for line in server.commands] == [b"CAPABILITY"]


def test_what_was_put_in_before_the_encryption_is_no_answer(tls: ssl.SSLContext, ca_file: str) -> None:
    injected = say(b"%T OK go\r\n* CAPABILITY IMAP4rev1\r\n")
    capabilities = "IMAP4rev1 STARTTLS"
    with FaultyImap(
        faults={"starttls": [injected]}, tls=tls, implicit=False, capabilities=capabilities
    ) as server:
        assert fault_of(server, ca_file) == "tls_tampered"


FAULTS: list[tuple[str, Fault, str]] = [
    ("greeting", say(b"220 smtp.example.com ESMTP\r\n"), "not_an_imap_server"),
    ("greeting", say(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "not_an_imap_server"),
    ("greeting", say(b"* BYE overloaded\r\n"), "not_an_imap_server"),
    ("greeting", drop, "connection_lost"),
    ("greeting", hang, "connection_lost"),
    ("capability", say(b"\x00\xff\x00\r\n"), "not_an_imap_server"),
    ("authenticate", drop, "connection_lost"),
    ("authenticate", hang, "connection_lost"),
    ("examine", say(b"%T NO [NOPERM] IMAP is switched off\r\n"), "mailbox_refused"),
    ("examine", say(b"* 0 EXISTS\r\n%T OK done\r\n"), "not_an_imap_server"),
    ("search", say(b"%T BAD unknown\r\n"), "mailbox_refused"),
    ("search", say(b"* BYE shutting down\r\n%T NO no\r\n"), "connection_lost"),
    ("fetch", drop, "connection_lost"),
    ("fetch", hang, "connection_lost"),
    ("fetch", say(b"%T NO [UNAVAILABLE] try later\r\n"), "mailbox_refused"),
    ("fetch", say(b"* 1 FETCH (UID 1 BODY[] {99999999}\r\n"), "connection_lost"),
    ("fetch", say(b"* 1 FETCH (UID 1 BODY[] {-5}\r\n%T OK\r\n"), "not_an_imap_server"),
]


@pytest.mark.parametrize(("point", "fault", "code"), FAULTS)
def test_each_fault_has_its_name_and_its_end(
    tls: ssl.SSLContext, ca_file: str, point: str, fault: Fault, code: str
) -> None:
    with FaultyImap(inbox(b"one"), {point: [fault]}, tls=tls) as server:
        assert fault_of(server, ca_file, SHORT) == code


def test_a_server_that_drips_does_not_hold_us(tls: ssl.SSLContext, ca_file: str) -> None:
    def drip(session: object) -> None:
        while not server.stopping.wait(0.1):
            session.send(b"* OK still here\r\n")  # type: ignore[attr-defined]

    with FaultyImap(inbox(b"one"), {"search": [drip]}, tls=tls) as server:
        assert fault_of(server, ca_file, SHORT) == "connection_lost"


@pytest.mark.parametrize(
    ("limit", "point", "answer"),
    [
        ("LINE_LIMIT", "search", b"* SEARCH" + b" 1" * 60_000),
        ("SESSION_LIMIT", "search", b"* OK\r\n" * 20_000),
        ("LITERAL_LIMIT", "fetch", b"* 1 FETCH (UID 1 BODY[]<0> {60000}\r\n" + b"a" * 60_000 + b")"),
    ],
)
def test_a_server_that_talks_without_end_is_hung_up_on(
    monkeypatch: pytest.MonkeyPatch,
    tls: ssl.SSLContext,
    ca_file: str,
    limit: str,
    point: str,
    answer: bytes,
) -> None:
    monkeypatch.setattr(imap_session, limit, 50_000)
    with FaultyImap(inbox(b"one"), {point: [say(answer + b"\r\n%T OK done\r\n")]}, tls=tls) as server:
        assert fault_of(server, ca_file) == "connection_lost"


def test_a_server_that_is_not_there(ca_file: str) -> None:
    with FaultyImap() as server:
        pass
    assert fault_of(server, ca_file) == "connect_failed"


@pytest.mark.parametrize(
    ("host", "private", "code"),
    [
        ("localhost", [], "host_not_allowed"),
        ("a\0b", [], "host_not_found"),
        ("localhost", ["localhost"], None),
    ],
)
def test_only_public_hosts_are_dialled(
    tls: ssl.SSLContext, ca_file: str, host: str, private: Sequence[str], code: str | None
) -> None:
    reader = ImapReader(ca_file, PATIENT, public_only(resolve, private))
    with FaultyImap(tls=tls) as server:
        try:
            with reader.open(channel(server, host=host), PASSWORD):
                found = None
        except MailboxFailed as failed:
            found = failed.reason.code
    assert found == code
    assert bool(server.commands) is (code is None)
