"""Brakes: count what goes wrong with messages, and stop the line or the campaign that causes too much of it.

A look at the counts is harmless when it is done twice, late or never: it follows every counted trouble, and
every visit of the dispatcher looks again. A campaign whose brake is pulled pauses and says why; a line whose
brake is pulled gives no slot to any campaign. Only the operator of the service lifts a brake.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.domain.brake import (
    LIMITS,
    Brake,
    Braked,
    BrakeLevel,
    BrakeState,
    Counts,
    Limit,
    Subject,
    Trouble,
    hour_of,
    in_window,
    judge,
    state_of,
    window_start,
)
from chalicelib.domain.campaign import Campaign, CampaignStatus
from chalicelib.domain.contact import Contact
from chalicelib.domain.delivery_event import DeliveryEvent, EventType
from chalicelib.domain.line import Line
from chalicelib.errors import Conflict, found
from chalicelib.flow.lines import find_line
from chalicelib.ports import BrakeStore, CampaignStore, Clock, JobQueue, LineStore, all_items

_PAGE = 100
_UNDER_WAY = (CampaignStatus.IN_PROGRESS, CampaignStatus.PAUSED)


@dataclass(frozen=True, slots=True)
class BrakePorts:
    """What brakes need. ``limits`` are the deployment's."""

    brakes: BrakeStore
    campaigns: CampaignStore
    lines: LineStore
    dispatch_queue: JobQueue
    clock: Clock
    limits: Sequence[Limit] = LIMITS


class AcceptedTally:
    """Accepted messages not written down yet. A process that dies loses them, which brakes sooner."""

    def __init__(self, brakes: BrakeStore, campaigns: CampaignStore) -> None:
        self._brakes = brakes
        self._campaigns = campaigns
        self._counts: Counter[tuple[str, Subject, datetime]] = Counter()

    def add(self, account_id: str, campaign_id: str, line_id: str, at: datetime) -> None:
        """Count one message for its campaign and its line."""
        for subject in (Subject(Braked.CAMPAIGN, campaign_id), Subject(Braked.LINE, line_id)):
            self._counts[account_id, subject, hour_of(at)] += 1

    def flush(self) -> None:
        """Write them down, each at most once: what fails is forgotten and not counted twice later.

        Not for a campaign that was deleted since its message left: nothing may name it any more.
        """
        counts, self._counts = self._counts, Counter()
        for (account_id, subject, hour), accepted in counts.items():
            if not self._is_deleted(account_id, subject):
                self._brakes.count_accepted(account_id, subject, hour, accepted)

    def _is_deleted(self, account_id: str, subject: Subject) -> bool:
        if subject.kind is not Braked.CAMPAIGN:
            return False
        return self._campaigns.status(account_id, subject.id) in (None, CampaignStatus.DELETING)


def note_trouble(event: DeliveryEvent, contact: Contact, ports: BrakePorts) -> None:
    """Count a message that bounced for good or was complained about, and brake if it was one too many.

    To be called once for each message and trouble, when the contact was changed by it. It counts in the hour
    the message was sent in, or the trouble came in if nobody has written that down yet. What the line did
    stays on its record when the campaign is deleted.
    """
    account_id, line_id = event.tags.account_id, contact.line_id
    sent_at = contact.sent_at or event.at
    trouble = Trouble.COMPLAINT if event.type is EventType.COMPLAINT else Trouble.BOUNCE
    campaign = found(lambda: ports.campaigns.get(account_id, event.tags.campaign_id))
    line = find_line(account_id, line_id, ports.lines) if line_id else None
    blamed = [
        subject
        for subject, lifted_at in (
            *([(_campaign(campaign), campaign.brake_lifted_at)] if campaign else []),
            *([(_line(line), line.brake_lifted_at)] if line else []),
        )
        if lifted_at is None or sent_at >= lifted_at
    ]
    if blamed:
        ports.brakes.count_trouble(account_id, blamed, hour_of(sent_at), trouble)
    if campaign:
        brake_campaign(account_id, campaign, ports)
    if line:
        brake_line(account_id, line, ports)


