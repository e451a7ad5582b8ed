"""Imports into a campaign that runs: it goes on until they are over, and no longer."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.campaign import CampaignStatus
from chalicelib.domain.contact import ContactStatus, Totals
from chalicelib.domain.delivery import Reason
from chalicelib.domain.dialog import DialogChange, DialogSource, TagFilter
from chalicelib.domain.job import LONGEST_SILENCE, JobState
from chalicelib.flow.campaign import launch_campaign
from chalicelib.flow.dialog_contacts import start_from_dialogs
from chalicelib.flow.import_preview import approve_import
from chalicelib.flow.import_targets import PIECE
from chalicelib.flow.imports import ImportPorts, import_contacts, start_import, upload_key
from chalicelib.flow.settle import finish_if_done
from tests.fakes.after_pieces import AfterPieces
from tests.fakes.contacts import FakeContactStore
from tests.fakes.world import ACCOUNT, World

IN_PROGRESS, FINISHED = CampaignStatus.IN_PROGRESS, CampaignStatus.FINISHED


class Killed(Exception):
    """The importer's process ended here."""


class Counted(FakeContactStore):
    """The world's contacts; an import begins as soon as they were counted."""

    def __init__(self, world: World, import_id: str) -> None:
        super().__init__(world.campaigns, world.imports)
        self.__dict__.update(vars(world.contacts))
        self._begin = lambda campaign: world.campaigns.begin_import(ACCOUNT, campaign, import_id)

    def totals(self, account_id: str, campaign_id: str) -> Totals:
        totals = super().totals(account_id, campaign_id)
        self._begin(campaign_id)
        return totals


def send_all(world: World, campaign_id: str) -> None:
    """Until a visit gives out no more slots."""
    sender = world.sender()
    while orders := world.visit(campaign_id):
        for order in orders:
            world.clock.set(max(world.clock.now(), order.slot_at))
            sender.send(order, world.stop_at())
        world.clock.wait(minutes=1)


def status(world: World, campaign_id: str) -> CampaignStatus:
    return world.campaigns.get(ACCOUNT, campaign_id).status


def uploaded(world: World, campaign_id: str, count: int, *, review: bool = False) -> str:
    job, _ = start_import(ACCOUNT, campaign_id, "people.csv", "csv", world.contact_ports, review=review)
    rows = "\n".join(["email", *(f"p{number}@mail.example" for number in range(count))])
    world.files.contents[upload_key(ACCOUNT, campaign_id, job.import_id)] = rows.encode()
    return job.import_id


def told(world: World, campaign_id: str, count: int) -> str:
    """A job that makes contacts of so many dialogs."""
    emails = [f"p{number}@mail.example" for number in range(count)]
    changes = [DialogChange(email, email, {}) for email in emails]
    world.dialogs.change(ACCOUNT, "line1", changes, world.clock.now())
    source = DialogSource("line1", TagFilter())
    return start_from_dialogs(ACCOUNT, campaign_id, source, world.dialog_source_ports).import_id


def run(world: World, import_id: str, ports: ImportPorts | None = None) -> JobState:
    return import_contacts(ACCOUNT, import_id, ports or world.import_ports, world.clock.now() + timedelta(1))


def unsettled(world: World, campaign_id: str) -> int:
    return world.contacts.totals(ACCOUNT, campaign_id).unsettled


@pytest.mark.parametrize("begun", [uploaded, told])
def test_a_campaign_does_not_finish_between_two_pieces(begun: Callable[[World, str, int], str]) -> None:
    """Dispatcher and senders are quicker than the importer, and nobody waits for a while."""
    world = World()
    one = world.running(1)
    job = begun(world, one, 3 * PIECE)
    seen: list[CampaignStatus] = []

    def all_is_sent() -> None:
        send_all(world, one)
        assert unsettled(world, one) == 0
        seen.append(status(world, one))

    assert (
        run(world, job, replace(world.import_ports, contacts=AfterPieces(world, all_is_sent)))
        is JobState.DONE
    )
    assert seen == [IN_PROGRESS]
    assert world.dispatch_queue.take() == [{"account_id": ACCOUNT, "campaign_id": one}]
    send_all(world, one)
    assert world.contacts.totals(ACCOUNT, one).by_status[ContactStatus.SENT] == 3 * PIECE + 1
    assert (status(world, one), list(world.campaigns.active())) == (FINISHED, [])


