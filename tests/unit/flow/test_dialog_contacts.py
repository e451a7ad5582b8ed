"""Contacts from dialogs: a snapshot of a line's, by tags; jobs that die half-way, come twice, or are late."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from chalicelib.domain.campaign import CampaignStatus
from chalicelib.domain.dialog import DialogChange, DialogSource, TagFilter
from chalicelib.domain.job import ImportJob, ImportProgress, JobState
from chalicelib.domain.line import DEMO_CONTACTS, LinePlan
from chalicelib.errors import Conflict, Invalid, NotFound
from chalicelib.flow.campaign import delete_campaign, launch_campaign
from chalicelib.flow.dialog_contacts import start_from_dialogs
from chalicelib.flow.import_targets import PIECE
from chalicelib.flow.imports import ImportPorts, import_contacts, read_import
from chalicelib.ports import Walk
from tests.fakes.dialogs import STRETCH
from tests.fakes.world import ACCOUNT, STRANGER, World

LATER = timedelta(hours=1)


class Killed(Exception):
    """The importer's process ended here."""


def tell(world: World, *names: str, tags: tuple[str, ...] = ()) -> None:
    changes = [
        DialogChange(f"{n}@mail.example", f"{n.title()}@mail.example", {"first_name": n}, tags=tags)
        for n in names
    ]
    world.dialogs.change(ACCOUNT, "line1", changes, world.clock.now())


def people(count: int) -> list[str]:
    return [f"n{number:06}" for number in range(count)]


def draft(world: World) -> str:
    world.add_line()
    return world.add_campaign(0).campaign_id


def asked(world: World, campaign_id: str, **tags: tuple[str, ...]) -> ImportJob:
    source = DialogSource("line1", TagFilter(**tags))
    return start_from_dialogs(ACCOUNT, campaign_id, source, world.dialog_source_ports)


def run(
    world: World, job: ImportJob, ports: ImportPorts | None = None, patience: timedelta = LATER
) -> JobState:
    stop_at = world.clock.now() + patience
    return import_contacts(ACCOUNT, job.import_id, ports or world.import_ports, stop_at)


def progress_of(world: World, job: ImportJob) -> ImportProgress:
    return world.imports.get(ACCOUNT, job.import_id).progress


def local_parts(world: World, campaign_id: str) -> list[str]:
    return sorted(c.person.email.partition("@")[0].lower() for c in world.all_contacts(campaign_id))


class Walking:
    """The world's dialogs, with something that happens before a stretch is walked."""

    def __init__(self, world: World, at: int, happens: Iterator[object]) -> None:
        self._world = world
        self._left = at
        self._happens = happens

    def walk(self, account_id: str, line_id: str, place: str, wanted: TagFilter, until: datetime) -> Walk:
        if not self._left:
            next(self._happens, None)
        self._left -= 1
        return self._world.dialogs.walk(account_id, line_id, place, wanted, until)


def meeting(world: World, at: int, happens: Iterator[object]) -> ImportPorts:
    return replace(world.import_ports, dialogs=Walking(world, at, happens))  # type: ignore[arg-type]


def dies() -> Iterator[object]:
    raise Killed
    yield


