"""Routes of campaigns: create, read, edit, delete, launch, pause, report."""

from functools import partial
from typing import Any

from chalice import Blueprint

from chalicelib import wiring
from chalicelib.blueprints.api.brake_models import BrakeShown
from chalicelib.blueprints.api.campaign_models import (
    CampaignInput,
    CampaignLaunched,
    CampaignListed,
    CampaignPage,
    CampaignPatch,
    CampaignShown,
    PlanShown,
    ReportShown,
    ResendInput,
    SuppressedShown,
    TotalsShown,
)
from chalicelib.blueprints.api.mail_kind_models import Decider
from chalicelib.blueprints.api.models import PageQuery, Reason
from chalicelib.blueprints.api.requests import Call, Nothing
from chalicelib.blueprints.api.routing import route
from chalicelib.domain.access import Scope
from chalicelib.domain.campaign import CampaignStatus
from chalicelib.domain.contact import ContactStatus
from chalicelib.flow import campaign as steps
from chalicelib.flow import resend as resends
from chalicelib.flow.brake import campaign_brake
from chalicelib.flow.plan import plan_campaign
from chalicelib.flow.suppressed import count_suppressed

campaigns = Blueprint(__name__)


@route(
    campaigns,
    "POST",
    "/campaigns",
    CampaignInput,
    Nothing,
    CampaignShown,
    status=201,
    audit="campaign_created",
)
def create_campaign(call: Call[CampaignInput, Nothing]) -> CampaignShown:
    """Create a campaign as a draft."""
    settings = call.body.settings(_decider(call))
    view = steps.create_campaign(call.account_id, settings, wiring.campaign_ports())
    return CampaignShown.of(view)


@route(campaigns, "GET", "/campaigns", Nothing, PageQuery, CampaignPage)
def list_campaigns(call: Call[Nothing, PageQuery]) -> CampaignPage:
    """List the campaigns of the account with their totals, newest first."""
    page = steps.list_campaigns(call.account_id, call.query.cursor, call.query.limit, wiring.campaign_ports())
    items = [
        CampaignListed(
            campaign_id=view.campaign.campaign_id,
            name=view.campaign.name,
            status=view.campaign.status,
            totals=TotalsShown.of(view.totals),
            created_at=view.campaign.created_at,
            launched_at=view.campaign.launched_at,
            finished_at=view.campaign.finished_at,
        )
        for view in page.items
    ]
    return CampaignPage(items=items, next_cursor=page.cursor)


@route(campaigns, "GET", "/campaigns/{campaign_id}", Nothing, Nothing, CampaignShown)
def read_campaign(call: Call[Nothing, Nothing], campaign_id: str) -> CampaignShown:
    """Read a campaign, with what still keeps it from being launched."""
    return CampaignShown.of(steps.read_campaign(call.account_id, campaign_id, wiring.campaign_ports()))


@route(
    campaigns,
    "PATCH",
    "/campaigns/{campaign_id}",
    CampaignPatch,
    Nothing,
    CampaignShown,
    problems=(409, 412),
    audit="campaign_edited",
)
def edit_campaign(call: Call[CampaignPatch, Nothing], campaign_id: str) -> CampaignShown:
    """Change a campaign, also while it runs: what is not yet sent goes out in the new version."""
    change = partial(call.body.apply, by=_decider(call))
    view = steps.edit_campaign(call.account_id, campaign_id, change, call.if_match, wiring.campaign_ports())
    return CampaignShown.of(view)


@route(
    campaigns,
    "DELETE",
    "/campaigns/{campaign_id}",
    Nothing,
    Nothing,
    None,
    status=204,
    problems=(412,),
    audit="campaign_deleted",
)
def delete_campaign(call: Call[Nothing, Nothing], campaign_id: str) -> None:
    """Delete a campaign and everything of it, for good; what is in flight is not sent any more."""
    steps.delete_campaign(call.account_id, campaign_id, call.if_match, wiring.campaign_ports())


