"""Where ports meet adapters. Every door asks here for exactly what its step needs, on its first event.

Adapters are imported inside the functions: one package serves all Lambdas, and a sender must not pay for
openpyxl, nor the API for an SMTP client.
"""

import random
import secrets
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import timedelta
from functools import cache, partial
from typing import TYPE_CHECKING

from chalicelib.adapters.channels import SenderByChannel
from chalicelib.adapters.clock import SystemClock
from chalicelib.adapters.dynamodb.accounts import DynamoAccountStore
from chalicelib.adapters.dynamodb.advice import DynamoAdviceStore
from chalicelib.adapters.dynamodb.attachments import DynamoAttachmentStore
from chalicelib.adapters.dynamodb.audit import DynamoAuditStore
from chalicelib.adapters.dynamodb.brakes import DynamoBrakeStore
from chalicelib.adapters.dynamodb.campaigns import DynamoCampaignStore
from chalicelib.adapters.dynamodb.contacts import DynamoContactStore
from chalicelib.adapters.dynamodb.dialogs import DynamoDialogStore
from chalicelib.adapters.dynamodb.domains import DynamoDomainStore
from chalicelib.adapters.dynamodb.identities import DynamoIdentityStore
from chalicelib.adapters.dynamodb.jobs import DynamoExportStore, DynamoImportStore
from chalicelib.adapters.dynamodb.lines import DynamoLineStore
from chalicelib.adapters.dynamodb.link_keys import DynamoLinkKeyStore
from chalicelib.adapters.dynamodb.members import DynamoMemberStore
from chalicelib.adapters.dynamodb.pace import DynamoPaceStore
from chalicelib.adapters.dynamodb.personal_data import DynamoPersonalDataStore
from chalicelib.adapters.dynamodb.preflights import DynamoPreflightStore
from chalicelib.adapters.dynamodb.repeats import DynamoRepeatStore
from chalicelib.adapters.dynamodb.samples import DynamoSampleStore
from chalicelib.adapters.dynamodb.suppressions import DynamoSuppressionStore
from chalicelib.adapters.dynamodb.tables import bind
from chalicelib.adapters.dynamodb.usage import DynamoUsageStore
from chalicelib.adapters.kms import KmsAddressMarks, KmsLinkKeyBox, KmsMonthKeys, KmsSecretBox
from chalicelib.adapters.s3 import S3FileStore
from chalicelib.adapters.scratch import scratch_folder
from chalicelib.adapters.sqs import SqsDispatchQueue, SqsJobQueue, SqsQueueGauge, SqsSendQueue
from chalicelib.domain.access import Actor, Scope
from chalicelib.domain.brake import limits_at
from chalicelib.domain.delivery_event import Opener
from chalicelib.domain.member import Person
from chalicelib.domain.opener import judge
from chalicelib.domain.quota import Quota, read_limits
from chalicelib.errors import NotFound
from chalicelib.flow import admission
from chalicelib.flow.admission import AdmissionPorts
from chalicelib.flow.advice import AdvicePorts, AdvisingPorts
from chalicelib.flow.attached_files import AttachedFiles
from chalicelib.flow.attachments import AttachmentPorts
from chalicelib.flow.audit import AuditPorts
from chalicelib.flow.bounce_mailboxes import MailboxPorts, ReadingPorts
from chalicelib.flow.brake import BrakePorts, note_trouble
from chalicelib.flow.campaign import CampaignPorts, RemovalPorts
from chalicelib.flow.contacts import ContactPorts
from chalicelib.flow.dialog_contacts import SourcePorts
from chalicelib.flow.dialogs import DialogPorts
from chalicelib.flow.dispatch import DispatchPorts
from chalicelib.flow.domains import DomainCheckPorts, DomainPorts
from chalicelib.flow.download import DownloadPorts
from chalicelib.flow.follow_link import LinkPorts
from chalicelib.flow.health import HealthPorts
from chalicelib.flow.imports import ImportPorts
from chalicelib.flow.job_places import Places
from chalicelib.flow.lines import LinePorts, ProofPorts
from chalicelib.flow.link_keys import KeptRing, LinkKeyPorts
from chalicelib.flow.members import MemberPorts
from chalicelib.flow.personal_data import PersonalDataPorts, PersonalDataWorkPorts
from chalicelib.flow.plan import PlanPorts
from chalicelib.flow.preflight import CheckingPorts, PreflightPorts
from chalicelib.flow.preview import PreviewPorts
from chalicelib.flow.quotas import Leave
from chalicelib.flow.repeats import RepeatPorts
from chalicelib.flow.report import ExportPorts, ReportPorts
from chalicelib.flow.request_rate import RequestRate
from chalicelib.flow.samples import AskPorts, SamplePorts
from chalicelib.flow.send import Sender, SendPorts
from chalicelib.flow.signing import Signing, SigningPorts
from chalicelib.flow.suppressed import CountPorts
from chalicelib.flow.suppression_export import ListExportPorts
from chalicelib.flow.suppressions import ListPorts
from chalicelib.flow.take_bounce import BouncePorts
from chalicelib.flow.track import Tracked, TrackPorts, track
from chalicelib.observability import log
from chalicelib.settings import Settings

