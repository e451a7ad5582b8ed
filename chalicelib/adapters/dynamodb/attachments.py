"""The files of campaigns in DynamoDB; their bytes are in S3."""

from pynamodb.exceptions import DoesNotExist
from pynamodb.expressions.update import Action

from chalicelib.adapters.dynamodb.mapping import reason_from, reason_item
from chalicelib.adapters.dynamodb.tables import AttachmentRow
from chalicelib.adapters.dynamodb.writing import delete_if, put_once, update_if
from chalicelib.domain.attachment import AttachmentUpload, UploadState
from chalicelib.domain.delivery import Reason
from chalicelib.errors import NotFound


class DynamoAttachmentStore:
    """Port ``AttachmentStore``."""

    def add(self, account_id: str, upload: AttachmentUpload) -> None:
        """Store one that waits for its upload."""
        row = _keys(account_id, upload.campaign_id, upload.attachment_id)
        row.file_name, row.content_id = upload.file_name, upload.content_id
        row.asked_at, row.state = upload.asked_at, upload.state
        put_once(row, AttachmentRow.attachment_id.does_not_exist())

    def get(self, account_id: str, campaign_id: str, attachment_id: str) -> AttachmentUpload:
        """Read one; raises NotFound."""
        try:
            row = AttachmentRow.get(_partition(account_id, campaign_id), attachment_id, consistent_read=True)
        except DoesNotExist as error:
            raise NotFound("attachment") from error
        return _upload(campaign_id, row)

    def of_campaign(self, account_id: str, campaign_id: str) -> list[AttachmentUpload]:
        """All of a campaign, oldest first."""
        rows = AttachmentRow.query(_partition(account_id, campaign_id), consistent_read=True)
        return [_upload(campaign_id, row) for row in rows]

    def ready(self, account_id: str, campaign_id: str, attachment_id: str, size: int, digest: str) -> bool:
        """From Waiting to Ready, with what the file is."""
        actions: list[Action] = [
            AttachmentRow.state.set(UploadState.READY),
            AttachmentRow.size.set(size),
            AttachmentRow.digest.set(digest),
        ]
        waiting = AttachmentRow.state == UploadState.WAITING
        return update_if(_keys(account_id, campaign_id, attachment_id), actions, waiting)

    def fail(self, account_id: str, campaign_id: str, attachment_id: str, reason: Reason) -> None:
        """From Waiting to Failed."""
        actions: list[Action] = [
            AttachmentRow.state.set(UploadState.FAILED),
            AttachmentRow.reason.set(reason_item(reason)),
        ]
        waiting = AttachmentRow.state == UploadState.WAITING
        update_if(_keys(account_id, campaign_id, attachment_id), actions, waiting)

    def use(self, account_id: str, campaign_id: str, attachment_id: str) -> bool:
        """Note that a content has it."""
        is_ready = AttachmentRow.state == UploadState.READY
        return update_if(
            _keys(account_id, campaign_id, attachment_id), [AttachmentRow.used.set(True)], is_ready
        )

    def remove(self, account_id: str, campaign_id: str, attachment_id: str) -> bool:
        """Forget one that no content ever had."""
        row = _keys(account_id, campaign_id, attachment_id)
        unused = AttachmentRow.attachment_id.exists() & (AttachmentRow.used == False)  # noqa: E712
        return delete_if(row, unused)

    def purge(self, account_id: str, campaign_id: str) -> None:
        """Forget all of a campaign."""
        for row in AttachmentRow.query(_partition(account_id, campaign_id), consistent_read=True):
            row.delete()


def _partition(account_id: str, campaign_id: str) -> str:
    return f"{account_id}#{campaign_id}"


def _keys(account_id: str, campaign_id: str, attachment_id: str) -> AttachmentRow:
    return AttachmentRow(_partition(account_id, campaign_id), attachment_id)


def _upload(campaign_id: str, row: AttachmentRow) -> AttachmentUpload:
    return AttachmentUpload(
        attachment_id=row.attachment_id,
        campaign_id=campaign_id,
        file_name=row.file_name,
        content_id=row.content_id,
        asked_at=row.asked_at,
        state=UploadState(row.state),
        size=int(row.size or 0),
        digest=row.digest or "",
        used=row.used,
        reason=reason_from(row.reason),
    )
