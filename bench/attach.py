"""A message with a file of 5 MiB to a server on loopback: ours, the usual way, and bytes alone.

Ours makes the recipient's part and streams the file that was encoded once. The usual way builds an
EmailMessage with the file for each recipient, and sends that. The limit writes ready bytes to the socket. All
of them speak to the same server, a process of its own that throws away what it reads.
"""

import argparse
import json
import os
import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import policy
from email.message import EmailMessage
from hashlib import shake_256
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.compose import HTML, SENDER, SUBJECT, TEXT, jobs
from chalicelib.adapters.smtp import SmtpSender
from chalicelib.domain.attachment import Attachment, encoded
from chalicelib.domain.content import Content
from chalicelib.domain.delivery import Accepted, Envelope, LongMessage, Message
from chalicelib.domain.email import compile_message
from chalicelib.domain.line import Line, Security, SmtpChannel
from chalicelib.flow.attached_files import EndOfMessage, FileAtHand

SIZE = 5 * 1024 * 1024
TIMES = 6  # messages in one round
END = b"\r\n.\r\n"
ANSWERS = {b"EHLO": b"250-sink\r\n250 AUTH PLAIN\r\n", b"AUTH": b"235 in\r\n"}
ENVELOPE = Envelope("news@shop.example", "somebody@mail.example")


def serve(listener: socket.socket) -> None:
    """Take every message of every connection: enough of SMTP for one sender."""
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=_converse, args=(connection,), daemon=True).start()


def _converse(connection: socket.socket) -> None:
    connection.sendall(b"220 ready\r\n")
    while line := connection.recv(4096):
        verb = line[:4].upper()
        if verb == b"DATA":
            connection.sendall(b"354 go on\r\n")
            _swallow(connection)
        connection.sendall(ANSWERS.get(verb, b"250 ok\r\n"))


def _swallow(connection: socket.socket) -> None:
    last = b""
    while not last.endswith(END):
        last = last[-len(END) :] + connection.recv(1 << 20)


@contextmanager
def sink() -> Iterator[int]:
    """The server's port, while it lives."""
    listener = socket.create_server(("127.0.0.1", 0))
    child = os.fork()
    if child == 0:
        serve(listener)
    try:
        yield listener.getsockname()[1]
    finally:
        os.kill(child, 15)
        os.waitpid(child, 0)
        listener.close()


def usual(raw: bytes) -> bytes:
    """What the standard library makes for one recipient."""
    message = EmailMessage(policy=policy.SMTP)
    message["Subject"], message["From"], message["To"] = SUBJECT, SENDER.from_address, ENVELOPE.recipient
    message.set_content(TEXT)
    message.add_alternative(HTML, subtype="html")
    message.add_attachment(raw, maintype="application", subtype="pdf", filename="plan.pdf")
    return message.as_bytes()


def main() -> None:
    """Measure and print; the last line is JSON of the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="at least 7")
    rounds = max(7, parser.parse_args().rounds)
    raw = shake_256(b"plan").digest(SIZE)
    file = Attachment("id", "plan.pdf", "application/pdf", SIZE, "d" * 64)
    compiled = compile_message(Content(SUBJECT, HTML, TEXT, attachments=(file,)), SENDER)
    with TemporaryDirectory() as folder, sink() as port:
        path = Path(folder, "encoded")
        path.write_bytes(b"".join(encoded([raw])))
        at_hand = FileAtHand(path, path.stat().st_size)
        end = EndOfMessage(tuple(piece if isinstance(piece, bytes) else at_hand for piece in compiled.end))
        line = Line("l", "Sink", SmtpChannel("127.0.0.1", port, Security.NONE, "user"), "news@shop.example")
        sender = SmtpSender()
        sender.connect(line, "password")
        job = jobs(1)[0]
        ready = bytes(LongMessage(compiled.render(*job[:3]), end)) + b".\r\n"

        def send(message: Message) -> None:
            outcome = sender.deliver(line, ENVELOPE, message, lambda: True)
            if outcome != Accepted(None, "ok"):
                raise ValueError(f"the server took no message: {outcome}")

        ways: dict[str, Callable[[], None]] = {
            "ours": lambda: send(LongMessage(compiled.render(*job[:3]), end)),
            "EmailMessage": lambda: send(usual(raw)),
            "ready bytes": lambda: _write(port, ready),
        }
        report(measured(ways, rounds))


def _write(port: int, ready: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.recv(100)
        connection.sendall(b"DATA\r\n")
        connection.recv(100)
        connection.sendall(ready)
        connection.recv(100)


def measured(ways: dict[str, Callable[[], None]], rounds: int) -> dict[str, list[tuple[float, float]]]:
    """CPU and wall seconds of one message, by way and round; the ways take turns, and the first warms up."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, work in ways.items():
            cpu, wall = time.process_time(), time.perf_counter()
            for _ in range(TIMES):
                work()
            cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
            taken[name] += [(cpu / TIMES, wall / TIMES)] if number else []
    return taken


def report(taken: dict[str, list[tuple[float, float]]]) -> None:
    """A table for people and a line for programs."""
    print(f"One message with a file of {SIZE:,} bytes")
    print(f"{'':<16}{'ms of CPU':>12}{'messages/s':>12}")
    cpu = {name: statistics.median(one for one, _ in values) for name, values in taken.items()}
    rate = {name: 1 / statistics.median(wall for _, wall in values) for name, values in taken.items()}
    for name in taken:
        print(f"{name:<16}{cpu[name] * 1000:>12.1f}{rate[name]:>12.1f}")
    figures = {
        "ms_per_message": cpu["ours"] * 1000,
        "ms_usual": cpu["EmailMessage"] * 1000,
        "ms_limit": cpu["ready bytes"] * 1000,
        "ratio_to_usual": cpu["EmailMessage"] / cpu["ours"],
    }
    print(json.dumps({name: round(value, 2) for name, value in figures.items()}))


if __name__ == "__main__":
    main()
