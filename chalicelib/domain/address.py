"""Email addresses: what is accepted, and when two of them are the same mailbox.

Syntax is that of RFC 5321 and RFC 6531 as the email-validator library reads it: no quoted local parts, no
address literals, a domain with a dot in it, none of the special-use names of RFC 6761 that can't get mail
(``localhost``, ``.local``, ``.test`` …; the documentation domains such as ``example.com`` are fine).
"""

import re
import unicodedata
from base64 import b32encode
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from email_validator import EmailNotValidError, ValidatedEmail, validate_email

from chalicelib.domain.hosts import is_host_name

_BLANK = " \t\u00a0\u3000\ufeff"  # what clings to a cell when it is pasted; line breaks are no such thing
_UNSEEN = frozenset({"Cc", "Cs", "Zl", "Zp"})  # control characters, lone surrogates, line separators
_LONGEST = 1024  # characters looked at; RFC 5321 ends at 254
_LONGEST_LOCAL = 64  # RFC 5321, 4.5.3.1.1
_LONGEST_PLAIN = 200  # characters, below every limit that the library knows of, also of the domain's A-labels
_PLAIN_LOCAL = re.compile(r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*").fullmatch
_CONTACT_ID_LENGTH = 26  # 130 bits in base32: no two addresses of a campaign meet by chance


@dataclass(frozen=True, slots=True)
class Address:
    """An accepted address.

    ``text`` is what the customer wrote, without the blanks around it; the local part is never altered,
    because only the receiving server knows what it means (RFC 5321, 2.4). ``key`` is for comparing: local
    part NFC and case-folded, domain as lower-case IDNA A-labels (RFC 5891). Servers may tell ``Bob@`` from
    ``bob@``, hardly any does, and two mails to one person are worse than one mail to two.
    """

    text: str
    key: str

    @property
    def envelope(self) -> str:
        """The form for MAIL and RCPT: local part as written, domain in A-labels, so IDN needs no SMTPUTF8."""
        return f"{self.text.rpartition('@')[0]}@{self.key.rpartition('@')[2]}"


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a value was not taken: a stable ``code`` and one sentence for a person."""

    code: str
    text: str


def parse_address(text: str) -> Address | Rejection:
    """Accept one bare address, or say what is wrong with it. Never raises, whatever the text is."""
    trimmed = text.strip(_BLANK)
    plain = _plain(trimmed)
    if plain is not None:
        return plain
    fault = _obvious_fault(trimmed)
    if fault is not None:
        return fault
    try:
        valid = _validated(trimmed)
    except EmailNotValidError as error:
        return Rejection("address_invalid", f"This is not a valid email address. {error}")
    return Address(trimmed, f"{_folded(valid.local_part)}@{valid.ascii_domain.lower()}")


def parse_identity(text: str) -> str | Rejection:
    """Accept an address or a whole domain that SES may verify, as ``Address.key`` writes it.

    SES takes nothing but ASCII before the @. Never raises, whatever the text is.
    """
    if "@" in text:
        address = parse_address(text)
        if isinstance(address, Rejection) or address.key.isascii():
            return address if isinstance(address, Rejection) else address.key
        return Rejection("identity_not_ascii", "SES takes only ASCII letters before the @.")
    placed = parse_address(f"postmaster@{text.strip(_BLANK)}")
    domain = "" if isinstance(placed, Rejection) else placed.key.rpartition("@")[2]
    if is_host_name(domain):
        return domain
    return Rejection(
        "identity_invalid", "Give an address such as news@example.com or a domain such as example.com."
    )


def key_prefix(text: str) -> str:
    """What the keys begin with of the addresses that begin like this; a whole address is its key."""
    trimmed = text.strip(_BLANK)
    address = parse_address(trimmed)
    if isinstance(address, Address):
        return address.key
    local, at, domain = trimmed.partition("@")
    return f"{_folded(local)}{at}{domain.lower()}"


def _plain(text: str) -> Address | None:
    """An address of plain letters whose domain the library has seen lately; None to ask the library.

    Files hold hundreds of thousands of addresses at a few hundred domains: four times as many rows a second.
    """
    local, at, domain = text.rpartition("@")
    if not at or len(local) > _LONGEST_LOCAL or not _PLAIN_LOCAL(local) or len(text) > _LONGEST_PLAIN:
        return None
    ascii_domain = _ascii_domain(domain)
    return Address(text, f"{local.lower()}@{ascii_domain}") if ascii_domain else None


@lru_cache(maxsize=4_096)
def _ascii_domain(domain: str) -> str | None:
    """The domain in lower-case A-labels; None when the library refuses it."""
    try:
        return _validated(f"a@{domain}").ascii_domain.lower()
    except EmailNotValidError:
        return None


def _validated(text: str) -> ValidatedEmail:
    return validate_email(
        text,
        check_deliverability=False,
        allow_smtputf8=True,
        strict=True,
        test_environment=False,
        globally_deliverable=True,
    )


def contact_id(campaign_id: str, address_key: str) -> str:
    """The id of an address within a campaign: 26 lower-case base32 characters of a SHA-256.

    It depends on nothing else, so that adding an address twice, or importing a file twice, meets the same
    row. ``address_key`` is ``Address.key``.
    """
    digest = sha256(f"{campaign_id}\0{address_key}".encode()).digest()
    return b32encode(digest).decode("ascii")[:_CONTACT_ID_LENGTH].lower()


def _folded(local_part: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", local_part).casefold())


def _obvious_fault(text: str) -> Rejection | None:
    """The faults for which a person can be told more than the library's sentence says."""
    if not text:
        return Rejection("address_missing", "There is no email address.")
    if any(unicodedata.category(sign) in _UNSEEN for sign in text[:_LONGEST]):
        return Rejection("address_control_character", "There is a control character or line break in it.")
    if len(text) > _LONGEST:
        return Rejection("address_invalid", "The address is too long; 254 characters is the most.")
    return _fault_of_form(text)


def _fault_of_form(text: str) -> Rejection | None:
    if "@" not in text:
        return Rejection("address_invalid", "This is not an email address: there is no @ in it.")
    if text.count("@") > 1 and any(sign in text for sign in ",; "):
        return Rejection("address_several", "There is more than one address; give each a row of its own.")
    if "<" in text or ">" in text:
        return Rejection("address_with_name", "Give the bare address, without a name or angle brackets.")
    return None
