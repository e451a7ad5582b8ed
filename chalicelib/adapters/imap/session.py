"""`imaplib` on a connection that is bounded in time and size, encrypted before anything secret is said."""

import imaplib
import re
import socket
import ssl
import time
from dataclasses import dataclass

from chalicelib.domain.credentials import Credentials
from chalicelib.domain.mime_reading import SIZE_LIMIT

LINE_LIMIT = 1_000_000  # bytes: the answer to a search is one line
LITERAL_LIMIT = SIZE_LIMIT + 64 * 1024
SESSION_LIMIT = 128 * 1024 * 1024
_READ = 16 * 1024
_REFUSAL = re.compile(rb"([^ ]+) (?:NO|BAD) (.*)\r\n", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds, all of them totals."""

    resolve: float = 10
    connect: float = 15
    command: float = 45  # from the first byte of it to the end of the answer
    goodbye: float = 3


class TamperedError(Exception):
    """Text came in the clear that would have been read as if it were encrypted."""


class BoundedImap(imaplib.IMAP4):
    """Takes over a connected socket. ``tls`` encrypts from the first byte on.

    Raises as `imaplib` and `ssl` do, and TimeoutError when an answer takes too long.
    """

    def __init__(self, sock: socket.socket, host: str, seconds: float, tls: ssl.SSLContext | None) -> None:
        self._seconds = seconds
        self._buffer = b""
        self._left = SESSION_LIMIT
        self._credentials = Credentials("", "")
        self._allow()
        sock.settimeout(self._remaining())
        self._socket = sock if tls is None else tls.wrap_socket(sock, server_hostname=host)
        super().__init__(host)

    def open(self, host: str = "", port: int = 0, timeout: float | None = None) -> None:  # noqa: ARG002
        """Called by `imaplib`; the connection is there already."""
        self.host, self.port, self.sock = host, port, self._socket

    def encrypt(self, tls: ssl.SSLContext) -> None:
        """STARTTLS. Raises TamperedError when the server spoke on before the connection was encrypted."""
        answer, _ = self._simple_command("STARTTLS")
        if answer != "OK":
            raise self.error("STARTTLS was refused")
        if self._buffer:
            raise TamperedError
        self._socket.settimeout(self._remaining())
        self._socket = self.sock = tls.wrap_socket(self._socket, server_hostname=self.host)
        self._get_capabilities()

    def allow(self, seconds: float | None = None) -> None:
        """Begin the time of the next command."""
        self._allow(seconds)

    def sign_in(self, credentials: Credentials) -> None:
        """SASL PLAIN (RFC 4616) where it is offered, which carries any characters; else LOGIN.

        From now on the password is struck out of every refusal, before `imaplib` makes an error of it.
        """
        self._credentials = credentials
        user, password = credentials.username, credentials.password
        if "AUTH=PLAIN" in self.capabilities:
            self.authenticate("PLAIN", lambda _: credentials.plain)
            return
        if not (user + password).isascii() or not (user + password).isprintable():
            raise self.error("LOGIN carries printable ASCII only")
        self.login(user, password)

    def read(self, size: int) -> bytes:
        """A literal of an answer."""
        if size > LITERAL_LIMIT:
            raise self.abort("a literal is longer than what was asked for")
        while len(self._buffer) < size:
            self._receive()
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        return data

    def readline(self) -> bytes:
        """A line of an answer, with its end."""
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if searched > LINE_LIMIT:
                raise self.abort("a line is longer than any answer")
            self._receive()
        line, self._buffer = self._buffer[: end + 1], self._buffer[end + 1 :]
        return self._cleaned(line)

    def _cleaned(self, line: bytes) -> bytes:
        """A refusal without the password, and as a NO: what `imaplib` says of a BAD is written in Python.

        Any other line as it is, since it is data.
        """
        refusal = _REFUSAL.fullmatch(line)
        if refusal is None:
            return line
        text = self._credentials.strike_out(refusal[2].decode("utf-8", "surrogateescape"))
        return b"%s NO %s\r\n" % (refusal[1], text.encode("utf-8", "surrogateescape"))

    def send(self, data: bytes) -> None:  # type: ignore[override]
        """All of it."""
        self._socket.settimeout(self._remaining())
        self._socket.sendall(data)

    def shutdown(self) -> None:
        """Close without a word."""
        self._socket.close()

    def _allow(self, seconds: float | None = None) -> None:
        self._deadline = time.monotonic() + (self._seconds if seconds is None else seconds)

    def _receive(self) -> None:
        self._socket.settimeout(self._remaining())
        data = self._socket.recv(_READ)
        self._left -= len(data)
        if not data or self._left < 0:
            raise self.abort("the server hung up, or says more than any mailbox holds")
        self._buffer += data

    def _remaining(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left
