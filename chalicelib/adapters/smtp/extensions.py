"""What a server announced in its reply to EHLO (RFC 5321, 4.1.1.1)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from chalicelib.adapters.smtp.wire import Reply

_KEYWORD = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]*)(?:[ =]+(.*))?")  # "AUTH=" is how old servers write it
_SIZE = re.compile(r"[0-9]{1,20}")  # RFC 1870, 3


@dataclass(frozen=True, slots=True)
class Extensions:
    """Keyword, in capitals, to its parameters."""

    words: Mapping[str, str]

    @classmethod
    def of(cls, reply: Reply) -> "Extensions":
        """The first line is the greeting, each other one an extension."""
        found = (_KEYWORD.fullmatch(line.strip()) for line in reply.lines[1:])
        words: dict[str, str] = {}
        for match in filter(None, found):
            words[match[1].upper()] = f"{words.get(match[1].upper(), '')} {match[2] or ''}".strip()
        return cls(words)

    def offers(self, keyword: str) -> bool:
        """Whether the extension was announced; ``keyword`` in capitals."""
        return keyword in self.words

    @property
    def auth_methods(self) -> frozenset[str]:
        """SASL mechanisms, in capitals (RFC 4954, 3)."""
        return frozenset(self.words.get("AUTH", "").upper().split())

    @property
    def size_limit(self) -> int | None:
        """The most octets of a message; None when there is no limit or none was named (RFC 1870, 3)."""
        found = _SIZE.fullmatch(self.words.get("SIZE", ""))
        return int(found[0]) or None if found else None
