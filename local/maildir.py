"""A Maildir that keeps messages to the byte, and beside it each one's envelope.

Layout: `new/` holds the messages as they were received (CRLF line ends), `envelopes/` a JSON file of the same
name each. A message is written under `tmp/` and renamed, so that no reader sees half of one.
"""

import json
import os
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Received:
    """A message as the server took it: the envelope's addresses, and the content without dot-stuffing."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes


class Maildir:
    """The folder `root`, made when it isn't there. One process writes, any number read."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name in ("tmp", "new", "cur", "envelopes"):
            (root / name).mkdir(parents=True, exist_ok=True)

    def keep(self, message: Received) -> None:
        """Store the message; when this returns, readers see it."""
        name = f"{time.time_ns()}.{os.getpid()}.{uuid.uuid4().hex}"
        envelope = {"sender": message.sender, "recipients": message.recipients}
        (self.root / "envelopes" / name).write_text(json.dumps(envelope), encoding="utf-8")
        half_written = self.root / "tmp" / name
        half_written.write_bytes(message.content)
        half_written.rename(self.root / "new" / name)

    def messages(self) -> Iterator[Received]:
        """All messages kept so far, oldest first."""
        for file in sorted((self.root / "new").iterdir()):
            envelope = json.loads((self.root / "envelopes" / file.name).read_text(encoding="utf-8"))
            yield Received(envelope["sender"], tuple(envelope["recipients"]), file.read_bytes())
