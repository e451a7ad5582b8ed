"""Report: an Excel workbook of a campaign, written as a job, with the proof that rows and totals agree."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from chalicelib.domain.campaign import Campaign, CampaignStatus
from chalicelib.domain.contact import Contact, ContactStatus, Totals
from chalicelib.domain.ids import new_id
from chalicelib.domain.job import SUPPRESSION_LIST, ExportJob, JobState
from chalicelib.domain.job_place import export_place
from chalicelib.errors import NotFound
from chalicelib.flow.report_options import OptionSplit
from chalicelib.ports import (
    CampaignStore,
    Clock,
    ContactStore,
    ExportStore,
    FileStore,
    JobPlaces,
    JobQueue,
    ReportWriter,
    ReportWriterFactory,
    all_items,
)

WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
HEADER = (
    "Email",
    "First Name",
    "Last Name",
    "Middle Name",
    "P1",
    "P2",
    "P3",
    "Status",
    "Sent (UTC)",
    "Delivered (UTC)",
    "Opened (UTC)",
    "Opened by a machine (UTC)",
    "Attachment downloaded (UTC)",
    "Bounced (UTC)",
    "Complained (UTC)",
    "Unsubscribed (UTC)",
    "Line",
    "Content version",
    "Reason",
    "Server's code",
    "Server's reply",
)
_READ_AT_ONCE = 1_000
_PROGRESS_EVERY = 10_000


@dataclass(frozen=True, slots=True)
class ExportPorts:
    """What the API's export steps need."""

    campaigns: CampaignStore
    exports: ExportStore
    files: FileStore
    export_queue: JobQueue
    clock: Clock
    places: JobPlaces


@dataclass(frozen=True, slots=True)
class ReportPorts:
    """What an exporter needs."""

    campaigns: CampaignStore
    contacts: ContactStore
    exports: ExportStore
    files: FileStore
    open_workbook: ReportWriterFactory
    clock: Clock


def start_export(account_id: str, campaign_id: str, ports: ExportPorts) -> ExportJob:
    """Make an export job and queue it; raises NotFound and QuotaReached."""
    ports.campaigns.get(account_id, campaign_id)
    now = ports.clock.now()
    job = ExportJob(new_id(now), campaign_id, JobState.QUEUED, now)
    queue_export(account_id, job, ports)
    return job


class QueuePorts(Protocol):
    """What every export needs of the ports of who asks for it."""

    @property
    def exports(self) -> ExportStore: ...
    @property
    def export_queue(self) -> JobQueue: ...
    @property
    def places(self) -> JobPlaces: ...


def queue_export(account_id: str, job: ExportJob, ports: QueuePorts) -> None:
    """Store a job and queue it, if the account may have it; raises QuotaReached."""
    with ports.places.hold(account_id, export_place(job.export_id)):
        ports.exports.add(account_id, job)
        ports.export_queue.put({"account_id": account_id, "export_id": job.export_id})


def read_export(account_id: str, export_id: str, ports: ExportPorts) -> tuple[ExportJob, str | None]:
    """An export, and a link to its file once it is done; raises NotFound."""
    job = ports.exports.get(account_id, export_id)
    of_list = job.campaign_id == SUPPRESSION_LIST
    if not of_list:
        ports.campaigns.get(account_id, job.campaign_id)
    if job.state is not JobState.DONE:
        return job, None
    name = "suppressions.csv" if of_list else "report.xlsx"
    return job, ports.files.presign_download(export_key(account_id, job), name)


def export_key(account_id: str, job: ExportJob) -> str:
    """Where the file of an export is kept: a workbook, or the suppression list as CSV."""
    kind = "csv" if job.campaign_id == SUPPRESSION_LIST else "xlsx"
    return f"results/{account_id}/{job.campaign_id}/{job.export_id}.{kind}"


def export_report(account_id: str, export_id: str, ports: ReportPorts) -> None:
    """Write the workbook and put it where it can be downloaded. Done twice, it is the same file again."""
    try:
        job = ports.exports.get(account_id, export_id)
        campaign = ports.campaigns.get(account_id, job.campaign_id)
        options = OptionSplit(account_id, campaign, ports.campaigns)
    except NotFound:
        return
    key = export_key(account_id, job)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "report.xlsx")
        counted = _write(account_id, job, campaign, options, path, ports)
        if counted is None:
            return
        ports.files.put(key, path, WORKBOOK)
    by_status = {status.value: count for status, count in counted.by_status.items()}
    ports.exports.finish(account_id, export_id, by_status, ports.clock.now())
    if ports.campaigns.status(account_id, job.campaign_id) in (None, CampaignStatus.DELETING):
        ports.files.purge(key)  # the removal may have passed its files already, and nothing may remain


def _write(
    account_id: str, job: ExportJob, campaign: Campaign, options: OptionSplit, path: Path, ports: ReportPorts
) -> Totals | None:
    """Write all rows and then their count; None when the job is over already."""
    counted = Totals()
    with ports.open_workbook(path) as workbook:
        workbook.sheet("Contacts", (*HEADER, *options.header))
        for number, contact in enumerate(_all_contacts(account_id, job.campaign_id, ports.contacts)):
            if number % _PROGRESS_EVERY == 0 and not ports.exports.progress(
                account_id, job.export_id, number
            ):
                return None
            workbook.append((*_row(contact), *options.note(contact)))
            counted.count(contact)
        if not ports.exports.progress(account_id, job.export_id, counted.contacts):
            return None
        _write_summary(workbook, campaign, counted, ports.clock.now())
        options.write(workbook)
    return counted


def _write_summary(workbook: ReportWriter, campaign: Campaign, counted: Totals, now: datetime) -> None:
    workbook.sheet("Summary", ("Campaign", campaign.name))
    workbook.append(("Made at (UTC)", now))
    workbook.append(("Contacts", counted.contacts))
    for status in ContactStatus:
        workbook.append((status.replace("_", " ").capitalize(), counted.by_status[status]))
    for title, count in (
        ("Of these, outcome unknown", counted.unknown),
        ("Of these, suppressed", counted.suppressed),
        ("Opened by a machine", counted.machine_opened),
        ("Bounced for good", counted.bounced),
        ("Complained", counted.complained),
        ("Unsubscribed", counted.unsubscribed),
    ):
        workbook.append((title, count))


def _all_contacts(account_id: str, campaign_id: str, contacts: ContactStore) -> Iterator[Contact]:
    return all_items(lambda cursor: contacts.page(account_id, campaign_id, cursor, _READ_AT_ONCE))


def _row(contact: Contact) -> tuple[str | int | datetime | None, ...]:
    person, reason = contact.person, contact.reason
    return (
        person.email,
        person.first_name,
        person.last_name,
        person.middle_name,
        person.p1,
        person.p2,
        person.p3,
        contact.status.replace("_", " ").capitalize(),
        contact.sent_at,
        contact.delivered_at,
        contact.opened_at,
        contact.machine_opened_at,
        contact.downloaded_at,
        contact.bounced_at,
        contact.complained_at,
        contact.unsubscribed_at,
        contact.line_id,
        contact.content_version,
        reason.text if reason else None,
        reason.enhanced or reason.reply_code if reason else None,
        reason.reply_text if reason else None,
    )
