"""Short marks of messages: in an envelope id, and in a bounce address of one's own for each message (VERP).

    <campaign, its first 10>.<contact, 26>.<generation, 2>.<attempt, 3>.<code, 12>      without the dots

53 letters and digits without case: a local part has at most 64 octets (RFC 5321, 4.5.3.1), servers fold its
case on the way, and an envelope id may have 100 characters (RFC 3461, 4.4), where a token of
``link_tokens`` has more. So a mark is no sealed text but a code (60 bits) over one: whoever reads it looks
the campaign up in the account he acts for, and works the code out again over all of the ids. A mark of
another account, or one that was made up, fits nothing.
"""

import hmac
import re
from base64 import b32encode
from collections.abc import Callable
from hashlib import sha256

from chalicelib.domain.delivery import Envelope, MessageTags, Reports
from chalicelib.domain.header import LOCAL_PART_LIMIT
from chalicelib.domain.ids import number_of
from chalicelib.domain.line import Line
from chalicelib.domain.link_tokens import TokenKind, TokenRing

RETURN_FIELD = "X-Postline-Return"
"""The field of a message's header that names it, by a token of kind RETURN."""

LENGTH = 53
CAMPAIGN_DIGITS = 10  # nine of time and one of chance: two campaigns of an account never share them
HOLE = "{token}"
ROOM = LOCAL_PART_LIMIT - LENGTH  # characters that a pattern may have before the @ besides the hole

_CONTACT_DIGITS, _GENERATION_DIGITS, _ATTEMPT_DIGITS, _CODE_DIGITS = 26, 2, 3, 12
_DIGITS = "0123456789abcdefghijklmnopqrstuv"
_MARK = re.compile(rf"(?<![0-9a-z])[0-9a-z]{{{LENGTH}}}(?![0-9a-z])", re.ASCII)
_IDS = re.compile(r"[0-9a-z]+", re.ASCII)


def mark(tags: MessageTags, token: str) -> str | None:
    """The mark of the message with this token of kind RETURN.

    None for ids that don't have the form of ours, or a number beyond its digits: such a message has no mark.
    """
    plain = _plain(tags)
    return None if plain is None else plain + _code(token)


def campaign_prefix(text: str) -> str:
    """What the id of a mark's campaign begins with."""
    return text[:CAMPAIGN_DIGITS]


def read_mark(ring: TokenRing, text: str, account_id: str, campaign_id: str) -> MessageTags | None:
    """What a mark says, if it was made for this account and campaign; ``text`` comes from ``marks_in``."""
    rest = text[CAMPAIGN_DIGITS:]
    contact_id, rest = rest[:_CONTACT_DIGITS], rest[_CONTACT_DIGITS:]
    generation, rest = rest[:_GENERATION_DIGITS], rest[_GENERATION_DIGITS:]
    attempt, code = rest[:_ATTEMPT_DIGITS], rest[_ATTEMPT_DIGITS:]
    try:
        tags = MessageTags(account_id, campaign_id, contact_id, int(generation, 32), int(attempt, 32))
    except ValueError:
        return None
    if _plain(tags) != text[:-_CODE_DIGITS]:
        return None
    right = (_code(token) for token in ring.seals(TokenKind.RETURN, tags))
    return tags if any(hmac.compare_digest(code, one) for one in right) else None


def marks_in(text: str) -> list[str]:
    """All that could be marks in a text, whatever has become of their case."""
    return _MARK.findall(text.lower())


def fill(pattern: str, text: str) -> str:
    """The bounce address of one message."""
    return pattern.replace(HOLE, text)


def envelope_of(line: Line, recipient: str, tags: MessageTags, token: str) -> Envelope:
    """The envelope of a contact's message; ``token`` is its own, of kind RETURN.

    A server on the way is asked to report success only where somebody reads that: the mailbox of the From
    address would drown in it.
    """
    own = mark(tags, token)
    if own is None:
        return Envelope(line.from_address, recipient, tags)
    sender = fill(line.return_path, own) if line.return_path else line.from_address
    return Envelope(sender, recipient, tags, Reports(own, success=line.reads_reports))


def sample_sender(line: Line) -> str:
    """An address such as the line's messages have in MAIL FROM."""
    return fill(line.return_path, "0" * LENGTH) if line.return_path else line.from_address


def inbound_pattern(account_id: str, domain: str) -> str:
    """The pattern whose mail Amazon SES receives for this account, under the operator's ``domain``."""
    return f"{HOLE}@{account_id}.{domain}"


def account_in(address: str, domain: str) -> str | None:
    """The account that an address of ``inbound_pattern`` is of, whatever its case; None for any other."""
    host = address.rpartition("@")[2].lower()
    account_id = host.removesuffix(f".{domain}")
    return account_id if account_id != host and number_of(account_id) is not None else None


def pattern_fault(pattern: str, is_address: Callable[[str], bool]) -> str | None:
    """What is wrong with a pattern of bounce addresses, as a sentence; None for a good one.

    ``is_address`` tells an address that mail can be sent from.
    """
    local, _, domain = pattern.rpartition("@")
    if local.count(HOLE) != 1 or "{" in domain:
        return "Write {token} once before the @, as in bounces+{token}@example.com."
    if len(local) - len(HOLE) > ROOM:
        return f"Besides {{token}}, at most {ROOM} characters can stand before the @."
    around = local.partition(HOLE)
    if any(_IDS.fullmatch(char) for char in (around[0][-1:].lower(), around[2][:1].lower()) if char):
        return "Put a sign such as + or - between {token} and letters or digits."
    if not fill(local, "a" * LENGTH).isascii() or not is_address(fill(pattern, "a" * LENGTH)):
        return "Give an address with {token} in it, as in bounces+{token}@example.com."
    return None


def _plain(tags: MessageTags) -> str | None:
    """A mark without its code."""
    ids = tags.campaign_id[:CAMPAIGN_DIGITS] + tags.contact_id
    generation = _number(tags.generation, _GENERATION_DIGITS)
    attempt = _number(tags.attempt, _ATTEMPT_DIGITS)
    if len(ids) != CAMPAIGN_DIGITS + _CONTACT_DIGITS or not _IDS.fullmatch(ids):
        return None
    return ids + generation + attempt if generation and attempt else None


def _number(number: int, digits: int) -> str:
    """In base 32; empty when it is too large."""
    if not 0 <= number < 32**digits:
        return ""
    return "".join(_DIGITS[number >> 5 * place & 31] for place in reversed(range(digits)))


def _code(token: str) -> str:
    return b32encode(sha256(token.encode()).digest())[:_CODE_DIGITS].decode("ascii").lower()
