"""What the steps need of the outside, as roles. The account always comes first.

Adapters fulfil them with a technology, tests with small fakes; one contract test class per port runs on
both. A method that takes an account never reaches another account's rows, whatever ids it is given.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from chalicelib.domain.access import Role
from chalicelib.domain.account import Account, ApiKey
from chalicelib.domain.advice.finding import Finding
from chalicelib.domain.attachment import AttachmentUpload, Keeping
from chalicelib.domain.audit import AuditEntry
from chalicelib.domain.audit import Outcome as ActOutcome
from chalicelib.domain.brake import Brake, HourCounts, Subject, Trouble
from chalicelib.domain.campaign import Campaign, CampaignStatus, Resend
from chalicelib.domain.contact import Contact, ContactStatus, Person, Totals
from chalicelib.domain.contact_file import RejectedRow, SheetRow
from chalicelib.domain.content import Content
from chalicelib.domain.delivery import Connected, Envelope, Message, Outcome, Reason, Refused, TryLater
from chalicelib.domain.dialog import EVERYBODY, Changed, Dialog, DialogChange, TagFilter
from chalicelib.domain.dkim import DkimKey
from chalicelib.domain.dns_answers import Answer, RecordType
from chalicelib.domain.file_columns import Choice
from chalicelib.domain.identity import Claim, IdentityReport, SendingQuota
from chalicelib.domain.job import ExportJob, ImportJob, ImportProgress
from chalicelib.domain.job_place import JobPlace
from chalicelib.domain.ledger import Ledger
from chalicelib.domain.line import BounceMailbox, Connection, ImapChannel, Line, Reading
from chalicelib.domain.member import Invitation, Member
from chalicelib.domain.personal_data import PersonalDataJob
from chalicelib.domain.preflight import Missing, Preflight
from chalicelib.domain.quota import NO_LIMIT, Quota
from chalicelib.domain.repeat import Repeat
from chalicelib.domain.sample import Sample, SampleState
from chalicelib.domain.schedule import Cursor
from chalicelib.domain.sending_domain import SendingDomain
from chalicelib.domain.suppression import Suppression, SuppressionReason
from chalicelib.domain.usage import Usage

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list; ``cursor`` is opaque, None at the end. A page may be short and not the last."""

    items: Sequence[T]
    cursor: str | None


def all_items(page: Callable[[str | None], Page[T]]) -> Iterator[T]:
    """The items of all pages; ``page`` reads the one at a cursor, None for the first."""
    cursor = None
    while True:
        found = page(cursor)
        yield from found.items
        cursor = found.cursor
        if cursor is None:
            return


@dataclass(frozen=True, slots=True)
class SendOrder:
    """One message of the send queue: ids only, no address and no text.

    ``generation`` and ``attempt`` bind it to one release of the contact: a copy that comes late finds
    the contact moved on. ``slot_at`` is when it was meant to leave (aware UTC).
    """

    account_id: str
    campaign_id: str
    contact_id: str
    line_id: str
    generation: int
    attempt: int
    slot_at: datetime


@dataclass(frozen=True, slots=True)
class Release:
    """One waiting contact and the slot it is given."""

    contact_id: str
    generation: int
    attempt: int
    line_id: str
    slot_at: datetime
    lease_until: datetime


@dataclass(frozen=True, slots=True)
class Settlement:
    """Where a Pending contact goes: Sent or Error for good, or back to Not sent until ``due``.

    On the way back, ``failures`` is the new count of passing failures; None for it, or for the reason,
    keeps what the row has. ``remote_id`` is what the server that took the message calls it.
    """

    status: ContactStatus
    at: datetime
    reason: Reason | None = None
    due: datetime | None = None
    failures: int | None = None
    remote_id: str | None = None


@dataclass(frozen=True, slots=True)
class NewContact:
    """A contact that is to be added. The waiting are sorted by when they were added, then by ``number``.

    ``suppressed``: its address is on the suppression list, which is counted by the import that adds it.
    """

    contact_id: str
    person: Person
    added_at: datetime
    number: int
    suppressed: bool = False


@dataclass(frozen=True, slots=True)
class Passed:
    """A dialog met on a walk over a line's; the walk goes on behind it at ``place``."""

    place: str
    dialog: Dialog


@dataclass(frozen=True, slots=True)
class Walk:
    """A stretch of a walk: the dialogs that were asked for, and the place to go on at, None at the end."""

    dialogs: Sequence[Passed]
    place: str | None