if TYPE_CHECKING:
    from chalicelib.adapters.cognito import CognitoTokens
    from chalicelib.adapters.dns import DnsClient
    from chalicelib.adapters.ses import SesIdentities, SesSender
    from chalicelib.adapters.smtp import SmtpSender

clock = SystemClock()


@cache
def settings() -> Settings:
    """The deployment's settings; reading them also tells the tables their names."""
    found = Settings.from_environment()
    bind(found.tables)
    return found


def accounts() -> DynamoAccountStore:
    """The accounts."""
    settings()
    return DynamoAccountStore()


def members() -> DynamoMemberStore:
    """The people of the accounts."""
    settings()
    return DynamoMemberStore()


def member_ports() -> MemberPorts:
    """For the routes about people."""
    return MemberPorts(accounts=accounts(), members=members(), clock=clock)


@cache
def sign_in_tokens() -> "CognitoTokens":
    """Reads the tokens of people's sign-ins; this process keeps the pool's keys."""
    from chalicelib.adapters.cognito import CognitoTokens  # noqa: PLC0415

    return CognitoTokens(settings().sign_in, clock)


def read_token(token: str) -> Person:
    """Who signed in; only people, not API keys, pay for the library."""
    return sign_in_tokens().read(token)


def admission_ports() -> AdmissionPorts:
    """For the authorizer."""
    return AdmissionPorts(accounts=accounts(), members=members(), read_token=read_token, clock=clock)


def scopes_now(account_id: str, actor: Actor) -> frozenset[Scope]:
    """What somebody may do in the account by our rows, not by what the gateway remembers."""
    return admission.scopes_now(account_id, actor, accounts(), members(), clock)


def audit_ports() -> AuditPorts:
    """For the audit trail."""
    return AuditPorts(trail=DynamoAuditStore(timedelta(days=settings().audit_days)), clock=clock)


def lines() -> DynamoLineStore:
    """The lines."""
    settings()
    return DynamoLineStore()


def domains() -> DynamoDomainStore:
    """The domains that mail is signed for."""
    settings()
    return DynamoDomainStore()


def advice() -> DynamoAdviceStore:
    """The advice on lines."""
    settings()
    return DynamoAdviceStore()


def link_keys() -> DynamoLinkKeyStore:
    """The keys of the links in messages."""
    settings()
    return DynamoLinkKeyStore()


def campaigns() -> DynamoCampaignStore:
    """The campaigns."""
    settings()
    return DynamoCampaignStore()


def imports() -> DynamoImportStore:
    """The import jobs."""
    settings()
    return DynamoImportStore()


def exports() -> DynamoExportStore:
    """The export jobs."""
    settings()
    return DynamoExportStore()


def preflights() -> DynamoPreflightStore:
    """The preflights."""
    settings()
    return DynamoPreflightStore()


def suppressions() -> DynamoSuppressionStore:
    """The suppressed addresses, and the erased ones."""
    settings()
    return DynamoSuppressionStore(erasure_marks())


