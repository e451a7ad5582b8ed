"""The bytes of one SMTP connection: every write and every reply under a total deadline, replies bounded."""

import re
import socket
import ssl
import time
from dataclasses import dataclass

MAX_REPLY_BYTES = 64 * 1024
MAX_REPLY_LINES = 100

_LINE = re.compile(rb"([2-5][0-9][0-9])(?:([ -])(.*))?", re.DOTALL)
_READ = 4096


class WireError(Exception):
    """No reply that could be read. The connection is of no further use."""


class LostError(WireError):
    """Closed, reset, or silent beyond the deadline."""


class UnsentError(LostError):
    """Lost before a single byte of what was to be written left this process."""


class GarbledError(WireError):
    """What came is not a reply (RFC 5321, 4.2), or longer than any server needs."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole reply: its code, 200..599, and the text of each line without code and line end."""

    code: int
    lines: tuple[str, ...]


class Wire:
    """A connected socket. Deadlines are instants of `time.monotonic`: dripping can't stretch them."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._buffer = b""
        self.is_open = True

    @property
    def local_address(self) -> str:
        """Our end of the connection, for EHLO."""
        return str(self._sock.getsockname()[0])

    def write(self, data: bytes, deadline: float) -> None:
        """Hands all of ``data`` to the kernel. Raises LostError; part of it may have left by then.

        UnsentError only where surely none has: a TCP socket that fails took nothing. Over TLS a record
        may wait within the library, whole or in part, and what became of it can't be asked.
        """
        rest = memoryview(data)
        while rest:
            self._sock.settimeout(_left(deadline))
            try:
                rest = rest[self._sock.send(rest) :]
            except OSError as error:
                unsent = len(rest) == len(data) and not isinstance(self._sock, ssl.SSLSocket)
                raise (UnsentError if unsent else LostError) from error

    def read_reply(self, deadline: float) -> Reply:
        """The next whole reply. Raises LostError or GarbledError."""
        texts: list[str] = []
        code, budget = None, MAX_REPLY_BYTES
        while len(texts) < MAX_REPLY_LINES:
            line = self._read_line(deadline, budget)
            budget -= len(line)
            found = _LINE.fullmatch(line.rstrip(b"\r\n"))
            if found is None or code not in (None, found[1]):
                raise GarbledError
            code = found[1]
            texts.append((found[3] or b"").decode("utf-8", "replace"))
            if found[2] != b"-":
                return Reply(int(code), tuple(texts))
        raise GarbledError

    def _read_line(self, deadline: float, budget: int) -> bytes:
        while b"\n" not in self._buffer:
            if len(self._buffer) >= budget:
                raise GarbledError
            self._buffer += self._receive(deadline)
        line, _, self._buffer = self._buffer.partition(b"\n")
        if len(line) >= budget:
            raise GarbledError
        return line + b"\n"

    def _receive(self, deadline: float) -> bytes:
        self._sock.settimeout(_left(deadline))
        try:
            data = self._sock.recv(_READ)
        except OSError as error:
            raise LostError from error
        if not data:
            raise LostError
        return data

    @property
    def has_unread(self) -> bool:
        """Whether bytes beyond the last reply are here already: nobody may speak out of turn."""
        return bool(self._buffer)

    def interrupted(self) -> bool:
        """Whether the server spoke or hung up although it is our turn; never waits."""
        if self._buffer:
            return True
        self._sock.settimeout(0)
        try:
            self._buffer = self._sock.recv(_READ)
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        except OSError:
            return True
        return True  # bytes, or b"" for the end

    def start_tls(self, context: ssl.SSLContext, host: str, deadline: float) -> None:
        """Encrypts, checking the certificate against ``host``. Raises OSError or LostError."""
        self._sock.settimeout(_left(deadline))
        self._sock = context.wrap_socket(self._sock, server_hostname=host)

    def close(self) -> None:
        """Closes without a word; safe to repeat."""
        self.is_open = False
        self._sock.close()


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise LostError
    return left
