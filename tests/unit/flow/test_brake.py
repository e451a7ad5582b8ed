"""Brakes: trouble counts once and for whom it belongs to, what is braked sends nothing, a person lifts it."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from chalicelib.domain.brake import (
    Brake,
    Braked,
    BrakeLevel,
    BrakeState,
    Counts,
    Subject,
    Trouble,
    hour_of,
    limits_at,
)
from chalicelib.domain.campaign import Campaign, CampaignStatus
from chalicelib.domain.contact import Contact, ContactStatus, Person
from chalicelib.domain.delivery import MessageTags, Reason, Refused, Scope
from chalicelib.domain.delivery_event import DeliveryEvent, EventType
from chalicelib.domain.line import Connection, ConnectionState
from chalicelib.errors import Conflict, NotFound
from chalicelib.flow.brake import (
    account_brakes,
    brake_line,
    campaign_brake,
    lift_brake,
    line_brake,
    note_trouble,
)
from chalicelib.flow.campaign import delete_campaign, launch_campaign, read_campaign
from chalicelib.flow.lines import remove_line
from chalicelib.flow.resend import resend_errors
from chalicelib.flow.warm_memory import REMEMBER_LINE
from tests.fakes.brakes import FakeBrakeStore
from tests.fakes.world import ACCOUNT, ALWAYS, STRANGER, World

BOUNCE, COMPLAINT = EventType.BOUNCE, EventType.COMPLAINT
LINE = Subject(Braked.LINE, "line1")
WHY = Reason("bounce_rate", "Too many bounces.")
UNKNOWN_MAILBOX = Refused(Reason("mailbox_unknown", "No such mailbox."), Scope.CONTACT)
UNPACED = replace(ALWAYS, gap_max=0)
ENOUGH = 100  # messages, of which six bounces are too many


def campaign_of(campaign_id: str) -> Subject:
    return Subject(Braked.CAMPAIGN, campaign_id)


def accepted(world: World, count: int, *subjects: Subject) -> None:
    """So many messages were accepted just now, for each of the subjects."""
    for subject in subjects:
        world.brakes.count_accepted(ACCOUNT, subject, hour_of(world.clock.now()), count)


def told(
    world: World,
    campaign_id: str,
    *,
    line_id: str | None = "line1",
    kind: EventType = BOUNCE,
    sent_at: datetime | None = None,
    account_id: str = ACCOUNT,
) -> tuple[DeliveryEvent, Contact]:
    """An event about a message that was sent just now, and the contact it changed."""
    now = world.clock.now()
    event = DeliveryEvent(kind, MessageTags(account_id, campaign_id, "c0", 1, 1), now)
    contact = Contact("c0", Person("c0@mail.example"), line_id=line_id, sent_at=sent_at or now)
    return event, contact


def trouble(
    world: World,
    campaign_id: str,
    count: int = 6,
    *,
    line_id: str | None = "line1",
    kind: EventType = BOUNCE,
    sent_at: datetime | None = None,
) -> None:
    for _ in range(count):
        event, contact = told(world, campaign_id, line_id=line_id, kind=kind, sent_at=sent_at)
        note_trouble(event, contact, world.brake_ports)


def campaign(world: World, campaign_id: str) -> Campaign:
    return world.campaigns.get(ACCOUNT, campaign_id)


def counts(world: World, subject: Subject) -> Counts:
    found = world.brakes.hours(ACCOUNT, subject, world.clock.now() - timedelta(days=30))
    return sum((hour.counts for hour in found), Counts())


def braked_campaign(world: World, contacts: int = 1) -> str:
    """The id of a campaign that was running until its bounces were too many, on a line that is fine."""
    campaign_id = world.running(contacts)
    accepted(world, ENOUGH, campaign_of(campaign_id))
    accepted(world, 10 * ENOUGH, LINE)
    trouble(world, campaign_id)
    return campaign_id


def braked_line(world: World, line_id: str = "line1") -> None:
    world.lines.pull_brake(ACCOUNT, line_id, Brake(WHY, world.clock.now()), None)


class TestCounting:
    def test_what_a_sender_hands_over_is_counted_for_its_campaign_and_its_line(self) -> None:
        world = World()
        campaign_id = world.running(3)
        orders, sender = world.visit(campaign_id), world.sender()
        world.channel.outcomes["c1@mail.example"] = [UNKNOWN_MAILBOX]
        for order in orders:
            sender.send(order, world.stop_at())
        assert counts(world, LINE) == Counts()
        sender.flush()
        assert counts(world, LINE) == counts(world, campaign_of(campaign_id)) == Counts(accepted=2)
        sender.flush()
        assert counts(world, LINE) == Counts(accepted=2)

    @pytest.mark.parametrize("purged", [False, True])
    def test_nothing_is_counted_for_a_campaign_that_was_deleted_meanwhile(self, purged: bool) -> None:
        world = World()
        campaign_id = world.running(1)
        sender = world.sender()
        sender.send(world.visit(campaign_id)[0], world.stop_at())
        delete_campaign(ACCOUNT, campaign_id, None, world.campaign_ports)
        if purged:
            world.purge_deleted()
        sender.flush()
        assert counts(world, LINE) == Counts(accepted=1)
        assert counts(world, campaign_of(campaign_id)) == Counts()

    def test_it_is_counted_in_the_hour_it_was_sent_in(self) -> None:
        world = World()
        campaign_id = world.running(1)
        sender = world.sender()
        sender.send(world.visit(campaign_id)[0], world.stop_at())
        sent_at = world.only(campaign_id).sent_at
        assert sent_at is not None
        hour = hour_of(sent_at)
        world.clock.wait(hours=1)
        sender.flush()
        world.clock.wait(hours=4)
        trouble(world, campaign_id, 1, sent_at=sent_at)
        (found,) = world.brakes.hours(ACCOUNT, LINE, hour)
        assert (found.hour, found.counts) == (hour, Counts(1, 1))

    def test_a_count_that_cannot_be_written_is_not_written_twice(self) -> None:
        class Failing(FakeBrakeStore):
            def count_accepted(
                self, account_id: str, subject: Subject, hour: datetime, accepted: int
            ) -> None:
                super().count_accepted(account_id, subject, hour, accepted)
                raise TimeoutError

        world = World(brakes=Failing())
        campaign_id = world.running(1)
        sender = world.sender()
        sender.send(world.visit(campaign_id)[0], world.stop_at())
        with pytest.raises(TimeoutError):
            sender.flush()
        sender.flush()
        assert counts(world, campaign_of(campaign_id)).accepted == 1

    def test_a_bounce_and_a_complaint_of_one_message_are_two_troubles(self) -> None:
        world = World()
        campaign_id = world.running(1)
        trouble(world, campaign_id, 1)
        trouble(world, campaign_id, 1, kind=COMPLAINT)
        assert counts(world, LINE) == counts(world, campaign_of(campaign_id)) == Counts(0, 1, 1)

    def test_what_nobody_has_written_down_as_sent_counts_in_the_hour_of_its_trouble(self) -> None:
        world = World()
        event, contact = told(world, world.running(1))
        note_trouble(event, replace(contact, sent_at=None), world.brake_ports)
        (found,) = world.brakes.hours(ACCOUNT, LINE, hour_of(event.at))
        assert (found.hour, found.counts) == (hour_of(event.at), Counts(bounced=1))

    def test_the_trouble_of_a_deleted_campaign_counts_for_its_line(self) -> None:
        world = World()
        campaign_id = world.running(1)
        accepted(world, ENOUGH, LINE, campaign_of(campaign_id))
        trouble(world, campaign_id, 5)
        delete_campaign(ACCOUNT, campaign_id, None, world.campaign_ports)
        world.purge_deleted()
        assert counts(world, campaign_of(campaign_id)) == Counts()
        assert counts(world, LINE) == Counts(ENOUGH, 5)
        trouble(world, campaign_id, 1)
        assert counts(world, LINE) == Counts(ENOUGH, 6)
        assert world.lines.get(ACCOUNT, "line1").brake
        assert counts(world, campaign_of(campaign_id)) == Counts()

    def test_the_trouble_of_a_deleted_line_counts_for_its_campaign(self) -> None:
        world = World()
        campaign_id = world.running(1)
        accepted(world, ENOUGH, campaign_of(campaign_id))
        remove_line(ACCOUNT, "line1", world.line_ports)
        trouble(world, campaign_id, 3)
        trouble(world, campaign_id, 3, line_id=None)
        assert counts(world, LINE) == Counts()
        assert campaign(world, campaign_id).status is CampaignStatus.PAUSED

    def test_trouble_of_nobody_counts_for_nobody(self) -> None:
        world = World()
        trouble(world, "gone", 1, line_id="gone")
        trouble(world, "gone", 1, line_id=None)
        assert counts(world, campaign_of("gone")) == Counts()

    def test_another_accounts_line_and_campaign_are_not_blamed(self) -> None:
        world = World()
        campaign_id = world.running(1)
        note_trouble(*told(world, campaign_id, account_id=STRANGER), world.brake_ports)
        assert counts(world, LINE) == counts(world, campaign_of(campaign_id)) == Counts()
        assert world.brakes.hours(STRANGER, LINE, world.clock.now() - timedelta(days=1)) == []


class TestCampaign:
    def test_it_pauses_says_why_and_calls_back_what_is_queued(self) -> None:
        world = World()
        campaign_id = world.running(5)
        orders = world.visit(campaign_id)
        accepted(world, ENOUGH, campaign_of(campaign_id))
        accepted(world, 10 * ENOUGH, LINE)
        trouble(world, campaign_id, 5)
        assert campaign(world, campaign_id).status is CampaignStatus.IN_PROGRESS
        trouble(world, campaign_id, 1)
        paused = campaign(world, campaign_id)
        assert paused.status is CampaignStatus.PAUSED
        assert paused.paused_because is not None
        assert paused.paused_because.code == "bounce_rate"
        assert paused.paused_because.text.startswith(
            "6 of 100 messages of the last 3 days bounced for good: 6 %"
        )
        assert paused.brake == Brake(paused.paused_because, world.clock.now())
        assert world.dispatch_queue.take() == [{"account_id": ACCOUNT, "campaign_id": campaign_id}]
        world.sender().send(orders[0], world.stop_at())
        world.visit(campaign_id)
        assert set(world.statuses(campaign_id).values()) == {ContactStatus.NOT_SENT}
        assert world.channel.accepted == []
        assert world.lines.get(ACCOUNT, "line1").brake is None

    def test_complaints_stop_it_too(self) -> None:
        world = World()
        campaign_id = world.running(1)
        accepted(world, 1_000, campaign_of(campaign_id), LINE)
        trouble(world, campaign_id, 3, kind=COMPLAINT)
        reason = campaign(world, campaign_id).paused_because
        assert reason is not None
        assert reason.code == "complaint_rate"

    def test_the_deployments_limits_are_what_counts_and_what_is_shown(self) -> None:
        world = World()
        campaign_id = world.running(1)
        accepted(world, 300, campaign_of(campaign_id), LINE)
        ports = replace(world.brake_ports, limits=limits_at(bounce=0.02, complaint=0.003))
        for _ in range(5):
            note_trouble(*told(world, campaign_id), ports)
        line = world.lines.get(ACCOUNT, "line1")
        for state in (
            campaign_brake(ACCOUNT, campaign(world, campaign_id), ports),
            line_brake(ACCOUNT, line, ports),
        ):
            assert (state.level, state.counts.rate(Trouble.BOUNCE)) == (
                BrakeLevel.WARNING,
                pytest.approx(1 / 60),
            )
        note_trouble(*told(world, campaign_id), ports)
        assert world.lines.get(ACCOUNT, "line1").brake
        reason = campaign(world, campaign_id).paused_because
        assert reason is not None
        assert (
            "6 of 300 messages of the last 3 days bounced for good: 2 %, and 2 % is the most" in reason.text
        )

    def test_a_visit_stops_what_the_trouble_itself_did_not(self) -> None:
        """The process that counted it died before it looked, or accepted messages slid out of the window."""
        world = World()
        campaign_id = world.running(1)
        accepted(world, ENOUGH, campaign_of(campaign_id))
        for _ in range(6):
            world.brakes.count_trouble(
                ACCOUNT, [campaign_of(campaign_id)], hour_of(world.clock.now()), Trouble.BOUNCE
            )
        assert world.visit(campaign_id) == []
        assert campaign(world, campaign_id).status is CampaignStatus.PAUSED
        assert world.dispatch_queue.take()

    def test_a_brake_that_was_pulled_without_the_pause_pauses_at_the_next_visit(self) -> None:
        """The process died in between, or a launch came in between."""
        world = World()
        campaign_id = world.running(2)
        (order, _) = world.visit(campaign_id)
        world.campaigns.pull_brake(ACCOUNT, campaign_id, Brake(WHY, world.clock.now()), None)
        world.sender().send(order, world.stop_at())
        assert world.channel.accepted == []
        world.visit(campaign_id)
        assert campaign(world, campaign_id).paused_because == WHY

    def test_it_can_be_neither_launched_nor_resent_until_the_brake_is_lifted(self) -> None:
        world = World()
        campaign_id = braked_campaign(world)
        with pytest.raises(Conflict) as refusal:
            launch_campaign(ACCOUNT, campaign_id, None, world.campaign_ports)
        assert refusal.value.allowed == ("braked",)
        assert "6 of 100" in str(refusal.value)
        assert "operator" in str(refusal.value)
        with pytest.raises(Conflict) as refusal:
            resend_errors(ACCOUNT, campaign_id, False, None, world.campaign_ports)
        assert refusal.value.allowed == ("braked",)
        lift_brake(ACCOUNT, campaign_of(campaign_id), world.brake_ports)
        launched = launch_campaign(ACCOUNT, campaign_id, None, world.campaign_ports)
        assert launched.campaign.status is CampaignStatus.IN_PROGRESS
        assert len(world.visit(campaign_id)) == 1
        assert campaign(world, campaign_id).status is CampaignStatus.IN_PROGRESS

    def test_a_finished_campaign_is_braked_too(self) -> None:
        world = World()
        campaign_id = world.running(1)
        world.sender().send(world.visit(campaign_id)[0], world.stop_at())
        world.visit(campaign_id)
        accepted(world, ENOUGH, campaign_of(campaign_id))
        accepted(world, 10 * ENOUGH, LINE)
        trouble(world, campaign_id)
        finished = read_campaign(ACCOUNT, campaign_id, world.campaign_ports)
        assert finished.campaign.status is CampaignStatus.FINISHED
        assert "braked" in [obstacle.code for obstacle in finished.obstacles]


class TestLine:
    def test_a_braked_line_gives_no_slot_and_the_others_go_on(self) -> None:
        world = World()
        world.add_line("line1")
        world.add_line("line2")
        campaign_id = world.add_campaign(4, line_ids=("line1", "line2")).campaign_id
        other_id = world.add_campaign(1, line_ids=("line2",)).campaign_id
        accepted(world, ENOUGH, LINE)
        accepted(world, 10 * ENOUGH, campaign_of(other_id))
        trouble(world, other_id)  # of another campaign, and counted for the line all the same
        line = world.lines.get(ACCOUNT, "line1")
        assert line.brake is not None
        assert line.brake.reason.code == "bounce_rate"
        launch_campaign(ACCOUNT, campaign_id, None, world.campaign_ports)
        assert {order.line_id for order in world.visit(campaign_id)} == {"line2"}
        assert campaign(world, campaign_id).status is CampaignStatus.IN_PROGRESS

    def test_a_campaign_with_nothing_but_braked_lines_pauses_and_says_why(self) -> None:
        world = World()
        campaign_id = world.running(1)
        braked_line(world)
        assert world.visit(campaign_id) == []
        paused = campaign(world, campaign_id)
        assert paused.status is CampaignStatus.PAUSED
        assert paused.paused_because == Reason(
            "bounce_rate", "No line of the campaign can send. Too many bounces."
        )
        with pytest.raises(Conflict) as refusal:
            launch_campaign(ACCOUNT, campaign_id, None, world.campaign_ports)
        assert refusal.value.allowed == ("braked",)
        with pytest.raises(Conflict) as refusal:
            resend_errors(ACCOUNT, campaign_id, False, None, world.campaign_ports)
        assert refusal.value.allowed == ("braked",)

    def test_a_braked_line_and_a_broken_one_are_no_line(self) -> None:
        world = World()
        world.add_line("line1")
        world.add_line("line2")
        campaign_id = world.add_campaign(1, line_ids=("line2", "line1")).campaign_id
        launch_campaign(ACCOUNT, campaign_id, None, world.campaign_ports)
        broken = Connection(ConnectionState.FAILED, reason=Reason("auth_failed", "Wrong password."))
        world.lines.set_connection(ACCOUNT, "line2", broken)
        braked_line(world)
        world.visit(campaign_id)
        reason = campaign(world, campaign_id).paused_because
        assert reason is not None
        assert reason.code == "bounce_rate"

    def test_a_visit_looks_at_the_lines_too(self) -> None:
        world = World()
        campaign_id = world.running(1)
        accepted(world, ENOUGH, LINE)
        for _ in range(6):
            world.brakes.count_trouble(ACCOUNT, [LINE], hour_of(world.clock.now()), Trouble.BOUNCE)
        assert world.visit(campaign_id) == []
        assert world.lines.get(ACCOUNT, "line1").brake
        assert campaign(world, campaign_id).status is CampaignStatus.PAUSED

    def test_what_is_queued_on_it_is_not_sent_any_more(self) -> None:
        world = World()
        campaign_id = world.running(3, timetable=UNPACED)
        first, second, third = world.visit(campaign_id)
        sender = world.sender()
        sender.send(first, world.stop_at())
        braked_line(world)
        world.clock.wait(seconds=REMEMBER_LINE.total_seconds() + 1)  # and not yet too late for their slots
        sender.send(second, world.stop_at())
        world.sender().send(third, world.stop_at())
        assert len(world.channel.accepted) == 1
        statuses = sorted(world.statuses(campaign_id).values())
        assert statuses == [ContactStatus.NOT_SENT, ContactStatus.NOT_SENT, ContactStatus.SENT]


class TestLifting:
    def test_old_trouble_does_not_pull_it_again_and_new_trouble_does(self) -> None:
        world = World()
        campaign_id = braked_campaign(world)
        before = world.clock.now()
        world.clock.wait(minutes=10)
        assert lift_brake(ACCOUNT, campaign_of(campaign_id), world.brake_ports) == world.clock.now()
        launch_campaign(ACCOUNT, campaign_id, None, world.campaign_ports)
        world.visit(campaign_id)
        assert campaign(world, campaign_id).status is CampaignStatus.IN_PROGRESS
        accepted(world, ENOUGH, campaign_of(campaign_id))
        trouble(world, campaign_id, 20, sent_at=before)  # late news of what was sent before the lift
        assert campaign(world, campaign_id).status is CampaignStatus.IN_PROGRESS
        world.clock.wait(minutes=10)
        trouble(world, campaign_id, 6)
        assert campaign(world, campaign_id).status is CampaignStatus.PAUSED

    def test_late_news_still_counts_for_the_line_whose_brake_was_not_lifted(self) -> None:
        world = World()
        campaign_id = braked_campaign(world)
        before = world.clock.now()
        world.clock.wait(minutes=10)
        lift_brake(ACCOUNT, campaign_of(campaign_id), world.brake_ports)
        trouble(world, campaign_id, 1, sent_at=before)
        assert counts(world, LINE) == Counts(10 * ENOUGH, 7)
        assert counts(world, campaign_of(campaign_id)) == Counts()

    def test_a_line_is_lifted_and_gives_slots_again(self) -> None:
        world = World()
        campaign_id = world.running(1)
        braked_line(world)
        world.visit(campaign_id)
        lift_brake(ACCOUNT, LINE, world.brake_ports)
        launch_campaign(ACCOUNT, campaign_id, None, world.campaign_ports)
        assert len(world.visit(campaign_id)) == 1
        line = world.lines.get(ACCOUNT, "line1")
        assert (line.brake, line.brake_lifted_at) == (None, world.clock.now())

    def test_counts_that_were_read_before_the_lift_do_not_pull_it_after_it(self) -> None:
        world = World()
        campaign_id = world.running(1)
        accepted(world, ENOUGH, campaign_of(campaign_id), LINE)
        trouble(world, campaign_id)
        lifted_late = replace(world.lines.get(ACCOUNT, "line1"), brake=None)
        lift_brake(ACCOUNT, LINE, world.brake_ports)
        accepted(world, ENOUGH, LINE)
        for _ in range(6):
            world.brakes.count_trouble(ACCOUNT, [LINE], hour_of(world.clock.now()), Trouble.BOUNCE)
        assert brake_line(ACCOUNT, lifted_late, world.brake_ports).brake is None
        assert world.lines.get(ACCOUNT, "line1").brake is None

    def test_a_lift_that_stops_half_way_can_be_repeated(self) -> None:
        class Stopping(FakeBrakeStore):
            def forget(self, account_id: str, subject: Subject) -> None:
                super().forget(account_id, subject)
                raise TimeoutError

        world = World(brakes=Stopping())
        campaign_id = braked_campaign(world)
        with pytest.raises(TimeoutError):
            lift_brake(ACCOUNT, campaign_of(campaign_id), world.brake_ports)
        assert campaign(world, campaign_id).brake

    @pytest.mark.parametrize("kind", Braked)
    def test_what_is_not_braked_or_not_there_cannot_be_lifted(self, kind: Braked) -> None:
        world = World()
        campaign_id = world.running(1)
        there = Subject(kind, campaign_id if kind is Braked.CAMPAIGN else "line1")
        accepted(world, ENOUGH, there)
        with pytest.raises(Conflict, match="isn't pulled"):
            lift_brake(ACCOUNT, there, world.brake_ports)
        assert counts(world, there) == Counts(ENOUGH)
        with pytest.raises(NotFound):
            lift_brake(ACCOUNT, Subject(kind, "other"), world.brake_ports)
        with pytest.raises(NotFound):
            lift_brake(STRANGER, there, world.brake_ports)


class TestShowing:
    def test_a_warning_shows_its_rates_and_stops_nothing(self) -> None:
        world = World()
        campaign_id = world.running(1)
        accepted(world, 200, campaign_of(campaign_id), LINE)
        trouble(world, campaign_id, 5)
        for state in (
            campaign_brake(ACCOUNT, campaign(world, campaign_id), world.brake_ports),
            line_brake(ACCOUNT, world.lines.get(ACCOUNT, "line1"), world.brake_ports),
        ):
            assert (state.level, state.counts.rate(Trouble.BOUNCE), state.since) == (
                BrakeLevel.WARNING,
                0.025,
                None,
            )
        assert len(world.visit(campaign_id)) == 1

    def test_the_operator_sees_what_is_pulled_and_what_warns(self) -> None:
        world = World()
        fine = world.running(1)
        pulled, warned = (world.add_campaign(1).campaign_id for _ in range(2))
        draft = world.add_campaign(1).campaign_id
        launch_campaign(ACCOUNT, warned, None, world.campaign_ports)
        accepted(world, 100, campaign_of(pulled))
        accepted(world, 300, campaign_of(warned), campaign_of(fine), campaign_of(draft))
        accepted(world, 700, LINE)
        trouble(world, pulled, 10)
        trouble(world, warned, 9)
        seen = {subject: state for subject, _, state in account_brakes(ACCOUNT, world.brake_ports)}
        levels = {subject: state.level for subject, state in seen.items()}
        assert levels == {
            LINE: BrakeLevel.WARNING,
            campaign_of(pulled): BrakeLevel.PULLED,
            campaign_of(warned): BrakeLevel.WARNING,
        }
        assert isinstance(seen[LINE], BrakeState)
        assert seen[campaign_of(pulled)].since == world.clock.now()
        assert list(account_brakes(STRANGER, world.brake_ports)) == []
