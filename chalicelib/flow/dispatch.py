"""Dispatch: give waiting contacts their slots and queue one message for each, a minute or two ahead.

A visit to a campaign is harmless when it is done twice, late or never: it settles what is stuck, calls back
what a pause left in the queue, releases the next slots, and finishes a campaign of which nothing is left. The
backlog stays in the table, so pausing, editing and deleting are cheap.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from chalicelib.domain.campaign import Campaign, CampaignStatus
from chalicelib.domain.contact import Contact, ContactStatus
from chalicelib.domain.delivery import Reason
from chalicelib.domain.ledger import LineLimits
from chalicelib.domain.line import DEMO_CONTACTS, ConnectionState, Line, LinePlan
from chalicelib.domain.schedule import Allotment, Lane, next_slots
from chalicelib.errors import NotFound
from chalicelib.flow.brake import BrakePorts, brake_campaign, brake_line
from chalicelib.flow.lines import find_line
from chalicelib.flow.resend import reopen_errors
from chalicelib.flow.settle import call_back, finish_if_done, settle_overdue
from chalicelib.ports import (
    CampaignStore,
    Clock,
    ContactStore,
    DispatchQueue,
    ImportStore,
    JobQueue,
    LineStore,
    Pace,
    PaceStore,
    Release,
    SendOrder,
    SendQueue,
    Settlement,
    SuppressionStore,
)

HORIZON = timedelta(seconds=120)  # how far ahead slots are given out: two ticks
# How long after its slot a message may be handed over: longer than the send queue keeps a message out of
# sight, so that a message that comes again still finds its release in force.
LEASE = timedelta(minutes=35)
MOST_AT_ONCE = 20_000  # contacts released by one visit
PIECE = 900  # contacts one message of the dispatch queue releases, some 100 KB
# After slots were given out, no more are until their contacts are surely released and gone from the index of
# the waiting, which lags a little behind the rows.
HOLD = timedelta(seconds=5)
HOLD_PIECES = timedelta(seconds=40)
_SENDING_TIME = timedelta(seconds=5)  # after the last slot, until a visit may find the campaign finished
_FOLLOW_UPS = 8  # visits like that one, while the last messages are on their way; then the tick will do
_RESERVATIONS = 3  # tries, when another campaign of the same line reserves at the same time
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class DispatchPorts:
    """What a dispatcher needs."""

    campaigns: CampaignStore
    contacts: ContactStore
    imports: ImportStore
    suppressions: SuppressionStore
    lines: LineStore
    pace: PaceStore
    braking: BrakePorts
    dispatch_queue: DispatchQueue
    send_queue: SendQueue
    removal_queue: JobQueue
    clock: Clock


def visit_all(campaigns: CampaignStore, dispatch_queue: DispatchQueue) -> int:
    """The tick: ask for a visit to every active campaign of every account; returns how many."""
    visits = 0
    for account_id, campaign_id in campaigns.active():
        dispatch_queue.put({"account_id": account_id, "campaign_id": campaign_id})
        visits += 1
    return visits


def visit_campaign(account_id: str, campaign_id: str, ports: DispatchPorts, follow_ups: int = 0) -> int:
    """Visit one campaign; returns how many contacts were given a slot.

    With ``follow_ups`` left, a campaign whose last messages are still on their way is visited again soon.
    """
    try:
        campaign = ports.campaigns.get(account_id, campaign_id)
    except NotFound:
        _ask_again_for_removal(account_id, campaign_id, ports)
        return 0
    settle_overdue(account_id, campaign_id, ports.contacts, ports.clock.now())
    if campaign.status is not CampaignStatus.IN_PROGRESS:
        if call_back(account_id, campaign_id, ports.campaigns, ports.contacts, ports.clock.now()):
            ports.dispatch_queue.put({"account_id": account_id, "campaign_id": campaign_id})
        return 0
    if brake_campaign(account_id, campaign, ports.braking):
        return 0
    if campaign.resend:
        reopen_errors(account_id, campaign, ports.campaigns, ports.contacts, ports.suppressions, ports.clock)
    given = _give_slots(account_id, campaign, ports)
    stores = (ports.campaigns, ports.contacts, ports.imports)
    finished = finish_if_done(account_id, campaign_id, *stores, ports.clock.now())
    if follow_ups and not given and not finished:
        ports.dispatch_queue.put_visit(account_id, campaign_id, _SENDING_TIME, follow_ups - 1)
    return given


def release_contacts(
    account_id: str, campaign_id: str, releases: Sequence[Release], ports: DispatchPorts
) -> int:
    """Not sent → Pending, and one message each; returns how many. Done twice, the second finds none left."""
    released = ports.contacts.release(account_id, campaign_id, releases)
    now = ports.clock.now()
    orders = [
        SendOrder(account_id, campaign_id, r.contact_id, r.line_id, r.generation, r.attempt + 1, r.slot_at)
        for r in released
    ]
    for order in ports.send_queue.put(orders, now):  # what the queue didn't take goes back at once
        ports.contacts.settle(account_id, order, None, Settlement(ContactStatus.NOT_SENT, now))
    return len(released)


def _ask_again_for_removal(account_id: str, campaign_id: str, ports: DispatchPorts) -> None:
    """A deleted campaign whose removal was lost on the way is found by the tick and asked for again."""
    if ports.campaigns.status(account_id, campaign_id) is CampaignStatus.DELETING:
        ports.removal_queue.put({"account_id": account_id, "campaign_id": campaign_id})


def _give_slots(account_id: str, campaign: Campaign, ports: DispatchPorts) -> int:
    """Give the next slots to the contacts that wait longest; many are released in pieces side by side.

    After the last of them a visit of its own finishes the campaign, so that it needn't wait for the tick.
    """
    lines = _usable_lines(account_id, campaign, ports)
    releases, last_of_all = _reserve(account_id, campaign, lines, ports) if lines else ([], False)
    if len(releases) <= PIECE:
        release_contacts(account_id, campaign.campaign_id, releases, ports)
    else:
        for start in range(0, len(releases), PIECE):
            piece = releases[start : start + PIECE]
            ports.dispatch_queue.put_releases(account_id, campaign.campaign_id, piece)
    if last_of_all:
        after = releases[-1].slot_at - ports.clock.now() + _SENDING_TIME
        ports.dispatch_queue.put_visit(account_id, campaign.campaign_id, after, _FOLLOW_UPS)
    return len(releases)


def _usable_lines(account_id: str, campaign: Campaign, ports: DispatchPorts) -> list[Line | None] | None:
    """The campaign's lines in turn, None for one that can't send; pauses the campaign when it can't go on."""
    found = [find_line(account_id, line_id, ports.lines) for line_id in campaign.line_ids]
    lines = [line and brake_line(account_id, line, ports.braking) for line in found]
    usable = [line if line and _can_send(line) else None for line in lines]
    if not any(usable) and any(
        line and line.connection.state is ConnectionState.CONNECTING for line in lines
    ):
        return None  # its proof is under way: the next visit knows
    obstacle = _no_line(lines) if not any(usable) else _over_demo_limit(account_id, campaign, lines, ports)
    if obstacle is None:
        return usable
    ports.campaigns.move(
        account_id,
        campaign.campaign_id,
        [CampaignStatus.IN_PROGRESS],
        CampaignStatus.PAUSED,
        ports.clock.now(),
        obstacle,
    )
    return None


