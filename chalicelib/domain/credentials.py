"""What we sign in to a server with, and keeping it out of what the server says.

Some servers quote the command that they refuse, and what they say is stored and shown. So a password is
struck out in every form in which it was sent: as it is, escaped (IMAP's quoted strings, RFC 9051, 4.3), in
Base64 (SASL PLAIN and SMTP's LOGIN). Of Base64 a piece is enough: lines are broken and cut off.
"""

import base64
import re
from dataclasses import dataclass, field

_STRUCK = "***"
_IN_BASE64 = re.compile(r"[A-Za-z0-9+/]{4,}={0,2}")
_PIECE = 8  # characters of Base64, which are six of a password's


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user name and its password."""

    username: str
    password: str = field(repr=False)

    @property
    def plain(self) -> bytes:
        """The message of SASL PLAIN (RFC 4616)."""
        return as_bytes(f"\0{self.username}\0{self.password}")

    def strike_out(self, text: str) -> str:
        """The text with ``***`` for each form of the password, in capitals or not."""
        if not self.password:
            return text
        sent = [_in_base64(self.plain), _in_base64(as_bytes(self.password))]
        text = _IN_BASE64.sub(
            lambda found: _STRUCK if _quotes(found[0].rstrip("=").lower(), sent) else found[0], text
        )
        escaped = self.password.replace("\\", "\\\\").replace('"', '\\"')
        for form in (escaped, self.password):  # the longer one first
            text = re.sub(re.escape(form), _STRUCK, text, flags=re.IGNORECASE)
        return text


def as_bytes(text: str) -> bytes:
    """UTF-8, which holds whatever JSON can carry: half a character too."""
    return text.encode("utf-8", "surrogatepass")


def _in_base64(data: bytes) -> str:
    return base64.b64encode(data).decode().rstrip("=").lower()


def _quotes(word: str, sent: list[str]) -> bool:
    """Whether the word has a piece of what was sent."""
    for form in sent:
        size = min(_PIECE, len(word), len(form))
        if any(word[start : start + size] in form for start in range(len(word) - size + 1)):
            return True
    return False
