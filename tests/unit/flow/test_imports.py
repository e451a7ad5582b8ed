"""Imports: files that die half-way, come twice, run out of time or lose their campaign."""

import csv
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from chalicelib.domain.campaign import CampaignStatus
from chalicelib.domain.contact_file import RejectedRow, SheetRow
from chalicelib.domain.job import ImportJob, ImportProgress, JobState
from chalicelib.errors import NotFound, Outdated
from chalicelib.flow.campaign import delete_campaign
from chalicelib.flow.columns import MAX_CAMPAIGN_COLUMNS
from chalicelib.flow.import_targets import PIECE
from chalicelib.flow.imports import (
    MAX_UPLOAD,
    ImportPorts,
    import_contacts,
    list_imports,
    read_import,
    rejected_key,
    sample_file_link,
    start_import,
    upload_key,
)
from tests.fakes.after_pieces import AfterPieces
from tests.fakes.workbook import read_lines
from tests.fakes.world import ACCOUNT, World

LATER = timedelta(hours=1)


class Killed(Exception):
    """The importer's process ended here."""


def draft(world: World) -> str:
    world.add_line()
    return world.add_campaign(0).campaign_id


def people(count: int) -> list[str]:
    return [f"p{number}@mail.example" for number in range(count)]


def uploaded(world: World, campaign_id: str, rows: list[str]) -> str:
    job, _ = start_import(ACCOUNT, campaign_id, "people.csv", "csv", world.contact_ports)
    text = "\n".join(["email", *rows])
    world.files.contents[upload_key(ACCOUNT, campaign_id, job.import_id)] = text.encode()
    return job.import_id


def run(world: World, import_id: str, ports: ImportPorts | None = None) -> JobState:
    return import_contacts(ACCOUNT, import_id, ports or world.import_ports, world.clock.now() + LATER)


def job_of(world: World, import_id: str) -> ImportJob:
    return world.imports.get(ACCOUNT, import_id)


def rejected_rows(world: World, campaign_id: str, import_id: str) -> list[str]:
    text = world.files.contents[rejected_key(ACCOUNT, campaign_id, import_id)].decode("utf-8-sig")
    return text.splitlines()


def dies_at(world: World, row: int) -> ImportPorts:
    """Ports whose file reader kills the run at a row."""

    def read(path: Path) -> Iterator[SheetRow | RejectedRow]:
        for number, one in enumerate(read_lines(path)):
            if number == row:
                raise Killed
            yield one

    return replace(world.import_ports, read_rows=read)


def test_a_sample_file_can_be_downloaded() -> None:
    world = World()
    link = sample_file_link("csv", lambda kind: kind.encode(), world.files)
    assert "samples/contacts.csv" in link
    assert world.files.contents["samples/contacts.csv"] == b"csv"
    with pytest.raises(NotFound):
        sample_file_link("exe", lambda kind: kind.encode(), world.files)


def says_it_lost() -> None:
    """A piece was stored, and is called somebody else's."""
    raise Outdated


def test_an_import_that_takes_its_own_write_for_anothers_goes_on() -> None:
    """No other run is there to finish it: it asks itself to look again, later."""
    world = World()
    one = draft(world)
    job = uploaded(world, one, people(3 * PIECE))
    contacts = AfterPieces(world, lambda: None, says_it_lost)
    assert run(world, job, replace(world.import_ports, contacts=contacts)) is JobState.RUNNING
    (again,) = world.import_queue.take()
    assert job_of(world, job).progress.next_row == 2 * PIECE
    assert run(world, again["import_id"]) is JobState.DONE
    assert world.contacts.totals(ACCOUNT, one).contacts == 3 * PIECE
    assert world.import_queue.take() == []