@dataclass(frozen=True, slots=True)
class Pace:
    """The dispatcher's memory of a campaign and its lines. ``token`` proves that it is still current.

    ``held_until``: slots were given out whose contacts are still being released; until then they would be
    taken for waiting, and slots for them would use up the lines' limits for nothing.
    """

    cursor: Cursor
    ledgers: Mapping[str, Ledger]
    resting_until: Mapping[str, datetime]
    token: Mapping[str, int]
    held_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class SealedKey:
    """A key of the links as it is stored: encrypted. The newest one, with the highest number, seals."""

    number: int
    sealed: bytes
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Advice:
    """The last advice on a line; current once ``checked_at``, when DNS was asked, isn't before ``asked_at``.

    ``reason`` says why the last check came to no end, if it did not.
    """

    asked_at: datetime
    checked_at: datetime | None = None
    findings: tuple[Finding, ...] = ()
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class UploadForm:
    """A presigned POST: send ``fields`` and then the file, as multipart/form-data, to ``url``."""

    url: str
    fields: Mapping[str, str]
    expires_at: datetime


class Clock(Protocol):
    """The time, as an aware UTC instant."""

    def now(self) -> datetime: ...


class AccountStore(Protocol):
    """Accounts and their API keys."""

    def add(self, account: Account) -> None: ...
    def get(self, account_id: str) -> Account: ...
    def set_quota(self, account_id: str, quota: Quota, limit: int | None) -> Account:
        """Give the account a limit of its own, or with None the usual one again; raises NotFound."""

    def add_key(self, key: ApiKey, most: int = NO_LIMIT) -> bool:
        """Store it; False, and nothing written, when so many of the account are in force."""

    def find_key(self, key_id: str) -> ApiKey | None: ...
    def list_keys(self, account_id: str) -> list[ApiKey]: ...
    def note_key_use(self, account_id: str, key_id: str, now: datetime, before: datetime) -> None: ...
    def revoke_key(self, account_id: str, key_id: str, now: datetime) -> None: ...


class MemberStore(Protocol):
    """The people of an account and its open invitations. A person is in one account at most."""

    def found(self, account: Account, owner: Member) -> None: ...
    def find(self, sub: str) -> Member | None: ...
    def list_members(self, account_id: str) -> list[Member]: ...
    def change_role(self, account_id: str, sub: str, role: Role) -> Member: ...
    def remove(self, account_id: str, sub: str) -> None: ...
    def add_invitation(self, account_id: str, invitation: Invitation) -> None: ...
    def find_invitation(self, account_id: str, invitation_id: str) -> Invitation | None: ...
    def list_invitations(self, account_id: str) -> list[Invitation]: ...
    def withdraw(self, account_id: str, invitation_id: str) -> None: ...
    def accept(self, account_id: str, invitation: Invitation, member: Member) -> bool: ...


class LineStore(Protocol):
    """The lines of an account."""

    def add(self, account_id: str, line: Line, most: int = NO_LIMIT) -> bool:
        """Store it; False, and nothing written, when there are ``most``. One that is there stays as it is."""

    def get(self, account_id: str, line_id: str) -> Line: ...
    def page(self, account_id: str, cursor: str | None, limit: int) -> Page[Line]: ...
    def set_connection(self, account_id: str, line_id: str, connection: Connection) -> None: ...
    def due_for_check(self, now: datetime) -> Iterator[tuple[str, str]]:
        """(account, line) of all lines whose connection's ``check_at`` is over, over all accounts."""

    def set_plan(self, account_id: str, line_id: str, plan: str) -> None: ...
    def set_password(self, account_id: str, line_id: str, sealed: bytes) -> None:
        """Replace the password; raises NotFound when the line was deleted."""

    def pull_brake(self, account_id: str, line_id: str, brake: Brake, seen_lift: datetime | None) -> bool:
        """Store the brake; False when one is there, when it was lifted since ``seen_lift``, or no row."""

    def lift_brake(self, account_id: str, line_id: str, at: datetime) -> bool:
        """Take the brake off and remember when; False when there is none."""

    def remove(self, account_id: str, line_id: str) -> None: ...
    def set_bounce_mailbox(self, account_id: str, line_id: str, mailbox: BounceMailbox | None) -> None:
        """Set another mailbox or none; raises NotFound when the line was deleted."""

    def set_reading(self, account_id: str, line_id: str, mailbox_id: str, reading: Reading) -> bool:
        """Store how far a mailbox was read; False when it isn't the line's any more."""

    def with_bounce_mailbox(self) -> Iterator[tuple[str, str]]:
        """(account, line) of all lines, of all accounts, that have a bounce mailbox."""


class IdentityStore(Protocol):
    """Which account an SES identity belongs to (`domain/identity.py` has the rules)."""

    def claim(self, account_id: str, identity: str, now: datetime) -> Claim | None:
        """Make it the account's, or find that it is; None when another account holds it (which is noted)."""

    def find(self, account_id: str, identity: str) -> Claim | None:
        """The account's own claim, lapsed or not (consistent read)."""

    def holder(self, identity: str) -> str | None:
        """Whose the last claim is. For our own jobs only: no account ever gets to see it."""

    def set_verified(self, account_id: str, identity: str, now: datetime, *, verified: bool) -> bool:
        """Mark the own claim, which lapses counted from ``now`` when it was verified and isn't any more.

        False when it isn't the account's.
        """

    def release(self, account_id: str, identity: str, now: datetime) -> None:
        """Give up the own claim; does nothing to another account's."""


