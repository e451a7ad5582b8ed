"""What arrives is what was sent, byte for byte: against aiosmtpd with STARTTLS and AUTH, and by property."""

import socket
import ssl
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.adapters.smtp.body import PIECE, pieces, size, stuffed
from chalicelib.domain.delivery import Accepted, Refused
from chalicelib.domain.line import Security
from tests.contract.faulty_smtp import PASSWORD, USER, FaultySmtp
from tests.contract.smtp_builders import line, send, sending

FILLER = (b"a" * 62 + b"\r\n") * (PIECE // 64)  # lines that fill one piece exactly
MESSAGES = {
    "plain": b"Subject: a\r\n\r\nHello\r\n",
    "dots": b".\r\n..\r\n.a\r\n\r\n.\r\n...\r\nend\r\n.\r\n",
    "only a dot": b".\r\n",
    "a dot where two pieces meet": FILLER + b".\r\n..b\r\n",
    "a line end where two pieces meet": FILLER[64:] + b"a" * 63 + b"\r\n.c\r\n",
    "300 KB": b"Subject: a\r\n\r\n" + b"." * 70 + b"\r\n" * 150_000,
    "empty": b"",
}


class Collector:
    """Keeps every message as a file of its own, named in the order of arrival."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def handle_DATA(self, _: object, session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert session.ssl is not None
        assert isinstance(envelope.original_content, bytes)
        (self.folder / f"{len(self.messages()):03}").write_bytes(envelope.original_content)
        return "250 OK id=1tABCd-000001-AB"

    def messages(self) -> list[bytes]:
        return [path.read_bytes() for path in sorted(self.folder.iterdir())]


def authenticate(*parameters: object) -> AuthResult:
    given_data = parameters[-1]
    assert isinstance(given_data, LoginPassword)
    right = (given_data.login, given_data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=right, handled=False)


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> str:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return str(tmp_path / "ca.pem")


@pytest.fixture
def mailbox(authority: trustme.CA, tmp_path: Path) -> Iterator[tuple[Controller, Collector]]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    (tmp_path / "new").mkdir()
    collector = Collector(tmp_path / "new")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(
        collector,
        hostname="127.0.0.1",
        port=port,
        tls_context=context,
        require_starttls=True,
        auth_required=True,
        authenticator=authenticate,
    )
    controller.start()
    yield controller, collector
    controller.stop()


def test_aiosmtpd_gets_every_message_as_it_was(mailbox: tuple[Controller, Collector], ca_file: str) -> None:
    controller, collector = mailbox
    with sending(ca_file) as sender:
        for message in MESSAGES.values():
            outcome = send(sender, line(controller.port, Security.STARTTLS), message)
            assert outcome == Accepted("1tABCd-000001-AB", "OK id=1tABCd-000001-AB")
    assert collector.messages() == list(MESSAGES.values())


def test_aiosmtpd_refuses_another_password(mailbox: tuple[Controller, Collector], ca_file: str) -> None:
    controller, collector = mailbox
    with sending(ca_file) as sender:
        outcome = sender.connect(line(controller.port, Security.STARTTLS), "another")
    assert isinstance(outcome, Refused)
    assert outcome.reason.code == "credentials_rejected"
    assert collector.messages() == []


def test_bare_line_ends_can_not_smuggle_a_second_message() -> None:
    smuggled = b"Subject: a\r\n\r\nx\n.\nMAIL FROM:<a@b>\r.\rRCPT TO:<c@d>\n.\r\nDATA\r\n"
    with FaultySmtp() as server, sending() as sender:
        assert isinstance(send(sender, line(server.port), smuggled), Accepted)
        assert [command[:4] for command in server.commands] == [b"EHLO", b"AUTH", b"MAIL", b"RCPT", b"DATA"]
    (message,) = server.accepted
    assert message == smuggled.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")


# Pieces of text that make every interesting neighbourhood likely.
texts = st.lists(st.sampled_from([b".", b"..", b"a", b"\r", b"\n", b"\r\n", b"\r\n.", b"\xff"])).map(b"".join)


def expected(message: bytes) -> bytes:
    """The slow and plain way: lines, ended by CRLF, dots doubled."""
    lines = message.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    return b"".join((b"." + text if text.startswith(b".") else text) + b"\r\n" for text in lines)


@given(texts, st.lists(st.integers(0, 60)))
def test_the_bytes_do_not_depend_on_how_the_message_is_cut(message: bytes, cuts: list[int]) -> None:
    ends = [0, *sorted(min(cut, len(message)) for cut in cuts), len(message)]
    chunks = [message[start:end] for start, end in pairwise(ends)]
    assert b"".join(stuffed(chunks)) == expected(message)


@given(texts)
def test_the_dot_that_ends_a_message_is_never_inside_it(message: bytes) -> None:
    assert b"\r\n.\r\n" not in b"\r\n" + b"".join(stuffed([message]))


@given(texts)
def test_the_size_leaves_the_doubled_dots_out(message: bytes) -> None:
    lines = expected(message).split(b"\r\n")
    assert size(message) == len(expected(message)) - sum(text.startswith(b".") for text in lines)


def test_a_message_is_cut_without_loss() -> None:
    message = bytes(range(256)) * 1000
    assert b"".join(pieces(message)) == message
    assert max(map(len, pieces(message))) == PIECE
