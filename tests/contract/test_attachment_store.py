"""The store of attachments: each state is reached once, and nobody else's files are seen."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from chalicelib.adapters.dynamodb.attachments import DynamoAttachmentStore
from chalicelib.domain.attachment import AttachmentUpload, Keeping, UploadState
from chalicelib.domain.delivery import Reason
from chalicelib.domain.usage import Usage
from chalicelib.errors import NotFound
from tests.contract.conftest import Stores
from tests.contract.losing import first_reply_lost, transactions
from tests.contract.store_builders import new_id
from tests.fakes.clock import MONDAY_NOON as NOON

WHY = Reason("file_type_mismatch", "It lies.")


def add(stores: Stores, campaign_id: str = "c1", content_id: str | None = None) -> AttachmentUpload:
    upload = AttachmentUpload(new_id(), campaign_id, "Договор.pdf", content_id, NOON)
    stores.attachments.add(stores.account, upload)
    return upload


def ready(stores: Stores, upload: AttachmentUpload, most: int = 1_000) -> bool:
    kept = stores.attachments.ready(stores.account, upload, 123, "ab" * 32, most)
    assert kept is not Keeping.NO_ROOM
    return kept is Keeping.KEPT


def counted(stores: Stores) -> int:
    return stores.usage.get(stores.account).attachments


def read(stores: Stores, upload: AttachmentUpload) -> AttachmentUpload:
    return stores.attachments.get(stores.account, "c1", upload.attachment_id)


class TestAttachmentStore:
    def test_it_is_read_as_it_was_stored_and_by_nobody_else(self, stores: Stores) -> None:
        first, second, _ = add(stores), add(stores, content_id="logo"), add(stores, "c2")
        assert read(stores, second) == second
        in_order = sorted([first, second], key=lambda upload: upload.attachment_id)
        assert stores.attachments.of_campaign(stores.account, "c1") == in_order
        assert stores.attachments.of_campaign(stores.stranger, "c1") == []
        with pytest.raises(NotFound):
            stores.attachments.get(stores.stranger, "c1", first.attachment_id)
        with pytest.raises(NotFound):
            stores.attachments.get(stores.account, "c2", first.attachment_id)

    def test_it_is_ready_once(self, stores: Stores) -> None:
        upload = add(stores)
        assert ready(stores, upload)
        again = stores.attachments.ready(stores.account, upload, 9, "cd" * 32, 0)
        assert again is Keeping.UNWANTED
        stores.attachments.fail(stores.account, "c1", upload.attachment_id, WHY)
        expected = replace(upload, state=UploadState.READY, size=123, digest="ab" * 32)
        assert read(stores, upload) == expected

    def test_it_fails_once(self, stores: Stores) -> None:
        upload = add(stores)
        stores.attachments.fail(stores.account, "c1", upload.attachment_id, WHY)
        assert not ready(stores, upload)
        assert read(stores, upload) == replace(upload, state=UploadState.FAILED, reason=WHY)

    def test_only_a_ready_one_is_used_and_then_it_stays(self, stores: Stores) -> None:
        upload = add(stores)
        assert not stores.attachments.use(stores.account, "c1", upload.attachment_id)
        ready(stores, upload)
        assert not stores.attachments.use(stores.stranger, "c1", upload.attachment_id)
        assert stores.attachments.use(stores.account, "c1", upload.attachment_id)
        assert read(stores, upload).used
        assert not stores.attachments.remove(stores.account, "c1", upload.attachment_id)

    def test_an_unused_one_can_be_removed_and_does_not_come_back(self, stores: Stores) -> None:
        upload = add(stores)
        assert not stores.attachments.remove(stores.stranger, "c1", upload.attachment_id)
        assert stores.attachments.remove(stores.account, "c1", upload.attachment_id)
        assert not stores.attachments.remove(stores.account, "c1", upload.attachment_id)
        assert not ready(stores, upload)
        stores.attachments.fail(stores.account, "c1", upload.attachment_id, WHY)
        with pytest.raises(NotFound):
            read(stores, upload)

    def test_all_of_a_campaign_go(self, stores: Stores) -> None:
        add(stores)
        other = add(stores, "c2")
        stores.attachments.purge(stores.account, "c1")
        assert stores.attachments.of_campaign(stores.account, "c1") == []
        assert stores.attachments.of_campaign(stores.account, "c2") == [other]


class TestBytes:
    def test_what_is_ready_is_counted_until_it_is_removed(self, stores: Stores) -> None:
        first, second, waiting, failed = add(stores), add(stores), add(stores), add(stores)
        assert counted(stores) == 0
        for _ in range(2):
            ready(stores, first)
        ready(stores, second)
        stores.attachments.fail(stores.account, "c1", failed.attachment_id, WHY)
        assert counted(stores) == 246
        for upload in (first, first, waiting, failed):
            stores.attachments.remove(stores.account, "c1", upload.attachment_id)
        assert counted(stores) == 123
        assert stores.usage.get(stores.stranger) == Usage()

    def test_there_are_never_more_than_the_most(self, stores: Stores) -> None:
        one, other = add(stores), add(stores)
        assert stores.attachments.ready(stores.account, one, 123, "ab", 122) is Keeping.NO_ROOM
        assert read(stores, one).state is UploadState.WAITING
        assert ready(stores, one, 123)
        assert stores.attachments.ready(stores.account, other, 1, "cd", 123) is Keeping.NO_ROOM
        assert (read(stores, other).state, counted(stores)) == (UploadState.WAITING, 123)
        assert stores.attachments.ready(stores.account, other, 1, "cd", 124) is Keeping.KEPT

    def test_what_a_content_has_is_counted_until_its_campaign_goes(self, stores: Stores) -> None:
        used, waiting = add(stores), add(stores)
        ready(stores, used)
        stores.attachments.use(stores.account, "c1", used.attachment_id)
        stores.attachments.remove(stores.account, "c1", used.attachment_id)
        assert counted(stores) == 123
        for _ in range(2):
            stores.attachments.purge(stores.account, "c1")
        assert counted(stores) == 0
        assert not ready(stores, waiting)

    def test_of_many_at_once_the_room_decides(self, dynamodb: Stores) -> None:
        uploads = [add(dynamodb) for _ in range(8)]

        def keep(upload: AttachmentUpload) -> Keeping:
            return dynamodb.attachments.ready(dynamodb.account, upload, 10, "ab", 50)

        with ThreadPoolExecutor(8) as several:
            assert list(several.map(keep, uploads)).count(Keeping.KEPT) == 5
        assert counted(dynamodb) == 50
        with ThreadPoolExecutor(2) as several:
            list(several.map(lambda _: dynamodb.attachments.purge(dynamodb.account, "c1"), range(2)))
        assert counted(dynamodb) == 0

    def test_lost_replies_count_once(self, dynamodb: Stores) -> None:
        upload = add(dynamodb)
        with first_reply_lost(transactions(), "TransactWriteItems") as calls:
            ready(dynamodb, upload)
        assert (len(calls), counted(dynamodb)) == (2, 123)
        with first_reply_lost(transactions(), "TransactWriteItems"):
            dynamodb.attachments.purge(dynamodb.account, "c1")
        assert counted(dynamodb) == 0

    @pytest.mark.parametrize("whole_campaign", [False, True])
    def test_one_that_becomes_ready_while_it_is_removed_gives_its_bytes_back(
        self, dynamodb: Stores, *, whole_campaign: bool
    ) -> None:
        upload = add(dynamodb)
        store = ReadyMeanwhile(lambda: ready(dynamodb, upload))
        if whole_campaign:
            store.purge(dynamodb.account, "c1")
        else:
            assert store.remove(dynamodb.account, "c1", upload.attachment_id)
        assert counted(dynamodb) == 0
        assert dynamodb.attachments.of_campaign(dynamodb.account, "c1") == []


class ReadyMeanwhile(DynamoAttachmentStore):
    """The store, where a file becomes ready right after the first look at it."""

    def __init__(self, act: Callable[[], object]) -> None:
        self._act: Callable[[], object] | None = act

    def get(self, account_id: str, campaign_id: str, attachment_id: str) -> AttachmentUpload:
        seen = super().get(account_id, campaign_id, attachment_id)
        self._meanwhile()
        return seen

    def of_campaign(self, account_id: str, campaign_id: str) -> list[AttachmentUpload]:
        seen = super().of_campaign(account_id, campaign_id)
        self._meanwhile()
        return seen

    def _meanwhile(self) -> None:
        act, self._act = self._act, None
        if act:
            act()
