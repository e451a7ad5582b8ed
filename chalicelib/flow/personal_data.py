"""Personal data of one address: handed out as a file, or erased, as a job on the export queue.

A contact's id is made of its campaign and its address, so a look into a campaign is one read, whatever its
size. An erasure goes over everything again and again until it finds nothing more: what was on its way when
the job passed, a message at its server, an event, is met the next time. Each pass begins from the start and
does nothing to what is erased, so one that breaks off, or comes twice, does no harm.
"""

import json
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from chalicelib.domain.address import Address, contact_id, parse_address
from chalicelib.domain.api_call import CALL_IS_OVER
from chalicelib.domain.campaign import Campaign
from chalicelib.domain.contact import Contact
from chalicelib.domain.delivery import Reason
from chalicelib.domain.dialog import Dialog
from chalicelib.domain.ids import new_id
from chalicelib.domain.job import JobState
from chalicelib.domain.job_place import personal_data_place
from chalicelib.domain.line import Line
from chalicelib.domain.member import Invitation, Member
from chalicelib.domain.personal_data import ROWS, JobKind, PersonalDataJob, in_flight, without_person
from chalicelib.domain.personal_data_file import (
    contact_told,
    dialog_told,
    invitation_told,
    member_told,
    sample_told,
    suppression_told,
)
from chalicelib.domain.sample import Sample
from chalicelib.errors import FieldError, Invalid, NotFound
from chalicelib.ports import (
    AddressMarks,
    CampaignStore,
    Clock,
    ContactStore,
    DialogStore,
    FileStore,
    JobPlaces,
    JobQueue,
    LineStore,
    MemberStore,
    PersonalDataStore,
    PreflightStore,
    SampleStore,
    SuppressionStore,
    all_items,
)

HAND_OVERS_END = timedelta(minutes=15)
PATIENCE = timedelta(days=1)  # a lease ends after 35 minutes; whoever isn't settled then needs a person
_PAGE = 100
_STUCK = Reason("still_in_flight", "A message to this address is not settled after a day. Ask again later.")


@dataclass(frozen=True, slots=True)
class PersonalDataPorts:
    """What the API's steps need."""

    jobs: PersonalDataStore
    files: FileStore
    export_queue: JobQueue
    clock: Clock
    places: JobPlaces


@dataclass(frozen=True, slots=True)
class PersonalDataWorkPorts:
    """What the job needs: everything that may hold an address."""

    jobs: PersonalDataStore
    marks: AddressMarks
    campaigns: CampaignStore
    contacts: ContactStore
    lines: LineStore
    dialogs: DialogStore
    suppressions: SuppressionStore
    samples: SampleStore
    preflights: PreflightStore
    members: MemberStore
    files: FileStore
    export_queue: JobQueue
    clock: Clock


def ask_for_personal_data(
    account_id: str, kind: JobKind, email: str, ports: PersonalDataPorts
) -> PersonalDataJob:
    """Make a job and queue it; raises Invalid and QuotaReached."""
    address = parse_address(email)
    if not isinstance(address, Address):
        raise Invalid(FieldError("address", address.code, address.text))
    now = ports.clock.now()
    job = PersonalDataJob(new_id(now), kind, JobState.QUEUED, now, address.text, address.key)
    with ports.places.hold(account_id, personal_data_place(job.job_id)):
        ports.jobs.add(account_id, job)
        ports.export_queue.put({"account_id": account_id, "personal_data_id": job.job_id})
    return job


def read_personal_data_job(
    account_id: str, job_id: str, ports: PersonalDataPorts
) -> tuple[PersonalDataJob, str | None]:
    """A job, and a link to its file once an export is done; raises NotFound."""
    job = ports.jobs.get(account_id, job_id)
    if job.kind is not JobKind.EXPORT or job.state is not JobState.DONE:
        return job, None
    return job, ports.files.presign_download(file_key(account_id, job), "personal-data.json")


def file_key(account_id: str, job: PersonalDataJob) -> str:
    """Where the file of an export is kept."""
    return f"{_folder(account_id, job)}{job.job_id}.json"


def work_on_personal_data(account_id: str, job_id: str, ports: PersonalDataWorkPorts) -> None:
    """Do what the job asks for; nothing when it is over or gone."""
    job = ports.jobs.begin(account_id, job_id)
    if job is None or job.address is None or job.key is None:
        return
    place = _Place(account_id, job.key, ports)
    job = replace(job, mark=ports.marks.mark(account_id, place.key))
    if job.kind is JobKind.EXPORT:
        _export(place, job)
    else:
        _erase(place, job)


def _folder(account_id: str, job: PersonalDataJob) -> str:
    return f"results/{account_id}/personal-data/{job.mark}/"