class DomainStore(Protocol):
    """The domains an account signs for, by their names in A-labels."""

    def add(self, account_id: str, domain: SendingDomain, most: int = NO_LIMIT) -> bool:
        """Store a new domain; False, and nothing written, when there are ``most``.

        Raises Conflict when the account has it.
        """

    def get(self, account_id: str, name: str) -> SendingDomain: ...
    def page(self, account_id: str, cursor: str | None, limit: int) -> Page[SendingDomain]: ...
    def save(self, account_id: str, domain: SendingDomain) -> SendingDomain:
        """Replace the keys and count the revision up; returns what is stored now.

        Raises Outdated when the stored revision isn't that of ``domain`` any more, NotFound without domain.
        """

    def remove(self, account_id: str, name: str) -> None: ...
    def everybodys(self) -> Iterator[tuple[str, str]]:
        """(account, name) of the domains of all accounts, for the daily check."""


class AdviceStore(Protocol):
    """The last advice on each line."""

    def ask(self, account_id: str, line_id: str, at: datetime) -> Advice:
        """Note that advice was asked for, and keep what is there of an earlier one; returns it."""

    def get(self, account_id: str, line_id: str) -> Advice: ...
    def give(self, account_id: str, line_id: str, checked_at: datetime, findings: Sequence[Finding]) -> None:
        """Store what was found; does nothing when nobody asks any more."""

    def fail(self, account_id: str, line_id: str, reason: Reason, now: datetime) -> None:
        """Store why there is none; does nothing when nobody asks any more."""

    def remove(self, account_id: str, line_id: str) -> None:
        """Forget it; does nothing when there is none."""


class CampaignStore(Protocol):
    """Campaigns and the versions of their content. A campaign being deleted is not found."""

    def add(self, account_id: str, campaign: Campaign, content: Content, most: int = NO_LIMIT) -> bool:
        """Store it; False, and nothing written, when there are ``most``. One that is there stays as it is."""

    def get(self, account_id: str, campaign_id: str) -> Campaign: ...
    def page(self, account_id: str, cursor: str | None, limit: int) -> Page[Campaign]: ...
    def content(self, account_id: str, campaign_id: str, version: int) -> Content: ...
    def save(self, account_id: str, campaign: Campaign, content: Content | None, seen_revision: int) -> None:
        """Replace the settings, and add the content as ``campaign.content_version`` when given.

        Raises Outdated when the stored revision isn't ``seen_revision`` any more; writes nothing then.
        """

    def move(
        self,
        account_id: str,
        campaign_id: str,
        came_from: Sequence[CampaignStatus],
        to: CampaignStatus,
        at: datetime,
        reason: Reason | None = None,
        *,
        seen_revision: int | None = None,
        resend: Resend | None = None,
        act: str | None = None,
    ) -> bool:
        """Change the status if it is one of ``came_from``; False when it isn't. ``at`` stamps it.

        With ``seen_revision`` also False when the revision is another one. ``resend`` is stored with it, and
        a campaign that has one, or imports under way, doesn't become Finished. ``act`` is stored as the last
        one; False also when that was asked for later, or is this very act.
        """

    def go_on_resending(self, account_id: str, campaign_id: str, token: str, rest: Resend | None) -> bool:
        """Store what is left of the wish with this token, None for nothing.

        False, and nothing stored, when the campaign isn't In progress, or not with this wish.
        """

    def drop_resend(self, account_id: str, campaign_id: str) -> None:
        """Forget the wish to resend, whatever the status; does nothing when there is none."""

    def begin_import(self, account_id: str, campaign_id: str, import_id: str) -> None:
        """Note that this import adds contacts: it doesn't become Finished meanwhile. Raises NotFound."""

    def end_imports(self, account_id: str, campaign_id: str, import_ids: Sequence[str]) -> None:
        """Forget them; does nothing for those that are not noted."""

    def add_columns(self, account_id: str, campaign_id: str, names: AbstractSet[str]) -> None:
        """Note further columns that contacts have; those there are stay. Raises NotFound."""

    def active(self) -> Iterator[tuple[str, str]]:
        """(account, campaign) of all that the dispatcher has to visit, over all accounts."""

    def rest(self, account_id: str, campaign_id: str) -> None:
        """Take a campaign that is not In progress off the dispatcher's round."""

    def find(self, account_id: str, prefix: str) -> str | None:
        """The id of the account's one campaign whose id begins so; None for none and for several."""

    def status(self, account_id: str, campaign_id: str) -> CampaignStatus | None:
        """The status as it is right now (consistent read), also Deleting; None when there is no row."""

    def pull_brake(self, account_id: str, campaign_id: str, brake: Brake, seen_lift: datetime | None) -> bool:
        """Store the brake, whatever the status; False as for a line's."""

    def lift_brake(self, account_id: str, campaign_id: str, at: datetime) -> bool:
        """Take the brake off and remember when; False when there is none."""

    def remove(self, account_id: str, campaign_id: str) -> None:
        """Remove the row and all content versions, for good."""


