"""Resend: a second mail only for those a person chose, once for each wish."""

from collections.abc import Callable, Sequence
from datetime import datetime

import pytest

from chalicelib.domain.campaign import CampaignStatus, Resend
from chalicelib.domain.contact import Contact, ContactStatus, Totals
from chalicelib.domain.delivery import Reason, Refused, Scope
from chalicelib.domain.ids import the_same_ids
from chalicelib.errors import Conflict, NotFound, Outdated
from chalicelib.flow.campaign import launch_campaign, pause_campaign
from chalicelib.flow.resend import drop_resend, reopen_errors, resend_errors
from chalicelib.flow.settle import finish_if_done
from chalicelib.ports import Page
from tests.fakes.channel import LOST_REPLY
from tests.fakes.contacts import FakeContactStore
from tests.fakes.world import ACCOUNT, World

ERROR, PENDING, SENT = ContactStatus.ERROR, ContactStatus.PENDING, ContactStatus.SENT
REFUSED = Refused(Reason("mailbox_full", "The mailbox is full."), Scope.CONTACT)


def finished(world: World) -> str:
    """c0 is sent to, c1 was refused, of c2 nobody knows."""
    one = world.running(3)
    world.channel.outcomes["c1@mail.example"] = [REFUSED]
    world.channel.outcomes["c2@mail.example"] = [LOST_REPLY]
    for order in world.visit(one):
        world.sender().send(order, world.stop_at())
    world.visit(one)
    assert world.campaigns.get(ACCOUNT, one).status is CampaignStatus.FINISHED
    world.clock.wait(minutes=1)
    return one


def send_all(world: World, campaign_id: str) -> None:
    for order in world.visit(campaign_id):
        world.clock.set(max(world.clock.now(), order.slot_at))
        world.sender().send(order, world.stop_at())
    world.visit(campaign_id)


@pytest.mark.parametrize(("include_unknown", "mails_to_unknown"), [(False, 1), (True, 2)])
def test_whoever_may_have_got_it_is_left_out_unless_asked_for(
    include_unknown: bool, mails_to_unknown: int
) -> None:
    world = World()
    one = finished(world)
    resend_errors(ACCOUNT, one, include_unknown, None, world.campaign_ports)
    send_all(world, one)
    got = world.channel.recipients()
    assert (got.count("c0@mail.example"), got.count("c1@mail.example")) == (1, 1)
    assert got.count("c2@mail.example") == mails_to_unknown
    campaign = world.campaigns.get(ACCOUNT, one)
    assert (campaign.status, campaign.resend) == (CampaignStatus.FINISHED, None)


def test_an_old_message_does_nothing_in_the_new_generation() -> None:
    world = World()
    one = world.running(1)
    (old,) = world.visit(one)
    world.channel.outcomes["c0@mail.example"] = [REFUSED]
    world.sender().send(old, world.stop_at())
    world.visit(one)
    world.clock.wait(seconds=10)
    resend_errors(ACCOUNT, one, False, None, world.campaign_ports)
    (new,) = world.visit(one)
    world.sender().send(old, world.stop_at())
    assert world.channel.accepted == []
    world.sender().send(new, world.stop_at())
    contact = world.only(one)
    assert (contact.status, contact.generation) == (SENT, 2)


def test_a_request_for_a_resend_that_is_carried_out_again_writes_to_nobody_again() -> None:
    """Its process died before it answered, and its repeat came when all was sent."""
    world = World()
    one = finished(world)
    world.channel.outcomes["c2@mail.example"] = [LOST_REPLY]
    for _ in range(2):
        with the_same_ids(b"of one request", world.clock.now()):
            resend_errors(ACCOUNT, one, True, None, world.campaign_ports)
        send_all(world, one)
    assert world.channel.recipients().count("c2@mail.example") == 2, "at first, and once again"


def test_two_visits_that_carry_out_the_same_wish_reopen_nobody_twice() -> None:
    world = World()
    one = finished(world)
    resend_errors(ACCOUNT, one, False, None, world.campaign_ports)
    seen = world.campaigns.get(ACCOUNT, one)
    send_all(world, one)
    world.campaigns.move(
        ACCOUNT, one, [CampaignStatus.FINISHED], CampaignStatus.IN_PROGRESS, world.clock.now()
    )
    reopen_errors(ACCOUNT, seen, world.campaigns, world.contacts, world.suppressions, world.clock)
    assert {row.generation for row in world.all_contacts(one)} == {1, 2}
    assert world.contacts.totals(ACCOUNT, one).unsettled == 0


