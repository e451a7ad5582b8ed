"""Send: what one order becomes. Who loses the claim sends nothing; what is unknown is never sent again."""

import re
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from chalicelib.domain.campaign import Campaign, CampaignStatus
from chalicelib.domain.contact import Contact, ContactStatus
from chalicelib.domain.content import Content
from chalicelib.domain.delivery import (
    MessageTags,
    Outcome,
    Reason,
    Refused,
    Scope,
    Stage,
    TryLater,
    Unknown,
    Withheld,
)
from chalicelib.domain.header import message_id_for
from chalicelib.domain.ledger import LineLimits
from chalicelib.domain.line import Connection, ConnectionState
from chalicelib.domain.link_tokens import TokenKind, TokenRing
from chalicelib.domain.timetable import Timetable, Weekday
from chalicelib.flow.campaign import delete_campaign, edit_campaign, pause_campaign
from chalicelib.flow.composed import ADDRESSING, HAND_OVER
from chalicelib.flow.send import LATEST, NOT_MADE, QUEUE_TIME, Sender
from chalicelib.ports import SendOrder
from tests.fakes.channel import LOST_REPLY
from tests.fakes.world import ACCOUNT, ALWAYS, CONTENT, ORDERED, PUBLIC_URL, World

NOT_SENT, PENDING, SENT, ERROR = (
    ContactStatus.NOT_SENT,
    ContactStatus.PENDING,
    ContactStatus.SENT,
    ContactStatus.ERROR,
)
WHY = Reason("some_code", "Some reason.")
TO_NOON = Timetable(frozenset(Weekday), date(2026, 1, 1), date(2026, 12, 31), time(9), time(12), "UTC", 0, 0)


UNPACED = replace(ALWAYS, gap_max=0)


def queued(world: World, contacts: int = 1) -> tuple[str, list[SendOrder]]:
    """A running campaign and the orders of its contacts."""
    campaign_id = world.running(contacts)
    return campaign_id, world.visit(campaign_id)


def one_order(world: World) -> tuple[str, SendOrder]:
    campaign_id, (order,) = queued(world)
    return campaign_id, order


def after(world: World, outcome: Outcome, sender: Sender | None = None) -> Contact:
    """The contact after its message met this outcome."""
    campaign_id, order = one_order(world)
    world.channel.outcomes["c0@mail.example"] = [outcome]
    (sender or world.sender()).send(order, world.stop_at())
    return world.only(campaign_id)


def times_out(*_: object) -> None:
    raise TimeoutError


def never_called(*_: object) -> None:
    raise AssertionError("nothing may be claimed")


def edit_content(world: World, campaign_id: str, content: Content) -> None:
    edit_campaign(ACCOUNT, campaign_id, lambda old: replace(old, content=content), None, world.campaign_ports)


def resting_until(world: World, campaign_id: str) -> object:
    return world.pace.load(ACCOUNT, campaign_id, ["line1"]).resting_until.get("line1")


class TestAccepted:
    def test_the_contact_is_sent_and_the_mail_is_theirs(self) -> None:
        world = World()
        campaign_id, order = one_order(world)
        world.sender().send(order, world.stop_at())
        contact = world.only(campaign_id)
        assert (contact.status, contact.sent_at, contact.content_version) == (SENT, world.clock.now(), 1)
        (mail,) = world.channel.accepted
        assert (mail.sender, mail.recipient) == ("news@shop.example", "c0@mail.example")
        assert b"Subject: Hello friend" in mail.text
        assert world.channel.passwords == ["secret"]

    def test_the_message_id_is_the_same_for_every_attempt_of_a_generation(self) -> None:
        world = World()
        campaign_id, order = one_order(world)
        world.channel.outcomes["c0@mail.example"] = [TryLater(WHY, Scope.CONTACT)]
        world.sender().send(order, world.stop_at())
        world.clock.wait(minutes=10)
        (again,) = world.visit(campaign_id)
        assert again.attempt == 2
        world.sender().send(again, world.stop_at())
        (mail,) = world.channel.accepted
        expected = message_id_for(campaign_id, order.contact_id, 1, "shop.example")
        assert f"Message-ID: {expected}".encode() in mail.text

    def test_the_same_message_twice_is_one_mail(self) -> None:
        world = World()
        campaign_id, order = one_order(world)
        sender = world.sender()
        for one in (sender, sender, world.sender()):
            one.send(order, world.stop_at())
        assert world.channel.recipients() == ["c0@mail.example"]
        assert world.only(campaign_id).status is SENT

    def test_a_second_sender_during_the_hand_over_sends_nothing(self) -> None:
        world = World()
        _, order = one_order(world)

        def second() -> None:
            world.channel.before_data = lambda: None
            assert world.sender().send(order, world.stop_at()) is None

        world.channel.before_data = second
        world.sender().send(order, world.stop_at())
        assert world.channel.recipients() == ["c0@mail.example"]

    def test_a_warm_sender_compiles_once_and_sends_each_their_own(self) -> None:
        world = World()
        _, orders = queued(world, 3)
        sender = world.sender()
        for order in orders:
            sender.send(order, world.stop_at())
        assert sorted(world.channel.recipients()) == [f"c{n}@mail.example" for n in range(3)]


