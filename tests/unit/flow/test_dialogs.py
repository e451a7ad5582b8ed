"""Dialogs: told singly and in bulk, tagged, listed, removed, imported from files, gone with their line."""

from datetime import timedelta

import pytest

from chalicelib.domain.dialog import MAX_TAGS, DialogChange, Outcome, TagFilter
from chalicelib.domain.job import ImportJob, ImportProgress, JobState
from chalicelib.errors import FieldError, Invalid, NotFound
from chalicelib.flow.dialogs import (
    find_dialog,
    list_dialog_files,
    list_dialogs,
    purge_dialogs,
    remove_dialog,
    start_dialog_file,
    tag_dialogs,
    tell_dialog,
    tell_dialogs,
)
from chalicelib.flow.import_targets import PIECE_OF_DIALOGS
from chalicelib.flow.imports import import_contacts, read_import, rejected_key, upload_key
from chalicelib.flow.lines import remove_line
from tests.fakes.world import ACCOUNT, STRANGER, World

LATER = timedelta(hours=1)
CREATED, UPDATED, UNCHANGED, MISSING, INVALID = Outcome


def line(world: World, line_id: str = "line1") -> str:
    return world.add_line(line_id).line_id


def told(name: str, *tags: str, **changes: object) -> DialogChange:
    email = f"{name}@mail.example"
    return DialogChange(email, email, tags=tags or None, **changes)  # type: ignore[arg-type]


def listed(world: World, line_id: str = "line1", prefix: str = "", **tags: tuple[str, ...]) -> list[str]:
    page = list_dialogs(ACCOUNT, line_id, None, 100, TagFilter(**tags), prefix, world.dialog_ports)
    return [dialog.key.partition("@")[0] for dialog in page.items]


class TestTelling:
    def test_each_item_is_answered_for_and_one_that_is_wrong_spoils_no_other(self) -> None:
        world = World()
        line(world)
        tell_dialog(ACCOUNT, "line1", told("bob", "VIP"), world.dialog_ports)
        wrong = Invalid(FieldError("email", "address_invalid", "No."))
        future = told("eve", last_message_at=world.clock.now() + timedelta(days=9))
        full = told("dan", *map(str, range(MAX_TAGS + 1)))
        items = [told("ann"), wrong, told("bob", "vip"), told("bob", "Gold"), future, full]
        results = tell_dialogs(ACCOUNT, "line1", items, world.dialog_ports)
        outcomes = [result.outcome for result in results]
        assert outcomes == [CREATED, INVALID, UNCHANGED, UPDATED, INVALID, INVALID]
        faults = [(e.field, e.code) for result in results for e in result.errors]
        assert faults == [
            ("email", "address_invalid"),
            ("last_message_at", "time_in_future"),
            ("tags", "too_many_tags"),
        ]
        assert listed(world) == ["ann", "bob"]

    def test_a_single_one_that_is_wrong_is_refused(self) -> None:
        world = World()
        line(world)
        with pytest.raises(Invalid):
            tell_dialog(ACCOUNT, "line1", told("a", *map(str, range(MAX_TAGS + 1))), world.dialog_ports)
        assert listed(world) == []

    def test_tags_are_edited_by_address_however_it_is_written(self) -> None:
        world = World()
        line(world)
        tell_dialogs(ACCOUNT, "line1", [told("ann", "a"), told("bob")], world.dialog_ports)
        emails = ["ANN@mail.example", "nonsense", "bob@mail.example", "eve@mail.example"]
        results = tag_dialogs(ACCOUNT, "line1", emails, ("b",), ("A",), world.dialog_ports)
        assert [one.outcome for one in results] == [UPDATED, INVALID, UPDATED, MISSING]
        assert results[1].errors[0].field == "email"
        assert listed(world, all_of=("b",), none_of=("a",)) == ["ann", "bob"]

    def test_one_is_found_and_removed_by_its_address(self) -> None:
        world = World()
        line(world)
        tell_dialogs(ACCOUNT, "line1", [told("ann"), told("anna")], world.dialog_ports)
        assert len(find_dialog(ACCOUNT, "line1", " Ann@MAIL.example", world.dialog_ports).items) == 1
        assert find_dialog(ACCOUNT, "line1", "x@mail.example", world.dialog_ports).items == []
        with pytest.raises(Invalid):
            find_dialog(ACCOUNT, "line1", "x", world.dialog_ports)
        assert listed(world, prefix="ANN") == ["ann", "anna"]
        remove_dialog(ACCOUNT, "line1", "ANN@mail.example", world.dialog_ports)
        assert listed(world) == ["anna"]
        with pytest.raises(NotFound):
            remove_dialog(ACCOUNT, "line1", "ann@mail.example", world.dialog_ports)

    def test_another_account_has_no_such_line(self) -> None:
        world = World()
        line(world)
        tell_dialog(ACCOUNT, "line1", told("ann"), world.dialog_ports)
        ports = world.dialog_ports
        for step in (
            lambda: tell_dialogs(STRANGER, "line1", [told("ann")], ports),
            lambda: tag_dialogs(STRANGER, "line1", ["ann@mail.example"], ("a",), (), ports),
            lambda: find_dialog(STRANGER, "line1", "ann@mail.example", ports),
            lambda: list_dialogs(STRANGER, "line1", None, 10, TagFilter(), "", ports),
            lambda: remove_dialog(STRANGER, "line1", "ann@mail.example", ports),
            lambda: start_dialog_file(STRANGER, "line1", "a.csv", "csv", ports),
            lambda: list_dialog_files(STRANGER, "line1", None, 10, ports),
        ):
            with pytest.raises(NotFound, match="line"):
                step()
        assert listed(world) == ["ann"]