@cache
def erasure_marks() -> KmsAddressMarks:
    """The marks of erased addresses; this process asks for their key once."""
    return KmsAddressMarks(settings().erasure_key_id)


def attachments() -> DynamoAttachmentStore:
    """The uploaded files of campaigns."""
    settings()
    return DynamoAttachmentStore()


def attachment_ports() -> AttachmentPorts:
    """For the attachment routes, and for what becomes of an upload."""
    return AttachmentPorts(
        campaigns=campaigns(),
        attachments=attachments(),
        files=files(),
        clock=clock,
        take_bytes=leave().for_attachment,
        limit_of=limit_of,
    )


@cache
def attached_files() -> AttachedFiles:
    """The files that this process of senders has at hand, in a folder that goes with it."""
    return AttachedFiles(files(), partial(scratch_folder, "attached"))


def _new_token() -> str:
    """A claim's, which nobody else has."""
    return uuid.uuid4().hex


def files() -> S3FileStore:
    """The file bucket."""
    return S3FileStore(settings().file_bucket, clock)


def dispatch_queue() -> SqsDispatchQueue:
    """The queue of campaigns to visit."""
    return SqsDispatchQueue(settings().queues.dispatch)


def connect_queue() -> SqsJobQueue:
    """The queue of lines to prove."""
    return SqsJobQueue(settings().queues.connect)


def check_queue() -> SqsJobQueue:
    """The queue of what is to be checked in DNS."""
    return SqsJobQueue(settings().queues.checks)


def bounce_queue() -> SqsJobQueue:
    """The queue of what bounces are to be read from."""
    return SqsJobQueue(settings().queues.bounces)


@cache
def usual_limits() -> Mapping[Quota, int]:
    """What every account may have here that has no limit of its own."""
    return read_limits(settings().quotas)


def limit_of(account_id: str, quota: Quota) -> int:
    """How much of this the account may have: what the operator gave it, or what is usual here.

    Usual is also what a person may ask for who belongs to no account yet.
    """
    try:
        own = accounts().get(account_id).quotas
    except NotFound:
        own = {}
    return own.get(quota, usual_limits()[quota])


def usage() -> DynamoUsageStore:
    """What accounts have of what is limited."""
    settings()
    return DynamoUsageStore()


def leave() -> Leave:
    """Gives leave for imports."""
    return Leave(usage=usage(), imports=DynamoImportStore(), limit_of=limit_of, clock=clock)


def job_places() -> Places:
    """The places of accounts for jobs and checks."""
    return Places(
        usage=usage(),
        exports=DynamoExportStore(),
        preflights=DynamoPreflightStore(),
        personal_data=DynamoPersonalDataStore(),
        lines=DynamoLineStore(),
        advice=DynamoAdviceStore(),
        domains=DynamoDomainStore(),
        limit_of=limit_of,
        clock=clock,
    )


@cache
def request_rate() -> RequestRate:
    """The count of this process's requests."""
    return RequestRate(usage(), limit_of, clock, lambda error: log("requests_not_counted", error=error))


def campaign_ports() -> CampaignPorts:
    """For the campaign routes."""
    return CampaignPorts(
        campaigns=campaigns(),
        contacts=DynamoContactStore(),
        lines=DynamoLineStore(),
        dispatch_queue=dispatch_queue(),
        removal_queue=SqsJobQueue(settings().queues.removal),
        clock=clock,
        attachments=attachments(),
        public_url=settings().public_url,
        limit_of=limit_of,
    )


@cache
def removal_ports() -> RemovalPorts:
    """For the remover."""
    return RemovalPorts(
        campaigns=campaigns(),
        contacts=DynamoContactStore(),
        lines=DynamoLineStore(),
        dialogs=DynamoDialogStore(),
        pace=DynamoPaceStore(),
        brakes=DynamoBrakeStore(),
        samples=DynamoSampleStore(),
        imports=DynamoImportStore(),
        exports=DynamoExportStore(),
        preflights=DynamoPreflightStore(),
        attachments=DynamoAttachmentStore(),
        usage=usage(),
        files=files(),
    )


