"""Campaigns: every status with every action, edits that cross, obstacles, and a deletion that is complete."""

from collections.abc import Callable
from dataclasses import replace
from itertools import product

import pytest

from chalicelib.domain.campaign import ALLOWED, CampaignAction, CampaignStatus
from chalicelib.domain.contact import ContactStatus, Person
from chalicelib.domain.content import Content
from chalicelib.domain.line import ConnectionState, LinePlan
from chalicelib.errors import Conflict, Invalid, NotFound, Outdated
from chalicelib.flow.campaign import (
    CampaignSettings,
    create_campaign,
    delete_campaign,
    edit_campaign,
    launch_campaign,
    list_campaigns,
    pause_campaign,
    purge_campaign,
    read_campaign,
)
from chalicelib.flow.contacts import add_contacts, remove_contact
from chalicelib.flow.imports import start_import, upload_key
from chalicelib.flow.report import start_export
from chalicelib.flow.resend import resend_errors
from chalicelib.flow.samples import Wish, ask_for_sample
from tests.fakes.channel import LOST_REPLY
from tests.fakes.world import ACCOUNT, ALWAYS, CONTENT, ORDERED, STRANGER, World

DRAFT, READY, RUNNING = CampaignStatus.DRAFT, CampaignStatus.READY, CampaignStatus.IN_PROGRESS
PAUSED, FINISHED, DELETING = CampaignStatus.PAUSED, CampaignStatus.FINISHED, CampaignStatus.DELETING
Settings = CampaignSettings


def renamed(settings: Settings) -> Settings:
    return replace(settings, name="Summer")


def rewritten(settings: Settings) -> Settings:
    return replace(settings, content=Content("New", "<p>New</p>"))


def in_status(world: World, status: CampaignStatus) -> str:
    """A campaign with a contact in Error and one that waits, so that nothing but its status is in the way."""
    one = world.running(2)
    world.channel.outcomes["c0@mail.example"] = [LOST_REPLY]
    world.sender().send(world.visit(one)[0], world.stop_at())
    stored = DRAFT if status is READY else status
    world.campaigns.move(ACCOUNT, one, [RUNNING], stored, world.clock.now())
    if status is not RUNNING:
        for contact in world.contacts.pending(ACCOUNT, one, 10):
            world.clock.set(max(world.clock.now(), contact.lease_until or world.clock.now()))
        world.visit(one)
    if status is DRAFT:  # a draft that lacks something; one that lacks nothing is ready
        draft = world.campaigns.get(ACCOUNT, one)
        world.campaigns.remove(ACCOUNT, one)
        world.campaigns.add(ACCOUNT, draft, Content("", ""))
    return one


def resend_to_all(world: World, one: str) -> object:
    """Nobody waits any more who was never sent to: that would be in the way of a resend."""
    for row in world.all_contacts(one):
        if row.status is ContactStatus.NOT_SENT:
            world.contacts.remove(ACCOUNT, one, row.contact_id)
    return resend_errors(ACCOUNT, one, True, None, world.campaign_ports)


ACTIONS: dict[CampaignAction, Callable[[World, str], object]] = {
    CampaignAction.EDIT: lambda world, one: edit_campaign(ACCOUNT, one, renamed, None, world.campaign_ports),
    CampaignAction.ADD_CONTACTS: lambda world, one: add_contacts(
        ACCOUNT, one, [Person("new@mail.example")], world.contact_ports
    ),
    CampaignAction.REMOVE_CONTACTS: lambda world, one: remove_contact(
        ACCOUNT, one, added(world, one), world.contact_ports
    ),
    CampaignAction.LAUNCH: lambda world, one: launch_campaign(ACCOUNT, one, None, world.campaign_ports),
    CampaignAction.RESEND: resend_to_all,
    CampaignAction.PAUSE: lambda world, one: pause_campaign(ACCOUNT, one, None, world.campaign_ports),
    CampaignAction.DELETE: lambda world, one: delete_campaign(ACCOUNT, one, None, world.campaign_ports),
}