class TestImport:
    def test_an_import_waits_for_its_file(self) -> None:
        world = World()
        one = draft(world)
        job, form = start_import(ACCOUNT, one, "people.csv", "csv", world.contact_ports)
        assert (job.state, form.fields["max"]) == (JobState.WAITING, str(MAX_UPLOAD))
        assert form.fields["key"] == upload_key(ACCOUNT, one, job.import_id)
        assert read_import(ACCOUNT, job.import_id, world.contact_ports) == (job, None)
        assert list_imports(ACCOUNT, one, None, 10, world.contact_ports).items == [job]

    def test_every_row_is_accounted_for(self) -> None:
        world = World()
        one = draft(world)
        world.add_people(one, "p0@mail.example")
        job = uploaded(world, one, [*people(3), "P1@mail.example", "nonsense", "=cmd@"])
        assert run(world, job) is JobState.DONE
        done, link = read_import(ACCOUNT, job, world.contact_ports)
        assert done.progress == ImportProgress(next_row=6, rows=6, added=2, duplicates=2, rejected=2)
        assert link is not None
        header, first, second = rejected_rows(world, one, job)
        assert header == "row,value,code,reason"
        assert first.startswith("6,nonsense,")
        assert second.startswith("7,'=cmd@,")
        assert world.dispatch_queue.take() == [{"account_id": ACCOUNT, "campaign_id": one}]

    def test_no_cell_of_the_rejected_rows_is_a_formula(self) -> None:
        """A reason may begin with the name of a column, which is the customer's."""
        world = World()
        one = draft(world)
        job, _ = start_import(ACCOUNT, one, "people.csv", "csv", world.contact_ports)
        said = RejectedRow(2, "=1+1", "field_too_long", "=cmd() has 9,999 characters; 1,024 is the most.")
        ports = replace(world.import_ports, read_rows=lambda _: iter([SheetRow(1, ["email"]), said]))
        world.files.contents[upload_key(ACCOUNT, one, job.import_id)] = b"email"
        assert run(world, job.import_id, ports) is JobState.DONE
        (row,) = list(csv.reader(rejected_rows(world, one, job.import_id)))[1:]
        assert row == ["2", "'=1+1", "field_too_long", f"'{said.text}"]

    def test_a_message_that_comes_twice_adds_nobody_twice(self) -> None:
        world = World()
        one = draft(world)
        job = uploaded(world, one, people(5))
        assert [run(world, job), run(world, job)] == [JobState.DONE, JobState.DONE]
        assert job_of(world, job).progress.added == 5
        assert len(world.all_contacts(one)) == 5

    def test_a_run_that_was_killed_is_resumed_and_loses_nobody(self) -> None:
        world = World()
        one = draft(world)
        rows = ["nonsense", *people(3 * PIECE), "more nonsense"]
        job = uploaded(world, one, rows)
        with pytest.raises(Killed):
            run(world, job, dies_at(world, 2 * PIECE + 10))
        assert job_of(world, job).progress.next_row == 2 * PIECE
        assert run(world, job) is JobState.DONE
        progress = job_of(world, job).progress
        assert (progress.rows, progress.added, progress.rejected) == (len(rows), 3 * PIECE, 2)
        assert len(world.all_contacts(one)) == 3 * PIECE
        assert len(rejected_rows(world, one, job)) == 3, "the list is complete although two runs made it"

    def test_out_of_time_it_asks_to_go_on_and_does(self) -> None:
        world = World()
        one = draft(world)
        job = uploaded(world, one, people(2 * PIECE + 1))
        runs = 0
        state = JobState.RUNNING
        while state is JobState.RUNNING:
            runs += 1
            read = replace(world.import_ports, clock=Ticking(world))
            state = import_contacts(ACCOUNT, job, read, world.clock.now() + timedelta(seconds=3))
            if state is JobState.RUNNING:
                assert world.import_queue.take() == [{"account_id": ACCOUNT, "import_id": job}]
        assert runs == 3
        assert job_of(world, job).progress.added == 2 * PIECE + 1

    def test_of_two_runs_at_once_one_leaves_the_rest_to_the_other(self) -> None:
        world = World()
        one = draft(world)
        job = uploaded(world, one, people(2 * PIECE))
        others: list[JobState] = []

        def read(path: Path) -> Iterator[SheetRow | RejectedRow]:
            for number, row in enumerate(read_lines(path)):
                if number == PIECE + 10:
                    others.append(run(world, job))
                yield row

        state = run(world, job, replace(world.import_ports, read_rows=read))
        assert (state, others) == (JobState.RUNNING, [JobState.DONE])
        done = job_of(world, job)
        assert (done.state, done.progress.rows, done.progress.added) == (JobState.DONE, 2 * PIECE, 2 * PIECE)

    def test_a_file_that_can_not_be_taken_fails_with_the_reason(self) -> None:
        world = World()
        one = draft(world)
        job = uploaded(world, one, [*people(PIECE), "!broken"])
        assert run(world, job) is JobState.FAILED
        failed = job_of(world, job)
        assert failed.reason is not None
        assert (failed.state, failed.reason.code, failed.progress.added) == (
            JobState.FAILED,
            "unclosed_quote",
            PIECE,
        )
        assert len(world.all_contacts(one)) == PIECE
        assert run(world, job) is JobState.DONE, "what is over is over"

    def test_a_file_that_is_not_there_fails(self) -> None:
        world = World()
        job, _ = start_import(ACCOUNT, draft(world), "people.csv", "csv", world.contact_ports)
        assert run(world, job.import_id) is JobState.FAILED

    def test_a_note_that_is_too_long_costs_nobody_the_mail_and_is_counted_once(self) -> None:
        world = World()
        one = draft(world)
        job = uploaded(world, one, [])
        note = "x" * 1_100
        rows = ["email;Comment", *(f"{person};{note}" for person in people(PIECE)), "z@mail.example;short"]
        world.files.contents[upload_key(ACCOUNT, one, job)] = "\n".join(rows).encode()
        with pytest.raises(Killed):
            run(world, job, dies_at(world, PIECE + 1))
        assert job_of(world, job).progress.incomplete == PIECE
        assert run(world, job) is JobState.DONE
        progress = job_of(world, job).progress
        assert (progress.added, progress.rejected, progress.incomplete) == (PIECE + 1, 0, PIECE)
        assert {contact.person.p1 for contact in world.all_contacts(one)} == {"", "short"}

    def test_further_columns_are_noted_before_the_people_who_have_them(self) -> None:
        world = World()
        one = draft(world)
        job = uploaded(world, one, [])
        rows = [
            "email;City;Shoe size",
            *(f"{person};Perm;" for person in people(PIECE)),
            "z@mail.example;;43",
        ]
        world.files.contents[upload_key(ACCOUNT, one, job)] = "\n".join(rows).encode()
        noted: list[tuple[int, set[str]]] = []
        add = world.campaigns.add_columns

        def note(account_id: str, campaign_id: str, names: AbstractSet[str]) -> None:
            noted.append((len(world.all_contacts(one)), set(names)))
            add(account_id, campaign_id, names)

        world.campaigns.add_columns = note  # type: ignore[method-assign]
        assert run(world, job) is JobState.DONE
        assert noted == [(0, {"City"}), (PIECE, {"Shoe size"})]
        assert world.campaigns.get(ACCOUNT, one).columns == ("City", "Shoe size")

    def test_a_file_with_known_columns_notes_none(self) -> None:
        world = World()
        one = draft(world)
        world.campaigns.add_columns(ACCOUNT, one, {"City"})
        job = uploaded(world, one, [])
        world.files.contents[upload_key(ACCOUNT, one, job)] = b"email;City\na@mail.example;Perm"
        world.campaigns.add_columns = None  # type: ignore[assignment, method-assign]
        assert run(world, job) is JobState.DONE

    def test_more_columns_than_a_campaign_can_know_end_the_import_and_say_so(self) -> None:
        world = World()
        one = draft(world)
        world.campaigns.add_columns(
            ACCOUNT, one, {f"Field {number}" for number in range(MAX_CAMPAIGN_COLUMNS)}
        )
        job = uploaded(world, one, [])
        world.files.contents[upload_key(ACCOUNT, one, job)] = b"email;City\na@mail.example;Perm"
        assert run(world, job) is JobState.FAILED
        reason = job_of(world, job).reason
        assert reason is not None
        assert (reason.code, "500 further columns" in reason.text) == ("too_many_columns", True)
        assert world.all_contacts(one) == []
        assert len(world.campaigns.get(ACCOUNT, one).columns) == MAX_CAMPAIGN_COLUMNS

    def test_a_campaign_deleted_meanwhile_takes_nobody_and_keeps_no_file(self) -> None:
        world = World()
        one = draft(world)
        job = uploaded(world, one, people(2 * PIECE))

        def read(path: Path) -> Iterator[SheetRow | RejectedRow]:
            for number, row in enumerate(read_lines(path)):
                if number == PIECE + 10:
                    delete_campaign(ACCOUNT, one, None, world.campaign_ports)
                yield row

        assert run(world, job, replace(world.import_ports, read_rows=read)) is JobState.FAILED
        world.purge_deleted()
        assert world.all_contacts(one) == []
        assert world.files.contents == {}

    @pytest.mark.parametrize("purged", [True, False])
    def test_a_campaign_removed_just_before_the_end_keeps_no_file(self, purged: bool) -> None:
        world = World()
        one = draft(world)
        job = uploaded(world, one, people(3))

        def read(path: Path) -> Iterator[SheetRow | RejectedRow]:
            yield from read_lines(path)

        put = world.files.put

        def put_late(key: str, path: Path, content_type: str) -> None:
            delete_campaign(ACCOUNT, one, None, world.campaign_ports)
            if purged:
                world.purge_deleted()
            put(key, path, content_type)

        world.files.put = put_late  # type: ignore[method-assign]
        run(world, job, replace(world.import_ports, read_rows=read))
        world.purge_deleted()
        assert world.files.contents == {}
        with pytest.raises(NotFound):
            job_of(world, job)

    def test_an_unknown_job_is_over(self) -> None:
        assert run(World(), "nothing") is JobState.DONE

    def test_nobody_is_lost_when_an_import_meets_a_running_campaign(self) -> None:
        world = World()
        one = world.running(1)
        world.visit(one)
        run(world, uploaded(world, one, people(3)))
        assert world.campaigns.get(ACCOUNT, one).status is CampaignStatus.IN_PROGRESS
        world.clock.wait(seconds=10)
        assert len(world.visit(one)) == 3


class Ticking:
    """A clock that is a second later each time it is asked."""

    def __init__(self, world: World) -> None:
        self._world = world

    def now(self):  # type: ignore[no-untyped-def]
        return self._world.clock.wait(seconds=1)
