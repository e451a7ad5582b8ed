"""The keys of the links in messages: made on first use, changed by the operator, remembered by each process.

A link works for as long as somebody keeps the mail, so a key is never removed. What a process remembers may
be five minutes old; a token of a key it doesn't know yet makes it look again at once, so a new key reads
everywhere from the first message that it seals.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.domain.delivery import MessageTags
from chalicelib.domain.link_tokens import SECRET_BYTES, SigningKey, TokenKind, TokenRing, key_number
from chalicelib.ports import Clock, LinkKeyBox, LinkKeyStore, SealedKey

REMEMBERED = timedelta(minutes=5)
A_MOMENT = timedelta(seconds=10)  # made-up marks must not have the keys read again and again


@dataclass(frozen=True, slots=True)
class LinkKeyPorts:
    """What the keys need. ``draw_secret`` makes so many random bytes, fit for a key."""

    keys: LinkKeyStore
    box: LinkKeyBox
    clock: Clock
    draw_secret: Callable[[int], bytes]


class KeptRing(TokenRing):
    """The deployment's ring as one process keeps it. What the store or KMS raises goes to the caller."""

    def __init__(self, ports: LinkKeyPorts) -> None:
        super().__init__([])
        self._ports = ports
        self._known: dict[int, SigningKey] = {}
        self._read_at: datetime | None = None

    def seal_all(self, kinds: Sequence[TokenKind], tags: MessageTags) -> list[str]:
        """As ``TokenRing.seal_all``; the very first token of a deployment makes its first key."""
        if self._is_old():
            self._read()
        if not self._known:
            add_key(0, self._ports)
            self._read()  # which key it became is for the store to say: another process may have been faster
        return super().seal_all(kinds, tags)

    def read(self, kind: TokenKind, token: str) -> MessageTags | None:
        """As ``TokenRing.read``."""
        if self._is_old() or key_number(token) > max(self._known, default=0):
            self._read()
        return super().read(kind, token)

    def seals(self, kind: TokenKind, tags: MessageTags) -> Iterator[str]:
        """As ``TokenRing.seals``; who finds none of them right gets those of newer keys, too."""
        if self._is_old():
            self._read()
        known = set(self._known)
        yield from super().seals(kind, tags)
        if self._read_at is None or self._ports.clock.now() - self._read_at > A_MOMENT:
            self._read()
            if known != set(self._known):
                yield from super().seals(kind, tags)

    def _is_old(self) -> bool:
        return self._read_at is None or self._ports.clock.now() - self._read_at > REMEMBERED

    def _read(self) -> None:
        now = self._ports.clock.now()
        stored = self._ports.keys.list()
        for key in stored:
            if key.number not in self._known:
                secret = self._ports.box.open(key.number, key.sealed)
                self._known[key.number] = SigningKey(key.number, secret)
        self.replace([self._known[key.number] for key in stored])
        self._read_at = now


def add_key(newest: int, ports: LinkKeyPorts) -> int:
    """Make the key after ``newest``, unless somebody does at the same time; either way, its number."""
    number = newest + 1
    sealed = ports.box.seal(number, ports.draw_secret(SECRET_BYTES))
    ports.keys.add(SealedKey(number, sealed, ports.clock.now()))
    return number


def rotate_link_key(ports: LinkKeyPorts) -> int:
    """Make a new key, which seals from now on while the older ones go on reading; returns its number."""
    newest = max((key.number for key in ports.keys.list()), default=0)
    return add_key(newest, ports)
