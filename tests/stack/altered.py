"""What only a deployed stack can have: senders that die, lost replies of AWS, many processes at once."""

import http.client
import io
import json
import threading
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from local.emulator import ROOT
from local.stack import Stack
from tests.doors.events import failed_ids, sqs_event

SENDER = "SendEmails"
DOORS = {
    "SendEmails": "chalicelib/blueprints/sender.py",
    "DispatchCampaign": "chalicelib/blueprints/dispatcher.py",
    "ImportUploads": "chalicelib/blueprints/importer.py",
}


@contextmanager
def altered_build(stack: Stack, function: str, appended: str) -> Iterator[None]:
    """Run a function from a test build: the package, with a few lines more at the end of its door."""
    functions, name = stack.client("lambda"), stack.resource(function)
    package = (ROOT / "build" / "deployment.zip").read_bytes()
    altered = _with_appended(package, DOORS[function], appended)
    functions.update_function_code(FunctionName=name, ZipFile=altered)
    try:
        yield
    finally:
        functions.update_function_code(FunctionName=name, ZipFile=package)


def _with_appended(package: bytes, module: str, appended: str) -> bytes:
    altered = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as old, zipfile.ZipFile(altered, "w") as new:
        for entry in old.infolist():
            more = appended.encode() if entry.filename == module else b""
            new.writestr(entry, old.read(entry) + more)
    return altered.getvalue()


@contextmanager
def sender_through(stack: Stack, endpoint: str) -> Iterator[None]:
    """Have the sender reach AWS at another address."""
    functions, name = stack.client("lambda"), stack.resource(SENDER)
    variables = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    changed = {**variables, "AWS_ENDPOINT_URL": endpoint}
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": changed})
    try:
        yield
    finally:
        functions.update_function_configuration(FunctionName=name, Environment={"Variables": variables})


@contextmanager
def trigger_off(stack: Stack, function: str) -> Iterator[None]:
    """Leave a function's queue unread for a while."""
    functions, name = stack.client("lambda"), stack.resource(function)
    found = functions.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
    functions.update_event_source_mapping(UUID=found[0]["UUID"], Enabled=False)
    try:
        yield
    finally:
        functions.update_event_source_mapping(UUID=found[0]["UUID"], Enabled=True)


def run_at_once(stack: Stack, function: str, event: object, times: int = 3) -> None:
    """Run a function so many times at once with the same event, each in a process that is warm already."""
    functions, name = stack.client("lambda"), stack.resource(function)

    def run(event: object) -> list[str]:
        answer = functions.invoke(FunctionName=name, Payload=json.dumps(event).encode())
        return failed_ids(json.loads(answer["Payload"].read()))

    with ThreadPoolExecutor(times) as at_once:
        list(at_once.map(run, [sqs_event("to warm up")] * times))
        assert list(at_once.map(run, [event] * times)) == [[]] * times


class LossyProxy:
    """Passes everything on to the emulator, and keeps the first reply to some requests to itself.

    The request was carried out then; whoever sent it sees the connection close, as when a reply gets lost.
    """

    def __init__(self, upstream: str, losses: list[tuple[str, bytes]]) -> None:
        self._upstream = urlsplit(upstream).netloc
        self._losses = losses
        self.lost: list[tuple[str, bytes]] = []
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                status, headers, content = proxy.forward(self.command, self.path, dict(self.headers), body)
                if proxy.loses(self.headers.get("X-Amz-Target", ""), body):
                    self.close_connection = True
                    return
                self.send_response(status)
                for key in headers.keys() - {"Content-Length", "Connection", "Transfer-Encoding"}:
                    self.send_header(key, headers[key])
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
                """Say nothing."""

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"

    @contextmanager
    def running(self) -> Iterator[None]:
        """Listen while the block lasts."""
        thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()

    def forward(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        """The emulator's answer; the signature stays good because the Host header stays."""
        upstream = http.client.HTTPConnection(self._upstream, timeout=30)
        try:
            upstream.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for key, value in headers.items():
                upstream.putheader(key, value)
            upstream.endheaders(body)
            answer = upstream.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            upstream.close()

    def loses(self, target: str, body: bytes) -> bool:
        """Whether this reply is one to lose; each loss happens once."""
        for loss in self._losses:
            operation, part = loss
            if target.endswith(f".{operation}") and part in body and loss not in self.lost:
                self.lost.append(loss)
                return True
        return False


class _Server(ThreadingHTTPServer):
    block_on_close = False
