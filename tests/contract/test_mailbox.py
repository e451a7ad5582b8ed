"""The embedded mailbox behaves as a provider's submission server does."""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local.mailbox import LARGEST_MESSAGE, Mailbox, mailbox_in, serve
from local.maildir import Received
from local.ports import remembered_port

MESSAGE = b"Subject: x\r\n\r\n.leading dot\r\ntrailing space \r\n\tbare tab\r\n.\x01\xff\r\n..\r\n"


@pytest.fixture
def mailbox(tmp_path: Path) -> Iterator[Mailbox]:
    box = mailbox_in(tmp_path, remembered_port(tmp_path / "port"))
    with serve(box):
        yield box


@contextmanager
def signed_in(mailbox: Mailbox) -> Iterator[smtplib.SMTP]:
    with encrypted(mailbox) as client:
        client.login(mailbox.username, mailbox.password)
        yield client


@contextmanager
def encrypted(mailbox: Mailbox) -> Iterator[smtplib.SMTP]:
    with smtplib.SMTP(mailbox.host, mailbox.port, timeout=10) as client:
        client.starttls(context=ssl.create_default_context(cafile=str(mailbox.ca_file)))
        client.ehlo()
        yield client


def kept(mailbox: Mailbox) -> list[Received]:
    return list(mailbox.maildir.messages())


def test_mail_is_kept_to_the_byte_with_its_envelope(mailbox: Mailbox) -> None:
    with signed_in(mailbox) as client:
        client.sendmail("from@example.org", ["to@example.net"], MESSAGE)
    assert kept(mailbox) == [Received("from@example.org", ("to@example.net",), MESSAGE)]


def test_two_mails_on_one_connection_are_two_files(mailbox: Mailbox) -> None:
    with signed_in(mailbox) as client:
        client.sendmail("from@example.org", ["a@example.net"], MESSAGE)
        client.sendmail("from@example.org", ["b@example.net"], MESSAGE)
    assert [received.recipients for received in kept(mailbox)] == [("a@example.net",), ("b@example.net",)]


def test_without_tls_nothing_is_taken(mailbox: Mailbox) -> None:
    with smtplib.SMTP(mailbox.host, mailbox.port, timeout=10) as client:
        client.ehlo()
        assert not client.has_extn("auth")
        assert client.docmd("AUTH", "PLAIN AGEAYg==")[0] == 530
        assert client.docmd("MAIL", "FROM:<from@example.org>")[0] == 530
    assert kept(mailbox) == []


def test_without_signing_in_nothing_is_taken(mailbox: Mailbox) -> None:
    with encrypted(mailbox) as client:
        assert client.docmd("MAIL", "FROM:<from@example.org>")[0] == 530


def test_a_wrong_password_is_refused(mailbox: Mailbox) -> None:
    with encrypted(mailbox) as client, pytest.raises(smtplib.SMTPAuthenticationError) as refusal:
        client.login(mailbox.username, "wrong")
    assert refusal.value.smtp_code == 535


def test_a_client_that_does_not_know_the_authority_ends_the_handshake(mailbox: Mailbox) -> None:
    with smtplib.SMTP(mailbox.host, mailbox.port, timeout=10) as client, pytest.raises(ssl.SSLError):
        client.starttls(context=ssl.create_default_context())


def test_the_authority_and_the_password_outlive_a_restart(tmp_path: Path) -> None:
    first = mailbox_in(tmp_path, remembered_port(tmp_path / "port"))
    with serve(first):
        authority = first.ca_file.read_bytes()
    second = mailbox_in(tmp_path, remembered_port(tmp_path / "port"))
    with serve(second), signed_in(second):
        assert (second.ca_file.read_bytes(), second.password, second.port) == (
            authority,
            first.password,
            first.port,
        )


def test_the_size_it_announces_is_the_size_it_holds_to(mailbox: Mailbox) -> None:
    with signed_in(mailbox) as client:
        assert client.esmtp_features["size"] == str(LARGEST_MESSAGE)
        assert client.docmd("MAIL", f"FROM:<from@example.org> SIZE={LARGEST_MESSAGE + 1}")[0] == 552


def test_an_envelope_may_ride_with_the_one_before(mailbox: Mailbox) -> None:
    commands = b"MAIL FROM:<from@example.org>\r\nRCPT TO:<to@example.net>\r\nDATA\r\n"
    with signed_in(mailbox) as client:
        assert client.has_extn("pipelining")
        client.send(commands)
        assert [client.getreply()[0] for _ in range(3)] == [250, 250, 354]
        client.send(b"one\r\n.\r\n" + commands)
        assert [client.getreply()[0] for _ in range(4)] == [250, 250, 250, 354]
        client.send(b"two\r\n.\r\n")
        assert client.getreply()[0] == 250
    assert [received.content for received in kept(mailbox)] == [b"one\r\n", b"two\r\n"]


def test_a_recipient_may_ask_to_be_refused(mailbox: Mailbox) -> None:
    with signed_in(mailbox) as client, pytest.raises(smtplib.SMTPRecipientsRefused) as refusal:
        client.sendmail("from@example.org", ["refuse+me@example.net"], MESSAGE)
    assert refusal.value.recipients["refuse+me@example.net"][0] == 550
    assert kept(mailbox) == []


def test_a_recipient_may_ask_to_be_put_off_once(mailbox: Mailbox) -> None:
    with signed_in(mailbox) as client:
        with pytest.raises(smtplib.SMTPRecipientsRefused) as refusal:
            client.sendmail("from@example.org", ["greylist+me@example.net"], MESSAGE)
        client.sendmail("from@example.org", ["greylist+me@example.net"], MESSAGE)
    assert refusal.value.recipients["greylist+me@example.net"][0] == 450
    assert len(kept(mailbox)) == 1


def test_a_recipient_may_ask_for_the_connection_to_be_cut_after_the_dot(mailbox: Mailbox) -> None:
    with pytest.raises(smtplib.SMTPServerDisconnected), signed_in(mailbox) as client:
        client.sendmail("from@example.org", ["drop-after-dot+me@example.net"], MESSAGE)
    assert [received.content for received in kept(mailbox)] == [MESSAGE]