def uploaded(world: World, rows: list[str]) -> ImportJob:
    job, _ = start_dialog_file(ACCOUNT, "line1", "people.csv", "csv", world.dialog_ports)
    text = "\n".join(["email;First Name;Tags;Last message", *rows])
    world.files.contents[upload_key(ACCOUNT, job.campaign_id, job.import_id)] = text.encode()
    return job


def run(world: World, job: ImportJob, patience: timedelta = LATER) -> JobState:
    return import_contacts(ACCOUNT, job.import_id, world.import_ports, world.clock.now() + patience)


def progress_of(world: World, job: ImportJob) -> ImportProgress:
    return world.imports.get(ACCOUNT, job.import_id).progress


class TestFile:
    def test_every_row_is_accounted_for(self) -> None:
        world = World()
        line(world)
        tell_dialogs(ACCOUNT, "line1", [told("bob", "Old"), told("cid", "x")], world.dialog_ports)
        job = uploaded(
            world,
            [
                "ann@mail.example;Ann;VIP, new;2026-03-01",
                "BOB@mail.example;;vip;",
                "cid@mail.example;;X;",
                "nonsense;;;",
                "eve@mail.example;;;yesterday",
                "ann@mail.example;Anna;;",
            ],
        )
        assert job.state is JobState.WAITING
        assert run(world, job) is JobState.DONE
        done, link = read_import(ACCOUNT, job.import_id, world.contact_ports)
        assert done.progress == ImportProgress(
            next_row=6, rows=6, added=1, duplicates=3, rejected=2, updated=2
        )
        assert link is not None
        rejected = world.files.contents[rejected_key(ACCOUNT, job.campaign_id, job.import_id)].decode()
        assert [row.split(",")[2] for row in rejected.splitlines()[1:]] == [
            "address_invalid",
            "time_not_understood",
        ]
        (ann,) = find_dialog(ACCOUNT, "line1", "ann@mail.example", world.dialog_ports).items
        assert (ann.person.first_name, ann.tags, ann.last_message_at is None) == (
            "Anna",
            ("new", "VIP"),
            False,
        )
        (bob,) = find_dialog(ACCOUNT, "line1", "bob@mail.example", world.dialog_ports).items
        assert bob.tags == ("Old", "vip")
        assert list_dialog_files(ACCOUNT, "line1", None, 10, world.dialog_ports).items == [done]
        assert world.dispatch_queue.take() == []

    def test_a_note_that_is_too_long_costs_no_dialog_and_is_counted(self) -> None:
        world = World()
        line(world)
        job = uploaded(world, [])
        text = f"email;Comment\nann@mail.example;{'x' * 1_100}\nbob@mail.example;short"
        world.files.contents[upload_key(ACCOUNT, job.campaign_id, job.import_id)] = text.encode()
        assert run(world, job) is JobState.DONE
        assert (progress_of(world, job).added, progress_of(world, job).incomplete) == (2, 1)

    def test_the_same_file_twice_changes_nothing(self) -> None:
        world = World()
        line(world)
        rows = [f"n{number}@mail.example;N;a,b;2026-03-01" for number in range(PIECE_OF_DIALOGS + 5)]
        run(world, uploaded(world, rows))
        again = uploaded(world, rows)
        assert [run(world, again), run(world, again)] == [JobState.DONE, JobState.DONE]
        progress = progress_of(world, again)
        assert (progress.added, progress.duplicates, progress.updated) == (0, len(rows), 0)

    def test_out_of_time_it_goes_on_where_it_was(self) -> None:
        world = World()
        line(world)
        job = uploaded(world, [f"n{number}@mail.example;;;" for number in range(2 * PIECE_OF_DIALOGS + 5)])
        asked: list[None] = []
        now = world.clock.now

        class Ticking:
            def now(self):  # type: ignore[no-untyped-def]
                asked.append(None)
                return now() + timedelta(minutes=len(asked))

        world.clock = Ticking()  # type: ignore[assignment]
        states = []
        while JobState.DONE not in states:
            states.append(run(world, job, timedelta(minutes=3)))
            assert len(states) < 10
        assert states[0] is JobState.RUNNING
        assert world.import_queue.take()[0] == {"account_id": ACCOUNT, "import_id": job.import_id}
        assert progress_of(world, job).added == 2 * PIECE_OF_DIALOGS + 5

    def test_a_line_that_is_deleted_meanwhile_takes_nobody(self) -> None:
        world = World()
        line(world)
        job = uploaded(world, ["ann@mail.example;;;"])
        remove_line(ACCOUNT, "line1", world.line_ports)
        assert run(world, job) is JobState.FAILED
        reason = world.imports.get(ACCOUNT, job.import_id).reason
        assert reason is not None
        assert reason.code == "line_gone"


