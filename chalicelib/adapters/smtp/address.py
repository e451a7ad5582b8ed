"""Mail addresses as they stand in MAIL FROM and RCPT TO (RFC 5321, 4.1.2; RFC 6531)."""

import re
from dataclasses import dataclass

import idna

LONGEST = 320  # 64 octets of local part, @, 255 of domain

# Nothing that could end the path or the command line. A quoted local part with blanks falls with it: allowed
# by the RFC, refused by nearly every provider.
_HARMLESS = re.compile(r"[^\s<>\x00-\x1f\x7f-\x9f]+")


@dataclass(frozen=True, slots=True)
class Path:
    """One address ready for the wire. ``needs_utf8``: only a server with SMTPUTF8 can take it."""

    text: bytes
    needs_utf8: bool


def path(address: str) -> Path | None:
    """The address with its domain in A-labels (IDNA 2008, RFC 5891); None when it can't be one."""
    local, _, domain = address.rpartition("@")
    if not local or not domain or not _HARMLESS.fullmatch(address):
        return None
    try:
        ascii_domain = domain if domain.isascii() else idna.encode(domain, uts46=True).decode("ascii")
        text = f"{local}@{ascii_domain}".encode()
    except UnicodeError:  # idna.IDNAError is one, and so is a lone surrogate
        return None
    return Path(text, not local.isascii()) if len(text) <= LONGEST else None
