"""From the name to the socket: what can go wrong before the server has said a word."""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import pytest

from chalicelib.adapters.smtp import SmtpSender
from chalicelib.adapters.smtp.dial import Address, dial, public_only, resolve
from chalicelib.domain.delivery import Accepted, Connected, Refused, Scope, Stage, TryLater
from chalicelib.domain.line import ConnectionState
from tests.contract.faulty_smtp import PASSWORD, FaultySmtp
from tests.contract.smtp_builders import SHORT, line, send


def loopback(port: int) -> Address:
    return (socket.AF_INET, ("127.0.0.1", port))


class Dns:
    """A resolver that gives one answer after the other, and the last one again and again."""

    def __init__(self, *answers: list[Address]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> list[Address]:
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def public(port: int) -> Address:
    return (socket.AF_INET, ("192.31.196.1", port))


@contextmanager
def held_to(dns: Dns, *private_hosts: str) -> Iterator[SmtpSender]:
    sender = SmtpSender(timeouts=SHORT, resolver=public_only(dns, private_hosts))
    try:
        yield sender
    finally:
        sender.close()


@contextmanager
def swallowing() -> Iterator[int]:
    """A port whose queue is full: the kernel answers no more than a firewall that drops packets."""
    with ExitStack() as sockets:
        listener = sockets.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        port = int(listener.getsockname()[1])
        for _ in range(3):
            waiting = sockets.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", port))
        yield port


@pytest.mark.parametrize("error", [OSError("no DNS"), UnicodeError("no name")])
def test_a_host_that_is_not_found_is_a_fault_of_the_line(error: Exception) -> None:
    def resolver(host: str, port: int) -> list[Address]:
        raise error

    outcome = send(SmtpSender(timeouts=SHORT, resolver=resolver), line(1))
    assert isinstance(outcome, TryLater)
    assert (outcome.scope, outcome.reason.code) == (Scope.LINE, "host_not_found")


def test_a_resolver_that_hangs_is_not_waited_for() -> None:
    over = threading.Event()

    def resolver(host: str, port: int) -> list[Address]:
        over.wait(10)
        return [loopback(server.port)]

    with FaultySmtp() as server:
        sender = SmtpSender(timeouts=replace(SHORT, resolve=0.1), resolver=resolver)
        outcome = send(sender, line(server.port))
        over.set()
    assert isinstance(outcome, TryLater)
    assert outcome.reason.code == "host_not_found"


def test_no_address_at_all_is_a_fault_of_the_line() -> None:
    outcome = send(SmtpSender(timeouts=SHORT, resolver=lambda host, port: []), line(1))
    assert isinstance(outcome, TryLater)
    assert (outcome.scope, outcome.reason.code) == (Scope.LINE, "connect_failed")


def test_an_address_that_swallows_leaves_time_for_the_next() -> None:
    with swallowing() as port, FaultySmtp() as server:
        sender = SmtpSender(timeouts=SHORT, resolver=lambda *_: [loopback(port), loopback(server.port)])
        outcome = send(sender, line(server.port))
        sender.close()
    assert isinstance(outcome, Accepted)


def test_only_addresses_the_resolver_allows_are_dialled() -> None:
    with FaultySmtp() as forbidden, FaultySmtp() as allowed:
        sender = SmtpSender(timeouts=SHORT, resolver=lambda *_: [loopback(allowed.port)])
        assert isinstance(send(sender, line(forbidden.port)), Accepted)
        sender.close()
    assert (forbidden.connections, allowed.connections) == (0, 1)


def test_small_writes_are_not_held_back() -> None:
    with FaultySmtp() as server, dial([loopback(server.port)], 5) as sock:
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_name_is_not_cut_at_a_nul() -> None:
    with pytest.raises(UnicodeError):
        resolve("127.0.0.1\0.example.com", 25)


def test_a_host_with_a_private_address_is_refused_and_not_dialled() -> None:
    with FaultySmtp() as server, held_to(Dns([loopback(server.port)])) as sender:
        refused = sender.connect(line(server.port), PASSWORD)
        proof = sender.prove(line(server.port), PASSWORD)
    assert isinstance(refused, Refused)
    assert (refused.scope, refused.reason.code) == (Scope.LINE, "host_not_allowed")
    assert (proof.state, proof.reason) == (ConnectionState.FAILED, refused.reason)
    assert server.connections == 0


def test_one_private_address_among_public_ones_is_enough() -> None:
    with FaultySmtp() as server:
        dns = Dns([loopback(server.port), public(server.port)], [public(server.port), loopback(server.port)])
        with held_to(dns) as sender:
            outcomes = [sender.connect(line(server.port), PASSWORD) for _ in range(2)]
    assert {outcome.reason.code for outcome in outcomes if isinstance(outcome, Refused)} == {
        "host_not_allowed"
    }
    assert server.connections == 0


@pytest.mark.parametrize(
    ("family", "address"),
    [
        (socket.AF_INET, "10.0.0.1"),
        (socket.AF_INET, "169.254.169.254"),
        (socket.AF_INET, "100.64.0.1"),
        (socket.AF_INET6, "::1"),
        (socket.AF_INET6, "fe80::1%eth0"),
        (socket.AF_INET6, "::ffff:127.0.0.1"),
        (socket.AF_INET6, "64:ff9b::a9fe:a9fe"),
    ],
)
def test_the_answer_does_not_tell_which_address_it_was(family: socket.AddressFamily, address: str) -> None:
    with held_to(Dns([(family, (address, 587))])) as sender:
        reason = sender.prove(line(587, host="mail.example.com"), PASSWORD).reason
    with held_to(Dns([loopback(587)])) as sender:
        assert sender.prove(line(587, host="intranet.example.com"), PASSWORD).reason == reason
    assert reason is not None
    assert (reason.stage, reason.reply_code, reason.reply_text) == (Stage.RESOLVE, None, None)
    assert address not in repr(reason)


@pytest.mark.parametrize("spelled", ["localhost", "127.1", "2130706433", "0x7f.1", "0177.0.0.1"])
def test_no_spelling_of_loopback_leads_there(spelled: str) -> None:
    with FaultySmtp() as server:
        sender = SmtpSender(timeouts=SHORT, resolver=public_only(resolve, ()))
        outcome = sender.connect(line(server.port, host=spelled), PASSWORD)
    assert isinstance(outcome, Refused)
    assert outcome.reason.code == "host_not_allowed"
    assert server.connections == 0


@pytest.mark.parametrize("host", ["localhost", "LocalHost"])
def test_a_host_on_the_list_may_be_private(host: str) -> None:
    with FaultySmtp() as server, held_to(Dns([loopback(server.port)]), "localhost") as sender:
        assert isinstance(sender.connect(line(server.port, host=host), PASSWORD), Connected)
    assert server.connections == 1


def test_a_name_is_looked_up_once_for_each_connection() -> None:
    """DNS rebinding: one answer when the name is checked, another one when it is used."""
    with FaultySmtp() as checked, FaultySmtp() as rebound:
        dns = Dns([loopback(checked.port)], [loopback(rebound.port)])
        with held_to(dns, "mail.example.com") as sender:
            to = line(checked.port, host="mail.example.com")
            assert isinstance(sender.connect(to, PASSWORD), Connected)
            assert (dns.asked, checked.connections, rebound.connections) == (["mail.example.com"], 1, 0)


def test_a_name_is_checked_for_every_connection() -> None:
    listed = {"mail.example.com"}
    with FaultySmtp() as server:
        sender = SmtpSender(timeouts=SHORT, resolver=public_only(Dns([loopback(server.port)]), listed))
        to = line(server.port, host="mail.example.com")
        assert isinstance(send(sender, to), Accepted)
        sender.close()
        listed.clear()
        assert isinstance(sender.connect(to, PASSWORD), Refused)
    assert server.connections == 1