class TestUnknown:
    def test_a_lost_reply_is_an_error_that_nobody_sends_again(self) -> None:
        world = World()
        contact = after(world, LOST_REPLY)
        assert (contact.status, contact.outcome_unknown) == (ERROR, True)
        assert contact.sent_at == world.clock.now()

    def test_it_is_in_doubt_whatever_the_channel_calls_it(self) -> None:
        contact = after(World(), Unknown(Reason("no_answer", "Nothing came back.")))
        assert (contact.status, contact.outcome_unknown) == (ERROR, True)

    def test_it_is_not_sent_again_by_any_message_or_visit(self) -> None:
        world = World()
        campaign_id, order = one_order(world)
        world.channel.outcomes["c0@mail.example"] = [LOST_REPLY]
        world.sender().send(order, world.stop_at())
        for _ in range(100):
            world.sender().send(order, world.stop_at())
            world.clock.wait(minutes=7)
            assert world.visit(campaign_id) == []
        assert len(world.channel.accepted) == 1


class TestRefused:
    @pytest.mark.parametrize("scope", [Scope.CONTACT, Scope.CONTENT])
    def test_a_refusal_of_the_contact_is_an_error_with_the_servers_words(self, scope: Scope) -> None:
        contact = after(World(), Refused(WHY, scope))
        assert (contact.status, contact.reason, contact.sent_at) == (ERROR, WHY, None)

    def test_what_no_contact_would_pass_pauses_the_campaign(self) -> None:
        world = World()
        why = Reason("message_too_large", "Too large.")
        contact = after(world, Refused(why, Scope.CONTENT))
        campaign = world.campaigns.page(ACCOUNT, None, 1).items[0]
        assert (campaign.status, campaign.paused_because) == (CampaignStatus.PAUSED, why)
        assert (contact.status, contact.reason) == (NOT_SENT, why)

    def test_a_refusal_of_the_line_takes_it_out_of_use_and_burns_no_contact(self) -> None:
        world = World()
        contact = after(world, Refused(WHY, Scope.LINE))
        connection = world.lines.get(ACCOUNT, "line1").connection
        assert (connection.state, connection.reason) == (ConnectionState.FAILED, WHY)
        assert (contact.status, contact.failures, contact.reason) == (NOT_SENT, 0, WHY)

    def test_a_line_deleted_during_the_hand_over_burns_no_contact(self) -> None:
        world = World()
        campaign_id, order = one_order(world)
        world.channel.before_data = lambda: world.lines.remove(ACCOUNT, "line1")
        world.channel.outcomes["c0@mail.example"] = [Refused(WHY, Scope.LINE)]
        world.sender().send(order, world.stop_at())
        assert world.only(campaign_id).status is NOT_SENT