def brake_ports() -> BrakePorts:
    """For counting trouble, for the dispatcher, for those who look at brakes, and for who lifts them."""
    return BrakePorts(
        brakes=DynamoBrakeStore(),
        campaigns=campaigns(),
        lines=DynamoLineStore(),
        dispatch_queue=dispatch_queue(),
        clock=clock,
        limits=limits_at(settings().brake_bounce_rate, settings().brake_complaint_rate),
    )


def health_ports() -> HealthPorts:
    """For the operator's look at the service."""
    found = settings()
    watched = asdict(found.watched)
    dead = {name: url for name, url in watched.items() if name.startswith("dead_")}
    at_work = {**asdict(found.queues), **{name: url for name, url in watched.items() if name not in dead}}
    return HealthPorts(
        gauge=SqsQueueGauge(at_work, dead), campaigns=campaigns(), contacts=DynamoContactStore(), clock=clock
    )


def plan_ports() -> PlanPorts:
    """For the plan route."""
    return PlanPorts(
        campaigns=campaigns(),
        contacts=DynamoContactStore(),
        lines=DynamoLineStore(),
        pace=DynamoPaceStore(),
        clock=clock,
    )


def contact_ports() -> ContactPorts:
    """For the contact and import routes."""
    return ContactPorts(
        campaigns=campaigns(),
        contacts=DynamoContactStore(),
        suppressions=suppressions(),
        imports=DynamoImportStore(),
        files=files(),
        import_queue=SqsJobQueue(settings().queues.imports),
        dispatch_queue=dispatch_queue(),
        clock=clock,
        leave=leave(),
        limit_of=limit_of,
    )


def dialog_ports() -> DialogPorts:
    """For the dialog routes."""
    return DialogPorts(
        lines=lines(),
        dialogs=DynamoDialogStore(),
        imports=DynamoImportStore(),
        files=files(),
        clock=clock,
        leave=leave(),
    )


def dialog_source_ports() -> SourcePorts:
    """For the route that makes contacts of dialogs."""
    return SourcePorts(
        campaigns=campaigns(),
        lines=DynamoLineStore(),
        imports=DynamoImportStore(),
        import_queue=SqsJobQueue(settings().queues.imports),
        clock=clock,
        leave=leave(),
    )


def repeat_ports() -> RepeatPorts:
    """For requests that come with an Idempotency-Key."""
    settings()
    return RepeatPorts(
        repeats=DynamoRepeatStore(), clock=clock, draw=secrets.token_bytes, key_of=repeat_keys().get
    )


@cache
def repeat_keys() -> KmsMonthKeys:
    """The keys which their rows are sealed with, as this process knows them."""
    return KmsMonthKeys(settings().cursor_key_id, "repeats")


def preview_ports() -> PreviewPorts:
    """For the routes that show messages."""
    return PreviewPorts(
        campaigns=campaigns(),
        contacts=DynamoContactStore(),
        lines=DynamoLineStore(),
        files=files(),
        public_url=settings().public_url,
    )


def samples() -> DynamoSampleStore:
    """The test messages."""
    settings()
    return DynamoSampleStore()


def ask_ports() -> AskPorts:
    """For the routes of test messages."""
    return AskPorts(
        samples=samples(),
        campaigns=campaigns(),
        contacts=DynamoContactStore(),
        lines=DynamoLineStore(),
        suppressions=suppressions(),
        send_queue=SqsJobQueue(settings().queues.send),
        clock=clock,
        public_url=settings().public_url,
        limit_of=limit_of,
    )


@cache
def sample_ports() -> SamplePorts:
    """For the sender of test messages."""
    return SamplePorts(
        samples=samples(),
        campaigns=campaigns(),
        lines=DynamoLineStore(),
        identities=DynamoIdentityStore(),
        suppressions=suppressions(),
        secrets=KmsSecretBox(settings().secret_key_id),
        channel=SenderByChannel(smtp_sender, ses_sender),
        clock=clock,
        public_url=settings().public_url,
        attached=attached_files(),
        new_token=_new_token,
        signer=signing(),
    )