def added(world: World, one: str) -> str:
    """A contact that waits, whatever the campaign's status is."""
    rows = {row.person.email: row.contact_id for row in world.all_contacts(one)}
    if world.campaigns.status(ACCOUNT, one) is RUNNING:
        return (
            add_contacts(ACCOUNT, one, [Person("w@mail.example")], world.contact_ports).contacts[0].contact_id
        )
    return rows["c1@mail.example"]


def test_every_action_is_tried() -> None:
    assert set(ACTIONS) == set(CampaignAction)
    assert set(ALLOWED) == set(CampaignStatus)


@pytest.mark.parametrize(
    ("status", "action"),
    [pair for pair in product(CampaignStatus, CampaignAction) if pair[0] is not DELETING],
)
def test_a_status_allows_what_its_table_says_and_names_it_otherwise(
    status: CampaignStatus, action: CampaignAction
) -> None:
    world = World()
    one = in_status(world, status)
    if action in ALLOWED[status]:
        ACTIONS[action](world, one)
        return
    before = world.campaigns.get(ACCOUNT, one)
    with pytest.raises(Conflict) as refused:
        ACTIONS[action](world, one)
    assert refused.value.code in ("wrong_status", "not_ready")
    if refused.value.code == "wrong_status":
        stored_as_draft = ALLOWED[DRAFT]
        assert set(refused.value.allowed) in (ALLOWED[status], stored_as_draft)
    assert world.campaigns.get(ACCOUNT, one) == before


@pytest.mark.parametrize("action", CampaignAction)
def test_a_campaign_being_deleted_is_not_there_for_anything(action: CampaignAction) -> None:
    world = World()
    one = in_status(world, RUNNING)
    delete_campaign(ACCOUNT, one, None, world.campaign_ports)
    with pytest.raises(NotFound):
        ACTIONS[action](world, one) if action is not CampaignAction.REMOVE_CONTACTS else remove_contact(
            ACCOUNT, one, world.all_contacts(one)[0].contact_id, world.contact_ports
        )


class TestCreateAndRead:
    def test_a_campaign_without_contacts_is_a_draft_and_with_them_ready(self) -> None:
        world = World()
        world.add_line()
        one = world.add_campaign(0).campaign_id
        view = read_campaign(ACCOUNT, one, world.campaign_ports)
        assert (view.campaign.status, [o.code for o in view.obstacles]) == (DRAFT, ["no_contacts"])
        world.add_people(one, "a@mail.example")
        view = read_campaign(ACCOUNT, one, world.campaign_ports)
        assert (view.campaign.status, view.obstacles, view.totals.contacts) == (READY, [], 1)

    def test_lines_that_are_missing_or_not_connected_are_all_named(self) -> None:
        world = World()
        world.add_line("new", state=ConnectionState.NEW)
        settings = Settings("Spring", ("new", "nothing"), ALWAYS, CONTENT)
        with pytest.raises(Invalid) as refused:
            create_campaign(ACCOUNT, settings, world.campaign_ports)
        codes = {error.field: error.code for error in refused.value.errors}
        assert codes == {"line_ids[0]": "line_not_connected", "line_ids[1]": "line_missing"}
        assert list_campaigns(ACCOUNT, None, 10, world.campaign_ports).items == []

    @pytest.mark.parametrize(
        ("subject", "html", "field"),
        [
            ("s" * 999, "x", "subject"),
            ("s", "[firstName]" * 201, "html"),
            ("Bye? [unsubscribe]", "x", "subject"),
        ],
    )
    def test_content_that_could_not_be_sent_is_refused_when_it_is_saved(
        self, subject: str, html: str, field: str
    ) -> None:
        world = World()
        world.add_line()
        with pytest.raises(Invalid) as refused:
            world.add_campaign(content=Content(subject, html))
        assert refused.value.errors[0].field == field

    def test_another_account_sees_nothing(self) -> None:
        world = World()
        one = world.running(1)
        assert list_campaigns(STRANGER, None, 10, world.campaign_ports).items == []
        for attempt in (
            lambda: read_campaign(STRANGER, one, world.campaign_ports),
            lambda: edit_campaign(STRANGER, one, renamed, None, world.campaign_ports),
            lambda: launch_campaign(STRANGER, one, None, world.campaign_ports),
            lambda: pause_campaign(STRANGER, one, None, world.campaign_ports),
            lambda: delete_campaign(STRANGER, one, None, world.campaign_ports),
            lambda: resend_errors(STRANGER, one, False, None, world.campaign_ports),
        ):
            with pytest.raises(NotFound):
                attempt()
        assert world.campaigns.status(ACCOUNT, one) is RUNNING

    def test_the_list_shows_the_newest_first(self) -> None:
        world = World()
        world.add_line()
        first = world.add_campaign(1).campaign_id
        world.clock.wait(seconds=1)
        second = world.add_campaign(1).campaign_id
        page = list_campaigns(ACCOUNT, None, 10, world.campaign_ports)
        assert [view.campaign.campaign_id for view in page.items] == [second, first]