class TestTryLater:
    @pytest.mark.parametrize("scope", [Scope.CONTACT, Scope.CONTENT])
    def test_a_contact_is_tried_again_after_a_wait(self, scope: Scope) -> None:
        world = World()
        contact = after(world, TryLater(WHY, scope))
        assert (contact.status, contact.failures, contact.reason) == (NOT_SENT, 1, WHY)
        assert contact.due == world.clock.now() + timedelta(minutes=5)

    def test_the_server_may_wish_for_a_longer_wait(self) -> None:
        world = World()
        contact = after(world, TryLater(WHY, Scope.CONTACT, timedelta(minutes=40)))
        assert contact.due == world.clock.now() + timedelta(minutes=40)

    def test_after_all_waits_it_is_an_error(self) -> None:
        world = World()
        campaign_id, order = one_order(world)
        world.channel.outcomes["c0@mail.example"] = [TryLater(WHY, Scope.CONTACT) for _ in range(8)]
        for _ in range(8):
            assert world.only(campaign_id).status is PENDING
            world.sender().send(order, world.stop_at())
            world.clock.wait(hours=5)
            order = next(iter(world.visit(campaign_id)), order)
        contact = world.only(campaign_id)
        assert (contact.status, contact.reason, contact.outcome_unknown) == (ERROR, WHY, False)
        assert world.channel.accepted == []

    def test_too_fast_only_rests_the_line(self) -> None:
        world = World()
        contact = after(world, TryLater(WHY, Scope.RATE))
        assert (contact.status, contact.failures) == (NOT_SENT, 0)
        campaign_id = world.campaigns.page(ACCOUNT, None, 1).items[0].campaign_id
        assert resting_until(world, campaign_id) == world.clock.now() + timedelta(seconds=30)
        assert world.lines.get(ACCOUNT, "line1").connection.state is ConnectionState.CONNECTED

    def test_too_fast_rests_the_line_as_long_as_the_server_wishes(self) -> None:
        world = World()
        after(world, TryLater(WHY, Scope.RATE, timedelta(minutes=3)))
        campaign_id = world.campaigns.page(ACCOUNT, None, 1).items[0].campaign_id
        assert resting_until(world, campaign_id) == world.clock.now() + timedelta(minutes=3)

    def test_a_line_that_fails_rests_and_then_is_taken_out_of_use(self) -> None:
        world = World()
        campaign_id, order = one_order(world)
        sender = world.sender()
        world.channel.outcomes["c0@mail.example"] = [TryLater(WHY, Scope.LINE) for _ in range(5)]
        for wait in (1, 2, 5, 10):
            sender.send(order, world.stop_at())
            assert resting_until(world, campaign_id) == world.clock.now() + timedelta(minutes=wait)
            assert world.only(campaign_id).failures == 0
            world.clock.wait(minutes=wait)
            (order,) = world.visit(campaign_id)
            world.clock.set(order.slot_at)
        sender.send(order, world.stop_at())
        assert world.lines.get(ACCOUNT, "line1").connection.state is ConnectionState.FAILED
        assert world.only(campaign_id).status is NOT_SENT

    def test_a_line_that_works_again_begins_its_count_anew(self) -> None:
        world = World()
        campaign_id = world.running(3, timetable=UNPACED)
        first, second, third = world.visit(campaign_id)
        sender = world.sender()
        world.channel.outcomes["c0@mail.example"] = [TryLater(WHY, Scope.LINE)]
        sender.send(first, world.stop_at())
        world.clock.wait(minutes=1)
        for order in (second, third):
            sender.send(order, world.stop_at())
        assert resting_until(world, campaign_id) is None
        now = world.clock.now()
        assert world.pace.line_failed(ACCOUNT, "line1", now, now) == 1

    def test_a_line_that_rests_is_not_called_again(self) -> None:
        world = World()
        campaign_id, orders = queued(world, 3)
        sender = world.sender()
        world.channel.connects = TryLater(WHY, Scope.LINE)
        for order in orders:
            sender.send(order, world.stop_at())
        assert len(world.channel.passwords) == 1
        assert set(world.statuses(campaign_id).values()) == {NOT_SENT}


