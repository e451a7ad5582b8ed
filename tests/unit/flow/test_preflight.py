"""Preflight: the job counts what waits, and is harmless when it comes twice, late, half or never."""

from dataclasses import replace

import pytest

from chalicelib.domain.contact import Contact, ContactStatus, Person
from chalicelib.domain.content import Content
from chalicelib.domain.job import JobState
from chalicelib.domain.preflight import Preflight
from chalicelib.errors import NotFound
from chalicelib.flow.campaign import delete_campaign, edit_campaign
from chalicelib.flow.contacts import add_contacts
from chalicelib.flow.preflight import check_contacts, read_preflight, start_preflight
from chalicelib.ports import Page
from tests.fakes.world import ACCOUNT, STRANGER, World

CONTENT = Content("Your [param2]", "<p>[City|here]</p>")


def asked(world: World, people: int = 3, content: Content = CONTENT) -> Preflight:
    """A draft with some who have no P2 and one who has, and the wish for its preflight."""
    world.add_line()
    one = world.add_campaign(people, content=content).campaign_id
    add_contacts(
        ACCOUNT, one, [Person("z@mail.example", p2="coat", extra=(("City", "Perm"),))], world.contact_ports
    )
    return start_preflight(ACCOUNT, one, world.preflight_ports)


def work(world: World) -> None:
    for message in world.export_queue.take():
        check_contacts(**message, ports=world.checking_ports)


def last(world: World, asked: Preflight) -> tuple[Preflight, bool]:
    return read_preflight(ACCOUNT, asked.campaign_id, world.preflight_ports)


