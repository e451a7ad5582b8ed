"""Routes of the Excel reports."""

from datetime import datetime

from chalice import Blueprint
from pydantic import Field

from chalicelib import wiring
from chalicelib.blueprints.api.models import Output, Reason
from chalicelib.blueprints.api.requests import Call, Nothing
from chalicelib.blueprints.api.routing import route
from chalicelib.domain.job import SUPPRESSION_LIST, ExportJob, JobState
from chalicelib.flow.report import read_export, start_export

exports = Blueprint(__name__)


class ExportShown(Output):
    """An export job. ``counted`` is the number of rows written, by status or reason.

    ``url`` works for 15 minutes.
    """

    export_id: str
    campaign_id: str | None = Field(description="null: an export of the suppression list.")
    state: JobState
    rows: int
    counted: dict[str, int]
    reason: Reason | None
    url: str | None
    created_at: datetime
    finished_at: datetime | None


@route(
    exports,
    "POST",
    "/campaigns/{campaign_id}/exports",
    Nothing,
    Nothing,
    ExportShown,
    status=202,
    audit="export_requested",
)
def create_export(call: Call[Nothing, Nothing], campaign_id: str) -> ExportShown:
    """Ask for the Excel report of a campaign; read the export to see when it is done."""
    return export_shown(start_export(call.account_id, campaign_id, wiring.export_ports()), None)


@route(exports, "GET", "/exports/{export_id}", Nothing, Nothing, ExportShown)
def read_export_job(call: Call[Nothing, Nothing], export_id: str) -> ExportShown:
    """Read how far an export is; when it is done, with a link to download it."""
    return export_shown(*read_export(call.account_id, export_id, wiring.export_ports()))


def export_shown(job: ExportJob, url: str | None) -> ExportShown:
    """An export as it is shown."""
    return ExportShown(
        export_id=job.export_id,
        campaign_id=None if job.campaign_id == SUPPRESSION_LIST else job.campaign_id,
        state=job.state,
        rows=job.rows,
        counted=dict(job.counted),
        reason=Reason.of(job.reason),
        url=url,
        created_at=job.created_at,
        finished_at=job.finished_at,
    )