class TestSilence:
    """No answer to RCPT or DATA: the first may be about the recipient, the second in a row is the line's."""

    def silence(self, stage: Stage) -> TryLater:
        return TryLater(Reason("connection_lost", "No answer.", stage), Scope.CONTACT)

    @pytest.mark.parametrize("stage", [Stage.RCPT, Stage.DATA])
    def test_the_second_contact_in_a_row_is_not_burned_and_the_line_rests(self, stage: Stage) -> None:
        world = World()
        campaign_id, orders = queued(world, 2)
        sender = world.sender()
        for number, order in enumerate(orders):
            world.channel.outcomes[f"c{number}@mail.example"] = [self.silence(stage)]
            sender.send(order, world.stop_at())
        contacts = world.all_contacts(campaign_id)
        assert sorted(contact.failures for contact in contacts) == [0, 1]
        assert {contact.status for contact in contacts} == {NOT_SENT}
        assert resting_until(world, campaign_id) is not None

    def test_a_server_that_never_answers_burns_nobody_and_goes_out_of_use(self) -> None:
        world = World()
        campaign_id = world.running(3)
        sender = world.sender()
        for number in range(3):
            world.channel.outcomes[f"c{number}@mail.example"] = [self.silence(Stage.DATA)] * 50
        for _ in range(48):
            for order in world.visit(campaign_id):
                sender.send(order, world.stop_at())
            world.clock.wait(minutes=10)
        assert world.lines.get(ACCOUNT, "line1").connection.state is ConnectionState.FAILED
        assert {contact.status for contact in world.all_contacts(campaign_id)} == {NOT_SENT}

    def test_one_recipient_that_gets_no_answer_is_not_the_lines_fault(self) -> None:
        world = World()
        campaign_id, orders = queued(world, 3)
        sender = world.sender()
        world.channel.outcomes["c0@mail.example"] = [self.silence(Stage.RCPT)]
        world.channel.outcomes["c2@mail.example"] = [self.silence(Stage.RCPT)]
        by_id = {contact.contact_id: contact.person.email for contact in world.all_contacts(campaign_id)}
        for order in sorted(orders, key=lambda order: by_id[order.contact_id]):
            sender.send(order, world.stop_at())
        assert [contact.failures for contact in world.all_contacts(campaign_id)].count(1) == 2
        assert resting_until(world, campaign_id) is None


class TestTroubleOnTheWayBack:
    """A server said no, and then one of our own stores fails: the contact is back all the same."""

    @pytest.mark.parametrize(
        ("outcome", "store", "method"),
        [
            (TryLater(WHY, Scope.LINE), "pace", "line_failed"),
            (TryLater(WHY, Scope.RATE), "pace", "rest_line"),
            (Refused(WHY, Scope.LINE), "lines", "set_connection"),
            (
                Refused(Reason("message_too_large", "Too large.", Stage.DATA), Scope.CONTENT),
                "campaigns",
                "move",
            ),
        ],
    )
    def test_the_contact_comes_first(self, outcome: Outcome, store: str, method: str) -> None:
        world = World()
        campaign_id, order = one_order(world)
        world.channel.outcomes["c0@mail.example"] = [outcome]
        setattr(getattr(world, store), method, times_out)
        with pytest.raises(TimeoutError):
            world.sender().send(order, world.stop_at())
        contact = world.only(campaign_id)
        assert (contact.status, contact.claim) == (NOT_SENT, None)

    def test_a_claim_whose_answer_never_came_is_given_back(self) -> None:
        world = World()
        campaign_id, order = one_order(world)
        claim = world.contacts.claim

        def lose(
            account_id: str, order: SendOrder, token: str, version: int, now: datetime
        ) -> Contact | None:
            claim(account_id, order, token, version, now)
            raise TimeoutError

        world.contacts.claim = lose  # type: ignore[method-assign]
        with pytest.raises(TimeoutError):
            world.sender().send(order, world.stop_at())
        contact = world.only(campaign_id)
        assert (contact.status, contact.claim, world.channel.accepted) == (NOT_SENT, None, [])


class TestConnecting:
    @pytest.mark.parametrize("failure", [TryLater(WHY, Scope.LINE), Refused(WHY, Scope.LINE)])
    def test_nothing_is_claimed_and_the_contact_goes_back(self, failure: TryLater | Refused) -> None:
        world = World()
        campaign_id, order = one_order(world)
        world.channel.connects = failure
        assert world.sender().send(order, world.stop_at()) == failure
        contact = world.only(campaign_id)
        assert (contact.status, contact.claim, contact.reason, contact.failures) == (NOT_SENT, None, WHY, 0)
        expected = ConnectionState.FAILED if isinstance(failure, Refused) else ConnectionState.CONNECTED
        assert world.lines.get(ACCOUNT, "line1").connection.state is expected