class TestPreflight:
    def test_it_tells_how_many_lack_what_and_what_they_would_read(self) -> None:
        world = World()
        job = asked(world)
        assert last(world, job) == (job, False)
        work(world)
        done, stale = last(world, job)
        assert (done.state, done.checked, done.finished_at, stale) == (
            JobState.DONE,
            4,
            world.clock.now(),
            False,
        )
        (missing,) = done.missing
        assert (missing.variable, missing.contacts, missing.subject) == ("param2", 3, "Your")
        assert world.contacts.get(ACCOUNT, job.campaign_id, missing.contact_id).person.p2 == ""

    def test_what_is_no_url_where_one_must_be_is_missing(self) -> None:
        world = World()
        html = '<a href="[param1]">x</a><a href="[Site]">y</a><a href="[Site|https://x.example]">z</a>'
        job = asked(world, 0, Content("Hi", html))
        people = (
            Person("a@mail.example", p1="https://a.example", extra=(("Site", "javascript:alert(1)"),)),
            Person("b@mail.example", p1="www.b.example", extra=(("Site", "https://b.example/"),)),
        )
        add_contacts(ACCOUNT, job.campaign_id, people, world.contact_ports)
        job = start_preflight(ACCOUNT, job.campaign_id, world.preflight_ports)
        work(world)
        missing = [(one.variable, one.contacts, one.fields) for one in last(world, job)[0].missing]
        assert missing == [("param1", 2, ("html", "text")), ("Site", 2, ("html", "text"))]

    def test_it_looks_at_those_only_who_were_not_sent_to(self) -> None:
        world = World()
        one = world.running(2)
        world.sender().send(world.visit(one)[0], world.stop_at())
        start_preflight(ACCOUNT, one, world.preflight_ports)
        work(world)
        waiting = list(world.statuses(one).values()).count(ContactStatus.NOT_SENT)
        assert read_preflight(ACCOUNT, one, world.preflight_ports)[0].checked == waiting < 2

    def test_many_pages_are_counted_whole_and_progress_is_shown(self) -> None:
        world = World()
        job = asked(world, 10_500)
        seen: list[int] = []
        progress = world.preflights.progress

        def note(account_id: str, campaign_id: str, preflight_id: str, checked: int) -> bool:
            seen.append(checked)
            return progress(account_id, campaign_id, preflight_id, checked)

        world.preflights.progress = note  # type: ignore[method-assign]
        work(world)
        assert last(world, job)[0].missing[0].contacts == 10_500
        assert seen == [0, 10_000]

    def test_an_edit_of_the_content_makes_it_stale(self) -> None:
        world = World()
        job = asked(world)
        change = replace(CONTENT, subject="Hi")
        edit_campaign(
            ACCOUNT, job.campaign_id, lambda old: replace(old, content=change), None, world.campaign_ports
        )
        work(world)
        done, stale = last(world, job)
        assert (done.content_version, len(done.missing), stale) == (1, 1, True)
        start_preflight(ACCOUNT, job.campaign_id, world.preflight_ports)
        work(world)
        done, stale = last(world, job)
        assert (done.content_version, done.missing, stale) == (2, (), False)

    def test_a_message_that_comes_twice_changes_nothing(self) -> None:
        world = World()
        job = asked(world)
        message = {"account_id": ACCOUNT, "campaign_id": job.campaign_id, "preflight_id": job.preflight_id}
        work(world)
        done = last(world, job)
        world.add_people(job.campaign_id, "late@mail.example")
        check_contacts(**message, ports=world.checking_ports)
        assert last(world, job) == done

    def test_a_run_that_died_half_way_begins_again(self) -> None:
        world = World()
        job = asked(world)
        world.preflights.progress(ACCOUNT, job.campaign_id, job.preflight_id, 2)
        work(world)
        assert last(world, job)[0].missing[0].contacts == 3

    def test_a_new_wish_ends_the_one_before_it(self) -> None:
        world = World()
        first = asked(world, 10_500)
        second: list[Preflight] = []
        page = world.contacts.page

        def page_late(
            account_id: str, campaign_id: str, cursor: str | None, limit: int, status: ContactStatus | None
        ) -> Page[Contact]:
            if not second and cursor is not None:
                second.append(start_preflight(ACCOUNT, first.campaign_id, world.preflight_ports))
            return page(account_id, campaign_id, cursor, limit, status)

        world.contacts.page = page_late  # type: ignore[method-assign, assignment]
        work(world)
        assert last(world, first) == (second[0], False)
        work(world)
        assert last(world, first)[0].state is JobState.DONE

    @pytest.mark.parametrize("purged", [True, False])
    def test_a_deleted_campaign_keeps_nothing_of_it(self, purged: bool) -> None:
        world = World()
        job = asked(world)
        delete_campaign(ACCOUNT, job.campaign_id, None, world.campaign_ports)
        if purged:
            world.purge_deleted()
        work(world)
        with pytest.raises(NotFound):
            world.preflights.get(ACCOUNT, job.campaign_id)

    def test_a_campaign_removed_at_the_end_of_a_run_gets_no_row_again(self) -> None:
        world = World()
        job = asked(world)
        finish = world.preflights.finish

        def finish_late(*given: object) -> None:
            delete_campaign(ACCOUNT, job.campaign_id, None, world.campaign_ports)
            world.purge_deleted()
            finish(*given)  # type: ignore[arg-type]

        world.preflights.finish = finish_late  # type: ignore[method-assign]
        work(world)
        with pytest.raises(NotFound):
            world.preflights.get(ACCOUNT, job.campaign_id)

    def test_a_content_that_cannot_be_sent_any_more_fails_with_the_reason(self) -> None:
        world = World()
        job = asked(world)
        broken = replace(CONTENT, html="{{ gone }}")
        campaign = world.campaigns.get(ACCOUNT, job.campaign_id)
        newer = replace(campaign, content_version=2, revision=campaign.revision + 1)
        world.campaigns.save(ACCOUNT, newer, broken, campaign.revision)
        world.export_queue.take()
        start_preflight(ACCOUNT, job.campaign_id, world.preflight_ports)
        work(world)
        failed, _ = last(world, job)
        assert failed.state is JobState.FAILED
        assert failed.reason is not None
        assert failed.reason.code == "html_variable_unknown"

    def test_another_account_finds_nothing(self) -> None:
        world = World()
        job = asked(world)
        with pytest.raises(NotFound):
            start_preflight(STRANGER, job.campaign_id, world.preflight_ports)
        with pytest.raises(NotFound):
            read_preflight(STRANGER, job.campaign_id, world.preflight_ports)
        check_contacts(STRANGER, job.campaign_id, job.preflight_id, world.checking_ports)
        assert last(world, job) == (job, False)

    def test_without_a_wish_there_is_none(self) -> None:
        world = World()
        world.add_line()
        one = world.add_campaign(0).campaign_id
        with pytest.raises(NotFound):
            read_preflight(ACCOUNT, one, world.preflight_ports)