@route(
    campaigns,
    "POST",
    "/campaigns/{campaign_id}/launch",
    Nothing,
    Nothing,
    CampaignLaunched,
    problems=(409, 412),
    scope=Scope.SEND,
    audit="campaign_launched",
)
def launch_campaign(call: Call[Nothing, Nothing], campaign_id: str) -> CampaignLaunched:
    """Launch a campaign that is ready, or resume one that is paused, with a resend that was broken off."""
    # Counted before: once it is launched, contacts leave Not sent while they are being counted.
    suppressed = count_suppressed(call.account_id, campaign_id, wiring.count_ports())
    view = steps.launch_campaign(call.account_id, campaign_id, call.if_match, wiring.campaign_ports())
    return CampaignLaunched(**dict(CampaignShown.of(view)), suppressed=SuppressedShown.of(suppressed))


@route(
    campaigns,
    "POST",
    "/campaigns/{campaign_id}/pause",
    Nothing,
    Nothing,
    CampaignShown,
    problems=(409, 412),
    scope=Scope.SEND,
    audit="campaign_paused",
)
def pause_campaign(call: Call[Nothing, Nothing], campaign_id: str) -> CampaignShown:
    """Pause a campaign in progress; contacts already queued return to Not sent."""
    return CampaignShown.of(
        steps.pause_campaign(call.account_id, campaign_id, call.if_match, wiring.campaign_ports())
    )


@route(
    campaigns,
    "POST",
    "/campaigns/{campaign_id}/resend",
    ResendInput,
    Nothing,
    CampaignShown,
    problems=(409, 412),
    scope=Scope.SEND,
    audit="campaign_resent",
)
def resend_campaign(call: Call[ResendInput, Nothing], campaign_id: str) -> CampaignShown:
    """Write again to contacts in Error: not to suppressed ones; to unknown outcomes only if asked for."""
    view = resends.resend_errors(
        call.account_id, campaign_id, call.body.include_unknown, call.if_match, wiring.campaign_ports()
    )
    return CampaignShown.of(view)


@route(
    campaigns,
    "DELETE",
    "/campaigns/{campaign_id}/resend",
    Nothing,
    Nothing,
    None,
    status=204,
    scope=Scope.SEND,
    audit="campaign_resend_dropped",
)
def drop_resend(call: Call[Nothing, Nothing], campaign_id: str) -> None:
    """Take back a resend that isn't carried out yet; contacts made ready by then stay Not sent."""
    resends.drop_resend(call.account_id, campaign_id, wiring.campaign_ports())


@route(campaigns, "GET", "/campaigns/{campaign_id}/plan", Nothing, Nothing, PlanShown)
def read_plan(call: Call[Nothing, Nothing], campaign_id: str) -> PlanShown:
    """Plan the contacts not sent yet: first and last message, per day and line, and how many don't fit."""
    plan = plan_campaign(call.account_id, campaign_id, wiring.plan_ports())
    suppressed = count_suppressed(call.account_id, campaign_id, wiring.count_ports())
    linked = steps.files_as_links(call.account_id, campaign_id, wiring.campaign_ports())
    return PlanShown.of(plan, suppressed, linked)


@route(campaigns, "GET", "/campaigns/{campaign_id}/report", Nothing, Nothing, ReportShown)
def read_report(call: Call[Nothing, Nothing], campaign_id: str) -> ReportShown:
    """Read the numbers of a campaign; list its contacts by status for the rows behind them."""
    view = steps.read_campaign(call.account_id, campaign_id, wiring.campaign_ports())
    return ReportShown(
        campaign_id=campaign_id,
        status=view.campaign.status,
        totals=TotalsShown.of(view.totals),
        settled=view.totals.contacts - view.totals.unsettled,
        note=_note(view.campaign.status, view.totals.by_status[ContactStatus.NOT_SENT]),
        paused_because=Reason.of(view.campaign.paused_because),
        brake=BrakeShown.of(campaign_brake(call.account_id, view.campaign, wiring.brake_ports())),
        launched_at=view.campaign.launched_at,
        finished_at=view.campaign.finished_at,
    )


def _decider(call: Call[Any, Any]) -> Decider:
    return Decider(call.actor.id, wiring.clock.now())


def _note(status: CampaignStatus, not_sent: int) -> str | None:
    if status is not CampaignStatus.FINISHED or not not_sent:
        return None
    return f"The sending time ended before {not_sent} contacts could be sent to. Extend it and launch again."
