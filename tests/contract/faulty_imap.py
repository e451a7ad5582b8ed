"""An IMAP server on loopback with one inbox, which fails exactly where a test tells it to (RFC 9051).

Faults are listed by point: greeting, capability, starttls, tls (the handshake), authenticate, login, examine,
search, fetch, logout. Each time the point is reached the next fault of its list is played; None, or no more,
is normal. It answers what a reader of bounces may ask and calls everything else an error of the test.
"""

import base64
import re
import socket
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime

USER, PASSWORD = "bounces@example.com", "Imap-CANARY-91c2"


class GoneError(Exception):
    """The session is over."""


Fault = Callable[["Session"], None]


def say(text: bytes) -> Fault:
    """Answers with these bytes instead of the usual reply; ``%T`` in them is the command's tag."""
    return lambda session: session.send(text.replace(b"%T", session.tag))


def quote(session: "Session") -> None:
    """Refuses a sign-in with what it was given, in plain and as it came: some servers do."""
    own = session.server
    told = base64.b64encode(f"\0{own.user}\0{own.password}".encode())
    session.send(session.tag + b" NO bad credentials: " + own.password.encode() + b" in " + told + b"\r\n")


def drop(session: "Session") -> None:
    """Closes the connection."""
    raise GoneError


def hang(session: "Session") -> None:
    """Says nothing more until the test is over."""
    session.server.stopping.wait(30)
    raise GoneError


@dataclass
class Message:
    """A message of the inbox. ``seen`` is set by whoever reads it without PEEK."""

    came: date
    raw: bytes
    seen: bool = False


@dataclass
class FaultyImap:
    """A context manager: it listens on a port of its own until the block ends."""

    messages: dict[int, Message] = field(default_factory=dict)
    faults: Mapping[str, Sequence[Fault | None]] = field(default_factory=dict)
    tls: ssl.SSLContext | None = None
    implicit: bool = True
    capabilities: str = "IMAP4rev1 AUTH=PLAIN"
    validity: int = 3857529045
    user: str = USER
    password: str = PASSWORD
    commands: list[bytes] = field(default_factory=list)
    in_clear: bytes = b""
    signed_out: int = 0
    problems: list[str] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.script = {point: list(faults) for point, faults in self.faults.items()}

    def __enter__(self) -> "FaultyImap":
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)
        assert not self.problems

    def _start(self, work: Callable[[], None]) -> None:
        self._threads.append(threading.Thread(target=work, daemon=True))
        self._threads[-1].start()

    def _accept(self) -> None:
        while not self.stopping.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            sock.settimeout(30)
            self._start(Session(self, sock).run)


class Session:
    """One connection."""

    def __init__(self, server: FaultyImap, sock: socket.socket) -> None:
        self.server = server
        self.sock = sock
        self.tag = b"*"
        self._buffer = b""
        self._selected = False

    def run(self) -> None:
        try:
            if self.server.tls and self.server.implicit:
                self._handshake()
            self._at("greeting", lambda: self.send(b"* OK ready\r\n"))
            while True:
                self._answer(self.receive())
        except (GoneError, OSError):
            pass
        finally:
            self.sock.close()

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def receive(self) -> bytes:
        """One line, without its end."""
        while b"\r\n" not in self._buffer:
            data = self.sock.recv(65536)
            if not data:
                raise GoneError
            if not isinstance(self.sock, ssl.SSLSocket):
                self.server.in_clear += data
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\r\n")
        self.server.commands.append(line)
        return line

    def _at(self, point: str, normal: Callable[[], None]) -> None:
        script = self.server.script.get(point)
        fault = script.pop(0) if script else None
        if fault is None:
            normal()
        else:
            fault(self)

    def _handshake(self) -> None:
        assert self.server.tls is not None
        self._at("tls", lambda: None)
        self.sock = self.server.tls.wrap_socket(self.sock, server_side=True)

    def _answer(self, line: bytes) -> None:
        self.tag, _, command = line.partition(b" ")
        verb, _, rest = command.partition(b" ")
        if verb.upper() == b"UID":
            verb, _, rest = rest.partition(b" ")
        handlers = {
            b"CAPABILITY": self._capability,
            b"STARTTLS": self._starttls,
            b"AUTHENTICATE": self._authenticate,
            b"LOGIN": self._login,
            b"EXAMINE": self._examine,
            b"SEARCH": self._search,
            b"FETCH": self._fetch,
            b"LOGOUT": self._logout,
        }
        handler = handlers.get(verb.upper())
        if handler is None:
            self.server.problems.append(f"a reader has no use for {verb.decode()}")
            raise GoneError
        self._at(verb.decode().lower(), lambda: handler(rest))

    def _ok(self, *untagged: str) -> None:
        for line in untagged:
            self.send(f"* {line}\r\n".encode())
        self.send(self.tag + b" OK done\r\n")

    def _capability(self, _: bytes) -> None:
        self._ok(f"CAPABILITY {self.server.capabilities}")

    def _starttls(self, _: bytes) -> None:
        self._ok()
        self._handshake()

    def _authenticate(self, rest: bytes) -> None:
        assert rest == b"PLAIN"
        self.send(b"+ \r\n")
        _, user, password = base64.b64decode(self.receive()).decode().split("\0")
        self._sign_in(user, password)

    def _login(self, rest: bytes) -> None:
        found = re.fullmatch(rb'"?([^" ]+)"? "((?:[^"\\]|\\.)*)"', rest)
        assert found is not None
        self._sign_in(found[1].decode(), re.sub(rb"\\(.)", rb"\1", found[2]).decode())

    def _sign_in(self, user: str, password: str) -> None:
        if (user, password) == (self.server.user, self.server.password):
            self._ok()
        else:
            self.send(self.tag + b" NO [AUTHENTICATIONFAILED] Invalid credentials\r\n")

    def _examine(self, rest: bytes) -> None:
        assert rest == b"INBOX"
        self._selected = True
        self._ok(f"{len(self.server.messages)} EXISTS", f"OK [UIDVALIDITY {self.server.validity}] valid")

    def _search(self, rest: bytes) -> None:
        assert self._selected
        found = re.fullmatch(rb"UID (\d+):\* SINCE (\S+)", rest)
        assert found is not None
        since = datetime.strptime(found[2].decode(), "%d-%b-%Y").date()  # noqa: DTZ007  (a day of the server's)
        last = max(self.server.messages, default=0)
        first = min(int(found[1]), last)  # "n:*" holds the last message even if n is beyond it
        numbers = [n for n, m in self.server.messages.items() if first <= n <= last and m.came >= since]
        self._ok(f"SEARCH {' '.join(map(str, numbers))}".rstrip())

    def _fetch(self, rest: bytes) -> None:
        found = re.fullmatch(rb"(\d+) \(BODY(\.PEEK)?\[\]<0\.(\d+)>\)", rest)
        assert found is not None
        message = self.server.messages.get(int(found[1]))
        if message is not None:
            message.seen |= not found[2]
            raw = message.raw[: int(found[3])]
            self.send(b"* 1 FETCH (UID %s BODY[]<0> {%d}\r\n%s)\r\n" % (found[1], len(raw), raw))
        self._ok()

    def _logout(self, _: bytes) -> None:
        self.server.signed_out += 1
        self._ok("BYE")
        raise GoneError