class TestUnwanted:
    def gives_back(
        self, world: World, campaign_id: str, order: SendOrder, sender: Sender | None = None
    ) -> None:
        outcome = (sender or world.sender()).send(order, world.stop_at())
        assert outcome in (None, Withheld())
        assert world.channel.accepted == []
        contact = world.only(campaign_id)
        assert (contact.status, contact.claim) == (NOT_SENT, None)

    def test_a_paused_campaign_sends_nothing(self) -> None:
        world = World()
        campaign_id, order = one_order(world)
        pause_campaign(ACCOUNT, campaign_id, None, world.campaign_ports)
        self.gives_back(world, campaign_id, order)

    def test_a_pause_just_before_the_hand_over_holds_the_message_back(self) -> None:
        world = World()
        campaign_id, order = one_order(world)

        def pause() -> None:
            pause_campaign(ACCOUNT, campaign_id, None, world.campaign_ports)
            world.clock.wait(seconds=3)

        world.channel.before_data = pause
        self.gives_back(world, campaign_id, order)

    def test_a_warm_sender_sees_a_pause_within_two_seconds(self) -> None:
        world = World()
        campaign_id, (first, second) = queued(world, 2)
        sender = world.sender()
        sender.send(first, world.stop_at())
        pause_campaign(ACCOUNT, campaign_id, None, world.campaign_ports)
        world.clock.wait(seconds=2.1)
        assert sender.send(second, world.stop_at()) is None
        assert len(world.channel.accepted) == 1

    def test_a_deleted_campaign_sends_nothing(self) -> None:
        world = World()
        campaign_id, order = one_order(world)
        delete_campaign(ACCOUNT, campaign_id, None, world.campaign_ports)
        assert world.sender().send(order, world.stop_at()) is None
        world.purge_deleted()
        assert world.sender().send(order, world.stop_at()) is None
        assert world.channel.accepted == []
        assert world.all_contacts(campaign_id) == []

    def test_a_deletion_just_before_the_hand_over_holds_the_message_back(self) -> None:
        world = World()
        campaign_id, order = one_order(world)

        def delete() -> None:
            delete_campaign(ACCOUNT, campaign_id, None, world.campaign_ports)
            world.purge_deleted()
            world.clock.wait(seconds=3)

        world.channel.before_data = delete
        assert world.sender().send(order, world.stop_at()) == Withheld()
        assert world.channel.accepted == []
        assert world.all_contacts(campaign_id) == []

    def test_when_the_campaign_can_not_be_looked_at_again_nothing_leaves_and_the_contact_goes_back(
        self,
    ) -> None:
        world = World()
        campaign_id, order = one_order(world)
        sender = world.sender()
        readable = world.campaigns.get

        def unreadable(account_id: str, campaign_id: str) -> Campaign:
            raise TimeoutError

        def meanwhile() -> None:
            world.clock.wait(seconds=3)
            world.campaigns.get = unreadable  # type: ignore[method-assign]

        world.channel.before_data = meanwhile
        with pytest.raises(TimeoutError):
            sender.send(order, world.stop_at())
        world.campaigns.get = readable  # type: ignore[method-assign]
        contact = world.only(campaign_id)
        assert (contact.status, contact.claim, contact.failures) == (NOT_SENT, None, 0)
        assert world.channel.accepted == []

    def test_a_deleted_line_sends_nothing(self) -> None:
        world = World()
        campaign_id, order = one_order(world)
        world.lines.remove(ACCOUNT, "line1")
        self.gives_back(world, campaign_id, order)

    def test_a_line_out_of_use_sends_nothing(self) -> None:
        world = World()
        campaign_id, order = one_order(world)
        world.lines.set_connection(ACCOUNT, "line1", Connection(ConnectionState.FAILED))
        self.gives_back(world, campaign_id, order)

    def test_a_warm_sender_forgets_a_line_after_half_a_minute(self) -> None:
        world = World()
        _campaign_id, (first, second) = queued(world, 2)
        sender = world.sender()
        sender.send(first, world.stop_at())
        world.lines.remove(ACCOUNT, "line1")
        world.clock.wait(seconds=31)
        assert sender.send(second, world.stop_at()) is None
        assert len(world.channel.accepted) == 1

    def test_a_message_that_is_too_late_gets_a_new_slot(self) -> None:
        world = World()
        campaign_id, order = one_order(world)
        world.clock.set(order.slot_at + LATEST + timedelta(seconds=1))
        self.gives_back(world, campaign_id, order)

    def test_a_late_message_of_a_paced_campaign_or_line_gets_a_new_slot(self) -> None:
        paced = replace(ALWAYS, gap_max=1), LineLimits()
        limited = UNPACED, LineLimits(per_minute=10)
        for timetable, limits in (paced, limited):
            world = World()
            campaign_id = world.running(1, timetable=timetable, limits=limits)
            (order,) = world.visit(campaign_id)
            world.clock.set(order.slot_at + QUEUE_TIME + timedelta(seconds=1))
            self.gives_back(world, campaign_id, order)

    def test_a_message_without_pace_that_is_only_late_is_sent(self) -> None:
        world = World()
        campaign_id = world.running(1, timetable=UNPACED)
        (order,) = world.visit(campaign_id)
        world.clock.set(order.slot_at + LATEST)
        world.sender().send(order, world.stop_at())
        assert world.only(campaign_id).status is SENT

    def test_too_little_time_is_too_little_to_begin(self) -> None:
        world = World()
        campaign_id, order = one_order(world)
        stop_at = world.clock.now() + ADDRESSING + HAND_OVER - timedelta(seconds=1)
        assert world.sender().send(order, stop_at) is None
        contact = world.only(campaign_id)
        assert (contact.status, contact.claim) == (NOT_SENT, None)

    def test_a_slow_server_leaves_too_little_time_for_the_hand_over(self) -> None:
        world = World()
        campaign_id, order = one_order(world)
        world.channel.before_data = lambda: world.clock.wait(seconds=ADDRESSING.total_seconds() + 2)
        stop_at = world.clock.now() + ADDRESSING + HAND_OVER + timedelta(seconds=1)
        assert world.sender().send(order, stop_at) == Withheld()
        assert world.only(campaign_id).status is NOT_SENT
        assert world.channel.accepted == []

    def test_a_server_that_is_slow_to_connect_leaves_too_little_time_to_claim(self) -> None:
        """A process that is ended between the claim and the hand-over would leave an unknown outcome."""
        world = World()
        campaign_id, order = one_order(world)
        world.channel.before_connected = lambda: world.clock.wait(seconds=115)
        world.contacts.claim = never_called  # type: ignore[method-assign, assignment]
        stop_at = world.clock.now() + ADDRESSING + HAND_OVER + timedelta(seconds=114)
        assert world.sender().send(order, stop_at) is None
        assert world.only(campaign_id).status is NOT_SENT

    def test_a_line_that_was_taken_out_of_the_campaign_sends_nothing(self) -> None:
        world = World()
        campaign_id, order = one_order(world)
        world.add_line("line2")
        world.change_campaign(campaign_id, line_ids=("line2",))
        self.gives_back(world, campaign_id, order)

    def test_an_edit_while_the_server_takes_its_time_holds_the_old_version_back(self) -> None:
        world = World()
        campaign_id, order = one_order(world)

        def edit() -> None:
            edit_content(world, campaign_id, Content("New", "<p>New</p>"))
            world.clock.wait(seconds=3)

        world.channel.before_data = edit
        self.gives_back(world, campaign_id, order)
        world.channel.before_data = lambda: None
        world.clock.wait(minutes=1)
        (again,) = world.visit(campaign_id)
        world.sender().send(again, world.stop_at())
        assert b"Subject: New" in world.channel.accepted[0].text

    def test_nothing_is_handed_over_that_could_outlive_its_lease(self) -> None:
        world = World()
        campaign_id, order = one_order(world)
        lease = world.only(campaign_id).lease_until
        assert lease is not None

        def slow() -> None:
            world.clock.set(lease - timedelta(seconds=30))

        world.channel.before_data = slow
        far = world.clock.now() + timedelta(hours=2)
        assert world.sender().send(order, far) == Withheld()
        assert world.channel.accepted == []

    def test_after_the_lease_a_message_claims_nothing(self) -> None:
        world = World()
        campaign_id, order = one_order(world)
        released = world.only(campaign_id)
        assert released.lease_until is not None
        world.clock.set(released.lease_until)
        claimed = world.contacts.claim(ACCOUNT, order, "late", 1, world.clock.now())
        assert claimed is None

    def test_outside_the_window_nothing_leaves(self) -> None:
        world = World()
        world.clock.wait(minutes=-1)
        campaign_id = world.running(1, timetable=TO_NOON)
        (order,) = world.visit(campaign_id)
        world.clock.set(order.slot_at + QUEUE_TIME + timedelta(seconds=31))
        self.gives_back(world, campaign_id, order)

    def test_the_queues_few_seconds_do_not_make_a_message_late(self) -> None:
        world = World()
        world.clock.wait(seconds=-1)
        campaign_id = world.running(1, timetable=TO_NOON)
        (order,) = world.visit(campaign_id)
        world.clock.set(order.slot_at + QUEUE_TIME)
        world.sender().send(order, world.stop_at())
        assert world.only(campaign_id).status is SENT

    def test_an_order_of_an_older_release_changes_nothing(self) -> None:
        world = World()
        campaign_id, order = one_order(world)
        world.clock.wait(minutes=11)
        assert world.sender().send(order, world.stop_at()) is None
        (new,) = world.visit(campaign_id)
        for _ in range(2):
            assert world.sender().send(order, world.stop_at()) is None
        contact = world.only(campaign_id)
        assert (contact.status, contact.attempt) == (PENDING, new.attempt)


