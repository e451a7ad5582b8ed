"""A contact of a campaign: one address, its fields, and the one status it is in.

The claim is an attribute and not a status: a claimed contact is still Pending to everybody who looks, so
claiming moves no total. A Pending contact with a claim whose lease has run out is one whose outcome nobody
knows; without a claim it is one that was certainly never handed over.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from chalicelib.domain.delivery import Reason


class ContactStatus(StrEnum):
    """Where a contact stands; within a generation it only climbs, except back from Pending to Not sent."""

    NOT_SENT = "not_sent"
    PENDING = "pending"
    SENT = "sent"
    DELIVERED = "delivered"
    OPENED = "opened"
    ERROR = "error"


OUTCOME_UNKNOWN = "outcome_unknown"
SUPPRESSED = "suppressed"
PARTS = ("unknown", "suppressed", "bounced", "complained", "unsubscribed", "machine_opened")  # of Totals


@dataclass(frozen=True, slots=True)
class Person:
    """The columns a customer gives for one recipient; an empty field is an empty string.

    ``extra`` holds the further columns of a file, as pairs of name and value; empty ones are left out.
    """

    email: str
    first_name: str = ""
    last_name: str = ""
    middle_name: str = ""
    p1: str = ""
    p2: str = ""
    p3: str = ""
    extra: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Contact:
    """One row. ``generation`` counts what a person asked for (launch, resend), ``attempt`` its releases,
    ``failures`` the passing failures among them.

    Instants are aware UTC and set once within a generation. ``lease_until`` is set while Pending: nobody
    may begin a hand-over after it. ``due`` orders the waiting contacts: not before this instant.
    ``remote_id`` is what the server that took the message calls it.

    What evidence tells (``domain/tracking.py``) are instants too, each the earliest that was reported:
    ``proven_at`` that the message was taken, where the sender itself hasn't said when (``sent_at`` is the
    same then), ``failed_at`` that it came back though it might have passed, ``bounced_at`` that it came back
    for good; ``delivered_at`` also by what only a delivered message can cause; ``opened_at`` by a person, or
    by who can't be told from one; ``machine_opened_at`` by a machine; ``downloaded_at`` that a person
    fetched a file by the message's link.
    """

    contact_id: str
    person: Person
    status: ContactStatus = ContactStatus.NOT_SENT
    generation: int = 1
    attempt: int = 0
    failures: int = 0
    line_id: str | None = None
    content_version: int | None = None
    claim: str | None = None
    lease_until: datetime | None = None
    slot_at: datetime | None = None
    due: datetime | None = None
    sent_at: datetime | None = None
    delivered_at: datetime | None = None
    opened_at: datetime | None = None
    proven_at: datetime | None = None
    failed_at: datetime | None = None
    bounced_at: datetime | None = None
    machine_opened_at: datetime | None = None
    downloaded_at: datetime | None = None
    complained_at: datetime | None = None
    unsubscribed_at: datetime | None = None
    reason: Reason | None = None
    remote_id: str | None = None

    @property
    def erased(self) -> bool:
        """Whether its personal data were erased: every other contact has an address."""
        return not self.person.email

    @property
    def parts(self) -> frozenset[str]:
        """In which parts of the totals it counts, beside its status, by their names in ``Totals``."""
        counts = {
            "unknown": self.outcome_unknown,
            "suppressed": self.suppressed,
            "bounced": self.bounced_at is not None,
            "complained": self.complained_at is not None,
            "unsubscribed": self.unsubscribed_at is not None,
            "machine_opened": self.machine_opened_at is not None,
        }
        return frozenset(name for name, counted in counts.items() if counted)

    @property
    def outcome_unknown(self) -> bool:
        """Whether it is in Error because nobody can know if the server took the message."""
        return (
            self.status is ContactStatus.ERROR
            and self.reason is not None
            and self.reason.code == OUTCOME_UNKNOWN
        )

    @property
    def suppressed(self) -> bool:
        """Whether it is in Error because its address is on the suppression list; nothing was handed over."""
        return (
            self.status is ContactStatus.ERROR and self.reason is not None and self.reason.code == SUPPRESSED
        )


@dataclass(slots=True)
class Totals:
    """How many contacts of a campaign are in each status, and in its parts.

    ``unknown`` and ``suppressed`` are parts of ``error``. The other parts cut across the statuses: a contact
    can have opened a message that it then complained about, and a message can bounce after it was opened.
    """

    by_status: dict[ContactStatus, int] = field(default_factory=lambda: dict.fromkeys(ContactStatus, 0))
    unknown: int = 0
    suppressed: int = 0
    bounced: int = 0
    complained: int = 0
    unsubscribed: int = 0
    machine_opened: int = 0

    def count(self, contact: Contact) -> None:
        """Count one contact, in its status and its parts."""
        self.by_status[contact.status] += 1
        for part in contact.parts:
            setattr(self, part, getattr(self, part) + 1)

    @property
    def contacts(self) -> int:
        """All rows of the campaign."""
        return sum(self.by_status.values())

    @property
    def unsettled(self) -> int:
        """Contacts of which something is still to come: Not sent or Pending."""
        return self.by_status[ContactStatus.NOT_SENT] + self.by_status[ContactStatus.PENDING]
