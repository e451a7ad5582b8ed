"""A small HTTP server on loopback that hands requests on as they came, so that their signatures stay good.

Where that can't be, it signs them anew (``signed_by``).
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from local.ports import LOOPBACK

LARGEST_REQUEST = 64_000_000
"""Octets; SES takes 40 MB of message, base64 makes 53 MB of it."""

_EMULATOR_SECONDS = 60.0
_IDLE_SECONDS = 60.0
# They are between two neighbours only (RFC 9110, 7.6.1). Uncompressed, an answer can be changed.
_NOT_HANDED_ON = frozenset(
    {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "accept-encoding"}
)


@dataclass(frozen=True, slots=True)
class Request:
    """A request to its last header; ``path`` has the query with it."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to be given."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


_OF_A_SIGNATURE = frozenset(
    {"host", "authorization", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256"}
)
Handler = Callable[[Request], Answer | None]
"""Answers a request, from several threads; None cuts the connection instead."""


def error_answer(status: int, code: str, message: str) -> Answer:
    """An error as SES's API gives it."""
    body = json.dumps({"message": message}).encode()
    return Answer(status, (("Content-Type", "application/json"), ("x-amzn-ErrorType", code)), body)


def forward(request: Request, port: int) -> Answer:
    """Have the server at the loopback port answer; 503 when it doesn't."""
    connection = HTTPConnection(LOOPBACK, port, timeout=_EMULATOR_SECONDS)
    try:
        connection.putrequest(request.method, request.path, skip_host=True, skip_accept_encoding=True)
        for name, value in request.headers:
            if name.lower() not in _NOT_HANDED_ON:
                connection.putheader(name, value)
        connection.endheaders(request.body)
        response = connection.getresponse()
        kept = tuple(pair for pair in response.getheaders() if pair[0].lower() not in _NOT_HANDED_ON)
        return Answer(response.status, kept, response.read())
    except (OSError, HTTPException) as error:
        return error_answer(
            503, "ServiceUnavailable", f"The emulator does not answer: {type(error).__name__}."
        )
    finally:
        connection.close()


def signed_by(session: boto3.Session, request: Request, port: int) -> Request:
    """The same request to the server at the loopback port, in the name of the session's user."""
    host = f"{LOOPBACK}:{port}"
    kept = {name: value for name, value in request.headers if name.lower() not in _OF_A_SIGNATURE}
    anew = AWSRequest(request.method, f"http://{host}{request.path}", headers=kept, data=request.body)
    SigV4Auth(session.get_credentials(), "ses", session.region_name).add_auth(anew)
    headers = (("Host", host), *((name, str(value)) for name, value in anew.headers.items()))
    return Request(request.method, request.path, headers, request.body)


@contextmanager
def serve(handler: Handler, port: int) -> Iterator[None]:
    """Answer requests at the loopback port, each on a thread of its own, while the block lasts."""
    server = _Server((LOOPBACK, port), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="ses-bridge", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a connection that is kept alive would hold up the end

    def __init__(self, address: tuple[str, int], handler: Handler) -> None:
        super().__init__(address, _Exchange)
        self.handler = handler


class _Exchange(BaseHTTPRequestHandler):
    """One connection; the methods are named as http.server wants them."""

    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = _IDLE_SECONDS

    def do_GET(self) -> None:
        self._answer()

    do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the emulator keeps a log."""

    def _answer(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > LARGEST_REQUEST:
            self.close_connection = True
            self._write(error_answer(413, "RequestEntityTooLarge", "The request is too large."))
            return
        body = self.rfile.read(int(length))
        answer = self.server.handler(Request(self.command, self.path, tuple(self.headers.items()), body))
        if answer is None:
            self.close_connection = True
        else:
            self._write(answer)

    def _write(self, answer: Answer) -> None:
        self.send_response_only(answer.status)
        for name, value in answer.headers:
            if name.lower() != "content-length":
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)
