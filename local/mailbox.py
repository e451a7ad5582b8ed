"""A real SMTP server on loopback that wants STARTTLS and AUTH, and keeps what it receives.

For tests a recipient chooses what goes wrong, by the part of its address before a plus sign:

- `refuse+anything@…`          is refused at RCPT (550 5.1.1)
- `greylist+anything@…`        is put off the first time it is named (450 4.2.0), later accepted
- `drop-after-dot+anything@…`  is accepted and kept, and the connection is cut before the reply

As a process: `python -m local.mailbox FOLDER PORT LARGEST`, with the password in FOLDER/password; LARGEST is
what it announces as SIZE.
"""

import argparse
import asyncio
import hmac
import secrets
import signal
import smtplib
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from local.certificates import CA_FILE, server_context
from local.guard import guarded
from local.maildir import Maildir, Received
from local.ports import LOOPBACK, remembered_port

USERNAME = "postline"
LARGEST_MESSAGE = 26_214_400
"""Octets: what the server announces as SIZE (RFC 1870), the limit of many providers."""


_ROOT = Path(__file__).resolve().parent.parent
_START_SECONDS = 30.0


class MailboxError(Exception):
    """The server didn't come up; the text ends with the end of its log."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """How to reach the server, and where its mail lands."""

    port: int
    ca_file: Path
    maildir: Maildir
    password: str = field(repr=False)
    host: str = LOOPBACK
    username: str = USERNAME


def mailbox_in(folder: Path, port: int) -> Mailbox:
    """The mailbox whose password, certificate authority and mail are kept in `folder`; made on first use."""
    folder.mkdir(parents=True, exist_ok=True)
    return Mailbox(
        port=port,
        ca_file=folder / CA_FILE,
        maildir=Maildir(folder / "Maildir"),
        password=_password(folder / "password"),
    )


@contextmanager
def serve(mailbox: Mailbox, largest: int = LARGEST_MESSAGE) -> Iterator[None]:
    """Answer at the mailbox's port, on a thread of its own, while the block lasts."""
    server = Controller(
        _Delivery(mailbox.maildir),
        hostname=mailbox.host,
        port=mailbox.port,
        server_hostname="localhost",
        ident="ESMTP",
        tls_context=server_context(mailbox.ca_file.parent),
        require_starttls=True,
        authenticator=_authenticator(mailbox),
        auth_required=True,
        data_size_limit=largest,
        enable_SMTPUTF8=True,
    )
    server.start()
    try:
        yield
    finally:
        server.stop()


@contextmanager
def run_mailbox(folder: Path, largest: int = LARGEST_MESSAGE) -> Iterator[Mailbox]:
    """Serve `mailbox_in(folder)` by a process of its own, at the port of last time if that is free."""
    folder.mkdir(parents=True, exist_ok=True)
    mailbox = mailbox_in(folder, remembered_port(folder / "port"))
    command = [sys.executable, "-m", "local.mailbox", str(folder), str(mailbox.port), str(largest)]
    log = folder / "mailbox.log"
    with guarded(command, log=log, environment={"PYTHONPATH": str(_ROOT)}) as process:
        _wait_until_greeted(mailbox, process, log)
        yield mailbox


def _wait_until_greeted(mailbox: Mailbox, process: Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with smtplib.SMTP(mailbox.host, mailbox.port, timeout=5):
                return
        except OSError:
            time.sleep(0.05)
    raise MailboxError(f"the mailbox did not start:\n{log.read_text(errors='replace')[-2000:]}")


class _Delivery:
    """aiosmtpd's hooks, named as it wants them."""

    def __init__(self, maildir: Maildir) -> None:
        self._maildir = maildir
        self._greylisted: set[str] = set()

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        # it reads commands one by one from its buffer, so pipelining works; it just doesn't say so
        session.host_name = hostname
        return [*responses[:-1], "250-PIPELINING", responses[-1]]

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        fault = _fault(address)
        if fault == "refuse":
            return "550 5.1.1 No such mailbox here"
        if fault == "greylist" and address not in self._greylisted:
            self._greylisted.add(address)
            return "450 4.2.0 Greylisted, try again later"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 Recipient OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        recipients = tuple(str(address) for address in envelope.rcpt_tos)
        content = envelope.original_content or b""
        self._maildir.keep(Received(str(envelope.mail_from), recipients, content))
        if "drop-after-dot" in map(_fault, recipients):
            _cut(server)
        return "250 2.0.0 Kept"


def _fault(address: str) -> str:
    fault, plus, _ = address.partition("+")
    return fault.lower() if plus else ""


def _cut(server: SMTP) -> None:
    if isinstance(server.transport, asyncio.WriteTransport):
        server.transport.abort()
    raise ConnectionResetError


def _authenticator(mailbox: Mailbox) -> Any:
    def check(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        known = isinstance(data, LoginPassword) and (
            hmac.compare_digest(data.login, mailbox.username.encode())
            & hmac.compare_digest(data.password, mailbox.password.encode())
        )
        return AuthResult(success=known, handled=False)

    return check


def _password(file: Path) -> str:
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_urlsafe(18))
    return file.read_text()


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    arguments = argparse.ArgumentParser(description="Receive mail on loopback and keep it in a Maildir.")
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("port", type=int)
    arguments.add_argument("largest", type=int)
    options = arguments.parse_args()
    ended = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: ended.set())
    with serve(mailbox_in(options.folder, options.port), options.largest):
        ended.wait()


if __name__ == "__main__":
    main()
