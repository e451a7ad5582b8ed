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
    reason: Reason | None = None
    remote_id: str | None = None

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
    """How many contacts of a campaign are in each status; the others are parts of ``error``."""

    by_status: dict[ContactStatus, int] = field(default_factory=lambda: dict.fromkeys(ContactStatus, 0))
    unknown: int = 0
    suppressed: int = 0

    @property
    def contacts(self) -> int:
        """All rows of the campaign."""
        return sum(self.by_status.values())

    @property
    def unsettled(self) -> int:
        """Contacts of which something is still to come: Not sent or Pending."""
        return self.by_status[ContactStatus.NOT_SENT] + self.by_status[ContactStatus.PENDING]
