"""Everything around the steps, in memory: one of each port, put together as wiring does."""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from weakref import finalize

from chalicelib.domain.access import ALL_SCOPES, Actor, ActorKind, Maker
from chalicelib.domain.account import Account
from chalicelib.domain.address import Address, parse_address
from chalicelib.domain.campaign import Campaign
from chalicelib.domain.contact import Contact, ContactStatus, Person
from chalicelib.domain.content import Content, Exemption
from chalicelib.domain.delivery_event import DeliveryEvent, EventType
from chalicelib.domain.dkim_record import record_name, record_value
from chalicelib.domain.dns_answers import RecordType, found
from chalicelib.domain.ledger import LineLimits
from chalicelib.domain.line import Connection, ConnectionState, Line, LinePlan, Security, SmtpChannel
from chalicelib.domain.link_tokens import SECRET_BYTES, SigningKey, TokenRing
from chalicelib.domain.quota import USUAL, Quota
from chalicelib.domain.sending_domain import SendingDomain
from chalicelib.domain.suppression import Suppression, SuppressionReason
from chalicelib.domain.timetable import Timetable, Weekday
from chalicelib.errors import NotFound
from chalicelib.flow.advice import AdvicePorts, AdvisingPorts
from chalicelib.flow.attached_files import AttachedFiles
from chalicelib.flow.attachments import AttachmentPorts
from chalicelib.flow.audit import AuditPorts
from chalicelib.flow.brake import BrakePorts
from chalicelib.flow.campaign import (
    CampaignPorts,
    CampaignSettings,
    RemovalPorts,
    create_campaign,
    launch_campaign,
    purge_campaign,
)
from chalicelib.flow.contacts import ContactPorts, add_contacts
from chalicelib.flow.dialog_contacts import SourcePorts
from chalicelib.flow.dialogs import DialogPorts
from chalicelib.flow.dispatch import DispatchPorts, visit_campaign
from chalicelib.flow.domains import DomainCheckPorts, DomainPorts, add_domain, check_domain
from chalicelib.flow.imports import ImportPorts
from chalicelib.flow.job_places import Places
from chalicelib.flow.lines import LinePorts, ProofPorts
from chalicelib.flow.members import MemberPorts
from chalicelib.flow.personal_data import PersonalDataPorts, PersonalDataWorkPorts
from chalicelib.flow.plan import PlanPorts
from chalicelib.flow.preflight import CheckingPorts, PreflightPorts
from chalicelib.flow.preview import PreviewPorts
from chalicelib.flow.quotas import Leave
from chalicelib.flow.report import ExportPorts, ReportPorts
from chalicelib.flow.samples import AskPorts, SamplePorts
from chalicelib.flow.send import Sender, SendPorts
from chalicelib.flow.signing import Signing, SigningPorts
from chalicelib.flow.suppressed import CountPorts
from chalicelib.flow.suppression_export import ListExportPorts
from chalicelib.flow.suppressions import ListPorts
from chalicelib.flow.track import TrackPorts
from chalicelib.ports import SendOrder
from tests.fakes.accounts import FakeAccountStore
from tests.fakes.advice import FakeAdviceStore
from tests.fakes.attachments import FakeAttachmentStore
from tests.fakes.audit import FakeAuditStore
from tests.fakes.brakes import FakeBrakeStore
from tests.fakes.campaigns import FakeCampaignStore
from tests.fakes.channel import FakeEmailSender, FakeProver
from tests.fakes.clock import HandClock
from tests.fakes.contacts import FakeContactStore
from tests.fakes.dialogs import FakeDialogStore
from tests.fakes.dns import FakeDns
from tests.fakes.domains import FakeDomainStore
from tests.fakes.files import FakeFileStore
from tests.fakes.identities import FakeIdentityStore, FakeVerifier
from tests.fakes.jobs import FakeExportStore, FakeImportStore
from tests.fakes.keys import FakeKeys
from tests.fakes.lines import FakeLineStore
from tests.fakes.members import FakeMemberStore
from tests.fakes.pace import FakePaceStore
from tests.fakes.personal_data import FakeAddressMarks, FakePersonalDataStore
from tests.fakes.preflights import FakePreflightStore
from tests.fakes.queues import FakeDispatchQueue, FakeJobQueue, FakeSendQueue
from tests.fakes.samples import FakeSampleStore
from tests.fakes.secret_box import FakeSecretBox
from tests.fakes.suppressions import FakeSuppressionStore
from tests.fakes.usage import FakeUsageStore
from tests.fakes.workbook import FakeWorkbook, read_lines