class TestEdit:
    def test_new_content_is_a_new_version_and_settings_are_not(self) -> None:
        world = World()
        one = world.running(1)
        assert edit_campaign(ACCOUNT, one, renamed, None, world.campaign_ports).campaign.content_version == 1
        view = edit_campaign(ACCOUNT, one, rewritten, None, world.campaign_ports)
        assert (view.campaign.content_version, view.campaign.name, view.content.subject) == (
            2,
            "Summer",
            "New",
        )
        assert world.campaigns.content(ACCOUNT, one, 1) == CONTENT

    def test_who_has_not_seen_the_last_change_is_told(self) -> None:
        world = World()
        one = world.running(1)
        seen = world.campaigns.get(ACCOUNT, one).revision
        edit_campaign(ACCOUNT, one, renamed, seen, world.campaign_ports)
        for attempt in (
            lambda: edit_campaign(ACCOUNT, one, rewritten, seen, world.campaign_ports),
            lambda: pause_campaign(ACCOUNT, one, seen, world.campaign_ports),
            lambda: delete_campaign(ACCOUNT, one, seen, world.campaign_ports),
        ):
            with pytest.raises(Outdated):
                attempt()
        assert world.campaigns.get(ACCOUNT, one).content_version == 1

    def test_two_edits_that_cross_do_not_undo_each_other(self) -> None:
        world = World()
        one = world.running(1)
        crossed: list[str] = []

        def slow(settings: Settings) -> Settings:
            if not crossed:
                crossed.append("once")
                edit_campaign(ACCOUNT, one, rewritten, None, world.campaign_ports)
            return replace(settings, name="Summer")

        view = edit_campaign(ACCOUNT, one, slow, None, world.campaign_ports)
        assert (view.campaign.name, view.content.subject) == ("Summer", "New")

    def test_a_line_that_is_gone_can_stay_and_can_not_be_chosen(self) -> None:
        world = World()
        one = world.running(1)
        world.lines.remove(ACCOUNT, "line1")
        edit_campaign(ACCOUNT, one, renamed, None, world.campaign_ports)
        with pytest.raises(Invalid):
            edit_campaign(
                ACCOUNT, one, lambda seen: replace(seen, line_ids=("line2",)), None, world.campaign_ports
            )


