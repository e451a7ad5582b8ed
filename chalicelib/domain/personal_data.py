"""The personal data of one recipient: what is handed out on request, and what is left when they are erased.

Erased data are gone from where people and programs read: contacts lose the person, dialogs, test messages and
invitations go, and the suppression list keeps a keyed hash, so that whoever brings the address back doesn't
bring it back into the mail. Rows of contacts stay, because the totals of their campaigns are counted by them.
A member of the account works in it: they are told of, and removed by an owner.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from chalicelib.domain.contact import SUPPRESSED, Contact, ContactStatus, Person
from chalicelib.domain.delivery import Reason
from chalicelib.domain.job import JobState
from chalicelib.domain.suppression import ERASED

KEPT = timedelta(days=30)  # a job and the file of an export
FILE_DAYS = 30  # uploads, reports and mail that came back expire by themselves after so many days, or sooner
ROWS = ("contacts", "dialogs", "suppressions", "test_messages", "invitations")  # what an erasure erases
_WORDS_GONE = "What was said of it went with the recipient's personal data."


class JobKind(StrEnum):
    """What is wanted."""

    EXPORT = "export"
    ERASURE = "erasure"


@dataclass(frozen=True, slots=True)
class PersonalDataJob:
    """One request about one address. Instants are aware UTC.

    ``address`` and ``key`` (``domain/address.py``) are None as soon as the job is over: it keeps nothing of
    the person. ``mark`` is the keyed hash of the address, "" until the job began. ``found`` counts what was
    met, by kind of row; a pass that broke off isn't in it.
    """

    job_id: str
    kind: JobKind
    state: JobState
    created_at: datetime
    address: str | None = None
    key: str | None = None
    mark: str = ""
    found: Mapping[str, int] = field(default_factory=dict)
    reason: Reason | None = None
    finished_at: datetime | None = None


def mark_of(secret: bytes, account_id: str, address_key: str) -> str:
    """The keyed hash (HMAC-SHA-256, in hex) that an erased address is recognised by, within one account only.

    Without the secret nobody can try addresses on it, and marks of two accounts can't be compared.
    """
    return hmac.new(secret, f"{account_id}\0{address_key}".encode(), hashlib.sha256).hexdigest()


def without_person(contact: Contact) -> Contact:
    """The contact as it is kept: its status and times, and nothing that tells who it was.

    What the server called the message goes too: in its log the address is beside it. Nothing needs it.
    One that waits, or whose message nobody has begun to hand over, ends here: nothing is sent to it. While a
    hand-over may be under way, the status is for its sender to say.
    """
    kept = replace(contact, person=Person(""), reason=_without_words(contact.reason), remote_id=None)
    waits = contact.status is ContactStatus.NOT_SENT
    if waits or (contact.status is ContactStatus.PENDING and contact.claim is None):
        return replace(kept, status=ContactStatus.ERROR, reason=ERASED, lease_until=None, due=None)
    return kept


def in_flight(contact: Contact) -> bool:
    """Whether a hand-over may be under way, whose outcome is yet to be written into the row."""
    return contact.status is ContactStatus.PENDING and contact.claim is not None


def _without_words(reason: Reason | None) -> Reason | None:
    """The codes of a reason: servers quote addresses in their replies."""
    if reason is None:
        return None
    text = ERASED.text if reason.code == SUPPRESSED else _WORDS_GONE
    return replace(reason, text=text, reply_text=None)
