"""Loopback ports that stay the same from one start to the next where they can."""

import socket
from pathlib import Path

LOOPBACK = "127.0.0.1"


def remembered_port(memory: Path) -> int:
    """The port noted in the file `memory` if it is free, else a free one, which is noted there."""
    if memory.exists() and _is_free(noted := int(memory.read_text())):
        return noted
    port = _free_port()
    memory.write_text(str(port))
    return port


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # a server may bind a port whose last connections still linger in TIME_WAIT
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True