def test_contacts_from_dialogs_keep_it_running_from_when_they_are_asked_for() -> None:
    world = World()
    one = world.running(1)
    job = told(world, one, 3)
    send_all(world, one)
    assert status(world, one) is IN_PROGRESS
    run(world, job)
    send_all(world, one)
    assert (status(world, one), unsettled(world, one)) == (FINISHED, 0)


def test_so_does_an_import_from_when_its_preview_is_approved() -> None:
    world = World()
    one = world.running(1)
    job = uploaded(world, one, 3, review=True)
    assert run(world, job) is JobState.REVIEW
    approve_import(ACCOUNT, job, world.contact_ports)
    send_all(world, one)
    assert status(world, one) is IN_PROGRESS
    run(world, job)
    send_all(world, one)
    assert (status(world, one), unsettled(world, one)) == (FINISHED, 0)


def test_an_import_that_begins_while_the_campaign_finishes_keeps_it_running() -> None:
    """Between the look and the move: the move asks the row."""
    world = World()
    one = world.running(1)
    job = uploaded(world, one, 3)
    (order,) = world.visit(one)
    world.sender().send(order, world.stop_at())
    finish_if_done(ACCOUNT, one, world.campaigns, Counted(world, job), world.imports, world.clock.now())
    assert status(world, one) is IN_PROGRESS


@pytest.mark.parametrize("previews", [True, False])
def test_a_file_that_waits_for_its_upload_or_for_a_person_keeps_nothing_running(previews: bool) -> None:
    world = World()
    one = world.running(1)
    job = uploaded(world, one, 3, review=previews)
    if previews:
        assert run(world, job) is JobState.REVIEW
    send_all(world, one)
    assert status(world, one) is FINISHED


@pytest.mark.parametrize("ends", ["given up", "removed", "silent"])
def test_an_import_that_died_keeps_nothing_running(ends: str) -> None:
    """Its process ended after a piece, and so did whatever was to tell."""
    world = World()
    one = world.running(1)
    job = uploaded(world, one, 3 * PIECE)

    def die() -> None:
        raise Killed

    with pytest.raises(Killed):
        run(world, job, replace(world.import_ports, contacts=AfterPieces(world, die)))
    send_all(world, one)
    assert status(world, one) is IN_PROGRESS, "its message comes again"
    if ends == "given up":
        world.imports.fail(ACCOUNT, job, Reason("gave_up", "Start it again."), world.clock.now())
    elif ends == "removed":
        world.imports.purge(ACCOUNT, one)
    else:
        world.clock.wait(seconds=LONGEST_SILENCE.total_seconds())
    send_all(world, one)
    assert (status(world, one), world.campaigns.get(ACCOUNT, one).imports) == (FINISHED, ())


def test_a_file_that_is_refused_keeps_nothing_running() -> None:
    world = World()
    one = world.running(1)
    job, _ = start_import(ACCOUNT, one, "people.csv", "csv", world.contact_ports)
    world.files.contents[upload_key(ACCOUNT, one, job.import_id)] = b"name\nAnna"
    assert run(world, job.import_id) is JobState.FAILED
    assert world.campaigns.get(ACCOUNT, one).imports == ()
    send_all(world, one)
    assert status(world, one) is FINISHED


def test_what_is_imported_into_a_finished_campaign_waits_for_a_launch() -> None:
    world = World()
    one = world.running(1)
    send_all(world, one)
    assert run(world, uploaded(world, one, 3)) is JobState.DONE
    send_all(world, one)
    assert (status(world, one), unsettled(world, one)) == (FINISHED, 3)
    launch_campaign(ACCOUNT, one, None, world.campaign_ports)
    send_all(world, one)
    assert (status(world, one), unsettled(world, one)) == (FINISHED, 0)