class SampleStore(Protocol):
    """Test messages. They expire by themselves after a month."""

    def count(self, account_id: str, now: datetime, limit: int) -> bool:
        """Count one more in this hour; False, and nothing counted, when there were ``limit``."""

    def add(self, account_id: str, sample: Sample) -> None:
        """Store it; one that is there stays as it is."""

    def get(self, account_id: str, sample_id: str) -> Sample: ...
    def claim(self, account_id: str, sample_id: str, token: str, now: datetime) -> bool:
        """From Queued to Sending, for one hand-over; False when it isn't Queued, too old or gone.

        A claim that is repeated with its own token, because its answer was lost, holds.
        """

    def settle(
        self,
        account_id: str,
        sample_id: str,
        state: SampleState,
        reason: Reason | None,
        remote_id: str | None,
        now: datetime,
    ) -> None:
        """Write down what became of it; does nothing when it isn't Sending."""

    def purge(self, account_id: str, campaign_id: str) -> None: ...
    def all(self, account_id: str) -> Iterator[Sample]:
        """All of the account, oldest first."""

    def remove(self, account_id: str, sample_id: str) -> None:
        """Remove one, whatever its state: one that isn't claimed yet is never handed over then."""


class AttachmentStore(Protocol):
    """The files of campaigns, from their uploads' forms on."""

    def add(self, account_id: str, upload: AttachmentUpload) -> None: ...
    def get(self, account_id: str, campaign_id: str, attachment_id: str) -> AttachmentUpload: ...
    def of_campaign(self, account_id: str, campaign_id: str) -> list[AttachmentUpload]:
        """All of a campaign, oldest first."""

    def ready(
        self, account_id: str, upload: AttachmentUpload, size: int, digest: str, most: int = NO_LIMIT
    ) -> Keeping:
        """From Waiting to Ready, and count its bytes, if the account's files have at most so many then.

        They are counted until it is removed.
        """

    def fail(self, account_id: str, campaign_id: str, attachment_id: str, reason: Reason) -> None:
        """From Waiting to Failed; does nothing when it isn't Waiting."""

    def use(self, account_id: str, campaign_id: str, attachment_id: str) -> bool:
        """Note that a content has it, for good; False when it isn't Ready, or gone."""

    def remove(self, account_id: str, campaign_id: str, attachment_id: str) -> bool:
        """Forget one that no content ever had; False for others."""

    def purge(self, account_id: str, campaign_id: str) -> None: ...


class UsageStore(Protocol):
    """What an account has of what is limited. Its counts change where the things counted are stored."""

    def get(self, account_id: str) -> Usage:
        """As it is right now (consistent read)."""

    def replace(self, account_id: str, usage: Usage) -> bool:
        """Store its imports, uploads and places, as the next revision; False when another did meanwhile."""

    def count_requests(self, account_id: str, minute: datetime, count: int) -> int:
        """Count so many in the minute that starts then; how many there are in it, of a past one ``count``."""


LimitOf = Callable[[str, Quota], int]
"""How much of something an account may have."""


class JobPlaces(Protocol):
    """The places of an account for work that outlives a request."""

    def hold(self, account_id: str, place: JobPlace) -> AbstractContextManager[bool]:
        """Take a place for the job that is begun within; if that raises, the place is given back.

        False when a job for the same holds one. Raises QuotaReached.
        """


GiveLeave = Callable[[str, str, int], None]
"""Called with account, import and bytes of its file before an import is made; raises QuotaReached."""


class RepeatStore(Protocol):
    """Requests of an account under its Idempotency-Keys. They expire by themselves after a day."""

    def begin(self, account_id: str, key: str, new: Repeat, now: datetime) -> bool:
        """Store it, unless there is one that hasn't expired; False then. A lost reply reads as False."""

    def get(self, account_id: str, key: str) -> Repeat | None: ...
    def take_over(self, account_id: str, key: str, seen_token: str, ours: Repeat) -> bool:
        """Take its token and lease from ``ours``; False when it isn't as seen any more, or done."""

    def settle(self, account_id: str, key: str, token: str, answer: bytes | None) -> None:
        """Mark it done, with its sealed answer if there is one; does nothing for another's token."""