class OutOfReach(Exception):
    """The tables didn't answer."""


class TestDeletedLine:
    def test_its_dialogs_jobs_and_files_are_removed_and_another_lines_stay(self) -> None:
        world = World()
        line(world)
        line(world, "line2")
        for line_id in ("line1", "line2"):
            tell_dialog(ACCOUNT, line_id, told("ann"), world.dialog_ports)
        job = uploaded(world, ["bob@mail.example;;;"])
        run(world, job)
        remove_line(ACCOUNT, "line1", world.line_ports)
        (message,) = world.removal_queue.take()
        assert message == {"account_id": ACCOUNT, "line_id": "line1"}
        assert purge_dialogs(ACCOUNT, "line1", world.removal_ports)
        assert purge_dialogs(ACCOUNT, "line1", world.removal_ports), "it can be repeated"
        assert world.dialogs.page(ACCOUNT, "line1", None, 10).items == []
        assert listed(world, "line2") == ["ann"]
        assert world.files.contents == {}
        with pytest.raises(NotFound):
            world.imports.get(ACCOUNT, job.import_id)

    def test_a_line_that_is_still_there_keeps_them(self) -> None:
        world = World()
        line(world)
        tell_dialog(ACCOUNT, "line1", told("ann"), world.dialog_ports)
        assert not purge_dialogs(ACCOUNT, "line1", world.removal_ports)
        assert listed(world) == ["ann"]

    def test_it_is_asked_for_before_nobody_knows_the_line_any_more(self) -> None:
        world = World()
        line(world)

        def unreachable(account_id: str, line_id: str) -> None:
            raise OutOfReach

        world.lines.remove = unreachable  # type: ignore[method-assign]
        with pytest.raises(OutOfReach):
            remove_line(ACCOUNT, "line1", world.line_ports)
        assert len(world.removal_queue.take()) == 1

    def test_a_line_that_never_was_asks_for_nothing(self) -> None:
        world = World()
        with pytest.raises(NotFound):
            remove_line(ACCOUNT, "line1", world.line_ports)
        assert world.removal_queue.take() == []
