"""From a host name to a connected socket, each step within its time."""

import queue
import socket
import threading
import time
from collections.abc import Callable, Collection, Sequence

from chalicelib.domain.hosts import is_public

Address = tuple[socket.AddressFamily, tuple[str, int]]
Resolver = Callable[[str, int], Sequence[Address]]


class HostNotAllowed(OSError):
    """The name leads to an address that a customer may not have us dial; which one is not told."""


def resolve(host: str, port: int) -> Sequence[Address]:
    """The TCP addresses of ``host``, as the system's resolver orders them.

    Raises OSError when there are none, UnicodeError for a name that can't be one.
    """
    if "\0" in host:  # the C library would look up what stands before it
        raise UnicodeError("NUL in a host name")
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [(family, (str(address[0]), port)) for family, _, _, _, address in found]


def public_only(resolver: Resolver, private_hosts: Collection[str]) -> Resolver:
    """The same resolver, which raises HostNotAllowed unless *every* address is public.

    ``private_hosts``, in lower case, may have any. What is dialled are the addresses that were checked: a
    second look-up could have another answer.
    """

    def checked(host: str, port: int) -> Sequence[Address]:
        addresses = resolver(host, port)
        if host.lower() in private_hosts or all(is_public(address) for _, (address, _) in addresses):
            return addresses
        raise HostNotAllowed("not every address of the host is public")

    return checked


def resolve_within(resolver: Resolver, host: str, port: int, seconds: float) -> Sequence[Address]:
    """The addresses, or TimeoutError: the system's resolver has no deadline of its own.

    Raises OSError and UnicodeError, too. The thread of a resolver that hangs is left to end by itself.
    """
    answers: queue.SimpleQueue[Sequence[Address] | OSError | UnicodeError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(resolver(host, port))
        except (OSError, UnicodeError) as error:
            answers.put(error)

    threading.Thread(target=ask, name="resolve", daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(answer, Exception):
        raise answer
    return answer


def dial(addresses: Sequence[Address], seconds: float) -> socket.socket:
    """A connection to the first address that answers, all within ``seconds``. Raises OSError."""
    deadline = time.monotonic() + seconds
    last: OSError = ConnectionRefusedError("no address to connect to")
    for index, (family, address) in enumerate(addresses):
        share = (deadline - time.monotonic()) / (len(addresses) - index)  # one that swallows can't eat all
        if share <= 0:
            break
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.settimeout(share)
        try:
            sock.connect(address)
            # The final dot is a packet of its own; without this it would wait for the ACK of the body.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            sock.close()
            last = error
        else:
            return sock
    raise last
