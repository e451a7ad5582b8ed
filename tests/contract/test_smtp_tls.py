"""Encryption and signing in: no password before a checked certificate, and each fault by its name."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from chalicelib.adapters.smtp import SmtpSender
from chalicelib.domain.delivery import Accepted, Refused, Scope, TryLater
from chalicelib.domain.line import Security
from tests.contract.faulty_smtp import PASSWORD, USER, Fault, FaultySmtp, Session, drop, hang, say, then
from tests.contract.smtp_builders import SHORT, line, send, sending

NAME_AND_TLS = [(Security.STARTTLS, False), (Security.TLS, True)]


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


@pytest.fixture
def sender(ca_file: str) -> Iterator[SmtpSender]:
    with sending(ca_file) as sender:
        yield sender


def no_password_was_seen(server: FaultySmtp) -> bool:
    spoken = b"\n".join(server.commands) + server.in_clear
    return b"AUTH" not in spoken.upper() and PASSWORD.encode() not in spoken


@pytest.mark.parametrize(("security", "implicit"), NAME_AND_TLS)
@pytest.mark.parametrize("auth", ["PLAIN LOGIN", "LOGIN", "CRAM-MD5 PLAIN"])
def test_a_message_goes_through_an_encrypted_session(
    sender: SmtpSender, authority: trustme.CA, security: Security, implicit: bool, auth: str
) -> None:
    with FaultySmtp(tls=certificate(authority), implicit=implicit, auth=auth) as server:
        assert isinstance(send(sender, line(server.port, security)), Accepted)
        assert b"AUTH" not in server.in_clear
        sender.close()


@pytest.mark.parametrize(("security", "implicit"), NAME_AND_TLS)
@pytest.mark.parametrize("case", ["another authority", "another name"])
def test_a_certificate_that_does_not_fit_ends_it_before_the_password(
    sender: SmtpSender, authority: trustme.CA, security: Security, implicit: bool, case: str
) -> None:
    wrong = certificate(trustme.CA()) if case == "another authority" else certificate(authority, "other.test")
    with FaultySmtp(tls=wrong, implicit=implicit) as server:
        outcome = send(sender, line(server.port, security))
    code = "certificate_untrusted" if case == "another authority" else "certificate_name_mismatch"
    assert isinstance(outcome, Refused)
    assert (outcome.scope, outcome.reason.code) == (Scope.LINE, code)
    assert no_password_was_seen(server)


INJECTED = b"220 Go\r\n250-AUTH PLAIN\r\n250 Ok\r\n"


@pytest.mark.parametrize(
    ("fault", "outcome", "code"),
    [
        (say(b"454 4.7.0 TLS not available\r\n"), TryLater, "tls_put_off"),
        (say(b"501 5.5.4 no\r\n"), Refused, "tls_refused"),
        (then(say(INJECTED), hang), Refused, "tls_tampered"),
        (then(say(b"220 Go\r\n"), drop), TryLater, "tls_not_answered"),
        (then(say(b"220 Go\r\n"), hang), TryLater, "tls_not_answered"),
        (
            then(say(b"220 Go\r\n"), lambda session: session.receive(), say(b"hello\r\n")),
            Refused,
            "tls_failed",
        ),
        (drop, TryLater, "tls_not_answered"),
    ],
    ids=["454", "501", "injected", "drop in the handshake", "hang", "clear text", "drop"],
)
def test_a_starttls_that_fails_never_falls_back(
    ca_file: str, authority: trustme.CA, fault: Fault, outcome: type, code: str
) -> None:
    with (
        sending(ca_file, SHORT) as sender,
        FaultySmtp({"starttls": [fault]}, tls=certificate(authority)) as server,
    ):
        result = send(sender, line(server.port, Security.STARTTLS))
    assert isinstance(result, TryLater | Refused)
    assert type(result) is outcome
    assert (result.scope, result.reason.code) == (Scope.LINE, code)
    assert no_password_was_seen(server)


def test_what_was_injected_is_not_executed_even_if_the_handshake_then_succeeds(
    sender: SmtpSender, authority: trustme.CA
) -> None:
    encrypting = then(say(INJECTED), lambda session: session.encrypt())
    with FaultySmtp({"starttls": [encrypting]}, tls=certificate(authority)) as server:
        outcome = send(sender, line(server.port, Security.STARTTLS))
    assert isinstance(outcome, Refused)
    assert outcome.reason.code == "tls_tampered"
    assert no_password_was_seen(server)


def test_what_was_announced_in_clear_text_counts_for_nothing(
    sender: SmtpSender, authority: trustme.CA
) -> None:
    before = say(b"250-x\r\n250-STARTTLS\r\n250-SIZE 5\r\n250 AUTH XOAUTH2\r\n")
    with FaultySmtp({"ehlo": [before]}, tls=certificate(authority)) as server:
        assert isinstance(send(sender, line(server.port, Security.STARTTLS)), Accepted)
        sender.close()


def test_a_server_without_starttls_gets_no_password(sender: SmtpSender) -> None:
    with FaultySmtp() as server:
        outcome = send(sender, line(server.port, Security.STARTTLS))
    assert isinstance(outcome, Refused)
    assert (outcome.scope, outcome.reason.code) == (Scope.LINE, "starttls_not_offered")
    assert no_password_was_seen(server)


def test_a_tls_port_that_speaks_clear_text(sender: SmtpSender) -> None:
    with FaultySmtp() as server:
        outcome = send(sender, line(server.port, Security.TLS))
    assert isinstance(outcome, Refused)
    assert (outcome.scope, outcome.reason.code) == (Scope.LINE, "tls_failed")
    assert no_password_was_seen(server)


def test_a_server_that_knows_only_old_tls(ca_file: str, authority: trustme.CA) -> None:
    old = certificate(authority)
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    with sending(ca_file) as sender, FaultySmtp(tls=old, implicit=True) as server:
        outcome = send(sender, line(server.port, Security.TLS))
    assert isinstance(outcome, Refused)
    assert outcome.reason.code == "tls_failed"
    assert no_password_was_seen(server)


@pytest.mark.parametrize(
    ("auth", "code"), [("", "auth_not_offered"), ("XOAUTH2 CRAM-MD5", "auth_method_unsupported")]
)
def test_a_sign_in_we_can_not_do(auth: str, code: str) -> None:
    with FaultySmtp(auth=auth) as server, sending() as sender:
        outcome = send(sender, line(server.port))
    assert isinstance(outcome, Refused)
    assert (outcome.scope, outcome.reason.code) == (Scope.LINE, code)


def test_a_line_without_a_user_name_does_not_sign_in() -> None:
    with FaultySmtp(auth="") as server, sending() as sender:
        assert isinstance(send(sender, line(server.port, user="")), Accepted)
    assert no_password_was_seen(server)


def quote_the_password(session: Session) -> None:
    session.send(b"500 5.5.1 unknown: " + session.server.commands[-1] + b" " + PASSWORD.encode() + b"\r\n")


def test_a_password_the_server_quotes_is_struck_out() -> None:
    with FaultySmtp({"auth": [quote_the_password]}) as server, sending() as sender:
        outcome = send(sender, line(server.port))
        sent = server.commands[-1].split(b" ")[2].decode()
    assert isinstance(outcome, Refused)
    assert outcome.reason.reply_text == "unknown: AUTH PLAIN *** ***"
    assert PASSWORD not in repr(outcome)
    assert sent not in repr(outcome)


def test_a_sender_does_not_show_its_passwords() -> None:
    with FaultySmtp() as server, sending() as sender:
        sender.connect(line(server.port), PASSWORD)
        assert PASSWORD not in repr(vars(sender))
        assert USER in repr(vars(sender))


def test_the_time_limits_are_totals() -> None:
    assert SHORT.hand_over == pytest.approx(SHORT.body + SHORT.goodbye + SHORT.final)