def line_ports() -> LinePorts:
    """For the line routes, which can encrypt a password and not decrypt one."""
    return LinePorts(
        accounts=accounts(),
        lines=DynamoLineStore(),
        identities=DynamoIdentityStore(),
        advice=DynamoAdviceStore(),
        pace=DynamoPaceStore(),
        secrets=KmsSecretBox(settings().secret_key_id),
        connect_queue=connect_queue(),
        removal_queue=SqsJobQueue(settings().queues.removal),
        clock=clock,
        places=job_places(),
        limit_of=limit_of,
    )


def domain_secrets() -> KmsSecretBox:
    """Encrypts the keys of domains, each for its account and domain."""
    return KmsSecretBox(settings().secret_key_id, "domain")


def mailbox_secrets() -> KmsSecretBox:
    """Encrypts the passwords of bounce mailboxes: in place of an SMTP password, none of them opens."""
    return KmsSecretBox(settings().secret_key_id, "bounce_mailbox")


def domain_ports() -> DomainPorts:
    """For the domain routes, which can encrypt a key and not decrypt one."""
    from chalicelib.adapters.rsa import make_key  # noqa: PLC0415

    return DomainPorts(
        domains=domains(),
        secrets=domain_secrets(),
        make_key=make_key,
        check_queue=check_queue(),
        clock=clock,
        places=job_places(),
        limit_of=limit_of,
    )


def advice_ports() -> AdvicePorts:
    """For the advice routes."""
    return AdvicePorts(
        lines=lines(),
        advice=DynamoAdviceStore(),
        check_queue=check_queue(),
        clock=clock,
        places=job_places(),
    )


@cache
def dns_client() -> "DnsClient":
    """The system's resolver, or the one that the settings name."""
    from chalicelib.adapters.dns import DnsClient  # noqa: PLC0415

    return DnsClient(settings().dns_server)


def domain_check_ports() -> DomainCheckPorts:
    """For the look at a domain's records."""
    return DomainCheckPorts(domains=domains(), dns=dns_client(), clock=clock)


def advising_ports() -> AdvisingPorts:
    """For the advice on a line."""
    return AdvisingPorts(
        lines=lines(),
        domains=DynamoDomainStore(),
        advice=DynamoAdviceStore(),
        dns=dns_client(),
        clock=clock,
    )


def mailbox_ports() -> MailboxPorts:
    """For the routes of bounce mailboxes, which can encrypt a password and not decrypt one."""
    return MailboxPorts(
        lines=lines(),
        secrets=mailbox_secrets(),
        bounce_queue=bounce_queue(),
        clock=clock,
    )


def export_ports() -> ExportPorts:
    """For the export routes."""
    return ExportPorts(
        campaigns=campaigns(),
        exports=DynamoExportStore(),
        files=files(),
        export_queue=SqsJobQueue(settings().queues.exports),
        clock=clock,
        places=job_places(),
    )


def preflight_ports() -> PreflightPorts:
    """For the preflight routes."""
    return PreflightPorts(
        campaigns=campaigns(),
        preflights=DynamoPreflightStore(),
        export_queue=SqsJobQueue(settings().queues.exports),
        clock=clock,
        places=job_places(),
    )


def list_ports() -> ListPorts:
    """For the routes of the suppression list."""
    return ListPorts(
        suppressions=suppressions(),
        imports=DynamoImportStore(),
        exports=DynamoExportStore(),
        files=files(),
        export_queue=SqsJobQueue(settings().queues.exports),
        clock=clock,
        leave=leave(),
        places=job_places(),
    )


def personal_data() -> DynamoPersonalDataStore:
    """The requests about one person's data."""
    settings()
    return DynamoPersonalDataStore()


def personal_data_ports() -> PersonalDataPorts:
    """For the routes of personal data."""
    return PersonalDataPorts(
        jobs=personal_data(),
        files=files(),
        export_queue=SqsJobQueue(settings().queues.exports),
        clock=clock,
        places=job_places(),
    )


