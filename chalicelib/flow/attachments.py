"""Attachments: a form to upload a file with, and what is made of the file when it has arrived.

The upload is checked and encoded once, for all messages to come; what a content names is ready already. The
encoded file is put under a name that its own bytes give it, before the row says that it is ready: an upload
that comes twice, or is replaced while the first one is at work, leaves one file that the row names.
"""

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from chalicelib.domain.attachment import (
    LOOKED_AT,
    MAX_FILE,
    MAX_INLINE,
    MOST_UPLOADS,
    PROGRAMS,
    UPLOAD_IS_A_PROGRAM,
    Attachment,
    AttachmentUpload,
    Keeping,
    UploadState,
    encoded,
    ending_of,
    is_content_id,
    media_type,
    refusal_of,
    safe_name,
)
from chalicelib.domain.campaign import CampaignAction, check_action
from chalicelib.domain.delivery import Reason
from chalicelib.domain.ids import new_id
from chalicelib.domain.quota import Quota, reached, usual_limit
from chalicelib.errors import Conflict, FieldError, Invalid, NotFound
from chalicelib.ports import AttachmentStore, CampaignStore, Clock, FileStore, LimitOf, UploadForm

UPLOAD_TYPE = "application/octet-stream"  # whatever it is: what a file is, its bytes say
_BLOCK = 1_000_000  # bytes read at once


@dataclass(frozen=True, slots=True)
class AttachmentPorts:
    """What attachments need."""

    campaigns: CampaignStore
    attachments: AttachmentStore
    files: FileStore
    clock: Clock
    take_bytes: Callable[[str, int], None]
    limit_of: LimitOf = usual_limit


@dataclass(frozen=True, slots=True)
class FileWish:
    """A file that somebody wants to upload; ``size`` None: it may have as many bytes as any."""

    file_name: str
    content_id: str | None = None
    size: int | None = None

    @property
    def most(self) -> int:
        """The most bytes that its form takes."""
        most = MAX_INLINE if self.content_id else MAX_FILE
        return min(self.size or most, most)


def start_upload(
    account_id: str, campaign_id: str, wish: FileWish, ports: AttachmentPorts
) -> tuple[AttachmentUpload, UploadForm]:
    """Note a file that is to come, and make the form to upload it with.

    Raises NotFound, Conflict (QuotaReached too) and Invalid.
    """
    check_action(ports.campaigns.get(account_id, campaign_id).status, CampaignAction.EDIT)
    name = _checked(wish.file_name, wish.content_id)
    if len(ports.attachments.of_campaign(account_id, campaign_id)) >= MOST_UPLOADS:
        raise Conflict(
            "too_many_attachments",
            f"A campaign has at most {MOST_UPLOADS} uploaded files: delete those that are not used.",
        )
    now = ports.clock.now()
    upload = AttachmentUpload(new_id(now), campaign_id, name, wish.content_id, now)
    ports.take_bytes(account_id, wish.most)
    ports.attachments.add(account_id, upload)
    key = upload_key(account_id, campaign_id, upload.attachment_id)
    return upload, ports.files.presign_upload(key, UPLOAD_TYPE, wish.most)


def _checked(file_name: str, content_id: str | None) -> str:
    name = safe_name(file_name)
    if not name:
        raise Invalid(FieldError("file_name", "file_name_empty", "Give the name that recipients are to see."))
    if ending_of(name) in PROGRAMS:
        raise Invalid(FieldError("file_name", UPLOAD_IS_A_PROGRAM.code, UPLOAD_IS_A_PROGRAM.text))
    if content_id is not None and not is_content_id(content_id):
        text = "Use 1 to 60 letters and digits, with dots, hyphens and underscores between them."
        raise Invalid(FieldError("content_id", "content_id_invalid", text))
    if content_id is not None and not media_type(name).startswith("image/"):
        text = "Only an image can be shown within the text: use png, jpg, gif, webp or svg."
        raise Invalid(FieldError("file_name", "not_an_image", text))
    return name


def list_attachments(account_id: str, campaign_id: str, ports: AttachmentPorts) -> list[AttachmentUpload]:
    """The uploaded files of a campaign, oldest first; raises NotFound."""
    ports.campaigns.get(account_id, campaign_id)
    return ports.attachments.of_campaign(account_id, campaign_id)


def remove_attachment(account_id: str, campaign_id: str, attachment_id: str, ports: AttachmentPorts) -> None:
    """Remove a file that no content ever had. Raises NotFound, and Conflict for others.

    An upload that is still to come finds that nobody waits for it, and is thrown away.
    """
    ports.campaigns.get(account_id, campaign_id)
    upload = ports.attachments.get(account_id, campaign_id, attachment_id)
    if not ports.attachments.remove(account_id, campaign_id, attachment_id):
        text = f"“{upload.file_name}” is part of a content, and links in its messages may lead to it."
        raise Conflict("attachment_in_use", text)
    ports.files.purge(f"{_folder(account_id, campaign_id)}{attachment_id}/")


