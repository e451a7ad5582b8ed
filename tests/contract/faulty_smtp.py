"""An SMTP server on loopback that fails exactly where a test tells it to, and counts what it accepted.

Faults are listed by point: banner, ehlo, starttls, tls (the handshake), auth, mail, rcpt, data, body (after
1 KB of it), dot (the message has come and is thrown away), kept (it has come and is delivered), rset, noop,
quit. Each time the point is reached the next fault of its list is played; None, or no more, is normal.
"""

import base64
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

USER, PASSWORD = "user@example.com", "Pa55-CANARY-7f3a"
EXTENSIONS = ("PIPELINING", "SIZE 20000000", "8BITMIME", "ENHANCEDSTATUSCODES")


class GoneError(Exception):
    """The session is over."""


Fault = Callable[["Session"], None]


def say(text: bytes) -> Fault:
    """Answers with these bytes instead of the usual reply."""
    return lambda session: session.send(text)


def drop(session: "Session") -> None:
    """Closes the connection in the polite way (FIN)."""
    raise GoneError


def reset(session: "Session") -> None:
    """Closes the connection with a RST."""
    session.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raise GoneError


def wait(session: "Session") -> None:
    """Says nothing for a moment, so that the client surely knows that it is connected."""
    session.server.stopping.wait(0.05)


def swallow(session: "Session") -> None:
    """Reads on, without an answer, until the client leaves."""
    while session.sock.recv(1 << 20):
        pass
    raise GoneError


def hang(session: "Session") -> None:
    """Says nothing more until the test is over."""
    session.server.stopping.wait(30)
    raise GoneError


def then(*faults: Fault) -> Fault:
    """One after the other."""

    def play(session: "Session") -> None:
        for fault in faults:
            fault(session)

    return play


def drip(text: bytes, pause: float) -> Fault:
    """The bytes one by one."""

    def play(session: "Session") -> None:
        for byte in text:
            session.send(bytes([byte]))
            if session.server.stopping.wait(pause):
                raise GoneError

    return play


@dataclass
class FaultySmtp:
    """Use as a context manager. ``tls`` is offered by STARTTLS, or spoken from the start if ``implicit``."""

    faults: Mapping[str, Sequence[Fault | None]] = field(default_factory=dict)
    extensions: Sequence[str] = EXTENSIONS
    auth: str = "PLAIN LOGIN"
    tls: ssl.SSLContext | None = None
    implicit: bool = False
    accepted: list[bytes] = field(default_factory=list)
    commands: list[bytes] = field(default_factory=list)
    in_clear: bytes = b""
    connections: int = 0

    def __enter__(self) -> "FaultySmtp":
        self.stopping = threading.Event()
        self.pending = {point: list(faults) for point, faults in self.faults.items()}
        self.sessions: list[Session] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.listener.getsockname()[1])
        self.acceptor = threading.Thread(target=self._accept)
        self.acceptor.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.acceptor.join()
        self.listener.close()
        for session in self.sessions:
            with suppress(OSError):
                session.sock.shutdown(socket.SHUT_RDWR)
            session.join()

    @property
    def verbs(self) -> list[str]:
        """The commands of all sessions without their arguments."""
        return [command.split(b" ")[0].decode("latin-1") for command in self.commands]

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            sock.setsockopt(
                socket.IPPROTO_TCP, socket.TCP_NODELAY, 1
            )  # two pipelined replies are two packets
            self.connections += 1
            self.sessions.append(Session(self, sock))
            self.sessions[-1].start()


class Session(threading.Thread):
    """One connection."""

    def __init__(self, server: FaultySmtp, sock: socket.socket) -> None:
        super().__init__()
        self.server, self.sock, self.buffer, self.encrypted = server, sock, b"", False

    def run(self) -> None:
        with suppress(GoneError, OSError):
            if self.server.implicit:
                self.encrypt()
            self.play("banner", b"220 faulty.test ESMTP\r\n")
            while True:
                self.answer(self.line())
        self.sock.close()

    def play(self, point: str, usual: bytes) -> bool:
        """The next fault of the point, or the usual reply; whether it was the usual one."""
        pending = self.server.pending.get(point)
        fault = pending.pop(0) if pending else None
        if fault is None:
            self.send(usual)
            return True
        fault(self)
        return False

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def line(self) -> bytes:
        while b"\r\n" not in self.buffer:
            self.receive()
        line, _, self.buffer = self.buffer.partition(b"\r\n")
        return line

    def receive(self) -> None:
        data = self.sock.recv(65536)
        if not data:
            raise GoneError
        if not self.encrypted:
            self.server.in_clear += data
        self.buffer += data

    def answer(self, line: bytes) -> None:
        self.server.commands.append(line)
        verb = line.split(b" ")[0].upper().decode("latin-1")
        steps = {"EHLO": self.ehlo, "STARTTLS": self.starttls, "AUTH": self.authenticate, "DATA": self.data}
        if verb in steps:
            steps[verb](line)
        else:
            self.play(verb.lower(), b"221 2.0.0 Bye\r\n" if verb == "QUIT" else b"250 2.0.0 Ok\r\n")
        if verb == "QUIT":
            raise GoneError

    def ehlo(self, _: bytes) -> None:
        words = [*self.server.extensions, *([f"AUTH {self.server.auth}"] if self.server.auth else [])]
        if self.server.tls is not None and not self.encrypted:
            words.append("STARTTLS")
        self.play(
            "ehlo", "".join(f"250-{word}\r\n" for word in ["faulty.test", *words]).encode() + b"250 HELP\r\n"
        )

    def starttls(self, _: bytes) -> None:
        if self.play("starttls", b"220 2.0.0 Go\r\n"):
            self.encrypt()

    def encrypt(self) -> None:
        pending = self.server.pending.get("tls")
        if pending and (fault := pending.pop(0)):
            fault(self)
        assert self.server.tls is not None
        self.sock = self.server.tls.wrap_socket(self.sock, server_side=True)
        self.encrypted = True

    def authenticate(self, line: bytes) -> None:
        if line.upper().startswith(b"AUTH LOGIN"):
            self.send(b"334 VXNlcm5hbWU6\r\n")
            user = base64.b64decode(self.line())
            self.send(b"334 UGFzc3dvcmQ6\r\n")
            given = user + b"\0" + base64.b64decode(self.line())
        else:
            given = base64.b64decode(line.split(b" ")[2])[1:]
        right = given == f"{USER}\0{PASSWORD}".encode()
        self.play("auth", b"235 2.7.0 Ok\r\n" if right else b"535 5.7.8 Bad credentials\r\n")

    def data(self, _: bytes) -> None:
        if not self.play("data", b"354 Go\r\n"):
            return
        while len(self.buffer) < 1024 and not self.complete():
            self.receive()
        if self.server.pending.get("body"):
            self.play("body", b"")
        while not self.complete():
            self.receive()
        message, _, self.buffer = (b"\r\n" + self.buffer).partition(b"\r\n.\r\n")
        if self.server.pending.get("dot"):
            self.play("dot", b"")
            return
        self.server.accepted.append((message + b"\r\n").removeprefix(b"\r\n").replace(b"\r\n..", b"\r\n."))
        self.play("kept", b"250 2.0.0 Ok: queued as 4XYZ1234\r\n")

    def complete(self) -> bool:
        return b"\r\n.\r\n" in b"\r\n" + self.buffer