def _can_send(line: Line) -> bool:
    return line.connection.state is ConnectionState.CONNECTED and line.brake is None


def _no_line(lines: Sequence[Line | None]) -> Reason:
    """Why no line can send: a brake first, because no customer can mend that by connecting again."""
    brake = next((line.brake for line in lines if line and line.brake), None)
    if brake:
        return Reason(brake.reason.code, f"No line of the campaign can send. {brake.reason.text}")
    why = next((line.connection.reason for line in lines if line and line.connection.reason), None)
    text = f"No line of the campaign can send. {why.text if why else 'Connect a line.'} Then launch it again."
    return Reason("no_line", text)


def _over_demo_limit(
    account_id: str, campaign: Campaign, lines: Sequence[Line | None], ports: DispatchPorts
) -> Reason | None:
    """Contacts may have been added, or a line become a demo line, after the launch was checked."""
    demo = next((line for line in lines if line and line.plan is LinePlan.DEMO), None)
    if demo is None:
        return None
    contacts = ports.contacts.totals(account_id, campaign.campaign_id).contacts
    if contacts <= DEMO_CONTACTS:
        return None
    text = f"“{demo.name}” is a demo line: at most {DEMO_CONTACTS} contacts, the campaign has {contacts}."
    return Reason("demo_limit", text)


def _reserve(
    account_id: str, campaign: Campaign, lines: Sequence[Line | None], ports: DispatchPorts
) -> tuple[list[Release], bool]:
    """Take the next slots out of the schedule for good, one for each contact that is due.

    Only as many contacts are read as there are slots, and only as many slots taken as there are contacts.
    The second value tells that no further contact is due.
    """
    not_sent = ports.contacts.totals(account_id, campaign.campaign_id).by_status[ContactStatus.NOT_SENT]
    for _ in range(_RESERVATIONS if not_sent else 0):
        pace = ports.pace.load(account_id, campaign.campaign_id, campaign.line_ids)
        now = ports.clock.now()
        if pace.held_until and now < pace.held_until:
            break
        most = _allot(campaign, lines, pace, min(not_sent, MOST_AT_ONCE), now)
        if not most.slots:
            break
        waiting = ports.contacts.waiting(account_id, campaign.campaign_id, now, len(most.slots))
        if not waiting:
            break
        enough = len(waiting) == len(most.slots)
        allotment = most if enough else _allot(campaign, lines, pace, len(waiting), now)
        ledgers = {lane.line_id: lane.ledger for lane in allotment.lanes}
        hold = HOLD_PIECES if len(waiting) > PIECE else HOLD
        taken = replace(pace, cursor=allotment.cursor, ledgers=ledgers, held_until=now + hold)
        if ports.pace.reserve(account_id, campaign.campaign_id, taken):
            return _releases(waiting, allotment), not enough or len(waiting) == not_sent
    return [], False


def _allot(
    campaign: Campaign, lines: Sequence[Line | None], pace: Pace, count: int, now: datetime
) -> Allotment:
    return next_slots(
        campaign.timetable,
        lanes(campaign.line_ids, lines, pace),
        pace.cursor,
        now,
        campaign.seed,
        count,
        now + HORIZON,
    )


def lanes(line_ids: Sequence[str], lines: Sequence[Line | None], pace: Pace) -> list[Lane]:
    """The campaign's lines as its schedule sees them; one that can't send (None) never has room."""
    return [
        Lane(
            line_id,
            line.limits_in_force if line else LineLimits(),
            pace.ledgers[line_id],
            pace.resting_until.get(line_id) if line else _NEVER,
        )
        for line_id, line in zip(line_ids, lines, strict=True)
    ]


def _releases(waiting: Sequence[Contact], allotment: Allotment) -> list[Release]:
    return [
        Release(
            contact.contact_id, contact.generation, contact.attempt, slot.line_id, slot.at, slot.at + LEASE
        )
        for contact, slot in zip(waiting, allotment.slots, strict=True)
    ]
