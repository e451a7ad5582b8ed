"""A DNS server on loopback for tests: zones in a dictionary, and the troubles of real ones.

It answers by UDP and TCP at one port. What doesn't fit into the UDP answer that was asked for is cut short
(TC, RFC 1035, 4.1.1), so that the asker comes again by TCP.
"""

import socket
import socketserver
import struct
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

Zone = dict[tuple[str, str], list[str]]
"""Records by name and type, in the words of a zone file; a TXT's text is quoted here."""


class Trouble(StrEnum):
    """What a name's server does instead of answering."""

    SERVFAIL = "servfail"
    REFUSED = "refused"
    SILENT = "silent"
    GARBAGE = "garbage"
    SLOW = "slow"  # a second


@dataclass
class NameServer:
    """``asked`` are the questions so far: name, type, and how they came."""

    records: Zone = field(default_factory=dict)
    troubles: dict[str, Trouble] = field(default_factory=dict)
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    port: int = 0

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def add(self, records: Mapping[tuple[str, str], list[str]]) -> None:
        self.records.update(records)

    def answer(self, wire: bytes, by: str) -> bytes | None:
        query = dns.message.from_wire(wire)
        (question,) = query.question
        name = question.name.to_text(omit_final_dot=True).lower()
        kind = dns.rdatatype.to_text(question.rdtype)
        self.asked.append((name, kind, by))
        match self.troubles.get(name):
            case Trouble.SILENT:
                return None
            case Trouble.GARBAGE:
                return wire[:2] + b"\xff" * 30
            case Trouble.SLOW:
                time.sleep(1)
        response = dns.message.make_response(query, recursion_available=True)
        self._fill(response, name, kind)
        limit = 65_535 if by == "tcp" else max(query.payload, 512)
        try:
            return response.to_wire(max_size=limit)
        except dns.exception.TooBig:
            cut = dns.message.make_response(query, recursion_available=True)
            cut.flags |= dns.flags.TC
            return cut.to_wire()

    def _fill(self, response: dns.message.Message, name: str, kind: str) -> None:
        refusals = {Trouble.SERVFAIL: dns.rcode.SERVFAIL, Trouble.REFUSED: dns.rcode.REFUSED}
        trouble = self.troubles.get(name)
        if trouble in refusals:
            response.set_rcode(refusals[trouble])
            return
        for _ in range(4):  # as many aliases as anybody follows here
            values = self.records.get((name, kind), [])
            alias = self.records.get((name, "CNAME"))
            if values or alias is None:
                break
            response.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", "CNAME", *alias))
            name = alias[0].rstrip(".").lower()
        if values:
            texts = [_quoted(value) if kind == "TXT" else value for value in values]
            response.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", kind, *texts))
        elif not any(own == name or own.endswith(f".{name}") for own, _ in self.records):
            response.set_rcode(dns.rcode.NXDOMAIN)


def _quoted(text: str) -> str:
    """A TXT record's strings have at most 255 characters (RFC 1035, 3.3.14)."""
    starts = range(0, max(len(text), 1), 255)
    return " ".join(
        '"' + text[at : at + 255].replace("\\", "\\\\").replace('"', '\\"') + '"' for at in starts
    )


@contextmanager
def run_name_server(records: Zone | None = None) -> Iterator[NameServer]:
    """The server, until the block ends."""
    server = NameServer(dict(records or {}))
    both = _bound(*_handlers(server))
    server.port = both[0].server_address[1]
    threads = [threading.Thread(target=each.serve_forever, args=(0.05,), daemon=True) for each in both]
    for thread in threads:
        thread.start()
    try:
        yield server
    finally:
        for each in both:
            each.shutdown()
            each.server_close()
        for thread in threads:
            thread.join()


def _handlers(
    server: NameServer,
) -> tuple[type[socketserver.BaseRequestHandler], type[socketserver.BaseRequestHandler]]:
    class Udp(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            wire, sock = self.request
            answer = server.answer(wire, "udp")
            if answer is not None:
                sock.sendto(answer, self.client_address)

    class Tcp(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.settimeout(5)
            head = self.request.recv(2, socket.MSG_WAITALL)
            if len(head) < 2:
                return
            wire = self.request.recv(struct.unpack("!H", head)[0], socket.MSG_WAITALL)
            answer = server.answer(wire, "tcp")
            if answer is not None:
                self.request.sendall(struct.pack("!H", len(answer)) + answer)

    return Udp, Tcp


def _bound(
    udp: type[socketserver.BaseRequestHandler], tcp: type[socketserver.BaseRequestHandler]
) -> tuple[socketserver.ThreadingUDPServer, socketserver.ThreadingTCPServer]:
    """Both at one port, which the system chooses for UDP and which is mostly free for TCP, too."""
    for _ in range(20):
        first = socketserver.ThreadingUDPServer(("127.0.0.1", 0), udp)
        first.daemon_threads = True
        try:
            second = socketserver.ThreadingTCPServer(first.server_address[:2], tcp)
        except OSError:
            first.server_close()
            continue
        second.daemon_threads = True
        return first, second
    raise OSError("no port is free for UDP and TCP")
