"""Dispatch: slots, releases, two dispatchers at once, lines that can't send, and the end of a campaign."""

from dataclasses import replace
from datetime import date, time, timedelta

import pytest

from chalicelib.domain.campaign import CampaignStatus
from chalicelib.domain.contact import ContactStatus
from chalicelib.domain.delivery import Reason
from chalicelib.domain.ledger import LineLimits
from chalicelib.domain.line import Connection, ConnectionState, LinePlan
from chalicelib.domain.timetable import Timetable, Weekday
from chalicelib.flow.campaign import delete_campaign, launch_campaign, pause_campaign
from chalicelib.flow.dispatch import HORIZON, LEASE, PIECE, release_contacts, visit_all, visit_campaign
from chalicelib.flow.plan import plan_campaign
from chalicelib.ports import Pace
from tests.fakes.pace import FakePaceStore
from tests.fakes.world import ACCOUNT, STRANGER, World

NOT_SENT, PENDING = ContactStatus.NOT_SENT, ContactStatus.PENDING
ONE_DAY = Timetable(frozenset(Weekday), date(2026, 3, 2), date(2026, 3, 2), time(9), time(18), "UTC", 0, 0)
EVERY_30_SECONDS = replace(ONE_DAY, gap_min=30, gap_max=30)


def launched(world: World, contacts: int, **settings: object) -> str:
    campaign_id = world.add_campaign(contacts, **settings).campaign_id  # type: ignore[arg-type]
    launch_campaign(ACCOUNT, campaign_id, None, world.campaign_ports)
    return campaign_id


class TestSlots:
    def test_each_contact_gets_a_slot_a_lease_and_a_message(self) -> None:
        world = World()
        one = world.running(1)
        (order,) = world.visit(one)
        contact = world.only(one)
        assert (contact.status, contact.slot_at, contact.line_id) == (PENDING, order.slot_at, "line1")
        assert contact.lease_until == order.slot_at + LEASE
        assert (order.account_id, order.campaign_id, order.contact_id) == (ACCOUNT, one, contact.contact_id)
        assert (order.generation, order.attempt) == (1, contact.attempt)

    def test_only_the_next_two_minutes_are_released(self) -> None:
        world = World()
        one = world.running(10, timetable=EVERY_30_SECONDS)
        slots = [order.slot_at - world.clock.now() for order in world.visit(one)]
        assert slots == [timedelta(seconds=30 * number) for number in range(5)]
        assert world.visit(one) == []
        world.clock.wait(minutes=1)
        assert [order.slot_at - world.clock.now() for order in world.visit(one)] == [
            timedelta(seconds=90),
            HORIZON,
        ]

    def test_who_was_added_first_leaves_first(self) -> None:
        world = World()
        one = world.running(3, timetable=EVERY_30_SECONDS)
        emails = {row.contact_id: row.person.email for row in world.all_contacts(one)}
        assert [emails[order.contact_id] for order in world.visit(one)] == [
            f"c{n}@mail.example" for n in range(3)
        ]

    def test_lines_take_turns_and_one_out_of_use_is_passed_over(self) -> None:
        world = World()
        for line_id in ("l1", "l2", "l3"):
            world.add_line(line_id)
        one = launched(world, 4, line_ids=("l1", "l2", "l3"), timetable=EVERY_30_SECONDS)
        world.lines.set_connection(ACCOUNT, "l2", Connection(ConnectionState.FAILED))
        assert [order.line_id for order in world.visit(one)] == ["l1", "l3", "l1", "l3"]

    def test_a_resting_line_gets_no_slot_before_its_time(self) -> None:
        world = World()
        one = world.running(1)
        world.pace.rest_line(ACCOUNT, "line1", world.clock.now() + timedelta(minutes=1))
        (order,) = world.visit(one)
        assert order.slot_at == world.clock.now() + timedelta(minutes=1)

    def test_a_lines_limit_holds_over_all_its_campaigns(self) -> None:
        world = World()
        world.add_line("l1", limits=LineLimits(per_minute=2))
        first, second = (launched(world, 5, line_ids=("l1",)) for _ in range(2))
        orders = [*world.visit(first), *world.visit(second)]
        minutes = [order.slot_at.minute for order in orders]
        assert all(minutes.count(minute) <= 2 for minute in minutes)
        assert 0 < len(orders) <= 6

    def test_the_plan_is_what_happens(self) -> None:
        world = World()
        one = world.running(4, timetable=EVERY_30_SECONDS)
        planned = plan_campaign(ACCOUNT, one, world.plan_ports)
        orders = world.visit(one)
        assert (planned.total, planned.not_fitting) == (4, 0)
        assert (planned.first, planned.last) == (orders[0].slot_at, orders[-1].slot_at)

    def test_a_big_release_is_cut_into_pieces(self) -> None:
        world = World()
        one = world.running(PIECE + 1, timetable=ONE_DAY)
        assert world.visit(one) == []
        pieces = world.dispatch_queue.take_pieces()
        assert [len(releases) for _, _, releases in pieces] == [PIECE, 1]
        for account, campaign, releases in pieces * 2:
            release_contacts(account, campaign, releases, world.dispatch_ports)
        assert len(world.send_queue.take()) == PIECE + 1

    def test_what_the_queue_does_not_take_goes_back_at_once(self) -> None:
        world = World()
        one = world.running(2)
        refused = world.all_contacts(one)[0]
        world.send_queue.refuses = {refused.contact_id}
        assert len(world.visit(one)) == 1
        assert sorted(world.statuses(one).values()) == [NOT_SENT, PENDING]


