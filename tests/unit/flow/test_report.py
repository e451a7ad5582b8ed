"""Report: the workbook's rows, its count, and what happens when the campaign goes or the message repeats."""

from pathlib import Path

import pytest

from chalicelib.domain.contact import ContactStatus
from chalicelib.domain.delivery import MessageTags, Reason, Refused, Scope
from chalicelib.domain.delivery_event import DeliveryEvent, EventType, Opener
from chalicelib.domain.job import JobState
from chalicelib.errors import NotFound
from chalicelib.flow.campaign import delete_campaign
from chalicelib.flow.report import export_key, export_report, read_export, start_export
from chalicelib.flow.track import track
from tests.fakes.world import ACCOUNT, STRANGER, World
from tests.unit.domain.event_builders import at, complaint, hard_bounce, left, opened

WHY = Reason(
    "mailbox_unknown", "No such mailbox.", reply_code=550, enhanced="5.1.1", reply_text="unknown user"
)


def sent_campaign(world: World) -> str:
    """Three contacts: one sent, one refused, one waiting for its slot."""
    campaign_id = world.running(3)
    world.channel.outcomes["c1@mail.example"] = [Refused(WHY, Scope.CONTACT)]
    for order in world.visit(campaign_id)[:2]:
        world.sender().send(order, world.stop_at())
    return campaign_id


def text_of(world: World, export_id: str) -> str:
    job = world.exports.get(ACCOUNT, export_id)
    return world.files.contents[export_key(ACCOUNT, job)].decode()