class ContactStore(Protocol):
    """The contacts of a campaign and their totals, which change together or not at all."""

    def add(self, account_id: str, campaign_id: str, contacts: Sequence[NewContact]) -> int:
        """Add those that are not there yet; returns how many were added. Raises NotFound without campaign."""

    def add_imported(
        self,
        account_id: str,
        campaign_id: str,
        import_id: str,
        contacts: Sequence[NewContact],
        seen: ImportProgress,
        read: ImportProgress,
    ) -> ImportProgress:
        """Add a piece of a file and move the import's checkpoint in one write.

        ``seen`` is the checkpoint the caller started from, ``read`` what it is with this piece's rows and
        rejections, before its contacts are counted as added or duplicates. Returns what was stored.
        Raises Outdated when another run moved the checkpoint, NotFound when the campaign is gone.
        """

    def get(self, account_id: str, campaign_id: str, contact_id: str) -> Contact: ...
    def page(
        self,
        account_id: str,
        campaign_id: str,
        cursor: str | None,
        limit: int,
        status: ContactStatus | None = None,
    ) -> Page[Contact]: ...
    def find(self, account_id: str, campaign_id: str, contact_ids: Sequence[str]) -> list[Contact]:
        """Those of the distinct ids that are there (consistent read), in any order."""

    def edit(self, account_id: str, campaign_id: str, contact_id: str, person: Person) -> Contact:
        """Replace the fields of a contact that is Not sent; raises Conflict for any other, and NotFound.

        Its address stays: the contact's id is made of it.
        """

    def remove(self, account_id: str, campaign_id: str, contact_id: str) -> None:
        """Remove a contact that is Not sent; raises Conflict for any other."""

    def totals(self, account_id: str, campaign_id: str) -> Totals: ...
    def waiting(self, account_id: str, campaign_id: str, now: datetime, limit: int) -> list[Contact]:
        """Not sent contacts that are due, earliest first; only ids, generation and attempt are filled."""

    def release(self, account_id: str, campaign_id: str, releases: Sequence[Release]) -> list[Release]:
        """Not sent → Pending, while the campaign is In progress. Returns those that did move."""

    def claim(
        self, account_id: str, order: SendOrder, token: str, content_version: int, now: datetime
    ) -> Contact | None:
        """Claim a Pending contact for one hand-over; None when it isn't there to be claimed (any more)."""

    def settle(self, account_id: str, order: SendOrder, token: str | None, settlement: Settlement) -> bool:
        """Settle the claimed contact (or, with token None, an unclaimed one); False when it isn't ours."""

    def record(self, account_id: str, campaign_id: str, seen: Contact, known: Contact) -> bool:
        """Make a contact what evidence made of it, in status, times and reason, if it is still as ``seen``.

        False, and nothing written, when it isn't, or isn't there any more: a row is never created.
        """

    def erase(self, account_id: str, campaign_id: str, seen: Contact) -> bool:
        """Make a contact what ``without_person`` makes of it, if it is still as ``seen``; else False."""

    def overdue(self, account_id: str, campaign_id: str, now: datetime, limit: int) -> list[Contact]:
        """Pending contacts whose lease has run out."""

    def count_overdue(self, account_id: str, campaign_id: str, since: datetime, limit: int) -> int:
        """How many, up to the limit, have a lease that had run out by then, as far as the index knows."""

    def pending(self, account_id: str, campaign_id: str, limit: int) -> list[Contact]:
        """Pending contacts that nobody has claimed."""

    def reopen(
        self, account_id: str, campaign_id: str, contacts: Sequence[Contact], token: str, now: datetime
    ) -> int | None:
        """Error → Not sent in a new generation, for those still as seen and not stamped with ``token``.

        Returns how many; None when the campaign isn't In progress, or not with the wish of this token: then
        only some of them may have been reopened.
        """

    def purge(self, account_id: str, campaign_id: str) -> None:
        """Remove all contacts and totals of a campaign, for good."""


class AddressMarks(Protocol):
    """Keyed hashes of addresses, by a key that is not where they are kept (``domain/personal_data.py``)."""

    def mark(self, account_id: str, address_key: str) -> str:
        """The mark of this address, which is always the same."""


class SuppressionStore(Protocol):
    """An account's suppressed addresses, by the key that ``domain/address.py`` compares them by."""

    def add(self, account_id: str, suppressions: Sequence[Suppression]) -> int:
        """Add those whose key isn't there yet; returns how many were added.

        A key that is there is merged with (``merged``), so that the order of arrival makes no difference.
        """

    def add_imported(
        self,
        account_id: str,
        import_id: str,
        suppressions: Sequence[Suppression],
        seen: ImportProgress,
        read: ImportProgress,
    ) -> ImportProgress:
        """Add a piece of a file and move the import's checkpoint, as ``ContactStore.add_imported``."""

    def find(self, account_id: str, keys: Iterable[str]) -> Mapping[str, Suppression]:
        """Those of the keys that are suppressed right now, erased ones too (consistent read)."""

    def remove(self, account_id: str, key: str) -> None:
        """Take an address off the list, also an erased one; raises NotFound."""

    def erase(self, account_id: str, key: str, now: datetime) -> bool:
        """Keep only the mark of this address, whether it is on the list or not; True if it was, readable."""

    def page(
        self,
        account_id: str,
        cursor: str | None,
        limit: int,
        reason: SuppressionReason | None = None,
        prefix: str = "",
    ) -> Page[Suppression]:
        """The list in the order of its keys; with ``prefix`` those whose key starts with it.

        With ``reason`` those that carry it, as the first or also. A page may be short then.
        """