class TestTwoAtOnce:
    def test_a_visit_twice_releases_nobody_twice(self) -> None:
        world = World()
        one = world.running(3)
        assert len([*world.visit(one), *world.visit(one)]) == 3
        assert {row.attempt for row in world.all_contacts(one)} == {1}

    def test_who_loses_the_reservation_takes_later_slots(self) -> None:
        world = World()
        one = world.running(1)
        world.pace = overtaken = OvertakenPaceStore(1)
        assert len(world.visit(one)) == 1
        assert overtaken.tries == 2

    def test_who_always_loses_gives_nothing_out(self) -> None:
        world = World()
        one = world.running(1)
        world.pace = OvertakenPaceStore(99)
        assert world.visit(one) == []
        assert world.only(one).status is NOT_SENT

    def test_two_campaigns_of_a_line_never_share_a_slot_beyond_the_limit(self) -> None:
        world = World()
        world.add_line("l1", limits=LineLimits(per_second=1))
        campaigns = [launched(world, 5, line_ids=("l1",)) for _ in range(3)]
        slots = [order.slot_at for one in campaigns for order in world.visit(one)]
        assert len(set(slots)) == len(slots) == 15


class OvertakenPaceStore(FakePaceStore):
    """Another dispatcher is first, as often as said."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times, self.tries = times, 0

    def reserve(self, account_id: str, campaign_id: str, pace: Pace) -> bool:
        self.tries += 1
        if self.tries <= self.times:
            super().reserve(account_id, campaign_id, self.load(account_id, campaign_id, list(pace.ledgers)))
        return super().reserve(account_id, campaign_id, pace)


class TestNotRunning:
    def test_a_pause_calls_back_what_is_queued_and_then_rests(self) -> None:
        world = World()
        one = world.running(3)
        world.visit(one)
        pause_campaign(ACCOUNT, one, None, world.campaign_ports)
        assert world.visit(one) == []
        assert set(world.statuses(one).values()) == {NOT_SENT}
        assert list(world.campaigns.active()) == []

    def test_a_pause_waits_for_what_is_being_handed_over(self) -> None:
        world = World()
        one = world.running(1)
        (order,) = world.visit(one)
        world.contacts.claim(ACCOUNT, order, "t", 1, world.clock.now())
        pause_campaign(ACCOUNT, one, None, world.campaign_ports)
        world.visit(one)
        assert world.only(one).status is PENDING
        assert list(world.campaigns.active()) == [(ACCOUNT, one)]

    def test_launching_again_goes_on_where_it_stopped(self) -> None:
        world = World()
        one = world.running(2)
        world.sender().send(world.visit(one)[0], world.stop_at())
        pause_campaign(ACCOUNT, one, None, world.campaign_ports)
        world.visit(one)
        world.clock.wait(minutes=1)
        launch_campaign(ACCOUNT, one, None, world.campaign_ports)
        (order,) = world.visit(one)
        world.sender().send(order, world.stop_at())
        assert len(set(world.channel.recipients())) == 2

    @pytest.mark.parametrize("reason", [None, Reason("auth_failed", "Wrong password.")])
    def test_without_a_line_the_campaign_pauses_and_says_why(self, reason: Reason | None) -> None:
        world = World()
        one = world.running(1)
        if reason:
            world.lines.set_connection(ACCOUNT, "line1", Connection(ConnectionState.FAILED, None, reason))
        else:
            world.lines.remove(ACCOUNT, "line1")
        assert world.visit(one) == []
        campaign = world.campaigns.get(ACCOUNT, one)
        assert campaign.status is CampaignStatus.PAUSED
        assert campaign.paused_because is not None
        assert (reason.text if reason else "Connect a line.") in campaign.paused_because.text

    def test_more_contacts_than_a_demo_line_may_have_pause_the_campaign(self) -> None:
        world = World()
        world.add_line("demo", plan=LinePlan.DEMO)
        one = launched(world, 20, line_ids=("demo",))
        world.add_people(one, "one-too-many@mail.example")
        assert world.visit(one) == []
        campaign = world.campaigns.get(ACCOUNT, one)
        assert campaign.paused_because is not None
        assert (campaign.status, campaign.paused_because.code) == (CampaignStatus.PAUSED, "demo_limit")

    def test_twenty_contacts_of_a_demo_line_are_sent_to(self) -> None:
        world = World()
        world.add_line("demo", plan=LinePlan.DEMO)
        assert len(world.visit(launched(world, 20, line_ids=("demo",)))) == 20

    def test_a_deleted_campaign_is_asked_to_be_removed_again(self) -> None:
        world = World()
        one = world.running(1)
        delete_campaign(ACCOUNT, one, None, world.campaign_ports)
        world.removal_queue.take()
        visit_all(world.campaigns, world.dispatch_queue)
        assert world.dispatch_queue.take()
        assert visit_campaign(ACCOUNT, one, world.dispatch_ports) == 0
        assert world.removal_queue.take() == [{"account_id": ACCOUNT, "campaign_id": one}]

    def test_what_does_not_exist_is_not_visited(self) -> None:
        world = World()
        one = world.running(1)
        assert visit_campaign(STRANGER, one, world.dispatch_ports) == 0
        assert visit_campaign(ACCOUNT, "nothing", world.dispatch_ports) == 0
        assert world.removal_queue.take() == []


class TestTheEnd:
    def test_a_campaign_of_which_nothing_is_left_is_finished(self) -> None:
        world = World()
        one = world.running(1)
        (order,) = world.visit(one)
        assert world.campaigns.get(ACCOUNT, one).status is CampaignStatus.IN_PROGRESS
        world.sender().send(order, world.stop_at())
        world.visit(one)
        campaign = world.campaigns.get(ACCOUNT, one)
        assert (campaign.status, campaign.finished_at) == (CampaignStatus.FINISHED, world.clock.now())
        assert list(world.campaigns.active()) == []

    def test_when_no_time_is_left_the_rest_stays_not_sent(self) -> None:
        world = World()
        one = world.running(2, timetable=ONE_DAY)
        world.clock.wait(days=1)
        world.visit(one)
        assert world.campaigns.get(ACCOUNT, one).status is CampaignStatus.FINISHED
        assert set(world.statuses(one).values()) == {NOT_SENT}

    def test_it_does_not_end_while_a_message_is_in_flight(self) -> None:
        world = World()
        one = world.running(1, timetable=ONE_DAY)
        world.clock.set(world.clock.now().replace(hour=17, minute=59, second=59))
        world.visit(one)
        world.clock.wait(minutes=1)
        world.visit(one)
        assert world.campaigns.get(ACCOUNT, one).status is CampaignStatus.IN_PROGRESS

    def test_the_tick_asks_for_a_visit_to_every_running_campaign(self) -> None:
        world = World()
        world.add_line()
        running, _draft = launched(world, 1), world.add_campaign(1)
        world.dispatch_queue.take()
        assert visit_all(world.campaigns, world.dispatch_queue) == 1
        assert world.dispatch_queue.take() == [{"account_id": ACCOUNT, "campaign_id": running}]