class TestExport:
    def test_the_report_has_every_contact_and_agrees_with_the_totals(self) -> None:
        world = World()
        one = sent_campaign(world)
        job = start_export(ACCOUNT, one, world.export_ports)
        assert world.export_queue.take() == [{"account_id": ACCOUNT, "export_id": job.export_id}]
        assert read_export(ACCOUNT, job.export_id, world.export_ports) == (job, None)
        export_report(ACCOUNT, job.export_id, world.report_ports)
        done, link = read_export(ACCOUNT, job.export_id, world.export_ports)
        assert (done.state, done.rows) == (JobState.DONE, 3)
        assert done.counted == world.contacts.totals(ACCOUNT, one).by_status
        assert link is not None
        text = text_of(world, job.export_id)
        assert "c1@mail.example|||||||Error" in text
        assert "No such mailbox.|5.1.1|unknown user" in text
        assert "Contacts|3" in text

    def test_it_tells_what_became_of_messages_beside_their_status(self) -> None:
        world = World()
        one = sent_campaign(world)
        contact = world.all_contacts(one)[0]
        tags = MessageTags(ACCOUNT, one, contact.contact_id, 1, 1)
        told = [opened(7, tags), opened(6, tags, Opener.MACHINE), hard_bounce(8, tags), left(10, tags)]
        fetched = DeliveryEvent(EventType.DOWNLOAD, tags, at(11), opener=Opener.HUMAN)
        for event in [*told, complaint(9, tags), fetched]:
            track(event, world.track_ports)
        job = start_export(ACCOUNT, one, world.export_ports)
        export_report(ACCOUNT, job.export_id, world.report_ports)
        text = text_of(world, job.export_id)
        assert "|".join(str(at(minutes)) for minutes in (6, 7, 6, 11, 8, 9, 10)) in text
        for line in ("Opened by a machine", "Bounced for good", "Complained", "Unsubscribed"):
            assert f"\n{line}|1\n" in f"{text}\n"

    def test_a_server_without_enhanced_codes_is_shown_with_its_reply_code(self) -> None:
        world = World()
        one = world.running(1)
        bare = Reason("mailbox_unknown", "No such mailbox.", reply_code=550)
        world.channel.outcomes["c0@mail.example"] = [Refused(bare, Scope.CONTACT)]
        world.sender().send(world.visit(one)[0], world.stop_at())
        job = start_export(ACCOUNT, one, world.export_ports)
        export_report(ACCOUNT, job.export_id, world.report_ports)
        assert "No such mailbox.|550|" in text_of(world, job.export_id)

    def test_an_empty_campaign_has_a_report_too(self) -> None:
        world = World()
        world.add_line()
        one = world.add_campaign(0).campaign_id
        job = start_export(ACCOUNT, one, world.export_ports)
        export_report(ACCOUNT, job.export_id, world.report_ports)
        done, _ = read_export(ACCOUNT, job.export_id, world.export_ports)
        assert (done.state, done.rows) == (JobState.DONE, 0)
        assert set(done.counted) == set(ContactStatus)

    def test_a_report_of_many_pages_is_complete(self) -> None:
        world = World()
        world.add_line()
        one = world.add_campaign(0).campaign_id
        world.add_people(one, *(f"p{number}@mail.example" for number in range(2_001)))
        job = start_export(ACCOUNT, one, world.export_ports)
        export_report(ACCOUNT, job.export_id, world.report_ports)
        assert read_export(ACCOUNT, job.export_id, world.export_ports)[0].rows == 2_001

    def test_a_message_that_comes_twice_changes_nothing(self) -> None:
        world = World()
        one = sent_campaign(world)
        job = start_export(ACCOUNT, one, world.export_ports)
        export_report(ACCOUNT, job.export_id, world.report_ports)
        first = text_of(world, job.export_id), world.exports.get(ACCOUNT, job.export_id)
        world.add_people(one, "late@mail.example")
        export_report(ACCOUNT, job.export_id, world.report_ports)
        assert (text_of(world, job.export_id), world.exports.get(ACCOUNT, job.export_id)) == first

    def test_a_run_that_died_after_its_file_is_repeated(self) -> None:
        world = World()
        one = sent_campaign(world)
        job = start_export(ACCOUNT, one, world.export_ports)
        world.exports.progress(ACCOUNT, job.export_id, 1)
        export_report(ACCOUNT, job.export_id, world.report_ports)
        assert world.exports.get(ACCOUNT, job.export_id).state is JobState.DONE

    def test_a_job_that_is_over_writes_nothing_for_an_empty_campaign_either(self) -> None:
        world = World()
        world.add_line()
        one = world.add_campaign(0).campaign_id
        job = start_export(ACCOUNT, one, world.export_ports)
        world.exports.fail(ACCOUNT, job.export_id, WHY, world.clock.now())
        export_report(ACCOUNT, job.export_id, world.report_ports)
        assert world.files.contents == {}

    def test_a_deleted_campaign_gets_no_report(self) -> None:
        world = World()
        one = sent_campaign(world)
        job = start_export(ACCOUNT, one, world.export_ports)
        delete_campaign(ACCOUNT, one, None, world.campaign_ports)
        export_report(ACCOUNT, job.export_id, world.report_ports)
        export_report(ACCOUNT, "nothing", world.report_ports)
        assert world.files.contents == {}

    @pytest.mark.parametrize("step", ["before the files", "after the files", "at the end"])
    def test_a_campaign_removed_meanwhile_leaves_no_file(self, step: str) -> None:
        """The removal may have come to any point when the finished workbook is put into the bucket."""
        world = World()
        one = sent_campaign(world)
        job = start_export(ACCOUNT, one, world.export_ports)
        put = world.files.put

        def put_late(key: str, path: Path, content_type: str) -> None:
            delete_campaign(ACCOUNT, one, None, world.campaign_ports)
            if step == "after the files":
                put(key, path, content_type)
                world.files.purge(f"results/{ACCOUNT}/{one}/")
            if step == "at the end":
                world.purge_deleted()
            put(key, path, content_type)

        world.files.put = put_late  # type: ignore[method-assign]
        export_report(ACCOUNT, job.export_id, world.report_ports)
        if step == "before the files":
            world.purge_deleted()
        assert world.files.contents == {}

    def test_another_account_finds_no_export(self) -> None:
        world = World()
        one = sent_campaign(world)
        job = start_export(ACCOUNT, one, world.export_ports)
        with pytest.raises(NotFound):
            start_export(STRANGER, one, world.export_ports)
        with pytest.raises(NotFound):
            read_export(STRANGER, job.export_id, world.export_ports)
        export_report(STRANGER, job.export_id, world.report_ports)
        assert world.files.contents == {}