def links_in(text: bytes) -> dict[str, str]:
    """The URLs of a message by what they are: of the header, the text, the HTML, the picture."""
    message = message_from_bytes(text, policy=policy.default)
    assert isinstance(message, EmailMessage)
    words, html = (part.get_content() for part in message.iter_parts())
    found = {
        "header": str(message["List-Unsubscribe"] or "").strip("<>"),
        "text": "".join(re.findall(rf"{PUBLIC_URL}/u/\S+", words)),
        "html": "".join(re.findall(rf'href="({PUBLIC_URL}/u/[^"]+)"', html)),
        "picture": "".join(re.findall(rf'<img src="({PUBLIC_URL}/o/[^"]+)"', html)),
    }
    assert message["List-Unsubscribe-Post"] == ("List-Unsubscribe=One-Click" if found["header"] else None)
    return {name: url for name, url in found.items() if url}


class TestLinks:
    def sent(self, content: Content) -> tuple[World, SendOrder, dict[str, str]]:
        world = World()
        world.add_line()
        campaign_id = world.add_campaign(content=content).campaign_id
        world.campaigns.move(
            ACCOUNT, campaign_id, [CampaignStatus.DRAFT], CampaignStatus.IN_PROGRESS, world.clock.now()
        )
        (order,) = world.visit(campaign_id)
        world.sender().send(order, world.stop_at())
        return world, order, links_in(world.channel.accepted[0].text)

    def test_a_message_says_by_its_links_whose_it_is(self) -> None:
        world, order, links = self.sent(CONTENT)
        assert links["header"] == links["text"] == links["html"]
        tags = MessageTags(ACCOUNT, order.campaign_id, order.contact_id, order.generation, order.attempt)
        page = links["header"].removeprefix(f"{PUBLIC_URL}/u/")
        picture = links["picture"].removeprefix(f"{PUBLIC_URL}/o/")
        assert world.ring.read(TokenKind.UNSUBSCRIBE, page) == tags
        assert world.ring.read(TokenKind.OPEN, picture) == tags
        assert world.ring.read(TokenKind.UNSUBSCRIBE, picture) is None

    @pytest.mark.parametrize(
        ("content", "links"),
        [
            (CONTENT, {"header", "text", "html", "picture"}),
            (replace(CONTENT, track_opens=False), {"header", "text", "html"}),
            (replace(CONTENT, exemption=ORDERED), {"picture"}),
            (replace(CONTENT, exemption=ORDERED, track_opens=False), set()),
            (
                Content("Hi", '<a href="[unsubscribe]">Go</a>', "Go", ORDERED, track_opens=False),
                {"html"},
            ),
        ],
    )
    def test_which_links_there_are_is_for_the_kind_of_mail_to_say(
        self, content: Content, links: set[str]
    ) -> None:
        assert self.sent(content)[2].keys() == links


