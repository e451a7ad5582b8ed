"""Key pairs without mathematics: a signature is the text's digest under the private key."""

from collections.abc import Callable
from hashlib import sha256


class FakeKeys:
    """``KeyMaker`` and ``KeyLoader``; ``opened`` are the private keys that were loaded."""

    def __init__(self) -> None:
        self.opened: list[str] = []
        self._made = 0

    def make(self) -> tuple[str, str]:
        self._made += 1
        return f"private-{self._made}", f"public{self._made}"

    def load(self, private: str) -> Callable[[bytes], bytes]:
        self.opened.append(private)
        return lambda text: sha256(private.encode() + text).digest()
