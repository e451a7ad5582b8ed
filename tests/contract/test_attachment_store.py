"""The store of attachments: each state is reached once, and nobody else's files are seen."""

from dataclasses import replace

import pytest

from chalicelib.domain.attachment import AttachmentUpload, UploadState
from chalicelib.domain.delivery import Reason
from chalicelib.errors import NotFound
from tests.contract.conftest import Stores
from tests.contract.store_builders import new_id
from tests.fakes.clock import MONDAY_NOON as NOON

WHY = Reason("file_type_mismatch", "It lies.")


def add(stores: Stores, campaign_id: str = "c1", content_id: str | None = None) -> AttachmentUpload:
    upload = AttachmentUpload(new_id(), campaign_id, "Договор.pdf", content_id, NOON)
    stores.attachments.add(stores.account, upload)
    return upload


def ready(stores: Stores, upload: AttachmentUpload) -> bool:
    return stores.attachments.ready(stores.account, "c1", upload.attachment_id, 123, "ab" * 32)


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
        assert not stores.attachments.ready(stores.account, "c1", upload.attachment_id, 9, "cd" * 32)
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
