"""`make plan-demo`: plan a campaign, run it on a simulated clock, and compare plan and reality slot for slot.

The dispatcher's and the sender's own steps run, minute by minute and message by message, over stores and a
mail server in memory; only time is made up. The campaign crosses the end of daylight-saving time in Berlin,
two lines with limits take strict turns, and its end date leaves some contacts without a slot.
"""

import json
import sys
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from tqdm import tqdm

from chalicelib.domain.ledger import LineLimits
from chalicelib.domain.plan import Plan, slots_ahead
from chalicelib.domain.schedule import Slot
from chalicelib.domain.timetable import Timetable, Weekday
from chalicelib.flow.campaign import launch_campaign
from chalicelib.flow.dispatch import lanes, visit_all, visit_campaign
from chalicelib.flow.plan import plan_campaign
from tests.fakes.world import ACCOUNT, World

CONTACTS = 3_000
MINUTE = timedelta(minutes=1)
ZONE = "Europe/Berlin"
TIMETABLE = Timetable(
    working_days=frozenset({Weekday.MONDAY, Weekday.TUESDAY, Weekday.THURSDAY, Weekday.SUNDAY}),
    start_date=date(2026, 10, 22),
    end_date=date(2026, 10, 27),
    start_time=time(9, 30),
    end_time=time(17, 0),
    time_zone=ZONE,
    gap_min=20,
    gap_max=60,
)
LINES = {"line1": LineLimits(per_minute=2, per_day=450), "line2": LineLimits(per_hour=60)}


@dataclass(frozen=True, slots=True)
class Sent:
    """One message that left: when, and through which line."""

    at: datetime
    line_id: str


def main() -> int:
    """Print the plan, the run and the comparison; 0 when they agree slot for slot."""
    world = _world()
    campaign_id = world.add_campaign(CONTACTS, timetable=TIMETABLE, line_ids=tuple(LINES)).campaign_id
    plan = plan_campaign(ACCOUNT, campaign_id, world.plan_ports)
    planned = _planned_slots(world, campaign_id)
    _show(plan)
    sent = _run(world, campaign_id)
    return _compare(plan, planned, sent)


def _world() -> World:
    world = World()
    world.clock.set(datetime(2026, 10, 22, 8, 10, tzinfo=UTC))
    for line_id, limits in LINES.items():
        world.add_line(line_id, limits=limits)
    return world


def _planned_slots(world: World, campaign_id: str) -> list[Slot]:
    campaign = world.campaigns.get(ACCOUNT, campaign_id)
    pace = world.pace.load(ACCOUNT, campaign_id, campaign.line_ids)
    lines = [world.lines.get(ACCOUNT, line_id) for line_id in campaign.line_ids]
    places = lanes(campaign.line_ids, lines, pace)
    now = world.clock.now()
    return list(slots_ahead(campaign.timetable, places, pace.cursor, now, campaign.seed, CONTACTS))


def _run(world: World, campaign_id: str) -> list[Sent]:
    """Launch, and let minutes pass until the campaign has finished by itself."""
    launch_campaign(ACCOUNT, campaign_id, None, world.campaign_ports)
    sender, sent = world.sender(), list[Sent]()
    progress = tqdm(total=CONTACTS, unit=" contacts", desc="Sending", file=sys.stderr, disable=None)
    while list(world.campaigns.active()):
        visit_all(world.campaigns, world.dispatch_queue)
        for message in world.dispatch_queue.take():
            visit_campaign(message["account_id"], message["campaign_id"], world.dispatch_ports)
        next_tick = world.clock.now() + MINUTE
        waiting = world.send_queue.take()
        for order in sorted(waiting, key=lambda order: order.slot_at):
            world.clock.set(max(world.clock.now(), order.slot_at))
            sender.send(order, world.stop_at())
            sent += [Sent(world.clock.now(), mail.line_id) for mail in world.channel.accepted[len(sent) :]]
        progress.update(len(sent) - progress.n)
        world.clock.set(max(world.clock.now(), next_tick))
    progress.close()
    return sent


def _show(plan: Plan) -> None:
    print(f"Plan for {CONTACTS:,} contacts, {TIMETABLE.start_date} to {TIMETABLE.end_date}, {ZONE}")
    most = max((day.count for day in plan.days), default=1)
    for day in plan.days:
        bar = "█" * round(40 * day.count / most)
        print(f"  {day.day:%a %d %b}  {day.line_id}  {day.count:5}  {bar}")
    print(f"  first {_local(plan.first)}, last {_local(plan.last)}, without a slot: {plan.not_fitting}")


def _compare(plan: Plan, planned: list[Slot], sent: list[Sent]) -> int:
    pairs = list(zip(planned, sent, strict=False))
    differing = [(p, s) for p, s in pairs if (p.at, p.line_id) != (s.at, s.line_id)]
    differences = len(differing) + abs(len(planned) - len(sent))
    for slot, real in differing[:5]:
        print(f"  slot {slot.number}: planned {slot.at} {slot.line_id}, sent {real.at} {real.line_id}")
    by_line = Counter(mail.line_id for mail in sent)
    print(f"Sent {len(sent):,}: {dict(sorted(by_line.items()))}; differences from the plan: {differences}")
    result = {
        "slots": len(sent),
        "differences": differences,
        "first": sent[0].at.isoformat() if sent else None,
        "last": sent[-1].at.isoformat() if sent else None,
        "not_fitting": plan.not_fitting,
    }
    print(json.dumps(result))
    complete = plan.total == len(planned) and plan.total + plan.not_fitting == CONTACTS
    return 0 if complete and differences == 0 and sent else 1


def _local(instant: datetime | None) -> str:
    return f"{instant.astimezone(ZoneInfo(ZONE)):%a %d %b %H:%M:%S %z}" if instant else "never"


if __name__ == "__main__":
    sys.exit(main())