class BrakeStore(Protocol):
    """What became of messages, counted for lines and campaigns by the hour they were sent in."""

    def count_accepted(self, account_id: str, subject: Subject, hour: datetime, accepted: int) -> None:
        """Add to the messages accepted in the hour that starts then. Written at most once: it may be lost."""

    def count_trouble(
        self, account_id: str, subjects: Sequence[Subject], hour: datetime, trouble: Trouble
    ) -> None:
        """Count one message sent in that hour, for all subjects or for none; once, if a reply is lost too."""

    def hours(self, account_id: str, subject: Subject, since: datetime) -> list[HourCounts]:
        """The hours from ``since`` on that have counts, right now (consistent read)."""

    def forget(self, account_id: str, subject: Subject) -> None:
        """Remove all counts of the subject."""


class DialogStore(Protocol):
    """The dialogs of an account's lines, by the key that ``domain/address.py`` compares addresses by."""

    def change(
        self, account_id: str, line_id: str, changes: Sequence[DialogChange], now: datetime
    ) -> list[Changed]:
        """Take in changes in their order, none for the others' sake undone; what became of each of them.

        Raises NotFound when the line is gone: what was taken in then is removed with it.
        """

    def change_imported(
        self,
        account_id: str,
        line_id: str,
        import_id: str,
        changes: Sequence[DialogChange],
        seen: ImportProgress,
        read: ImportProgress,
        now: datetime,
    ) -> ImportProgress:
        """Take in a piece of a file and move the import's checkpoint in one write, as ``add_imported``.

        Dialogs that were there are counted as duplicates, and as updated where the piece changed them. Raises
        Outdated when another run moved the checkpoint, NotFound when the line is gone.
        """

    def find(self, account_id: str, line_id: str, key: str) -> Dialog:
        """The dialog with this address; raises NotFound."""

    def page(
        self,
        account_id: str,
        line_id: str,
        cursor: str | None,
        limit: int,
        wanted: TagFilter = EVERYBODY,
        prefix: str = "",
    ) -> Page[Dialog]:
        """In the order of the keys: those with the wanted tags, whose key starts with ``prefix``.

        With a filter a page may be short.
        """

    def walk(
        self, account_id: str, line_id: str, place: str, wanted: TagFilter, created_until: datetime
    ) -> Walk:
        """A stretch of the dialogs with the wanted tags that were made by then, from ``place`` on ("" first).

        Following the places meets each of them once, whatever is added or removed meanwhile.
        """

    def remove(self, account_id: str, line_id: str, key: str) -> None:
        """Remove a dialog; raises NotFound."""

    def purge(self, account_id: str, line_id: str) -> None:
        """Remove all dialogs of a line, for good."""


class PaceStore(Protocol):
    """Where each campaign and each line is in time: cursors, what was given out, and rests."""

    def load(self, account_id: str, campaign_id: str, line_ids: Sequence[str]) -> Pace: ...
    def reserve(self, account_id: str, campaign_id: str, pace: Pace) -> bool:
        """Store the new cursor and ledgers, all or none; False when another dispatcher was first."""

    def line_failed(self, account_id: str, line_id: str, now: datetime, until: datetime) -> int | None:
        """Count one more failure in a row of the line, and let it rest until then; returns the count.

        None when the line is resting already: many senders meet one failure at once, and it counts once.
        """

    def line_worked(self, account_id: str, line_id: str) -> None:
        """Forget the failures in a row."""

    def rest_line(self, account_id: str, line_id: str, until: datetime) -> None:
        """Give out no slot of the line before ``until``."""

    def forget(self, account_id: str, campaign_id: str) -> None: ...
    def forget_line(self, account_id: str, line_id: str) -> None: ...


class ImportStore(Protocol):
    """Import jobs of an account."""

    def add(self, account_id: str, job: ImportJob) -> None:
        """Store it; one that is there stays as it is."""

    def get(self, account_id: str, import_id: str) -> ImportJob: ...
    def page(self, account_id: str, campaign_id: str, cursor: str | None, limit: int) -> Page[ImportJob]: ...
    def begin(self, account_id: str, import_id: str, now: datetime) -> ImportJob | None:
        """Mark it running and return it with its checkpoint; None when it is over, in review or missing."""

    def present(self, account_id: str, import_id: str) -> None:
        """Its preview is made: from Running to Review, where it waits for a person."""

    def preview_again(self, account_id: str, import_id: str, choice: Choice) -> bool:
        """From Review back to Queued, to be looked through with this choice; False for any other state."""

    def approve(self, account_id: str, import_id: str) -> bool:
        """From Review to Queued, to be imported as previewed; False when it isn't in Review."""

    def finish(self, account_id: str, import_id: str, progress: ImportProgress, now: datetime) -> None: ...
    def fail(self, account_id: str, import_id: str, reason: Reason, now: datetime) -> None: ...
    def purge(self, account_id: str, campaign_id: str) -> None: ...


