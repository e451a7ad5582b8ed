"""Keys of the links in memory, and a box that gives a secret back under its own number only."""

from chalicelib.errors import SecretUnreadable
from chalicelib.ports import SealedKey


class FakeLinkKeyStore:
    """Port ``LinkKeyStore``. Counts how often it was read."""

    def __init__(self) -> None:
        self._keys: dict[int, SealedKey] = {}
        self.reads = 0

    def add(self, key: SealedKey) -> bool:
        return self._keys.setdefault(key.number, key) is key

    def list(self) -> list[SealedKey]:
        self.reads += 1
        return [self._keys[number] for number in sorted(self._keys, reverse=True)]


class FakeLinkKeyBox:
    """Port ``LinkKeyBox``. It encrypts nothing."""

    def seal(self, number: int, secret: bytes) -> bytes:
        return b"%d:" % number + secret

    def open(self, number: int, sealed: bytes) -> bytes:
        owner, _, secret = sealed.partition(b":")
        if owner != b"%d" % number:
            raise SecretUnreadable
        return secret