def personal_data_work_ports() -> PersonalDataWorkPorts:
    """For the exporter, which hands out and erases personal data too."""
    return PersonalDataWorkPorts(
        jobs=personal_data(),
        marks=erasure_marks(),
        campaigns=campaigns(),
        contacts=DynamoContactStore(),
        lines=DynamoLineStore(),
        dialogs=DynamoDialogStore(),
        suppressions=suppressions(),
        samples=samples(),
        preflights=preflights(),
        members=members(),
        files=files(),
        export_queue=SqsJobQueue(settings().queues.exports),
        clock=clock,
    )


def count_ports() -> CountPorts:
    """For counting a campaign's suppressed contacts."""
    return CountPorts(contacts=DynamoContactStore(), suppressions=suppressions(), clock=clock)


def private_smtp_hosts() -> frozenset[str]:
    """The SMTP hosts that need not be public, in lower case."""
    return settings().smtp_private_hosts


def cors_origins() -> frozenset[str]:
    """The origins whose pages may use the API."""
    return settings().cors_origins


def smtp_sender() -> "SmtpSender":
    """To talk to the lines' servers, as far as their addresses are public."""
    from chalicelib.adapters.smtp import SmtpSender, public_only, resolve  # noqa: PLC0415

    return SmtpSender(settings().smtp_ca_file, resolver=public_only(resolve, private_smtp_hosts()))


def ses_sender() -> "SesSender":
    """To send through the platform's SES."""
    from chalicelib.adapters.ses import SesSender  # noqa: PLC0415

    return SesSender(settings().ses)


def ses_identities() -> "SesIdentities":
    """To have the platform's SES verify identities."""
    from chalicelib.adapters.ses import SesIdentities  # noqa: PLC0415

    return SesIdentities(settings().ses)


@cache
def token_ring() -> KeptRing:
    """The ring of this process: it seals and reads the tokens of the links in messages."""
    return KeptRing(link_key_ports())


def link_ports() -> LinkPorts:
    """For the links that recipients follow."""
    gone = (Tracked.UNKNOWN_YOUNG, Tracked.UNKNOWN_OLD)
    return LinkPorts(
        tokens=token_ring(), track=lambda event: track(event, track_ports()) not in gone, clock=clock
    )


def download_ports() -> DownloadPorts:
    """For the links to files."""
    return DownloadPorts(
        links=link_ports(), contacts=DynamoContactStore(), attachments=attachments(), files=files()
    )


@cache
def bounce_ports() -> BouncePorts:
    """For bounces, wherever they come from."""
    return BouncePorts(
        campaigns=campaigns(),
        tokens=token_ring(),
        track=lambda event: track(event, track_ports()),
        clock=clock,
    )


@cache
def reading_ports() -> ReadingPorts:
    """For the function that reads bounce mailboxes."""
    from chalicelib.adapters.imap import ImapReader  # noqa: PLC0415
    from chalicelib.adapters.smtp import public_only, resolve  # noqa: PLC0415

    return ReadingPorts(
        lines=lines(),
        secrets=mailbox_secrets(),
        mailboxes=ImapReader(settings().smtp_ca_file, resolver=public_only(resolve, private_smtp_hosts())),
        bounces=bounce_ports(),
        clock=clock,
    )


def link_key_ports() -> LinkKeyPorts:
    """For the keys of the links."""
    return LinkKeyPorts(
        keys=link_keys(),
        box=KmsLinkKeyBox(settings().link_key_id),
        clock=clock,
        draw_secret=secrets.token_bytes,
    )


@cache
def cursor_keys() -> KmsMonthKeys:
    """The keys of cursors, as this process knows them."""
    return KmsMonthKeys(settings().cursor_key_id, "cursors")


def cursor_key(number: int) -> bytes:
    """The key with this number, which cursors of lists are sealed with."""
    return cursor_keys().get(number)


@cache
def proof_ports() -> ProofPorts:
    """For the function that proves lines."""
    return ProofPorts(
        lines=lines(),
        identities=DynamoIdentityStore(),
        pace=DynamoPaceStore(),
        secrets=KmsSecretBox(settings().secret_key_id),
        prover=smtp_sender(),
        verifier=ses_identities(),
        clock=clock,
    )