def test_a_campaign_does_not_end_before_its_wish_is_carried_out() -> None:
    world = World()
    one = finished(world)
    wish = Resend("wish", include_unknown=False)
    world.campaigns.move(
        ACCOUNT, one, [CampaignStatus.FINISHED], CampaignStatus.IN_PROGRESS, world.clock.now(), resend=wish
    )
    assert len(world.visit(one)) == 1
    assert world.campaigns.get(ACCOUNT, one).status is CampaignStatus.IN_PROGRESS


class Interrupted(FakeContactStore):
    """The world's contacts, in pages of one. A person acts before the second, and while they are counted."""

    def __init__(self, world: World, act: Callable[[], object]) -> None:
        super().__init__(world.campaigns, world.imports)
        self.__dict__.update(vars(world.contacts))
        self._act = act

    def page(
        self,
        account_id: str,
        campaign_id: str,
        cursor: str | None,
        limit: int,
        status: ContactStatus | None = None,
    ) -> Page[Contact]:
        page = super().page(account_id, campaign_id, cursor, 1, status)
        if cursor:
            self._act()
        return page

    def totals(self, account_id: str, campaign_id: str) -> Totals:
        totals = super().totals(account_id, campaign_id)
        self._act()
        return totals


class Restarted(FakeContactStore):
    """The world's contacts; the campaign stands still just while they are to be made ready."""

    def __init__(self, world: World) -> None:
        super().__init__(world.campaigns, world.imports)
        self.__dict__.update(vars(world.contacts))
        self._ports = world.campaign_ports

    def reopen(
        self, account_id: str, campaign_id: str, contacts: Sequence[Contact], token: str, now: datetime
    ) -> int | None:
        pause_campaign(account_id, campaign_id, None, self._ports)
        reopened = super().reopen(account_id, campaign_id, contacts, token, now)
        launch_campaign(account_id, campaign_id, None, self._ports)
        return reopened


def reopen_from(world: World, campaign_id: str, contacts: FakeContactStore) -> None:
    seen = world.campaigns.get(ACCOUNT, campaign_id)
    reopen_errors(ACCOUNT, seen, world.campaigns, contacts, world.suppressions, world.clock)


def test_a_resend_that_a_pause_broke_off_is_shown_and_a_launch_goes_on_with_it() -> None:
    """The pause falls between a visit's look at a page and its write."""
    world = World()
    one = finished(world)
    resend_errors(ACCOUNT, one, True, None, world.campaign_ports)
    wish = world.campaigns.get(ACCOUNT, one).resend
    assert wish is not None
    reopen_from(
        world, one, Interrupted(world, lambda: pause_campaign(ACCOUNT, one, None, world.campaign_ports))
    )
    paused = world.campaigns.get(ACCOUNT, one)
    assert (paused.status, paused.resend and paused.resend.token) == (CampaignStatus.PAUSED, wish.token)
    assert world.contacts.totals(ACCOUNT, one).by_status[ERROR] == 1, "one of two was made ready"
    launch_campaign(ACCOUNT, one, None, world.campaign_ports)
    send_all(world, one)
    got = world.channel.recipients()
    assert (got.count("c1@mail.example"), got.count("c2@mail.example")) == (1, 2)
    campaign = world.campaigns.get(ACCOUNT, one)
    assert (campaign.status, campaign.resend) == (CampaignStatus.FINISHED, None)


def test_a_page_that_a_short_pause_kept_from_being_made_ready_is_not_passed_over() -> None:
    world = World()
    one = finished(world)
    resend_errors(ACCOUNT, one, False, None, world.campaign_ports)
    reopen_from(world, one, Restarted(world))
    campaign = world.campaigns.get(ACCOUNT, one)
    assert campaign.status is CampaignStatus.IN_PROGRESS
    send_all(world, one)
    assert world.channel.recipients().count("c1@mail.example") == 1


def test_a_launch_after_a_pause_goes_on_with_a_resend_of_which_nothing_was_done() -> None:
    """Nobody waits then: that is no obstacle."""
    world = World()
    one = finished(world)
    resend_errors(ACCOUNT, one, False, None, world.campaign_ports)
    pause_campaign(ACCOUNT, one, None, world.campaign_ports)
    world.visit(one)
    launched = launch_campaign(ACCOUNT, one, None, world.campaign_ports)
    assert launched.campaign.resend is not None
    send_all(world, one)
    assert world.channel.recipients() == ["c0@mail.example", "c2@mail.example", "c1@mail.example"]