@dataclass(frozen=True, slots=True)
class _Place:
    """One address in one account, and where to look for it."""

    account_id: str
    key: str
    ports: PersonalDataWorkPorts

    def contacts(self) -> Iterator[tuple[Campaign, Contact]]:
        """The contacts with this address, in all campaigns; erased ones too."""
        for campaign in all_items(lambda cursor: self.ports.campaigns.page(self.account_id, cursor, _PAGE)):
            identity = contact_id(campaign.campaign_id, self.key)
            for contact in self.ports.contacts.find(self.account_id, campaign.campaign_id, [identity]):
                yield campaign, contact

    def dialogs(self) -> Iterator[tuple[Line, Dialog]]:
        """The dialogs with this address, of all lines."""
        for line in all_items(lambda cursor: self.ports.lines.page(self.account_id, cursor, _PAGE)):
            with suppress(NotFound):
                yield line, self.ports.dialogs.find(self.account_id, line.line_id, self.key)

    def samples(self) -> Iterator[Sample]:
        """Test messages to this address, or made of this person's data."""
        for sample in self.ports.samples.all(self.account_id):
            if self._is_same(sample.recipient) or self._is_same(sample.person.email):
                yield sample

    def invitations(self) -> list[Invitation]:
        """Those into the account that nobody has accepted, expired ones too while they are there."""
        open_ones = self.ports.members.list_invitations(self.account_id)
        return [invitation for invitation in open_ones if invitation.address_key == self.key]

    def members(self) -> list[Member]:
        """Who joined the account with this address."""
        people = self.ports.members.list_members(self.account_id)
        return [member for member in people if self._is_same(member.email)]

    def _is_same(self, text: str) -> bool:
        address = parse_address(text)
        return isinstance(address, Address) and address.key == self.key


def _export(place: _Place, job: PersonalDataJob) -> None:
    """Write the file and put it where it can be downloaded. Done twice, it is the same file again."""
    account_id, ports = place.account_id, place.ports
    told = _told(place)
    document = {"address": job.address, "made_at": ports.clock.now().isoformat(), **told}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "personal-data.json")
        path.write_text(json.dumps(document, ensure_ascii=False, indent=2), encoding="utf-8")
        if ports.jobs.note(
            account_id, job.job_id, job.mark, {kind: len(rows) for kind, rows in told.items()}
        ):
            ports.files.put(file_key(account_id, job), path, "application/json")
            ports.jobs.finish(account_id, job.job_id, ports.clock.now())


def _told(place: _Place) -> dict[str, list[dict[str, Any]]]:
    listed = place.ports.suppressions.find(place.account_id, [place.key])
    return {
        "contacts": [contact_told(*found) for found in place.contacts() if not found[1].erased],
        "dialogs": [dialog_told(*found) for found in place.dialogs()],
        "suppressions": [suppression_told(one) for one in listed.values()],
        "test_messages": [sample_told(sample) for sample in place.samples()],
        "invitations": [invitation_told(invitation) for invitation in place.invitations()],
        "members": [member_told(member) for member in place.members()],
    }


@dataclass(slots=True)
class _Pass:
    """What one pass met: readable rows by their kind, and whether anything may still change."""

    met: Counter[str] = field(default_factory=Counter)
    flying: bool = False
    left_words: bool = False

    @property
    def found_nothing(self) -> bool:
        return not (self.met.total() or self.flying or self.left_words)


def _erase(place: _Place, job: PersonalDataJob) -> None:
    """One pass. The list comes first: from then on no sender begins a hand-over to this address."""
    account_id, ports = place.account_id, place.ports
    now, found = ports.clock.now(), _Pass()
    found.met["suppressions"] += ports.suppressions.erase(account_id, place.key, now)
    for campaign, contact in place.contacts():
        _erase_contact(account_id, campaign, contact, ports, found)
    for line, _ in place.dialogs():
        found.met["dialogs"] += 1
        with suppress(NotFound):
            ports.dialogs.remove(account_id, line.line_id, place.key)
    for sample in place.samples():
        found.met["test_messages"] += 1
        ports.samples.remove(account_id, sample.sample_id)
    for invitation in place.invitations():
        found.met["invitations"] += 1
        with suppress(NotFound):
            ports.members.withdraw(account_id, invitation.invitation_id)
    ports.files.purge(_folder(account_id, job))
    so_far = {kind: job.found.get(kind, 0) + found.met[kind] for kind in ROWS}
    if ports.jobs.note(account_id, job.job_id, job.mark, so_far):
        _end_or_go_on(account_id, job, found, ports)


def _erase_contact(
    account_id: str, campaign: Campaign, contact: Contact, ports: PersonalDataWorkPorts, found: _Pass
) -> None:
    """Take the person out of a contact; one that moved meanwhile is met by the next pass."""
    found.flying = found.flying or in_flight(contact)
    if without_person(contact) != contact:
        ports.contacts.erase(account_id, campaign.campaign_id, contact)
        found.met["contacts"] += not contact.erased
        found.left_words = found.left_words or contact.erased  # a sender or an event wrote into it since
    with suppress(NotFound):
        preflight = ports.preflights.get(account_id, campaign.campaign_id)
        if any(missing.contact_id == contact.contact_id for missing in preflight.missing):
            ports.preflights.remove(account_id, campaign.campaign_id)  # it shows a subject as they'd read it


def _end_or_go_on(account_id: str, job: PersonalDataJob, found: _Pass, ports: PersonalDataWorkPorts) -> None:
    now = ports.clock.now()
    if found.found_nothing:
        ports.jobs.finish(account_id, job.job_id, now)
    elif now - job.created_at > PATIENCE:
        ports.jobs.fail(account_id, job.job_id, _STUCK, now)
    else:
        message = {"account_id": account_id, "personal_data_id": job.job_id}
        ports.export_queue.put(message, HAND_OVERS_END if found.flying else CALL_IS_OVER)