@cache
def dispatch_ports() -> DispatchPorts:
    """For the dispatcher."""
    return DispatchPorts(
        campaigns=campaigns(),
        contacts=DynamoContactStore(),
        imports=imports(),
        suppressions=suppressions(),
        lines=DynamoLineStore(),
        pace=DynamoPaceStore(),
        braking=brake_ports(),
        dispatch_queue=dispatch_queue(),
        send_queue=SqsSendQueue(settings().queues.send),
        removal_queue=SqsJobQueue(settings().queues.removal),
        clock=clock,
    )


def load_signing_key(private: str) -> Callable[[bytes], bytes]:
    """A key that signs; only senders of signed mail pay for the library."""
    from chalicelib.adapters.rsa import load_key  # noqa: PLC0415

    return load_key(private)


def signing() -> Signing:
    """The DKIM keys, as a sender uses them."""
    return Signing(
        SigningPorts(domains=domains(), secrets=domain_secrets(), load_key=load_signing_key, clock=clock)
    )


@cache
def sender() -> Sender:
    """The sender of this process, which keeps its connections warm."""
    return Sender(
        SendPorts(
            campaigns=campaigns(),
            contacts=DynamoContactStore(),
            suppressions=suppressions(),
            lines=DynamoLineStore(),
            identities=DynamoIdentityStore(),
            pace=DynamoPaceStore(),
            brakes=DynamoBrakeStore(),
            secrets=KmsSecretBox(settings().secret_key_id),
            channel=SenderByChannel(smtp_sender, ses_sender),
            clock=clock,
            new_token=_new_token,
            draw=random.random,
            signer=signing(),
            tokens=token_ring(),
            public_url=settings().public_url,
            attached=attached_files(),
        )
    )


@cache
def track_ports() -> TrackPorts:
    """For everything that tells what became of messages."""
    return TrackPorts(
        contacts=DynamoContactStore(),
        suppressions=suppressions(),
        clock=clock,
        on_trouble=partial(note_trouble, ports=brake_ports()),
    )


def judge_opener(user_agent: str | None, source_ip: str | None) -> Opener:
    """Who fetches the picture of a message; what is said of them is not kept."""
    return judge(user_agent, None, source_ip)


@cache
def import_ports() -> ImportPorts:
    """For the importer."""
    from chalicelib.adapters.spreadsheets.reading import read_rows  # noqa: PLC0415

    return ImportPorts(
        campaigns=campaigns(),
        contacts=DynamoContactStore(),
        lines=DynamoLineStore(),
        dialogs=DynamoDialogStore(),
        imports=imports(),
        suppressions=suppressions(),
        files=files(),
        read_rows=read_rows,
        import_queue=SqsJobQueue(settings().queues.imports),
        dispatch_queue=dispatch_queue(),
        clock=clock,
        limit_of=limit_of,
    )


@cache
def report_ports() -> ReportPorts:
    """For the exporter."""
    from chalicelib.adapters.spreadsheets.xlsx_writer import WorkbookWriter  # noqa: PLC0415

    return ReportPorts(
        campaigns=campaigns(),
        contacts=DynamoContactStore(),
        exports=DynamoExportStore(),
        files=files(),
        open_workbook=WorkbookWriter,
        clock=clock,
    )


def list_export_ports() -> ListExportPorts:
    """For the exporter of the suppression list."""
    return ListExportPorts(suppressions=suppressions(), exports=exports(), files=files(), clock=clock)


def checking_ports() -> CheckingPorts:
    """For the exporter, which does preflights too."""
    return CheckingPorts(
        campaigns=campaigns(), contacts=DynamoContactStore(), preflights=preflights(), clock=clock
    )


def sample_file(file_type: str) -> bytes:
    """The sample contact file, ``csv`` or ``xlsx``."""
    from chalicelib.adapters.spreadsheets.samples import sample_csv, sample_xlsx  # noqa: PLC0415

    return sample_csv() if file_type == "csv" else sample_xlsx()
