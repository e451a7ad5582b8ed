"""The files of campaigns in memory."""

from dataclasses import replace

from chalicelib.domain.attachment import AttachmentUpload, Keeping, UploadState
from chalicelib.domain.delivery import Reason
from chalicelib.domain.quota import NO_LIMIT, Quota
from chalicelib.errors import NotFound
from tests.fakes.row_keys import check_row_key
from tests.fakes.usage import FakeUsageStore


class FakeAttachmentStore:
    """Port ``AttachmentStore``."""

    def __init__(self, usage: FakeUsageStore | None = None) -> None:
        self._usage = usage or FakeUsageStore()
        self._uploads: dict[tuple[str, str, str], AttachmentUpload] = {}

    def add(self, account_id: str, upload: AttachmentUpload) -> None:
        self._uploads.setdefault((account_id, upload.campaign_id, upload.attachment_id), upload)

    def get(self, account_id: str, campaign_id: str, attachment_id: str) -> AttachmentUpload:
        check_row_key(f"{account_id}#{campaign_id}", attachment_id)
        key = account_id, campaign_id, attachment_id
        if key not in self._uploads:
            raise NotFound("attachment")
        return self._uploads[key]

    def of_campaign(self, account_id: str, campaign_id: str) -> list[AttachmentUpload]:
        found = [one for key, one in self._uploads.items() if key[:2] == (account_id, campaign_id)]
        return sorted(found, key=lambda upload: upload.attachment_id)

    def ready(
        self, account_id: str, upload: AttachmentUpload, size: int, digest: str, most: int = NO_LIMIT
    ) -> Keeping:
        key = account_id, upload.campaign_id, upload.attachment_id
        there = self._uploads.get(key)
        if there is None or there.state is not UploadState.WAITING:
            return Keeping.UNWANTED
        if not self._usage.count(account_id, Quota.ATTACHMENTS, most, size):
            return Keeping.NO_ROOM
        self._uploads[key] = replace(there, state=UploadState.READY, size=size, digest=digest)
        return Keeping.KEPT

    def fail(self, account_id: str, campaign_id: str, attachment_id: str, reason: Reason) -> None:
        key = account_id, campaign_id, attachment_id
        upload = self._uploads.get(key)
        if upload is not None and upload.state is UploadState.WAITING:
            self._uploads[key] = replace(upload, state=UploadState.FAILED, reason=reason)

    def use(self, account_id: str, campaign_id: str, attachment_id: str) -> bool:
        key = account_id, campaign_id, attachment_id
        upload = self._uploads.get(key)
        if upload is None or upload.state is not UploadState.READY:
            return False
        self._uploads[key] = replace(upload, used=True)
        return True

    def remove(self, account_id: str, campaign_id: str, attachment_id: str) -> bool:
        upload = self._uploads.get((account_id, campaign_id, attachment_id))
        if upload is None or upload.used:
            return False
        self._take_away((account_id, campaign_id, attachment_id))
        return True

    def purge(self, account_id: str, campaign_id: str) -> None:
        for key in [key for key in self._uploads if key[:2] == (account_id, campaign_id)]:
            self._take_away(key)

    def _take_away(self, key: tuple[str, str, str]) -> None:
        upload = self._uploads.pop(key)
        if upload.state is UploadState.READY:
            self._usage.uncount(key[0], Quota.ATTACHMENTS, upload.size)