class TestFromDialogs:
    def test_all_dialogs_of_a_line_become_contacts(self) -> None:
        world = World()
        one = draft(world)
        tell(world, "ann", "bob", "cid")
        world.add_people(one, "BOB@mail.example")
        world.suppress("cid@mail.example")
        job = asked(world, one)
        assert job.state is JobState.QUEUED
        assert world.import_queue.take() == [{"account_id": ACCOUNT, "import_id": job.import_id}]
        assert run(world, job) is JobState.DONE
        done, link = read_import(ACCOUNT, job.import_id, world.contact_ports)
        assert (done.state, link) == (JobState.DONE, None)
        progress = done.progress
        assert (progress.rows, progress.added, progress.duplicates) == (3, 2, 1)
        assert (progress.rejected, progress.suppressed) == (0, 1)
        assert local_parts(world, one) == ["ann", "bob", "cid"]
        ann = next(c for c in world.all_contacts(one) if c.person.email == "Ann@mail.example")
        assert ann.person.first_name == "ann"
        assert {"account_id": ACCOUNT, "campaign_id": one} in world.dispatch_queue.take()

    def test_tags_choose(self) -> None:
        world = World()
        one = draft(world)
        tell(world, "ann", tags=("VIP", "Gold"))
        tell(world, "bob", tags=("vip",))
        tell(world, "cid", tags=("Gold", "left"))
        tell(world, "dan")
        run(world, asked(world, one, any_of=("vip", "gold"), none_of=("LEFT",)))
        assert local_parts(world, one) == ["ann", "bob"]
        run(world, asked(world, one, all_of=("gold", "left")))
        assert local_parts(world, one) == ["ann", "bob", "cid"]

    def test_asked_twice_it_adds_nobody_twice(self) -> None:
        world = World()
        one = draft(world)
        tell(world, *people(5))
        first, second = asked(world, one), asked(world, one)
        assert [run(world, first), run(world, first), run(world, second)] == [JobState.DONE] * 3
        assert (progress_of(world, first).added, progress_of(world, second).duplicates) == (5, 5)
        assert len(world.all_contacts(one)) == 5

    def test_later_dialogs_are_not_added_by_themselves(self) -> None:
        world = World()
        one = draft(world)
        tell(world, "ann")
        job = asked(world, one)
        world.clock.wait(seconds=1)
        tell(world, "bob")
        tell(world, "ann", tags=("VIP",))
        run(world, job)
        assert local_parts(world, one) == ["ann"]
        run(world, asked(world, one))
        assert local_parts(world, one) == ["ann", "bob"]

    def test_a_run_that_was_killed_is_resumed_and_loses_nobody(self) -> None:
        world = World()
        one = draft(world)
        tell(world, *people(2 * STRETCH + 5))
        job = asked(world, one)
        with pytest.raises(Killed):
            run(world, job, meeting(world, 1, dies()))
        seen = progress_of(world, job)
        assert (seen.rows, seen.added, bool(seen.place)) == (STRETCH, STRETCH, True)
        assert run(world, job) is JobState.DONE
        progress = progress_of(world, job)
        assert (progress.rows, progress.added, progress.duplicates) == (2 * STRETCH + 5, 2 * STRETCH + 5, 0)
        assert len(world.all_contacts(one)) == 2 * STRETCH + 5

    def test_of_two_runs_at_once_one_leaves_the_rest_to_the_other(self) -> None:
        world = World()
        one = draft(world)
        tell(world, *people(2 * STRETCH))
        job = asked(world, one)
        others: list[JobState] = []

        def another() -> Iterator[object]:
            others.append(run(world, job))
            yield

        state = run(world, job, meeting(world, 1, another()))
        assert (state, others) == (JobState.RUNNING, [JobState.DONE])
        progress = progress_of(world, job)
        assert (progress.rows, progress.added, progress.duplicates) == (2 * STRETCH, 2 * STRETCH, 0)

    def test_a_place_is_kept_where_nobody_was_wanted(self) -> None:
        """Else a run that meets nobody for all of its time would begin again for ever."""
        world = World()
        one = draft(world)
        tell(world, *people(3 * STRETCH))
        tell(world, "zoe", tags=("VIP",))
        job = asked(world, one, any_of=("VIP",))

        def time_passes() -> Iterator[object]:
            world.clock.wait(hours=2)
            yield

        assert run(world, job, meeting(world, 1, time_passes())) is JobState.RUNNING
        progress = progress_of(world, job)
        assert (progress.rows, progress.place) == (0, f"{people(2 * STRETCH)[-1]}@mail.example")
        assert world.import_queue.take()[-1] == {"account_id": ACCOUNT, "import_id": job.import_id}
        assert run(world, job, meeting(world, 2, dies())) is JobState.DONE, "two stretches were left"
        assert local_parts(world, one) == ["zoe"]

    def test_a_hundred_thousand_dialogs_in_several_runs(self) -> None:
        world = World()
        one = draft(world)
        count = 100_000
        tell(world, *people(count), tags=("customer",))
        tell(world, *people(count)[::10], tags=("left",))
        job = asked(world, one, any_of=("customer",))
        clock = replace(world.import_ports, clock=Ticking(world))  # type: ignore[arg-type]
        states = [run(world, job, clock, timedelta(seconds=300))]
        while states[-1] is JobState.RUNNING:
            states.append(run(world, job, clock, timedelta(seconds=300)))
        assert len(states) > 2
        progress = progress_of(world, job)
        wanted = count - count // 10
        assert (progress.rows, progress.added, progress.duplicates) == (wanted, wanted, 0)
        assert len(world.all_contacts(one)) == wanted

    def test_a_demo_line_carries_twenty_from_dialogs_too(self) -> None:
        world = World()
        world.add_line(plan=LinePlan.DEMO)
        one = world.add_campaign(0).campaign_id
        tell(world, *people(DEMO_CONTACTS + 1))
        run(world, asked(world, one))
        with pytest.raises(Conflict) as refused:
            launch_campaign(ACCOUNT, one, None, world.campaign_ports)
        assert refused.value.allowed == ("demo_limit",)

    def test_a_running_campaign_sends_to_them(self) -> None:
        world = World()
        one = world.running(1)
        world.visit(one)
        tell(world, *people(3))
        run(world, asked(world, one))
        world.clock.wait(seconds=10)
        assert len(world.visit(one)) == 3


class TestRefusals:
    def test_a_line_or_campaign_that_is_not_the_accounts_own(self) -> None:
        world = World()
        one = draft(world)
        ports = world.dialog_source_ports
        with pytest.raises(Invalid):
            start_from_dialogs(ACCOUNT, one, DialogSource("line2"), ports)
        with pytest.raises(NotFound):
            start_from_dialogs(STRANGER, one, DialogSource("line1"), ports)
        assert world.import_queue.take() == []

    def test_a_line_deleted_meanwhile_fails_the_job(self) -> None:
        """Some of its dialogs may have been gone before they were met: that must not look complete."""
        world = World()
        one = draft(world)
        tell(world, *people(PIECE))
        job = asked(world, one)

        def goes() -> Iterator[object]:
            world.lines.remove(ACCOUNT, "line1")
            world.dialogs.purge(ACCOUNT, "line1")
            yield

        assert run(world, job, meeting(world, 0, goes())) is JobState.FAILED
        failed = world.imports.get(ACCOUNT, job.import_id)
        assert failed.reason is not None
        assert (failed.reason.code, failed.state) == ("line_gone", JobState.FAILED)

    def test_a_campaign_deleted_meanwhile_takes_nobody(self) -> None:
        world = World()
        one = draft(world)
        tell(world, *people(3))
        job = asked(world, one)

        def goes() -> Iterator[object]:
            delete_campaign(ACCOUNT, one, None, world.campaign_ports)
            yield

        assert run(world, job, meeting(world, 0, goes())) is JobState.FAILED
        assert world.campaigns.status(ACCOUNT, one) is CampaignStatus.DELETING
        world.purge_deleted()
        assert world.all_contacts(one) == []


class Ticking:
    """A clock that is a second later each time it is asked."""

    def __init__(self, world: World) -> None:
        self._world = world

    def now(self) -> datetime:
        return self._world.clock.wait(seconds=1)
