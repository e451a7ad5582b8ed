"""The files of campaigns in DynamoDB; their bytes are in S3."""

from pynamodb.exceptions import DoesNotExist
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from chalicelib.adapters.dynamodb.mapping import reason_from, reason_item
from chalicelib.adapters.dynamodb.tables import AttachmentRow
from chalicelib.adapters.dynamodb.usage import remove_counted, write_counted
from chalicelib.adapters.dynamodb.writing import delete_if, put_once, update_if
from chalicelib.domain.attachment import AttachmentUpload, Keeping, UploadState
from chalicelib.domain.delivery import Reason
from chalicelib.domain.quota import NO_LIMIT, Quota
from chalicelib.errors import NotFound, Outdated

_TRIES = 5  # a file becomes ready once, so the second look is the last one


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

    def ready(
        self, account_id: str, upload: AttachmentUpload, size: int, digest: str, most: int = NO_LIMIT
    ) -> Keeping:
        """From Waiting to Ready with what the file is, and its bytes counted, in one transaction."""
        actions: list[Action] = [
            AttachmentRow.state.set(UploadState.READY),
            AttachmentRow.size.set(size),
            AttachmentRow.digest.set(digest),
        ]
        row, waiting = _keys(account_id, upload.campaign_id, upload.attachment_id), _is(UploadState.WAITING)
        failed = write_counted(
            lambda write: write.update(row, actions, waiting), account_id, Quota.ATTACHMENTS, size, most
        )
        if 0 in failed:
            return Keeping.UNWANTED
        return Keeping.NO_ROOM if failed else Keeping.KEPT

    def fail(self, account_id: str, campaign_id: str, attachment_id: str, reason: Reason) -> None:
        """From Waiting to Failed."""
        actions: list[Action] = [
            AttachmentRow.state.set(UploadState.FAILED),
            AttachmentRow.reason.set(reason_item(reason)),
        ]
        update_if(_keys(account_id, campaign_id, attachment_id), actions, _is(UploadState.WAITING))

    def use(self, account_id: str, campaign_id: str, attachment_id: str) -> bool:
        """Note that a content has it."""
        row = _keys(account_id, campaign_id, attachment_id)
        return update_if(row, [AttachmentRow.used.set(True)], _is(UploadState.READY))

    def remove(self, account_id: str, campaign_id: str, attachment_id: str) -> bool:
        """Forget one that no content ever had."""
        unused = AttachmentRow.used == False  # noqa: E712
        for _ in range(_TRIES):
            try:
                upload = self.get(account_id, campaign_id, attachment_id)
            except NotFound:
                return False
            if upload.used:
                return False
            if _take_away(account_id, upload, unused):
                return True
        raise Outdated

    def purge(self, account_id: str, campaign_id: str) -> None:
        """Forget all of a campaign; one that has just become ready is found so the next time."""
        there = AttachmentRow.attachment_id.exists()
        for _ in range(_TRIES):
            uploads = self.of_campaign(account_id, campaign_id)
            left = [one for one in uploads if not _take_away(account_id, one, there)]
            if not left:
                return
        raise Outdated


def _take_away(account_id: str, upload: AttachmentUpload, condition: Condition) -> bool:
    """Delete the row and give its bytes back; False when it isn't as it was read, or the condition fails."""
    row = _keys(account_id, upload.campaign_id, upload.attachment_id)
    as_read = _is(upload.state) & condition
    if upload.state is not UploadState.READY:
        return delete_if(row, as_read)
    return remove_counted(
        lambda write: write.delete(row, as_read), account_id, Quota.ATTACHMENTS, upload.size
    )


def _is(state: UploadState) -> Condition:
    return AttachmentRow.state == state


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