class TestComposing:
    def test_content_that_nobody_could_get_pauses_the_campaign(self) -> None:
        world = World()
        world.add_line(from_name="two\nlines")
        campaign_id = world.add_campaign().campaign_id
        world.campaigns.move(
            ACCOUNT, campaign_id, [CampaignStatus.DRAFT], CampaignStatus.IN_PROGRESS, world.clock.now()
        )
        (order,) = world.visit(campaign_id)
        assert world.sender().send(order, world.stop_at()) is None
        campaign = world.campaigns.get(ACCOUNT, campaign_id)
        assert campaign.status is CampaignStatus.PAUSED
        assert campaign.paused_because is not None
        assert campaign.paused_because.code == "from_name_invalid"
        assert world.only(campaign_id).status is NOT_SENT

    def test_a_message_that_one_contact_can_not_get_is_their_error(self) -> None:
        world = World()
        world.add_line()
        campaign_id = world.add_campaign(content=Content("[email]" * 100, "<p>x</p>")).campaign_id
        world.campaigns.move(
            ACCOUNT, campaign_id, [CampaignStatus.DRAFT], CampaignStatus.IN_PROGRESS, world.clock.now()
        )
        (order,) = world.visit(campaign_id)
        world.sender().send(order, world.stop_at())
        contact = world.only(campaign_id)
        assert contact.reason is not None
        assert (contact.status, contact.reason.code) == (ERROR, "subject_too_long")
        assert world.campaigns.get(ACCOUNT, campaign_id).status is CampaignStatus.IN_PROGRESS

    def test_marketing_never_leaves_without_a_way_to_unsubscribe(self) -> None:
        world = World()
        campaign_id, order = one_order(world)
        world.public_url = ""
        assert world.sender().send(order, world.stop_at()) is None
        campaign = world.campaigns.get(ACCOUNT, campaign_id)
        assert campaign.paused_because is not None
        assert (campaign.status, campaign.paused_because.code) == (CampaignStatus.PAUSED, "no_public_url")
        assert (world.only(campaign_id).status, world.channel.accepted) == (NOT_SENT, [])

    def test_a_key_that_can_not_be_read_leaves_the_contact_unclaimed(self) -> None:
        world = World(ring=TokenRing([]))
        campaign_id, order = one_order(world)
        with pytest.raises(ValueError, match="without keys"):
            world.sender().send(order, world.stop_at())
        contact = world.only(campaign_id)
        assert (contact.status, contact.claim, world.channel.accepted) == (NOT_SENT, None, [])

    def test_an_edit_goes_out_to_those_who_are_not_sent_to_yet(self) -> None:
        world = World()
        campaign_id, (first, second) = queued(world, 2)
        sender = world.sender()
        sender.send(first, world.stop_at())
        seen = world.campaigns.get(ACCOUNT, campaign_id)
        world.change_campaign(campaign_id, content_version=1)

        edited = replace(
            world.campaigns.get(ACCOUNT, campaign_id), content_version=2, revision=seen.revision + 2
        )
        world.campaigns.save(ACCOUNT, edited, Content("New", "<p>New</p>"), seen.revision + 1)
        world.clock.wait(seconds=3)
        sender.send(second, world.stop_at())
        assert [b"Subject: New" in mail.text for mail in world.channel.accepted] == [False, True]
        assert sorted(contact.content_version or 0 for contact in world.all_contacts(campaign_id)) == [1, 2]

    def test_a_message_that_by_our_mistake_can_not_be_made_is_an_error_and_not_unknown(self) -> None:
        world = World()
        campaign_id = world.running(1)
        contact = world.only(campaign_id)
        broken = replace(contact.person, first_name=None)  # type: ignore[arg-type]  # a row that no code of ours writes
        world.contacts.edit(ACCOUNT, campaign_id, contact.contact_id, broken)
        (order,) = world.visit(campaign_id)
        world.sender().send(order, world.stop_at())
        contact = world.only(campaign_id)
        assert (contact.status, contact.reason) == (ERROR, NOT_MADE)
        assert world.channel.accepted == []


class TestAfterACrash:
    def test_an_order_nobody_claimed_goes_back_when_its_lease_is_over(self) -> None:
        world = World()
        campaign_id, _ = one_order(world)
        world.clock.wait(minutes=40)
        (again,) = world.visit(campaign_id)
        assert again.attempt == 2

    def test_a_claim_whose_sender_died_is_unknown_and_evidence_heals_it(self) -> None:
        world = World()
        campaign_id, order = one_order(world)
        sender = world.sender()

        def sleep_over_the_lease() -> None:
            world.clock.wait(minutes=40)
            assert world.visit(campaign_id) == []
            assert world.only(campaign_id).outcome_unknown

        world.channel.after_data = sleep_over_the_lease
        sender.send(order, world.stop_at())
        contact = world.only(campaign_id)
        assert (contact.status, contact.reason) == (SENT, None)