def test_a_resend_that_was_taken_back_is_not_carried_out_by_a_later_launch() -> None:
    world = World()
    one = finished(world)
    resend_errors(ACCOUNT, one, True, None, world.campaign_ports)
    pause_campaign(ACCOUNT, one, None, world.campaign_ports)
    drop_resend(ACCOUNT, one, world.campaign_ports)
    world.visit(one)
    with pytest.raises(Conflict) as refused:
        launch_campaign(ACCOUNT, one, None, world.campaign_ports)
    assert refused.value.allowed == ("no_contacts",)
    world.clock.wait(minutes=60)
    world.add_people(one, "new@mail.example")
    launch_campaign(ACCOUNT, one, None, world.campaign_ports)
    send_all(world, one)
    assert world.channel.recipients() == ["c0@mail.example", "c2@mail.example", "new@mail.example"]
    with pytest.raises(NotFound):
        drop_resend("stranger", one, world.campaign_ports)


def test_a_visit_carries_out_no_wish_that_another_took_the_place_of() -> None:
    """It read the one that goes to everybody; then a person paused, and asked for less."""
    world = World()
    one = finished(world)
    resend_errors(ACCOUNT, one, True, None, world.campaign_ports)
    seen = world.campaigns.get(ACCOUNT, one)
    pause_campaign(ACCOUNT, one, None, world.campaign_ports)
    resend_errors(ACCOUNT, one, False, None, world.campaign_ports)
    reopen_errors(ACCOUNT, seen, world.campaigns, world.contacts, world.suppressions, world.clock)
    send_all(world, one)
    assert world.channel.recipients().count("c2@mail.example") == 1


def test_a_campaign_for_which_a_resend_is_asked_while_it_finishes_does_not_finish() -> None:
    """The pause and the wish fall between the look and the move."""
    world = World()
    one = finished(world)
    world.add_people(one, "late@mail.example")
    launch_campaign(ACCOUNT, one, None, world.campaign_ports)
    (order,) = world.visit(one)
    world.sender().send(order, world.stop_at())

    def pause_and_resend() -> None:
        pause_campaign(ACCOUNT, one, None, world.campaign_ports)
        resend_errors(ACCOUNT, one, False, None, world.campaign_ports)

    contacts = Interrupted(world, pause_and_resend)
    finish_if_done(ACCOUNT, one, world.campaigns, contacts, world.imports, world.clock.now())
    assert world.campaigns.get(ACCOUNT, one).status is CampaignStatus.IN_PROGRESS
    world.clock.wait(minutes=1)
    send_all(world, one)
    assert world.channel.recipients().count("c1@mail.example") == 1
    assert world.campaigns.get(ACCOUNT, one).status is CampaignStatus.FINISHED


def test_nobody_to_resend_to_is_a_conflict() -> None:
    world = World()
    one = world.running(1)
    world.channel.outcomes["c0@mail.example"] = [LOST_REPLY]
    send_all(world, one)
    with pytest.raises(Conflict) as refused:
        resend_errors(ACCOUNT, one, False, None, world.campaign_ports)
    assert refused.value.code == "no_errors"


def test_obstacles_are_named_and_the_lack_of_waiting_contacts_is_none() -> None:
    world = World()
    one = finished(world)
    world.lines.remove(ACCOUNT, "line1")
    with pytest.raises(Conflict) as refused:
        resend_errors(ACCOUNT, one, False, None, world.campaign_ports)
    assert refused.value.allowed == ("line_missing",)


def test_who_has_not_seen_the_last_change_is_told() -> None:
    world = World()
    one = finished(world)
    with pytest.raises(Outdated):
        resend_errors(ACCOUNT, one, False, 1, world.campaign_ports)
    assert world.campaigns.get(ACCOUNT, one).status is CampaignStatus.FINISHED


def test_a_resend_is_for_errors_only_and_waits_for_who_was_never_sent_to() -> None:
    world = World()
    one = world.running(2)
    world.channel.outcomes["c0@mail.example"] = [REFUSED]
    world.sender().send(world.visit(one)[0], world.stop_at())
    pause_campaign(ACCOUNT, one, None, world.campaign_ports)
    world.visit(one)
    world.clock.wait(minutes=1)
    with pytest.raises(Conflict) as refused:
        resend_errors(ACCOUNT, one, False, None, world.campaign_ports)
    assert refused.value.code == "not_sent_waiting"
    assert world.visit(one) == []
    launch_campaign(ACCOUNT, one, None, world.campaign_ports)
    send_all(world, one)
    world.clock.wait(minutes=1)
    resend_errors(ACCOUNT, one, False, None, world.campaign_ports)
    send_all(world, one)
    assert world.channel.recipients() == ["c1@mail.example", "c0@mail.example"]
