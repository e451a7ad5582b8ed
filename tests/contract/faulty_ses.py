"""An SES (API v2) on loopback that answers, or ends the connection, exactly as a test tells it to.

Faults are listed by point: accept (the connection is there, nothing was read), head (the request's header has
come), request (all of it has: as far as SES is concerned, the message may be on its way). Each time the point
is reached the next fault of its list is played; None, or no more, is normal.
"""

import base64
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self

SEND = "/v2/email/outbound-emails"
MESSAGE_ID = "0100018c-7be1-4f2a-9a1b-000000"


class GoneError(Exception):
    """The connection is over."""


Fault = Callable[["FaultySes", socket.socket], None]


@dataclass(frozen=True, slots=True)
class Request:
    """A request that came in whole."""

    path: str
    body: Any

    @property
    def message(self) -> bytes:
        return base64.b64decode(self.body["Content"]["Raw"]["Data"])


def answer(status: int, body: object, **headers: str) -> Fault:
    """An answer with a JSON body, or with text as it is."""
    text = body if isinstance(body, str) else json.dumps(body)
    return say(_http(status, text, headers))


def error(status: int, code: str, message: str = "") -> Fault:
    """An error as SES words it."""
    return answer(status, {"message": message}, **{"x-amzn-ErrorType": code})


def say(raw: bytes) -> Fault:
    """These bytes, and the connection stays."""
    return lambda _, sock: sock.sendall(raw)


def drop(_: "FaultySes", sock: socket.socket) -> None:
    """Closes the connection in the polite way (FIN)."""
    raise GoneError


def reset(_: "FaultySes", sock: socket.socket) -> None:
    """Closes the connection with a RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raise GoneError


def leave_unread(_: "FaultySes", sock: socket.socket) -> None:
    """Waits until something came, so that the client has its connection, and doesn't take it."""
    sock.recv(1, socket.MSG_PEEK)


def hang(server: "FaultySes", sock: socket.socket) -> None:
    """Says nothing more until the test is over."""
    server.stopping.wait(30)
    raise GoneError


def then(*faults: Fault) -> Fault:
    """One after the other."""

    def play(server: "FaultySes", sock: socket.socket) -> None:
        for fault in faults:
            fault(server, sock)

    return play


class FaultySes:
    """``requests`` are those that came in whole; ``connections`` all that were made."""

    def __init__(
        self, faults: Mapping[str, Sequence[Fault | None]] | None = None, tls: ssl.SSLContext | None = None
    ) -> None:
        self.faults = {point: list(queue) for point, queue in (faults or {}).items()}
        self.requests: list[Request] = []
        self.connections = 0
        self.stopping = threading.Event()
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self._open: set[socket.socket] = set()

    @property
    def endpoint(self) -> str:
        scheme = "https" if self._tls else "http"
        return f"{scheme}://127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def sends(self) -> list[Request]:
        """The messages SES was handed: each is one copy."""
        return [request for request in self.requests if request.path == SEND]

    def __enter__(self) -> Self:
        self._start(self._listen)
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        with suppress(OSError):
            socket.create_connection(self._listener.getsockname(), timeout=1).close()
        for sock in list(self._open):  # clients keep their connections, and nobody is to wait for them
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
        self._listener.close()

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _listen(self) -> None:
        while True:
            sock, _ = self._listener.accept()
            if self.stopping.is_set():
                sock.close()
                return
            self.connections += 1
            self._start(self._converse, sock)

    def _converse(self, sock: socket.socket) -> None:
        with suppress(GoneError, OSError, ssl.SSLError):
            try:
                sock.settimeout(10)
                self._play("accept", sock)
                if self._tls is not None:
                    sock = self._tls.wrap_socket(sock, server_side=True)
                self._open.add(sock)
                while True:
                    self._serve(sock)
            finally:
                self._open.discard(sock)
                sock.close()

    def _serve(self, sock: socket.socket) -> None:
        head, rest = self._head(sock)
        self._play("head", sock)
        words = head.split(b"\r\n")[0].split()
        lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        length = int(lengths[0].partition(b":")[2]) if lengths else 0
        while len(rest) < length:
            rest += _read(sock)
        self.requests.append(Request(words[1].decode(), json.loads(rest) if rest else None))
        if not self._play("request", sock):
            sock.sendall(_http(200, json.dumps({"MessageId": MESSAGE_ID}), {}))

    def _head(self, sock: socket.socket) -> tuple[bytes, bytes]:
        data = b""
        while b"\r\n\r\n" not in data:
            data += _read(sock)
        head, _, rest = data.partition(b"\r\n\r\n")
        return head, rest

    def _play(self, point: str, sock: socket.socket) -> bool:
        queue = self.faults.get(point)
        fault = queue.pop(0) if queue else None
        if fault is not None:
            fault(self, sock)
        return fault is not None


def _read(sock: socket.socket) -> bytes:
    data = sock.recv(1 << 16)
    if not data:
        raise GoneError
    return data


def _http(status: int, text: str, headers: Mapping[str, str]) -> bytes:
    body = text.encode()
    lines = [
        f"HTTP/1.1 {status} Whatever",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
