"""Attachments: from the upload's form to the message that carries the file, and to its link."""

from base64 import b64decode
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from chalicelib.domain.attachment import (
    AVAILABLE,
    MAX_FILE,
    MOST_UPLOADS,
    AttachmentUpload,
    Keeping,
    UploadState,
)
from chalicelib.domain.campaign import CampaignStatus
from chalicelib.domain.contact import ContactStatus
from chalicelib.domain.delivery_event import Opener
from chalicelib.domain.line import SesChannel
from chalicelib.domain.quota import Quota
from chalicelib.errors import Conflict, Invalid, NotFound, QuotaReached
from chalicelib.flow.attached_files import AttachedFiles
from chalicelib.flow.attachments import (
    FileWish,
    encoded_key,
    file_key,
    list_attachments,
    prepare_attachment,
    remove_attachment,
    start_upload,
    upload_key,
)
from chalicelib.flow.campaign import (
    CampaignView,
    delete_campaign,
    edit_campaign,
    files_as_links,
    launch_campaign,
    purge_campaign,
    read_campaign,
)
from chalicelib.flow.composed import PART_MISSING
from chalicelib.flow.download import Download, DownloadPorts, NoDownload, find_download, note_download
from chalicelib.flow.follow_link import LinkPorts
from chalicelib.flow.samples import Wish, ask_for_sample, send_sample
from chalicelib.flow.track import track
from tests.fakes.attachments import FakeAttachmentStore
from tests.fakes.channel import LOST_REPLY
from tests.fakes.world import ACCOUNT, STRANGER, World

PDF = b"%PDF-1.7 " + bytes(range(256)) * 40


@pytest.fixture
def world() -> World:
    made = World()
    made.add_line()
    return made


def upload(
    world: World, campaign_id: str, raw: bytes = PDF, name: str = "plan.pdf", content_id: str | None = None
) -> str:
    """A file that has arrived and was looked at."""
    asked, _ = start_upload(ACCOUNT, campaign_id, FileWish(name, content_id), world.attachment_ports)
    arrive(world, campaign_id, asked.attachment_id, raw)
    return asked.attachment_id


def arrive(world: World, campaign_id: str, attachment_id: str, raw: bytes = PDF) -> bool:
    world.files.contents[upload_key(ACCOUNT, campaign_id, attachment_id)] = raw
    return prepare_attachment(ACCOUNT, campaign_id, attachment_id, world.attachment_ports)


def attach(world: World, campaign_id: str, *ids: str) -> CampaignView:
    return edit_campaign(
        ACCOUNT, campaign_id, lambda old: replace(old, attachment_ids=ids), None, world.campaign_ports
    )


def wrong(world: World, campaign_id: str, *ids: str) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as refused:
        attach(world, campaign_id, *ids)
    return [(error.field, error.code) for error in refused.value.errors]


def state(world: World, campaign_id: str, attachment_id: str) -> UploadState:
    return world.attachments.get(ACCOUNT, campaign_id, attachment_id).state