ACCOUNT, STRANGER = "acc1", "acc2"
ANNA = Actor(ActorKind.PERSON, "sub-anna")
OWNER = Maker(ANNA, ALL_SCOPES)
ALWAYS = Timetable(frozenset(Weekday), date(2026, 1, 1), date(2026, 12, 31), time(0), time(0), "UTC", 0, 1)
CONTENT = Content("Hello [firstName|friend]", "<p>Dear [firstName|friend]</p>")
ORDERED = Exemption("Confirms an order.", "key1", datetime(2026, 1, 1, tzinfo=UTC))
PUBLIC_URL = "https://mail.shop.example"
A_LOT_OF_TIME = timedelta(minutes=10)


@dataclass
class World:
    """One of each port, and the ports of every step made of them."""

    clock: HandClock = field(default_factory=HandClock)
    usage: FakeUsageStore = field(default_factory=FakeUsageStore)
    accounts: FakeAccountStore = field(init=False)
    members: FakeMemberStore = field(init=False)
    lines: FakeLineStore = field(init=False)
    identities: FakeIdentityStore = field(default_factory=FakeIdentityStore)
    domains: FakeDomainStore = field(init=False)
    advice: FakeAdviceStore = field(default_factory=FakeAdviceStore)
    dns: FakeDns = field(default_factory=FakeDns)
    keys: FakeKeys = field(default_factory=FakeKeys)
    campaigns: FakeCampaignStore = field(init=False)
    imports: FakeImportStore = field(default_factory=FakeImportStore)
    exports: FakeExportStore = field(default_factory=FakeExportStore)
    preflights: FakePreflightStore = field(default_factory=FakePreflightStore)
    pace: FakePaceStore = field(default_factory=FakePaceStore)
    suppressions: FakeSuppressionStore = field(default_factory=FakeSuppressionStore)
    personal_data: FakePersonalDataStore = field(default_factory=FakePersonalDataStore)
    marks: FakeAddressMarks = field(default_factory=FakeAddressMarks)
    brakes: FakeBrakeStore = field(default_factory=FakeBrakeStore)
    samples: FakeSampleStore = field(default_factory=FakeSampleStore)
    sample_queue: FakeJobQueue = field(default_factory=FakeJobQueue)
    secrets: FakeSecretBox = field(default_factory=FakeSecretBox)
    channel: FakeEmailSender = field(default_factory=FakeEmailSender)
    prover: FakeProver = field(default_factory=FakeProver)
    verifier: FakeVerifier = field(default_factory=FakeVerifier)
    dispatch_queue: FakeDispatchQueue = field(default_factory=FakeDispatchQueue)
    send_queue: FakeSendQueue = field(default_factory=FakeSendQueue)
    removal_queue: FakeJobQueue = field(default_factory=FakeJobQueue)
    import_queue: FakeJobQueue = field(default_factory=FakeJobQueue)
    export_queue: FakeJobQueue = field(default_factory=FakeJobQueue)
    connect_queue: FakeJobQueue = field(default_factory=FakeJobQueue)
    check_queue: FakeJobQueue = field(default_factory=FakeJobQueue)
    attachments: FakeAttachmentStore = field(init=False)
    files: FakeFileStore = field(init=False)
    contacts: FakeContactStore = field(init=False)
    dialogs: FakeDialogStore = field(init=False)
    ring: TokenRing = field(default_factory=lambda: TokenRing([SigningKey(1, b"k" * SECRET_BYTES)]))
    public_url: str = PUBLIC_URL
    troubles: list[tuple[EventType, str]] = field(default_factory=list)
    audit: FakeAuditStore = field(default_factory=FakeAuditStore)
    tokens: int = 0

    def __post_init__(self) -> None:
        self.accounts = FakeAccountStore(self.usage)
        self.members = FakeMemberStore(self.accounts)
        self.lines = FakeLineStore(self.usage)
        self.domains = FakeDomainStore(self.usage)
        self.attachments = FakeAttachmentStore(self.usage)
        self.campaigns = FakeCampaignStore(self.usage)
        self.files = FakeFileStore(self.clock)
        self.contacts = FakeContactStore(self.campaigns, self.imports)
        self.dialogs = FakeDialogStore(self.lines, self.imports)
        self.suppressions = FakeSuppressionStore(self.imports, self.marks)
        self.accounts.add(Account(ACCOUNT, "Oak & Linen", LinePlan.PURCHASED, self.clock.now()))

    def limit_of(self, account_id: str, quota: Quota) -> int:
        """The account's own limit, or the usual one; that of nobody is the usual one, too."""
        try:
            own = self.accounts.get(account_id).quotas
        except NotFound:
            own = {}
        return own.get(quota, USUAL[quota])

    @property
    def leave(self) -> Leave:
        return Leave(self.usage, self.imports, self.limit_of, self.clock)

    @property
    def places(self) -> Places:
        return Places(
            self.usage,
            self.exports,
            self.preflights,
            self.personal_data,
            self.lines,
            self.advice,
            self.domains,
            self.limit_of,
            self.clock,
        )

    @property
    def member_ports(self) -> MemberPorts:
        return MemberPorts(self.accounts, self.members, self.clock)

    @property
    def campaign_ports(self) -> CampaignPorts:
        return CampaignPorts(
            self.campaigns,
            self.contacts,
            self.lines,
            self.dispatch_queue,
            self.removal_queue,
            self.clock,
            self.attachments,
            self.public_url,
            self.limit_of,
        )

    @property
    def attachment_ports(self) -> AttachmentPorts:
        return AttachmentPorts(
            self.campaigns, self.attachments, self.files, self.clock, self.leave.for_attachment, self.limit_of
        )

    @cached_property
    def folder(self) -> Path:
        """Where the files at hand are."""
        folder = Path(mkdtemp())
        finalize(self, rmtree, folder)
        return folder

    def attached_files(self) -> AttachedFiles:
        """What a sender has at hand that has just been started."""
        return AttachedFiles(self.files, lambda: self.folder)

    @property
    def removal_ports(self) -> RemovalPorts:
        return RemovalPorts(
            self.campaigns,
            self.contacts,
            self.lines,
            self.dialogs,
            self.pace,
            self.brakes,
            self.samples,
            self.imports,
            self.exports,
            self.preflights,
            self.attachments,
            self.usage,
            self.files,
        )

    @property
    def preflight_ports(self) -> PreflightPorts:
        return PreflightPorts(self.campaigns, self.preflights, self.export_queue, self.clock, self.places)

    @property
    def checking_ports(self) -> CheckingPorts:
        return CheckingPorts(self.campaigns, self.contacts, self.preflights, self.clock)

    @property
    def audit_ports(self) -> AuditPorts:
        return AuditPorts(self.audit, self.clock)

    @property
    def brake_ports(self) -> BrakePorts:
        return BrakePorts(self.brakes, self.campaigns, self.lines, self.dispatch_queue, self.clock)

    @property
    def contact_ports(self) -> ContactPorts:
        return ContactPorts(
            self.campaigns,
            self.contacts,
            self.suppressions,
            self.imports,
            self.files,
            self.import_queue,
            self.dispatch_queue,
            self.clock,
            self.leave,
            self.limit_of,
        )

    @property
    def import_ports(self) -> ImportPorts:
        return ImportPorts(
            self.campaigns,
            self.contacts,
            self.lines,
            self.dialogs,
            self.imports,
            self.suppressions,
            self.files,
            read_lines,
            self.import_queue,
            self.dispatch_queue,
            self.clock,
            self.limit_of,
        )

    @property
    def dispatch_ports(self) -> DispatchPorts:
        return DispatchPorts(
            self.campaigns,
            self.contacts,
            self.imports,
            self.suppressions,
            self.lines,
            self.pace,
            self.brake_ports,
            self.dispatch_queue,
            self.send_queue,
            self.removal_queue,
            self.clock,
        )

    @property
    def plan_ports(self) -> PlanPorts:
        return PlanPorts(self.campaigns, self.contacts, self.lines, self.pace, self.clock)

    @property
    def preview_ports(self) -> PreviewPorts:
        return PreviewPorts(self.campaigns, self.contacts, self.lines, self.files, self.public_url)

    @property
    def ask_ports(self) -> AskPorts:
        return AskPorts(
            self.samples,
            self.campaigns,
            self.contacts,
            self.lines,
            self.suppressions,
            self.sample_queue,
            self.clock,
            self.public_url,
            self.limit_of,
        )

    @property
    def sample_ports(self) -> SamplePorts:
        return SamplePorts(
            self.samples,
            self.campaigns,
            self.lines,
            self.identities,
            self.suppressions,
            self.secrets,
            self.channel,
            self.clock,
            self.public_url,
            self.attached_files(),
            self._new_token,
            self.signing,
        )

    @property
    def line_ports(self) -> LinePorts:
        return LinePorts(
            self.accounts,
            self.lines,
            self.identities,
            self.advice,
            self.pace,
            self.secrets,
            self.connect_queue,
            self.removal_queue,
            self.clock,
            self.places,
            self.limit_of,
        )

    @property
    def dialog_ports(self) -> DialogPorts:
        return DialogPorts(self.lines, self.dialogs, self.imports, self.files, self.clock, self.leave)

    @property
    def dialog_source_ports(self) -> SourcePorts:
        return SourcePorts(
            self.campaigns, self.lines, self.imports, self.import_queue, self.clock, self.leave
        )

    @property
    def proof_ports(self) -> ProofPorts:
        return ProofPorts(
            self.lines, self.identities, self.pace, self.secrets, self.prover, self.verifier, self.clock
        )

    @property
    def domain_ports(self) -> DomainPorts:
        return DomainPorts(
            self.domains,
            self.secrets,
            self.keys.make,
            self.check_queue,
            self.clock,
            self.places,
            self.limit_of,
        )

    @property
    def domain_check_ports(self) -> DomainCheckPorts:
        return DomainCheckPorts(self.domains, self.dns, self.clock)

    @property
    def advice_ports(self) -> AdvicePorts:
        return AdvicePorts(self.lines, self.advice, self.check_queue, self.clock, self.places)

    @property
    def advising_ports(self) -> AdvisingPorts:
        return AdvisingPorts(self.lines, self.domains, self.advice, self.dns, self.clock)

    @property
    def signing(self) -> Signing:
        """The keys, as a process that has just been started knows them."""
        return Signing(SigningPorts(self.domains, self.secrets, self.keys.load, self.clock))

    @property
    def export_ports(self) -> ExportPorts:
        return ExportPorts(
            self.campaigns, self.exports, self.files, self.export_queue, self.clock, self.places
        )

    @property
    def list_ports(self) -> ListPorts:
        return ListPorts(
            self.suppressions,
            self.imports,
            self.exports,
            self.files,
            self.export_queue,
            self.clock,
            self.leave,
            self.places,
        )

    @property
    def personal_data_ports(self) -> PersonalDataPorts:
        return PersonalDataPorts(self.personal_data, self.files, self.export_queue, self.clock, self.places)

    @property
    def personal_data_work_ports(self) -> PersonalDataWorkPorts:
        return PersonalDataWorkPorts(
            self.personal_data,
            self.marks,
            self.campaigns,
            self.contacts,
            self.lines,
            self.dialogs,
            self.suppressions,
            self.samples,
            self.preflights,
            self.members,
            self.files,
            self.export_queue,
            self.clock,
        )

    @property
    def count_ports(self) -> CountPorts:
        return CountPorts(self.contacts, self.suppressions, self.clock)

    @property
    def list_export_ports(self) -> ListExportPorts:
        return ListExportPorts(self.suppressions, self.exports, self.files, self.clock)

    @property
    def report_ports(self) -> ReportPorts:
        return ReportPorts(self.campaigns, self.contacts, self.exports, self.files, FakeWorkbook, self.clock)

    @property
    def track_ports(self) -> TrackPorts:
        return TrackPorts(self.contacts, self.suppressions, self.clock, self._note_trouble)

    def _note_trouble(self, event: DeliveryEvent, contact: Contact) -> None:
        self.troubles.append((event.type, contact.contact_id))

    def sender(self, draw: float = 0.5) -> Sender:
        """A sender that has just been started."""
        return Sender(
            SendPorts(
                self.campaigns,
                self.contacts,
                self.suppressions,
                self.lines,
                self.identities,
                self.pace,
                self.brakes,
                self.secrets,
                self.channel,
                self.clock,
                self._new_token,
                lambda: draw,
                self.ring,
                self.public_url,
                self.attached_files(),
                self.signing,
            )
        )

    def _new_token(self) -> str:
        self.tokens += 1
        return f"token-{self.tokens}"

    def add_line(
        self,
        line_id: str = "line1",
        *,
        plan: LinePlan = LinePlan.PURCHASED,
        limits: LineLimits | None = None,
        state: ConnectionState = ConnectionState.CONNECTED,
        from_name: str = "Oak & Linen",
    ) -> Line:
        line = Line(
            line_id=line_id,
            name=f"Line {line_id}",
            channel=SmtpChannel("smtp.shop.example", 587, Security.STARTTLS, "news"),
            from_address="news@shop.example",
            from_name=from_name,
            plan=plan,
            limits=limits or LineLimits(),
            connection=Connection(state),
            password=self.secrets.seal(ACCOUNT, line_id, "secret"),
            created_at=self.clock.now(),
        )
        self.lines.add(ACCOUNT, line)
        return line

    def publish(self, selector: str, public_key: str, domain: str = "shop.example") -> None:
        """Put a key's record into DNS."""
        name = record_name(selector, domain)
        self.dns.records[name, RecordType.TXT] = found(record_value(public_key))

    def unpublish(self, selector: str, domain: str = "shop.example") -> None:
        del self.dns.records[record_name(selector, domain), RecordType.TXT]

    def check(self, domain: str = "shop.example") -> SendingDomain:
        """Look at the domain's records."""
        checked = check_domain(ACCOUNT, domain, self.domain_check_ports)
        assert checked is not None
        return checked

    def signed_domain(self, domain: str = "shop.example") -> SendingDomain:
        """A domain whose key is published and was seen."""
        (key,) = add_domain(ACCOUNT, domain, self.domain_ports).keys
        self.publish(key.selector, key.public_key, domain)
        return self.check(domain)

    def add_campaign(
        self,
        contacts: int = 1,
        *,
        timetable: Timetable = ALWAYS,
        line_ids: tuple[str, ...] = ("line1",),
        content: Content = CONTENT,
    ) -> Campaign:
        """A draft with contacts ``c0@mail.example``, ``c1@…`` on."""
        settings = CampaignSettings("Spring", line_ids, timetable, content)
        campaign = create_campaign(ACCOUNT, settings, self.campaign_ports).campaign
        if contacts:
            self.add_people(campaign.campaign_id, *(f"c{number}@mail.example" for number in range(contacts)))
        return self.campaigns.get(ACCOUNT, campaign.campaign_id)

    def add_people(self, campaign_id: str, *emails: str) -> None:
        people = [Person(email) for email in emails]
        add_contacts(ACCOUNT, campaign_id, people, self.contact_ports)

    def suppress(self, email: str, reason: SuppressionReason = SuppressionReason.UNSUBSCRIBED) -> None:
        """Put an address on the suppression list now."""
        address = parse_address(email)
        assert isinstance(address, Address)
        entry = Suppression(address.key, address.text, reason, self.clock.now())
        self.suppressions.add(ACCOUNT, [entry])

    def running(
        self, contacts: int = 1, *, timetable: Timetable = ALWAYS, limits: LineLimits | None = None
    ) -> str:
        """The id of a launched campaign on a line of its own."""
        self.add_line(limits=limits)
        campaign_id = self.add_campaign(contacts, timetable=timetable).campaign_id
        launch_campaign(ACCOUNT, campaign_id, None, self.campaign_ports)
        self.dispatch_queue.take()
        return campaign_id

    def visit(self, campaign_id: str) -> list[SendOrder]:
        """One visit of the dispatcher; returns what it queued."""
        visit_campaign(ACCOUNT, campaign_id, self.dispatch_ports)
        return self.send_queue.take()

    def purge_deleted(self) -> None:
        for message in self.removal_queue.take():
            purge_campaign(message["account_id"], message["campaign_id"], self.removal_ports)

    def stop_at(self) -> datetime:
        return self.clock.now() + A_LOT_OF_TIME

    def all_contacts(self, campaign_id: str) -> list[Contact]:
        return list(self.contacts.page(ACCOUNT, campaign_id, None, 100_000).items)

    def only(self, campaign_id: str) -> Contact:
        """The campaign's one contact."""
        (contact,) = self.all_contacts(campaign_id)
        return contact

    def statuses(self, campaign_id: str) -> dict[str, ContactStatus]:
        return {contact.person.email: contact.status for contact in self.all_contacts(campaign_id)}

    def change_campaign(self, campaign_id: str, **changes: object) -> Campaign:
        """Write settings past the steps, as the store would find them."""
        campaign = self.campaigns.get(ACCOUNT, campaign_id)
        changed = replace(campaign, revision=campaign.revision + 1, **changes)  # type: ignore[arg-type]
        self.campaigns.save(ACCOUNT, changed, None, campaign.revision)
        return changed
