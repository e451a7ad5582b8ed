"""The models of attachments: a file as it is asked for, as it is uploaded, and as a content has it."""

from datetime import datetime
from typing import Self

from pydantic import Field

from chalicelib.blueprints.api.models import Input, Output, Reason, Upload
from chalicelib.domain.attachment import MAX_FILE, MAX_INLINE, Attachment, AttachmentUpload, UploadState


class AttachmentInput(Input):
    """A file that is to be uploaded. What it is, its name and its bytes say; they have to agree."""

    file_name: str = Field(
        min_length=1,
        max_length=1000,
        description="As recipients are to see it; parts of a path are left out.",
    )
    content_id: str | None = Field(
        None,
        description=f"For an image of at most {MAX_INLINE // 1_000_000} MB within the text:"
        ' `logo` lets the HTML show it by `<img src="cid:logo">`.',
    )
    file_size: int | None = Field(
        None,
        ge=1,
        le=MAX_FILE,
        description="In bytes. The form takes no more then, and no more counts on the quota of storage.",
    )


class AttachedShown(Output):
    """A file of a content."""

    attachment_id: str
    file_name: str
    media_type: str
    size: int = Field(description="Bytes of the file itself.")
    content_id: str | None

    @classmethod
    def of(cls, file: Attachment) -> Self:
        """A file as it is shown."""
        return cls(
            attachment_id=file.attachment_id,
            file_name=file.file_name,
            media_type=file.media_type,
            size=file.size,
            content_id=file.content_id,
        )


class AttachmentShown(Output):
    """An uploaded file. Ready ones can be part of the content: PATCH the campaign's `attachments`."""

    attachment_id: str
    file_name: str
    content_id: str | None
    state: UploadState
    media_type: str | None = Field(description="null until it is ready.")
    size: int | None = Field(description="Bytes of the file itself; null until it is ready.")
    used: bool = Field(
        description="It is part of a content, of an earlier one perhaps, and can't be deleted."
    )
    reason: Reason | None = Field(description="Why it can't be sent.")
    created_at: datetime

    @classmethod
    def of(cls, upload: AttachmentUpload) -> Self:
        """An uploaded file as it is shown."""
        file = upload.attachment if upload.state is UploadState.READY else None
        return cls(
            attachment_id=upload.attachment_id,
            file_name=upload.file_name,
            content_id=upload.content_id,
            state=upload.state,
            media_type=file.media_type if file else None,
            size=file.size if file else None,
            used=upload.used,
            reason=Reason.of(upload.reason),
            created_at=upload.asked_at,
        )


class AttachmentList(Output):
    """All uploaded files of a campaign, oldest first."""

    items: list[AttachmentShown]


class AttachmentStarted(Output):
    """A file that is to come, and the form to upload it with."""

    attachment: AttachmentShown
    upload: Upload