class TestLaunch:
    def test_every_obstacle_is_named_at_once(self) -> None:
        world = World()
        world.add_line()
        one = world.add_campaign(0, content=Content("", "")).campaign_id
        world.lines.remove(ACCOUNT, "line1")
        world.clock.wait(days=600)
        with pytest.raises(Conflict) as refused:
            launch_campaign(ACCOUNT, one, None, world.campaign_ports)
        expected = {"no_subject", "no_body", "line_missing", "no_contacts", "no_sending_time"}
        assert set(refused.value.allowed) == expected

    @pytest.mark.parametrize(
        ("content", "found"),
        [
            (CONTENT, ("no_public_url",)),
            (replace(CONTENT, exemption=ORDERED), ()),
            (Content("Hi", '<a href="[unsubscribe]">Go</a>', exemption=ORDERED), ("no_public_url",)),
            (Content("Hi", "<p>Hi</p>", "[Unsubscribe]", exemption=ORDERED), ("no_public_url",)),
        ],
    )
    def test_without_a_public_url_nothing_is_launched_that_needs_an_unsubscribe_link(
        self, content: Content, found: tuple[str, ...]
    ) -> None:
        world = World(public_url="")
        world.add_line()
        one = world.add_campaign(content=content).campaign_id
        view = read_campaign(ACCOUNT, one, world.campaign_ports)
        assert tuple(obstacle.code for obstacle in view.obstacles) == found
        if found:
            with pytest.raises(Conflict) as refused:
                launch_campaign(ACCOUNT, one, None, world.campaign_ports)
            assert refused.value.allowed == found
        else:
            launch_campaign(ACCOUNT, one, None, world.campaign_ports)

    def test_a_demo_line_takes_twenty_contacts(self) -> None:
        world = World()
        world.add_line("demo", plan=LinePlan.DEMO)
        one = world.add_campaign(21, line_ids=("demo",)).campaign_id
        with pytest.raises(Conflict) as refused:
            launch_campaign(ACCOUNT, one, None, world.campaign_ports)
        assert refused.value.allowed == ("demo_limit",)
        remove_contact(ACCOUNT, one, world.all_contacts(one)[0].contact_id, world.contact_ports)
        launch_campaign(ACCOUNT, one, None, world.campaign_ports)

    def test_a_launch_asks_for_a_visit(self) -> None:
        world = World()
        world.add_line()
        one = world.add_campaign(1).campaign_id
        launch_campaign(ACCOUNT, one, None, world.campaign_ports)
        assert world.dispatch_queue.take()[-1] == {"account_id": ACCOUNT, "campaign_id": one}
        assert list(world.campaigns.active()) == [(ACCOUNT, one)]

    def test_who_asks_for_what_has_just_happened_gets_it(self) -> None:
        world = World()
        one = world.running(1)
        pause_campaign(ACCOUNT, one, None, world.campaign_ports)
        move = world.campaigns.move

        def overtaken(*args: object, **kwargs: object) -> bool:
            move(*args, **kwargs)  # type: ignore[arg-type]
            return False

        world.campaigns.move = overtaken  # type: ignore[method-assign]
        view = launch_campaign(ACCOUNT, one, None, world.campaign_ports)
        assert view.campaign.status is RUNNING


class TestDelete:
    def test_nothing_of_a_deleted_campaign_remains(self) -> None:
        world = World()
        one = world.running(3)
        other = world.add_campaign(1).campaign_id
        world.visit(one)
        job, _ = start_import(ACCOUNT, one, "f.csv", "csv", world.contact_ports)
        export = start_export(ACCOUNT, one, world.export_ports)
        gone, kept = (
            ask_for_sample(ACCOUNT, campaign_id, Wish("me@shop.example"), world.ask_ports).sample_id
            for campaign_id in (one, other)
        )
        world.files.contents[upload_key(ACCOUNT, one, job.import_id)] = b"email"
        delete_campaign(ACCOUNT, one, None, world.campaign_ports)
        message = world.removal_queue.take()[0]
        for _ in range(2):
            purge_campaign(message["account_id"], message["campaign_id"], world.removal_ports)
        assert world.all_contacts(one) == []
        assert world.files.contents == {}
        assert world.campaigns.status(ACCOUNT, one) is None
        assert list(world.campaigns.active()) == []
        with pytest.raises(NotFound):
            world.imports.get(ACCOUNT, job.import_id)
        with pytest.raises(NotFound):
            world.exports.get(ACCOUNT, export.export_id)
        with pytest.raises(NotFound):
            world.samples.get(ACCOUNT, gone)
        assert world.samples.get(ACCOUNT, kept).campaign_id == other

    def test_a_removal_that_nobody_asked_for_removes_nothing(self) -> None:
        world = World()
        one = world.running(1)
        purge_campaign(ACCOUNT, one, world.removal_ports)
        purge_campaign(STRANGER, one, world.removal_ports)
        assert world.campaigns.status(ACCOUNT, one) is RUNNING
        assert len(world.all_contacts(one)) == 1