class ExportStore(Protocol):
    """Export jobs of an account."""

    def add(self, account_id: str, job: ExportJob) -> None:
        """Store it; one that is there stays as it is."""

    def get(self, account_id: str, export_id: str) -> ExportJob: ...
    def progress(self, account_id: str, export_id: str, rows: int) -> bool:
        """Mark it running with so many rows written; False when it is over or doesn't exist."""

    def finish(self, account_id: str, export_id: str, counted: Mapping[str, int], now: datetime) -> None: ...
    def fail(self, account_id: str, export_id: str, reason: Reason, now: datetime) -> None: ...
    def purge(self, account_id: str, campaign_id: str) -> None: ...


class PreflightStore(Protocol):
    """The last preflight of each campaign. To one that was replaced or is over, nothing is written."""

    def ask(self, account_id: str, preflight: Preflight) -> None:
        """Store it in place of the last one."""

    def get(self, account_id: str, campaign_id: str) -> Preflight: ...
    def progress(self, account_id: str, campaign_id: str, preflight_id: str, checked: int) -> bool:
        """Mark it running with so many contacts looked at; False when nobody waits for it (any more)."""

    def finish(
        self,
        account_id: str,
        campaign_id: str,
        preflight_id: str,
        checked: int,
        missing: Sequence[Missing],
        now: datetime,
    ) -> None: ...
    def fail(
        self, account_id: str, campaign_id: str, preflight_id: str, reason: Reason, now: datetime
    ) -> None: ...
    def remove(self, account_id: str, campaign_id: str) -> None:
        """Forget it; does nothing when there is none."""


class PersonalDataStore(Protocol):
    """Requests about one person's data, which expire. To one that is over, nothing is written."""

    def add(self, account_id: str, job: PersonalDataJob) -> None: ...
    def get(self, account_id: str, job_id: str) -> PersonalDataJob: ...
    def begin(self, account_id: str, job_id: str) -> PersonalDataJob | None:
        """Mark it running; None when it is over or doesn't exist."""

    def note(self, account_id: str, job_id: str, mark: str, found: Mapping[str, int]) -> bool:
        """Store the address's mark and what was found so far; False when it is over or doesn't exist."""

    def finish(self, account_id: str, job_id: str, now: datetime) -> None:
        """Mark it done, and forget the address."""

    def fail(self, account_id: str, job_id: str, reason: Reason, now: datetime) -> None:
        """Mark it failed, and forget the address."""


