"""Plan: when the messages that are not sent yet will leave, told by the function that gives out the slots."""

from dataclasses import dataclass

from chalicelib.domain.contact import ContactStatus
from chalicelib.domain.plan import Plan, plan
from chalicelib.flow.dispatch import lanes
from chalicelib.flow.lines import find_line
from chalicelib.ports import CampaignStore, Clock, ContactStore, LineStore, PaceStore


@dataclass(frozen=True, slots=True)
class PlanPorts:
    """What a plan is made of."""

    campaigns: CampaignStore
    contacts: ContactStore
    lines: LineStore
    pace: PaceStore
    clock: Clock


def plan_campaign(account_id: str, campaign_id: str, ports: PlanPorts) -> Plan:
    """Plan the Not sent contacts from now on, as if all lines worked and no message had to be repeated.

    Other campaigns of the same lines count with what they were already given, not with what they still need.
    """
    campaign = ports.campaigns.get(account_id, campaign_id)
    lines = [find_line(account_id, line_id, ports.lines) for line_id in campaign.line_ids]
    pace = ports.pace.load(account_id, campaign_id, campaign.line_ids)
    waiting = ports.contacts.totals(account_id, campaign_id).by_status[ContactStatus.NOT_SENT]
    places = lanes(campaign.line_ids, lines, pace)
    return plan(campaign.timetable, places, pace.cursor, ports.clock.now(), campaign.seed, waiting)