def brake_campaign(account_id: str, campaign: Campaign, ports: BrakePorts) -> bool:
    """Look at a campaign's counts; True when its brake is pulled, now or before. It doesn't run on then."""
    brake = campaign.brake or _pull(account_id, campaign, ports)
    if brake and campaign.status is CampaignStatus.IN_PROGRESS:
        running, paused = [CampaignStatus.IN_PROGRESS], CampaignStatus.PAUSED
        now, why = ports.clock.now(), brake.reason
        if ports.campaigns.move(account_id, campaign.campaign_id, running, paused, now, why):
            ports.dispatch_queue.put({"account_id": account_id, "campaign_id": campaign.campaign_id})
    return brake is not None


def brake_line(account_id: str, line: Line, ports: BrakePorts) -> Line:
    """Look at a line's counts; returns it with its brake, if that is pulled now."""
    if line.brake:
        return line
    brake = _needed(account_id, _line(line), ports)
    if brake is None or not ports.lines.pull_brake(account_id, line.line_id, brake, line.brake_lifted_at):
        return line
    return replace(line, brake=brake)


def campaign_brake(account_id: str, campaign: Campaign, ports: BrakePorts) -> BrakeState:
    """The state of a campaign's brake, for those who ask."""
    return state_of(_counts(account_id, _campaign(campaign), ports), campaign.brake, ports.limits)


def line_brake(account_id: str, line: Line, ports: BrakePorts) -> BrakeState:
    """The state of a line's brake, for those who ask."""
    return state_of(_counts(account_id, _line(line), ports), line.brake, ports.limits)


def lift_brake(account_id: str, subject: Subject, ports: BrakePorts) -> datetime:
    """Let a line or a campaign go on, counted anew from now; returns when. A person has to launch again.

    Raises NotFound, and Conflict when its brake isn't pulled. The counts go first: if it stops half way, the
    brake is still there to be lifted again.
    """
    store = ports.lines if subject.kind is Braked.LINE else ports.campaigns
    if store.get(account_id, subject.id).brake is not None:
        ports.brakes.forget(account_id, subject)
        now = ports.clock.now()
        if store.lift_brake(account_id, subject.id, now):
            return now
    raise Conflict("not_braked", f"The brake of this {subject.kind} isn't pulled.")


def account_brakes(account_id: str, ports: BrakePorts) -> Iterator[tuple[Subject, str, BrakeState]]:
    """The brakes of an account that are pulled or warn, with the name of their line or campaign.

    A campaign that is over and not braked isn't counted: it has nothing left to stop.
    """
    for line in all_items(lambda cursor: ports.lines.page(account_id, cursor, _PAGE)):
        state = line_brake(account_id, line, ports)
        if state.level is not BrakeLevel.OK:
            yield _line(line), line.name, state
    for campaign in all_items(lambda cursor: ports.campaigns.page(account_id, cursor, _PAGE)):
        if campaign.brake is None and campaign.status not in _UNDER_WAY:
            continue
        state = campaign_brake(account_id, campaign, ports)
        if state.level is not BrakeLevel.OK:
            yield _campaign(campaign), campaign.name, state


def _pull(account_id: str, campaign: Campaign, ports: BrakePorts) -> Brake | None:
    brake, seen_lift = _needed(account_id, _campaign(campaign), ports), campaign.brake_lifted_at
    pulled = brake and ports.campaigns.pull_brake(account_id, campaign.campaign_id, brake, seen_lift)
    return brake if pulled else None


def _needed(account_id: str, subject: Subject, ports: BrakePorts) -> Brake | None:
    state = judge(_counts(account_id, subject, ports), ports.limits)
    return (
        Brake(state.reason, ports.clock.now()) if state.reason and state.level is BrakeLevel.PULLED else None
    )


def _counts(account_id: str, subject: Subject, ports: BrakePorts) -> Counts:
    now = ports.clock.now()
    return in_window(ports.brakes.hours(account_id, subject, window_start(now)), now)


def _campaign(campaign: Campaign) -> Subject:
    return Subject(Braked.CAMPAIGN, campaign.campaign_id)


def _line(line: Line) -> Subject:
    return Subject(Braked.LINE, line.line_id)