def resolve_attachments(
    account_id: str, campaign_id: str, attachment_ids: tuple[str, ...], attachments: AttachmentStore
) -> tuple[Attachment, ...]:
    """The files that a content is to have; from now on they stay. Raises Invalid with all that is wrong."""
    errors, found = [], []
    for position, attachment_id in enumerate(attachment_ids):
        try:
            upload = attachments.get(account_id, campaign_id, attachment_id)
        except NotFound:
            text = "The campaign has no attachment with this id."
            errors.append(FieldError(f"attachments[{position}]", "attachment_missing", text))
            continue
        if upload.state is UploadState.READY and attachments.use(account_id, campaign_id, attachment_id):
            found.append(upload.attachment)
        else:
            errors.append(FieldError(f"attachments[{position}]", *_not_ready(upload)))
    if errors:
        raise Invalid(*errors)
    return tuple(found)


def _not_ready(upload: AttachmentUpload) -> tuple[str, str]:
    if upload.reason is not None:
        return upload.reason.code, f"“{upload.file_name}” can't be sent. {upload.reason.text}"
    return "attachment_not_ready", f"The upload of “{upload.file_name}” has not arrived: upload it first."


def prepare_attachment(account_id: str, campaign_id: str, attachment_id: str, ports: AttachmentPorts) -> bool:
    """Check and encode an uploaded file; False when nobody waits for it (any more).

    Done twice, or twice at once, it comes to the same. The upload itself is removed when all is written.
    """
    source = upload_key(account_id, campaign_id, attachment_id)
    try:
        upload = ports.attachments.get(account_id, campaign_id, attachment_id)
    except NotFound:
        ports.files.purge(source)
        return False
    if upload.state is UploadState.WAITING:
        with tempfile.TemporaryDirectory() as folder:
            _prepare(account_id, upload, Path(folder), ports)
    ports.files.purge(source)
    return upload.state is UploadState.WAITING


def _prepare(account_id: str, upload: AttachmentUpload, folder: Path, ports: AttachmentPorts) -> None:
    names = account_id, upload.campaign_id, upload.attachment_id
    path = folder / "file"
    try:
        ports.files.fetch(upload_key(*names), path)
    except NotFound:  # another run of the same message was quicker
        return
    size = path.stat().st_size
    with path.open("rb") as file:
        reason = refusal_of(upload, size, file.read(LOOKED_AT))
    if reason is not None:
        ports.attachments.fail(*names, reason)
        return
    digest = _encode(path, folder / "encoded")
    ports.files.put(file_key(*names, digest), path, media_type(upload.file_name))
    ports.files.put(encoded_key(*names, digest), folder / "encoded", UPLOAD_TYPE)
    most = ports.limit_of(account_id, Quota.ATTACHMENTS)
    kept = ports.attachments.ready(account_id, upload, size, digest, most)
    if kept is Keeping.NO_ROOM:
        refusal = reached(Quota.ATTACHMENTS, most)
        ports.attachments.fail(*names, Reason(refusal.code, str(refusal)))
    if kept is not Keeping.KEPT:
        _take_back_unless_ready(account_id, upload, ports)


def _encode(source: Path, target: Path) -> str:
    """Write the file as messages have it, and return the SHA-256 of its own bytes."""
    digest = hashlib.sha256()
    with source.open("rb") as file, target.open("wb") as out:

        def blocks() -> Iterator[bytes]:
            while block := file.read(_BLOCK):
                digest.update(block)
                yield block

        out.writelines(encoded(blocks()))
    return digest.hexdigest()


def _take_back_unless_ready(account_id: str, upload: AttachmentUpload, ports: AttachmentPorts) -> None:
    """The file was removed while it was being made, or there is no room for it: nothing may remain.

    What another run of the same message made ready stays.
    """
    with suppress(NotFound):
        there = ports.attachments.get(account_id, upload.campaign_id, upload.attachment_id)
        if there.state is UploadState.READY:
            return
    ports.files.purge(f"{_folder(account_id, upload.campaign_id)}{upload.attachment_id}/")


def upload_key(account_id: str, campaign_id: str, attachment_id: str) -> str:
    """Where a file is uploaded to."""
    return f"attachment-uploads/{account_id}/{campaign_id}/{attachment_id}"


def file_key(account_id: str, campaign_id: str, attachment_id: str, digest: str) -> str:
    """Where the file is kept as it was uploaded, for those who download it."""
    return f"{_folder(account_id, campaign_id)}{attachment_id}/{digest}"


def encoded_key(account_id: str, campaign_id: str, attachment_id: str, digest: str) -> str:
    """Where the file is kept as messages have it."""
    return f"{file_key(account_id, campaign_id, attachment_id, digest)}.base64"


def _folder(account_id: str, campaign_id: str) -> str:
    return f"attachments/{account_id}/{campaign_id}/"