class AuditStore(Protocol):
    """The audit trails, of accounts and of ``audit.SERVICE``. What is concluded is never changed."""

    def begin(self, account_id: str, entry: AuditEntry) -> None:
        """Write an act down before it is done."""

    def conclude(
        self,
        account_id: str,
        entry_id: str,
        outcome: ActOutcome,
        subject: Mapping[str, str],
        code: str | None,
    ) -> None:
        """Write down how it ended; does nothing when that is written."""

    def page(
        self,
        account_id: str,
        cursor: str | None,
        limit: int,
        action: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Page[AuditEntry]:
        """Newest first, from ``since`` on and before ``until``. With an action a page may be short."""


class FileStore(Protocol):
    """Files by key. Uploads and downloads of customers never pass through a function."""

    def presign_upload(self, key: str, content_type: str, max_bytes: int) -> UploadForm: ...
    def presign_download(self, key: str, file_name: str, lasts: timedelta = timedelta(minutes=15)) -> str: ...
    def fetch(self, key: str, path: Path) -> None: ...
    def beginning(self, key: str, max_bytes: int) -> bytes:
        """The first bytes of a file; raises NotFound."""

    def put(self, key: str, path: Path, content_type: str) -> None: ...
    def purge(self, prefix: str) -> None: ...


class SendQueue(Protocol):
    """One message per contact, delivered at its slot."""

    def put(self, orders: Sequence[SendOrder], now: datetime) -> list[SendOrder]:
        """Queue them with the delay to their slots; returns those the queue didn't take."""


class JobQueue(Protocol):
    """A queue of jobs, each named by ids."""

    def put(self, message: Mapping[str, str], after: timedelta = timedelta(0)) -> None:
        """Queue a message, out of sight until then (at most 15 minutes)."""


class DispatchQueue(JobQueue, Protocol):
    """The queue of visits, which also carries pieces of a big campaign's release."""

    def put_releases(self, account_id: str, campaign_id: str, releases: Sequence[Release]) -> None: ...
    def put_visit(self, account_id: str, campaign_id: str, after: timedelta, follow_ups: int) -> None:
        """Ask for a visit after at most 15 minutes, and for so many more while it isn't finished."""


@dataclass(frozen=True, slots=True)
class Depth:
    """How many messages a queue holds, about: to be taken, being worked on, out of sight until later."""

    waiting: int
    in_flight: int
    delayed: int


class QueueGauge(Protocol):
    """Looks at all queues of the service."""

    def depths(self) -> Mapping[str, Depth]:
        """By the queues' names."""

    def dead_letters(self) -> Mapping[str, int]:
        """How many messages were given up, by the names of the dead-letter queues."""


class SecretBox(Protocol):
    """Encrypts a secret for exactly this account and this thing of it: a line's password, a domain's key."""

    def seal(self, account_id: str, owner_id: str, secret: str) -> bytes: ...
    def open(self, account_id: str, owner_id: str, sealed: bytes) -> str:
        """The secret; raises SecretUnreadable when it was sealed for another account or thing, or damaged."""


KeyMaker = Callable[[], tuple[str, str]]
"""Makes a key pair: the private key as text of at most 4,096 bytes, the public one as a record has it."""

KeyLoader = Callable[[str], Callable[[bytes], bytes]]
"""From the private key, as the maker gave it, to what signs bytes with it."""


class DkimSigner(Protocol):
    """Knows which messages are to be signed, and with what."""

    def key(self, account_id: str, domain: str) -> DkimKey | None:
        """The key for this domain of From; None when the account has none whose record is published.

        Raises SecretUnreadable when there is one and it can't be had: nothing may leave unsigned then.
        """


class Dns(Protocol):
    """The domain name system."""

    def session(self) -> Callable[[str, RecordType], Answer]:
        """Answers questions within the time that one check may take. It raises nothing: see AnswerStatus."""


class LinkKeyStore(Protocol):
    """The keys of the links. They are the deployment's, no account's, and none is ever changed or removed."""

    def add(self, key: SealedKey) -> bool:
        """Store it; False, and nothing written, when there is one of its number."""

    def list(self) -> list[SealedKey]:
        """All of them, newest first (consistent read)."""


class LinkKeyBox(Protocol):
    """Encrypts the keys of the links, each for its number."""

    def seal(self, number: int, secret: bytes) -> bytes: ...
    def open(self, number: int, sealed: bytes) -> bytes:
        """The secret; raises SecretUnreadable when it was sealed for another number, or damaged."""


class EmailSender(Protocol):
    """A channel that carries messages. Every network failure is an outcome, never an exception."""

    def connect(self, line: Line, password: str) -> Connected | TryLater | Refused: ...
    def deliver(
        self, line: Line, envelope: Envelope, message: Message, go_ahead: Callable[[], bool]
    ) -> Outcome: ...


class LineProver(Protocol):
    """Proves a line's channel step by step, without sending anything."""

    def prove(self, line: Line, password: str) -> Connection: ...


class IdentityVerifier(Protocol):
    """Has SES verify identities for the whole service, and tells what SES lets the service send."""

    def verify(
        self, account_id: str, identity: str, *, anew: bool = False
    ) -> IdentityReport | TryLater | Refused:
        """Begin the verification, or look how it stands.

        With ``anew``, or where it was begun for another account, it begins from the start. To be called for
        the account's own claims only. Refused also for what the platform uses itself.
        """

    def quota(self) -> SendingQuota | TryLater | Refused: ...
    def forget(self, account_id: str, identity: str) -> None:
        """Give the identity up, if it was begun for this account. Raises what the network does."""


class Mailbox(Protocol):
    """An inbox that is open. Every method raises MailboxFailed. ``validity`` changes if numbers do."""

    validity: int

    def newer_than(self, uid: int, since: date, limit: int) -> Sequence[int]:
        """Numbers of the first messages after ``uid`` that came on ``since`` or later, in order."""

    def fetch(self, uid: int, max_bytes: int) -> bytes | None:
        """The beginning of a message, which stays unread; None when it is gone."""


class MailboxReader(Protocol):
    """Opens bounce mailboxes."""

    def open(self, channel: ImapChannel, password: str) -> AbstractContextManager[Mailbox]:
        """The inbox; raises MailboxFailed when it can't be opened."""


class ContactFileReader(Protocol):
    """Reads the rows of an uploaded file, whatever kind of file it is; raises FileRejected."""

    def __call__(self, path: Path) -> Iterator[SheetRow | RejectedRow]: ...


class ReportWriter(Protocol):
    """Writes rows into one spreadsheet file, in a stream."""

    def sheet(self, title: str, header: Sequence[str]) -> None: ...
    def append(self, row: Iterable[str | int | float | bool | datetime | None]) -> None: ...


class ReportWriterFactory(Protocol):
    """Opens a spreadsheet for writing at a path."""

    def __call__(self, path: Path) -> AbstractContextManager[ReportWriter]: ...
