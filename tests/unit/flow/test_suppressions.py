"""The suppression list by hand and as files, and how many of a campaign's contacts are on it."""

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from chalicelib.domain.contact import Person
from chalicelib.domain.contact_file import SheetRow
from chalicelib.domain.job import SUPPRESSION_LIST, JobState
from chalicelib.domain.suppression import SuppressionReason
from chalicelib.errors import Invalid, NotFound
from chalicelib.flow import suppressed as counting
from chalicelib.flow.contacts import add_contacts
from chalicelib.flow.imports import import_contacts, read_import, start_import, upload_key
from chalicelib.flow.report import export_key, export_report, read_export, start_export
from chalicelib.flow.suppressed import SuppressedCount, count_suppressed
from chalicelib.flow.suppression_export import export_list, export_subject
from chalicelib.flow.suppressions import (
    allow_address,
    find_suppressed,
    list_suppressed,
    page_list_imports,
    start_list_export,
    start_list_import,
    suppress_addresses,
)
from tests.fakes.world import ACCOUNT, STRANGER, World

UNSUBSCRIBED, BOUNCED, COMPLAINED, ADDED = SuppressionReason


def listed(world: World, account: str = ACCOUNT) -> dict[str, SuppressionReason]:
    page = world.suppressions.page(account, None, 1_000)
    return {one.address: one.reason for one in page.items}


def draft(world: World) -> str:
    """The id of a campaign without contacts."""
    world.add_line()
    return world.add_campaign(0).campaign_id


def import_list(world: World, text: str) -> str:
    """The id of an import into the list that was uploaded and has run once."""
    job, _ = start_list_import(ACCOUNT, "list.csv", "csv", world.list_ports)
    world.files.contents[upload_key(ACCOUNT, SUPPRESSION_LIST, job.import_id)] = text.encode()
    ports = replace(world.import_ports, read_rows=read_csv)
    import_contacts(ACCOUNT, job.import_id, ports, world.stop_at())
    return job.import_id


