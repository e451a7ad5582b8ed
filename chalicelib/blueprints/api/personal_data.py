"""Routes of personal data: hand out, or erase, all that the account keeps of one address."""

from datetime import datetime

from chalice import Blueprint
from pydantic import Field

from chalicelib import wiring
from chalicelib.blueprints.api.models import Address, Input, Output, Reason
from chalicelib.blueprints.api.requests import Call, Nothing
from chalicelib.blueprints.api.routing import route
from chalicelib.domain.access import Scope
from chalicelib.domain.job import JobState
from chalicelib.domain.personal_data import FILE_DAYS, JobKind, PersonalDataJob
from chalicelib.flow.personal_data import ask_for_personal_data, read_personal_data_job

personal_data = Blueprint(__name__)


class PersonalDataInput(Input):
    """The person's address."""

    address: Address


class PersonalDataShown(Output):
    """A request about one person's data. The address is not shown, and is forgotten when it is over."""

    job_id: str
    kind: JobKind
    state: JobState = Field(
        description="An erasure is done when a whole pass found nothing more; that takes a minute at least."
    )
    found: dict[str, int] = Field(
        description="What was handed out or erased: contacts, dialogs, suppressions, test_messages, "
        "invitations; an export tells of members too, whom an owner removes."
    )
    reason: Reason | None
    url: str | None = Field(description="The file of an export that is done; works for 15 minutes.")
    files_expire_within_days: int = Field(
        description="Uploaded files, reports and mail that came back are not searched: they expire by "
        "themselves within so many days of their making."
    )
    created_at: datetime
    finished_at: datetime | None


@route(
    personal_data,
    "POST",
    "/personal-data/exports",
    PersonalDataInput,
    Nothing,
    PersonalDataShown,
    status=202,
    scope=Scope.ADMIN,
    audit="personal_data_export_requested",
)
def export_personal_data(call: Call[PersonalDataInput, Nothing]) -> PersonalDataShown:
    """Ask for all that is kept of one address, as JSON; read the job to see when it is done."""
    return _asked(call, JobKind.EXPORT)


@route(
    personal_data,
    "POST",
    "/personal-data/erasures",
    PersonalDataInput,
    Nothing,
    PersonalDataShown,
    status=202,
    scope=Scope.ADMIN,
    audit="personal_data_erasure_requested",
)
def erase_personal_data(call: Call[PersonalDataInput, Nothing]) -> PersonalDataShown:
    """Erase what is kept of one address, for good; who was erased is not written to again."""
    return _asked(call, JobKind.ERASURE)


@route(
    personal_data,
    "GET",
    "/personal-data/jobs/{job_id}",
    Nothing,
    Nothing,
    PersonalDataShown,
    scope=Scope.ADMIN,
)
def read_personal_data(call: Call[Nothing, Nothing], job_id: str) -> PersonalDataShown:
    """Read how far an export or an erasure of personal data is."""
    return _shown(*read_personal_data_job(call.account_id, job_id, wiring.personal_data_ports()))


def _asked(call: Call[PersonalDataInput, Nothing], kind: JobKind) -> PersonalDataShown:
    ports = wiring.personal_data_ports()
    return _shown(ask_for_personal_data(call.account_id, kind, call.body.address, ports), None)


def _shown(job: PersonalDataJob, url: str | None) -> PersonalDataShown:
    return PersonalDataShown(
        job_id=job.job_id,
        kind=job.kind,
        state=job.state,
        found=dict(job.found),
        reason=Reason.of(job.reason),
        url=url,
        files_expire_within_days=FILE_DAYS,
        created_at=job.created_at,
        finished_at=job.finished_at,
    )