def sent(world: World, campaign_id: str) -> EmailMessage:
    """The first message that leaves."""
    launch_campaign(ACCOUNT, campaign_id, None, world.campaign_ports)
    order = world.visit(campaign_id)[0]
    world.sender().send(order, world.stop_at())
    found = message_from_bytes(world.channel.accepted[-1].text, policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


class TestUploading:
    def test_a_form_takes_one_file_of_at_most_60_mb(self, world: World) -> None:
        one = world.add_campaign(1).campaign_id
        asked, form = start_upload(ACCOUNT, one, FileWish("../../x"), world.attachment_ports)
        assert (asked.file_name, asked.state) == ("x", UploadState.WAITING)
        assert form.fields["max"] == str(MAX_FILE)
        assert form.fields["key"] == f"attachment-uploads/{ACCOUNT}/{one}/{asked.attachment_id}"

    @pytest.mark.parametrize(
        ("name", "content_id", "field", "code"),
        [
            ("..", None, "file_name", "file_name_empty"),
            ("setup.exe", None, "file_name", "file_type_blocked"),
            ("invoice.pdf.js", None, "file_name", "file_type_blocked"),
            ("logo.png", "lo go", "content_id", "content_id_invalid"),
            ("plan.pdf", "logo", "file_name", "not_an_image"),
        ],
    )
    def test_what_can_not_be_sent_is_refused_before_it_is_uploaded(
        self, world: World, name: str, content_id: str | None, field: str, code: str
    ) -> None:
        one = world.add_campaign(1).campaign_id
        with pytest.raises(Invalid) as refused:
            start_upload(ACCOUNT, one, FileWish(name, content_id), world.attachment_ports)
        assert [(error.field, error.code) for error in refused.value.errors] == [(field, code)]

    def test_its_bytes_count_on_the_accounts_storage(self, world: World) -> None:
        one = world.add_campaign(1).campaign_id
        world.accounts.set_quota(ACCOUNT, Quota.STORAGE, MAX_FILE + 1_000)
        start_upload(ACCOUNT, one, FileWish("plan.pdf"), world.attachment_ports)
        _, form = start_upload(ACCOUNT, one, FileWish("plan.pdf", size=1_000), world.attachment_ports)
        assert form.fields["max"] == "1000"
        with pytest.raises(QuotaReached):
            start_upload(ACCOUNT, one, FileWish("plan.pdf", size=1), world.attachment_ports)
        assert len(list_attachments(ACCOUNT, one, world.attachment_ports)) == 2

    def test_it_belongs_to_its_account_and_campaign(self, world: World) -> None:
        one = world.add_campaign(1).campaign_id
        attachment_id = upload(world, one)
        with pytest.raises(NotFound):
            start_upload(STRANGER, one, FileWish("plan.pdf"), world.attachment_ports)
        with pytest.raises(NotFound):
            list_attachments(STRANGER, one, world.attachment_ports)
        with pytest.raises(NotFound):
            remove_attachment(STRANGER, one, attachment_id, world.attachment_ports)
        other = world.add_campaign(1).campaign_id
        assert wrong(world, other, attachment_id) == [("attachments[0]", "attachment_missing")]

    def test_a_campaign_has_a_limit_of_files(self, world: World) -> None:
        one = world.add_campaign(1).campaign_id
        for _ in range(MOST_UPLOADS):
            start_upload(ACCOUNT, one, FileWish("plan.pdf"), world.attachment_ports)
        with pytest.raises(Conflict, match="at most 50"):
            start_upload(ACCOUNT, one, FileWish("plan.pdf"), world.attachment_ports)


class TestPreparing:
    def test_the_file_is_encoded_once_and_its_upload_is_gone(self, world: World) -> None:
        one = world.add_campaign(1).campaign_id
        attachment_id = upload(world, one)
        ready = world.attachments.get(ACCOUNT, one, attachment_id)
        assert (ready.state, ready.size) == (UploadState.READY, len(PDF))
        names = ACCOUNT, one, attachment_id, ready.digest
        assert world.files.contents[file_key(*names)] == PDF
        assert b64decode(world.files.contents[encoded_key(*names)]) == PDF
        assert upload_key(*names[:3]) not in world.files.contents

    def test_told_twice_it_is_done_once(self, world: World) -> None:
        one = world.add_campaign(1).campaign_id
        attachment_id = upload(world, one)
        before = dict(world.files.contents)
        assert not prepare_attachment(ACCOUNT, one, attachment_id, world.attachment_ports)
        assert world.files.contents == before

    def test_a_second_upload_by_the_same_form_changes_nothing(self, world: World) -> None:
        one = world.add_campaign(1).campaign_id
        attachment_id = upload(world, one)
        before = dict(world.files.contents)
        assert not arrive(world, one, attachment_id, b"%PDF another")
        assert world.files.contents == before

    @pytest.mark.parametrize(
        ("raw", "code"), [(b"<html>", "file_type_mismatch"), (b"MZ\0\0", "file_type_blocked")]
    )
    def test_a_file_that_lies_is_refused_with_its_reason(self, world: World, raw: bytes, code: str) -> None:
        one = world.add_campaign(1).campaign_id
        attachment_id = upload(world, one, raw)
        (listed,) = list_attachments(ACCOUNT, one, world.attachment_ports)
        assert listed.state is UploadState.FAILED
        assert listed.reason is not None
        assert listed.reason.code == code
        assert wrong(world, one, attachment_id) == [("attachments[0]", code)]
        assert world.files.contents == {}

    def test_an_upload_for_a_campaign_that_is_gone_leaves_nothing(self, world: World) -> None:
        one = world.add_campaign(1).campaign_id
        asked, _ = start_upload(ACCOUNT, one, FileWish("plan.pdf"), world.attachment_ports)
        delete_campaign(ACCOUNT, one, None, world.campaign_ports)
        purge_campaign(ACCOUNT, one, world.removal_ports)
        assert not arrive(world, one, asked.attachment_id)
        assert world.files.contents == {}

    def test_a_campaign_that_goes_while_its_file_is_made_leaves_nothing(self, world: World) -> None:
        one = world.add_campaign(1).campaign_id
        asked, _ = start_upload(ACCOUNT, one, FileWish("plan.pdf"), world.attachment_ports)
        put = world.files.put

        def remove_then_put(key: str, path: Path, content_type: str) -> None:
            if "base64" in key:
                delete_campaign(ACCOUNT, one, None, world.campaign_ports)
                purge_campaign(ACCOUNT, one, world.removal_ports)
            put(key, path, content_type)

        world.files.put = remove_then_put  # type: ignore[method-assign]
        arrive(world, one, asked.attachment_id)
        assert world.files.contents == {}


class TestKeepingAndCounting:
    def test_a_form_is_refused_when_its_file_would_be_too_much_to_keep(self, world: World) -> None:
        one = world.add_campaign(1).campaign_id
        kept = upload(world, one)
        world.accounts.set_quota(ACCOUNT, Quota.ATTACHMENTS, len(PDF) + 99)
        with pytest.raises(QuotaReached) as refused:
            start_upload(ACCOUNT, one, FileWish("plan.pdf", size=100), world.attachment_ports)
        assert (refused.value.quota, refused.value.limit) == (Quota.ATTACHMENTS, len(PDF) + 99)
        start_upload(ACCOUNT, one, FileWish("plan.pdf", size=99), world.attachment_ports)
        remove_attachment(ACCOUNT, one, kept, world.attachment_ports)
        start_upload(ACCOUNT, one, FileWish("plan.pdf", size=100), world.attachment_ports)

    def test_of_files_that_arrive_together_only_as_many_stay_as_may(self, world: World) -> None:
        one = world.add_campaign(1).campaign_id
        ids = [
            start_upload(ACCOUNT, one, FileWish("plan.pdf"), world.attachment_ports)[0].attachment_id
            for _ in range(2)
        ]
        world.accounts.set_quota(ACCOUNT, Quota.ATTACHMENTS, len(PDF))
        for attachment_id in ids:
            arrive(world, one, attachment_id)
        kept, refused = (world.attachments.get(ACCOUNT, one, attachment_id) for attachment_id in ids)
        assert (kept.state, refused.state) == (UploadState.READY, UploadState.FAILED)
        assert refused.reason is not None
        assert refused.reason.code == "quota_reached"
        assert all(kept.attachment_id in key for key in world.files.contents)
        assert world.usage.get(ACCOUNT).attachments == len(PDF)

    def test_a_run_that_finds_no_room_leaves_alone_what_another_made_ready(self, world: World) -> None:
        one = world.add_campaign(1).campaign_id
        asked = start_upload(ACCOUNT, one, FileWish("plan.pdf"), world.attachment_ports)[0]
        world.files.contents[upload_key(ACCOUNT, one, asked.attachment_id)] = PDF
        no_room = replace(world.attachment_ports, limit_of=lambda *_: 0, attachments=Slow(world.attachments))
        prepare_attachment(ACCOUNT, one, asked.attachment_id, no_room)
        assert state(world, one, asked.attachment_id) is UploadState.READY
        assert len([key for key in world.files.contents if asked.attachment_id in key]) == 2

    def test_deleted_campaigns_give_their_bytes_back(self, world: World) -> None:
        one = world.add_campaign(1).campaign_id
        attach(world, one, upload(world, one), upload(world, one))
        assert world.usage.get(ACCOUNT).attachments == 2 * len(PDF)
        delete_campaign(ACCOUNT, one, None, world.campaign_ports)
        for _ in range(2):
            purge_campaign(ACCOUNT, one, world.removal_ports)
        assert world.usage.get(ACCOUNT).attachments == 0


class Slow(FakeAttachmentStore):
    """The store as a run sees it that finds no room, and before it says so another run finds some."""

    def __init__(self, store: FakeAttachmentStore) -> None:
        self._store = store
        self.__dict__.update(vars(store))

    def ready(
        self, account_id: str, upload: AttachmentUpload, size: int, digest: str, most: int = 0
    ) -> Keeping:
        kept = super().ready(account_id, upload, size, digest, most)
        self._store.ready(account_id, upload, size, digest)
        return kept


class TestAttaching:
    def test_files_are_part_of_the_content_and_make_a_new_version(self, world: World) -> None:
        one = world.add_campaign(1).campaign_id
        first, second = upload(world, one), upload(world, one, name="b.pdf")
        view = attach(world, one, second, first)
        assert [file.attachment_id for file in view.content.attachments] == [second, first]
        assert view.campaign.content_version == 2
        assert attach(world, one, second, first).campaign.content_version == 2
        assert attach(world, one).content.attachments == ()

    def test_what_has_not_arrived_and_what_is_not_there_is_named(self, world: World) -> None:
        one = world.add_campaign(1).campaign_id
        ready = upload(world, one)
        asked, _ = start_upload(ACCOUNT, one, FileWish("late.pdf"), world.attachment_ports)
        assert wrong(world, one, ready, asked.attachment_id, "none") == [
            ("attachments[1]", "attachment_not_ready"),
            ("attachments[2]", "attachment_missing"),
        ]

    def test_only_what_no_content_ever_had_can_be_deleted(self, world: World) -> None:
        one = world.add_campaign(1).campaign_id
        used, unused = upload(world, one), upload(world, one)
        attach(world, one, used)
        attach(world, one)
        remove_attachment(ACCOUNT, one, unused, world.attachment_ports)
        with pytest.raises(Conflict):
            remove_attachment(ACCOUNT, one, used, world.attachment_ports)
        assert [one.attachment_id for one in list_attachments(ACCOUNT, one, world.attachment_ports)] == [used]
        assert not [key for key in world.files.contents if unused in key]
        assert len([key for key in world.files.contents if used in key]) == 2

    def test_they_go_with_their_campaign(self, world: World) -> None:
        one = world.add_campaign(1).campaign_id
        attach(world, one, upload(world, one))
        late, _ = start_upload(ACCOUNT, one, FileWish("late.pdf"), world.attachment_ports)
        world.files.contents[upload_key(ACCOUNT, one, late.attachment_id)] = PDF
        delete_campaign(ACCOUNT, one, None, world.campaign_ports)
        purge_campaign(ACCOUNT, one, world.removal_ports)
        assert world.files.contents == {}
        assert world.attachments.of_campaign(ACCOUNT, one) == []


class TestSending:
    def test_each_recipient_gets_the_very_bytes(self, world: World) -> None:
        one = world.add_campaign(2).campaign_id
        attach(world, one, upload(world, one, name="Договор.pdf"))
        message = sent(world, one)
        (part,) = message.iter_attachments()
        assert (part.get_filename(), part.get_content()) == ("Договор.pdf", PDF)
        assert len(world.channel.accepted) == 1

    def test_files_are_fetched_once_for_many_messages(self, world: World) -> None:
        one = world.add_campaign(3).campaign_id
        attach(world, one, upload(world, one))
        launch_campaign(ACCOUNT, one, None, world.campaign_ports)
        fetched: list[str] = []
        fetch = world.files.fetch
        world.files.fetch = lambda key, path: (fetched.append(key), fetch(key, path))[1]  # type: ignore[method-assign,func-returns-value]
        sender = world.sender()
        for order in world.visit(one):
            sender.send(order, world.stop_at())
        assert len(world.channel.accepted) == 3
        assert len(fetched) == 1

    def test_a_file_that_can_not_be_fetched_burns_no_contact(self, world: World) -> None:
        one = world.add_campaign(1).campaign_id
        attachment_id = upload(world, one)
        attach(world, one, attachment_id)
        launch_campaign(ACCOUNT, one, None, world.campaign_ports)
        (order,) = world.visit(one)
        digest = world.attachments.get(ACCOUNT, one, attachment_id).digest
        key = encoded_key(ACCOUNT, one, attachment_id, digest)
        kept, world.files.contents[key] = world.files.contents[key], b"half"
        with pytest.raises(OSError, match="another size"):
            world.sender().send(order, world.stop_at())
        assert (world.only(one).status, world.only(one).claim) == (ContactStatus.NOT_SENT, None)
        world.files.contents[key] = kept
        world.clock.wait(minutes=1)
        (again,) = world.visit(one)
        world.sender().send(again, world.stop_at())
        assert world.only(one).status is ContactStatus.SENT

    def test_a_file_that_is_gone_pauses_the_campaign_and_says_so(self, world: World) -> None:
        one = world.add_campaign(1).campaign_id
        attachment_id = upload(world, one)
        attach(world, one, attachment_id)
        launch_campaign(ACCOUNT, one, None, world.campaign_ports)
        (order,) = world.visit(one)
        digest = world.attachments.get(ACCOUNT, one, attachment_id).digest
        del world.files.contents[encoded_key(ACCOUNT, one, attachment_id, digest)]
        assert world.sender().send(order, world.stop_at()) is None
        campaign = world.campaigns.get(ACCOUNT, one)
        assert (campaign.status, campaign.paused_because) == (CampaignStatus.PAUSED, PART_MISSING)
        assert world.only(one).status is ContactStatus.NOT_SENT

    def test_a_long_message_is_not_begun_with_too_little_time(self, world: World) -> None:
        one = world.add_campaign(1).campaign_id
        attach(world, one, upload(world, one, b"%PDF-" + bytes(9_000_000)))
        launch_campaign(ACCOUNT, one, None, world.campaign_ports)
        (order,) = world.visit(one)
        enough_for_a_short_one = world.clock.now() + timedelta(seconds=152)
        assert world.sender().send(order, enough_for_a_short_one) is None
        assert world.only(one).status is ContactStatus.NOT_SENT
        assert world.channel.accepted == []

    def test_a_test_message_carries_them_too(self, world: World) -> None:
        one = world.add_campaign(1).campaign_id
        attach(world, one, upload(world, one))
        sample = ask_for_sample(ACCOUNT, one, Wish("me@shop.example"), world.ask_ports)
        send_sample(ACCOUNT, sample.sample_id, world.stop_at(), world.sample_ports)
        message = message_from_bytes(world.channel.accepted[0].text, policy=policy.default)
        assert isinstance(message, EmailMessage)
        assert [part.get_content() for part in message.iter_attachments()] == [PDF]


class TestTooLargeForTheLine:
    @pytest.fixture
    def linked(self, world: World) -> tuple[World, str, str]:
        """A campaign whose one file its line can't carry."""
        connection = world.lines.get(ACCOUNT, "line1").connection
        world.lines.set_connection(ACCOUNT, "line1", replace(connection, size_limit=200_000))
        one = world.add_campaign(1).campaign_id
        attachment_id = upload(world, one, b"%PDF-" + bytes(300_000))
        return world, one, attachment_id

    def test_it_is_said_before_launch(self, linked: tuple[World, str, str]) -> None:
        world, one, attachment_id = linked
        view = attach(world, one, attachment_id)
        assert [warning.code for warning in view.warnings] == ["attachment_linked"]
        assert "download link" in view.warnings[0].text
        links = files_as_links(ACCOUNT, one, world.campaign_ports)
        assert [file.attachment_id for _, file in links] == [attachment_id]
        assert view.campaign.status is CampaignStatus.READY

    def test_without_a_public_address_it_can_not_be_launched(self, linked: tuple[World, str, str]) -> None:
        world, one, attachment_id = linked
        attach(world, one, attachment_id)
        world.public_url = ""
        codes = [found.code for found in read_campaign(ACCOUNT, one, world.campaign_ports).obstacles]
        assert "no_public_url_for_downloads" in codes

    def test_its_recipient_downloads_it_and_the_report_knows(self, linked: tuple[World, str, str]) -> None:
        world, one, attachment_id = linked
        attach(world, one, attachment_id)
        message = sent(world, one)
        assert list(message.iter_attachments()) == []
        html = message.get_body(("html",))
        assert html is not None
        token = html.get_content().partition("/d/")[2].partition("/")[0]
        ports = downloads(world)
        found = find_download(token, attachment_id, ports)
        assert isinstance(found, Download)
        world.clock.wait(hours=1)
        note_download(found, Opener.HUMAN, ports.links)
        contact = world.only(one)
        assert (contact.status, contact.downloaded_at) == (ContactStatus.OPENED, world.clock.now())

    def test_a_machine_that_fetches_it_is_no_download(self, linked: tuple[World, str, str]) -> None:
        world, one, attachment_id = linked
        found = find_download(self._token(linked), attachment_id, downloads(world))
        assert isinstance(found, Download)
        note_download(found, Opener.MACHINE, downloads(world).links)
        contact = world.only(one)
        assert (contact.downloaded_at, contact.machine_opened_at) == (None, world.clock.now())

    def test_the_link_expires(self, linked: tuple[World, str, str]) -> None:
        world, _, attachment_id = linked
        token = self._token(linked)
        world.clock.wait(days=AVAILABLE.days)
        assert isinstance(find_download(token, attachment_id, downloads(world)), Download)
        world.clock.wait(seconds=1)
        assert find_download(token, attachment_id, downloads(world)) is NoDownload.EXPIRED

    def test_the_link_of_a_message_with_an_unknown_outcome_expires_too(
        self, linked: tuple[World, str, str]
    ) -> None:
        world, one, attachment_id = linked
        world.channel.outcomes["c0@mail.example"] = [LOST_REPLY]
        token, ports = self._token(linked), downloads(world)
        assert world.only(one).outcome_unknown
        world.clock.wait(days=AVAILABLE.days)
        assert isinstance(find_download(token, attachment_id, ports), Download)
        world.clock.wait(seconds=1)
        assert find_download(token, attachment_id, ports) is NoDownload.EXPIRED

    def test_nothing_else_opens_it(self, linked: tuple[World, str, str]) -> None:
        world, one, attachment_id = linked
        token, ports = self._token(linked), downloads(world)
        unused = upload(world, one)
        other = world.add_campaign(1).campaign_id
        foreign = upload(world, other)
        attach(world, other, foreign)
        unsubscribe = world.channel.accepted[0].text.decode().replace("=\r\n", "")
        other_kind = unsubscribe.partition("/u/")[2].partition(">")[0]
        for bad, file in (
            (token, unused),
            (token, foreign),
            (token, "none"),
            (token[:-1] + "9", attachment_id),
            ("", attachment_id),
            (other_kind, attachment_id),
        ):
            assert find_download(bad, file, ports) is NoDownload.UNKNOWN
        delete_campaign(ACCOUNT, one, None, world.campaign_ports)
        purge_campaign(ACCOUNT, one, world.removal_ports)
        assert find_download(token, attachment_id, ports) is NoDownload.UNKNOWN

    @staticmethod
    def _token(linked: tuple[World, str, str]) -> str:
        world, one, attachment_id = linked
        attach(world, one, attachment_id)
        html = sent(world, one).get_body(("html",))
        assert html is not None
        return str(html.get_content().partition("/d/")[2].partition("/")[0])


def test_ses_takes_40_mb_of_a_message(world: World) -> None:
    line = world.lines.get(ACCOUNT, "line1")
    world.lines.remove(ACCOUNT, "line1")
    world.lines.add(ACCOUNT, replace(line, channel=SesChannel("shop.example")))
    one = world.add_campaign(1).campaign_id
    small, large = upload(world, one), upload(world, one, b"%PDF-" + bytes(30_000_000))
    attach(world, one, large, small)
    links = files_as_links(ACCOUNT, one, world.campaign_ports)
    assert [file.attachment_id for _, file in links] == [large]


def test_a_server_that_does_not_say_what_it_takes_gets_25_mb(world: World) -> None:
    one = world.add_campaign(1).campaign_id
    attach(world, one, upload(world, one, b"%PDF-" + bytes(20_000_000)))
    assert len(files_as_links(ACCOUNT, one, world.campaign_ports)) == 1


class TestFilesAtHand:
    def test_what_was_used_longest_ago_makes_room(self, world: World, tmp_path: Path) -> None:
        one = world.add_campaign(1).campaign_id
        ids = [upload(world, one, PDF, f"{number}.pdf") for number in range(3)]
        files = [world.attachments.get(ACCOUNT, one, each).attachment for each in ids]
        at_hand = AttachedFiles(world.files, lambda: tmp_path, most=2 * files[0].encoded_size)
        for file in (files[0], files[1], files[0], files[2]):
            assert b64decode(b"".join(at_hand.end(ACCOUNT, one, (file,)))) == PDF
        assert sorted(path.name[: len(ids[0])] for path in tmp_path.iterdir()) == sorted([ids[0], ids[2]])

    def test_a_file_that_is_no_longer_whole_is_fetched_again(self, world: World, tmp_path: Path) -> None:
        one = world.add_campaign(1).campaign_id
        file = world.attachments.get(ACCOUNT, one, upload(world, one)).attachment
        at_hand = AttachedFiles(world.files, lambda: tmp_path)
        whole = b"".join(at_hand.end(ACCOUNT, one, (file,)))
        (path,) = tmp_path.iterdir()
        for spoil in (path.unlink, lambda: path.write_bytes(whole[:-1])):
            spoil()
            assert b"".join(at_hand.end(ACCOUNT, one, (file,))) == whole

    def test_half_a_file_is_an_error_and_never_the_end_of_a_message(
        self, world: World, tmp_path: Path
    ) -> None:
        one = world.add_campaign(1).campaign_id
        file = world.attachments.get(ACCOUNT, one, upload(world, one)).attachment
        end = AttachedFiles(world.files, lambda: tmp_path).end(ACCOUNT, one, (file,))
        (path,) = tmp_path.iterdir()
        path.write_bytes(path.read_bytes()[:-1])
        with pytest.raises(OSError, match="lacks 1 of"):
            b"".join(end)

    def test_a_file_lost_in_the_middle_of_a_message_gives_the_contact_back(self, world: World) -> None:
        """The server saw no end of a message, so there is none: that is no unknown outcome."""
        one = world.add_campaign(1).campaign_id
        attach(world, one, upload(world, one))
        launch_campaign(ACCOUNT, one, None, world.campaign_ports)
        (order,) = world.visit(one)

        def lose() -> None:
            for path in world.folder.iterdir():
                path.unlink()

        world.channel.before_data = lose
        with pytest.raises(FileNotFoundError):
            world.sender().send(order, world.stop_at())
        assert world.only(one).status is ContactStatus.NOT_SENT
        world.channel.before_data = lambda: None
        world.clock.wait(minutes=1)
        (again,) = world.visit(one)
        world.sender().send(again, world.stop_at())
        assert world.only(one).status is ContactStatus.SENT

    def test_an_end_is_read_anew_as_often_as_it_is_needed(self, world: World, tmp_path: Path) -> None:
        one = world.add_campaign(1).campaign_id
        file = world.attachments.get(ACCOUNT, one, upload(world, one)).attachment
        end = AttachedFiles(world.files, lambda: tmp_path).end(ACCOUNT, one, (b"before", file, b"after"))
        first, second = b"".join(end), b"".join(end)
        assert first == second
        assert len(first) == len(end)


def downloads(world: World) -> DownloadPorts:
    links = LinkPorts(world.ring, lambda event: track(event, world.track_ports) is not None, world.clock)
    return DownloadPorts(links, world.contacts, world.attachments, world.files)