def read_csv(path: Path) -> Iterator[SheetRow]:
    """The rows of a file as the real readers give them."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        yield from (SheetRow(number, cells) for number, cells in enumerate(csv.reader(file), 1))


class TestByHand:
    def test_addresses_are_added_once_however_they_are_written(self) -> None:
        world = World()
        first = suppress_addresses(ACCOUNT, ["Ann@mail.example"], UNSUBSCRIBED, world.list_ports)
        world.clock.wait(minutes=1)
        again = ["ann@MAIL.example", "bob@mail.example", "Bob@mail.example"]
        second = suppress_addresses(ACCOUNT, again, ADDED, world.list_ports)
        assert (first.added, first.duplicates, second.added, second.duplicates) == (1, 0, 1, 2)
        assert {(one.address, one.reason) for one in second.entries} == {
            ("Ann@mail.example", UNSUBSCRIBED),
            ("Bob@mail.example", ADDED),
        }

    def test_all_wrong_addresses_are_told_and_none_is_added(self) -> None:
        world = World()
        with pytest.raises(Invalid) as refused:
            suppress_addresses(ACCOUNT, ["x", "ann@mail.example", "y"], ADDED, world.list_ports)
        assert [error.field for error in refused.value.errors] == ["addresses[0]", "addresses[2]"]
        assert listed(world) == {}

    def test_an_address_is_found_and_taken_off_however_it_is_written(self) -> None:
        world = World()
        world.suppress("ann@mail.example", COMPLAINED)
        (found,) = find_suppressed(ACCOUNT, " ANN@mail.example ", world.list_ports).items
        assert allow_address(ACCOUNT, "Ann@Mail.Example", world.list_ports) == found
        assert find_suppressed(ACCOUNT, "ann@mail.example", world.list_ports).items == []
        with pytest.raises(NotFound):
            allow_address(ACCOUNT, "ann@mail.example", world.list_ports)

    def test_nobody_takes_an_address_off_anothers_list(self) -> None:
        world = World()
        world.suppress("ann@mail.example")
        with pytest.raises(NotFound):
            allow_address(STRANGER, "ann@mail.example", world.list_ports)
        assert find_suppressed(STRANGER, "ann@mail.example", world.list_ports).items == []
        assert listed(world) == {"ann@mail.example": UNSUBSCRIBED}

    def test_what_is_no_address_is_told(self) -> None:
        for step in (find_suppressed, allow_address):
            with pytest.raises(Invalid) as refused:
                step(ACCOUNT, "no address", World().list_ports)
            assert [error.field for error in refused.value.errors] == ["email"]

    @pytest.mark.parametrize("prefix", ["AN", "ann@", "ann@MAIL.", "Ann@Bücher.example", "ann@xn--b"])
    def test_a_prefix_may_be_written_as_one_likes(self, prefix: str) -> None:
        world = World()
        for email in ("ann@mail.example", "ann@bücher.example", "bob@mail.example"):
            world.suppress(email)
        found = list_suppressed(ACCOUNT, None, 10, None, prefix, world.list_ports).items
        assert found
        assert {one.address.partition("@")[0] for one in found} == {"ann"}


class TestImportOfTheList:
    def test_addresses_of_a_file_are_added_and_the_rest_is_told(self) -> None:
        world = World()
        world.suppress("ann@mail.example", BOUNCED)
        world.clock.wait(minutes=1)
        import_id = import_list(
            world, "email\nann@mail.example\nbob@mail.example\nnobody\nBob@mail.example\n"
        )
        job, url = read_import(ACCOUNT, import_id, world.contact_ports)
        progress = job.progress
        assert (job.state, progress.rows, progress.added, progress.duplicates, progress.rejected) == (
            JobState.DONE,
            4,
            1,
            2,
            1,
        )
        assert url is not None
        assert listed(world) == {"ann@mail.example": BOUNCED, "Bob@mail.example": ADDED}
        assert world.dispatch_queue.take() == []
        assert [one.import_id for one in page_list_imports(ACCOUNT, None, 9, world.list_ports).items] == [
            import_id
        ]

    def test_the_same_file_twice_adds_nothing(self) -> None:
        world = World()
        text = "email\n" + "\n".join(f"c{number}@mail.example" for number in range(200))
        import_list(world, text)
        before = world.suppressions.page(ACCOUNT, None, 1_000).items
        world.clock.wait(hours=1)
        job, _ = read_import(ACCOUNT, import_list(world, text), world.contact_ports)
        assert (job.progress.added, job.progress.duplicates) == (0, 200)
        assert world.suppressions.page(ACCOUNT, None, 1_000).items == before

    def test_a_run_whose_time_is_up_is_gone_on_with(self) -> None:
        world = World()
        job, _ = start_list_import(ACCOUNT, "list.csv", "csv", world.list_ports)
        text = "email\n" + "\n".join(f"c{number}@mail.example" for number in range(200))
        world.files.contents[upload_key(ACCOUNT, SUPPRESSION_LIST, job.import_id)] = text.encode()
        state = import_contacts(ACCOUNT, job.import_id, world.import_ports, world.clock.now())
        assert (state, len(listed(world))) == (JobState.RUNNING, 0)
        (message,) = world.import_queue.take()
        for _ in range(2):
            import_contacts(message["account_id"], message["import_id"], world.import_ports, world.stop_at())
        assert read_import(ACCOUNT, job.import_id, world.contact_ports)[0].progress.added == 200
        assert len(listed(world)) == 200

    def test_a_file_that_is_gone_fails_the_job(self) -> None:
        world = World()
        job, _ = start_list_import(ACCOUNT, "list.csv", "csv", world.list_ports)
        import_contacts(ACCOUNT, job.import_id, world.import_ports, world.stop_at())
        failed, _ = read_import(ACCOUNT, job.import_id, world.contact_ports)
        assert failed.reason is not None
        assert (failed.state, failed.reason.code) == (JobState.FAILED, "file_gone")


class TestExportOfTheList:
    def test_it_holds_everybody_with_the_reasons_and_comes_back_by_import(self) -> None:
        world = World()
        for email, reason in {"=1+1@mail.example": BOUNCED, "bob@mail.example": UNSUBSCRIBED}.items():
            world.suppress(email, reason)
        world.clock.wait(minutes=1)
        world.suppress("bob@mail.example", COMPLAINED)
        before = world.suppressions.page(ACCOUNT, None, 10).items
        job = start_list_export(ACCOUNT, world.list_ports)
        assert export_subject(ACCOUNT, job.export_id, world.exports) == SUPPRESSION_LIST
        for _ in range(2):
            export_list(ACCOUNT, job.export_id, world.list_export_ports)
        done, url = read_export(ACCOUNT, job.export_id, world.export_ports)
        assert (done.state, done.rows, done.counted["unsubscribed"]) == (JobState.DONE, 2, 1)
        assert url is not None
        text = world.files.contents[export_key(ACCOUNT, job)].decode("utf-8-sig")
        rows = list(csv.reader(io.StringIO(text)))
        assert [row[:2] for row in rows[1:]] == [
            ["'=1+1@mail.example", "bounced"],
            ["bob@mail.example", "unsubscribed, complained"],
        ]
        for one in before:
            world.suppressions.remove(ACCOUNT, one.key)
        world.clock.wait(days=1)
        import_list(world, text)
        assert world.suppressions.page(ACCOUNT, None, 10).items == before

    def test_an_empty_list_is_a_file_without_rows(self) -> None:
        world = World()
        job = start_list_export(ACCOUNT, world.list_ports)
        export_list(ACCOUNT, job.export_id, world.list_export_ports)
        assert read_export(ACCOUNT, job.export_id, world.export_ports)[0].state is JobState.DONE

    def test_it_is_nobody_elses(self) -> None:
        world = World()
        job = start_list_export(ACCOUNT, world.list_ports)
        assert export_subject(STRANGER, job.export_id, world.exports) is None
        with pytest.raises(NotFound):
            read_export(STRANGER, job.export_id, world.export_ports)

    def test_the_report_of_a_campaign_tells_how_many_were_not_sent_to_for_it(self) -> None:
        world = World()
        one = world.running(2)
        world.suppress("c1@mail.example")
        for order in world.visit(one):
            world.sender().send(order, world.stop_at())
        job = start_export(ACCOUNT, one, world.export_ports)
        export_report(ACCOUNT, job.export_id, world.report_ports)
        book = world.files.contents[export_key(ACCOUNT, job)].decode()
        assert "Of these, suppressed|1" in book
        assert world.contacts.totals(ACCOUNT, one).suppressed == 1


class TestAtImport:
    def test_an_import_of_contacts_tells_how_many_of_the_added_are_on_the_list(self) -> None:
        world = World()
        one = draft(world)
        world.add_people(one, "old@mail.example")
        for email in ("old@mail.example", "Ann@mail.example", "elsewhere@mail.example"):
            world.suppress(email)
        job, _ = start_import(ACCOUNT, one, "f.csv", "csv", world.contact_ports)
        text = "email\nold@mail.example\nann@mail.example\nANN@mail.example\nbob@mail.example\n"
        world.files.contents[upload_key(ACCOUNT, one, job.import_id)] = text.encode()
        for _ in range(2):
            import_contacts(ACCOUNT, job.import_id, world.import_ports, world.stop_at())
        progress = read_import(ACCOUNT, job.import_id, world.contact_ports)[0].progress
        assert (progress.added, progress.duplicates, progress.suppressed) == (2, 2, 1)
        assert len(world.all_contacts(one)) == 3

    def test_adding_by_hand_tells_it_too(self) -> None:
        world = World()
        one = draft(world)
        world.suppress("ann@mail.example")
        people = [Person("Ann@mail.example"), Person("bob@mail.example"), Person("ann@mail.example")]
        added = add_contacts(ACCOUNT, one, people, world.contact_ports)
        assert (added.added, added.duplicates, added.suppressed) == (2, 1, 1)


class TestCount:
    def test_a_short_list_is_looked_up_in_the_campaign(self) -> None:
        world = World()
        one = world.running(5)
        world.suppress("C1@mail.example")
        world.suppress("elsewhere@mail.example")
        assert count_suppressed(ACCOUNT, one, world.count_ports) == SuppressedCount(1, complete=True)

    def test_a_long_list_is_asked_about_the_contacts(self) -> None:
        world = World()
        one = world.running(2)
        for number in range(1, 9):
            world.suppress(f"c{number}@mail.example")
        assert count_suppressed(ACCOUNT, one, world.count_ports) == SuppressedCount(1, complete=True)

    def test_only_those_count_that_would_be_sent_to(self) -> None:
        world = World()
        one = world.running(2)
        for order in world.visit(one):
            world.sender().send(order, world.stop_at())
        world.add_people(one, "new@mail.example", "newer@mail.example")
        for email in ("c0@mail.example", "new@mail.example"):
            world.suppress(email)
        assert count_suppressed(ACCOUNT, one, world.count_ports) == SuppressedCount(1, complete=True)

    def test_what_is_too_large_is_counted_as_far_as_it_goes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        world = World()
        one = world.running(9)
        for number in range(9):
            world.suppress(f"c{number}@mail.example")
        monkeypatch.setattr(counting, "MOST", 4)
        monkeypatch.setattr(counting, "_AT_ONCE", 2)
        assert count_suppressed(ACCOUNT, one, world.count_ports) == SuppressedCount(4, complete=False)

    @pytest.mark.parametrize("extra", [0, 9])
    def test_when_the_time_is_up_it_says_so(self, monkeypatch: pytest.MonkeyPatch, extra: int) -> None:
        world = World()
        one = world.running(4)
        for number in range(2 + extra):
            world.suppress(f"c{number}@mail.example")
        monkeypatch.setattr(counting, "_AT_ONCE", 1)
        count = counting._Count(ACCOUNT, one, world.count_ports)
        world.clock.wait(minutes=1)
        assert not count.count().complete

    def test_another_accounts_campaign_has_nobody(self) -> None:
        world = World()
        one = world.running(1)
        world.suppress("c0@mail.example")
        assert count_suppressed(STRANGER, one, world.count_ports) == SuppressedCount(0, complete=True)
