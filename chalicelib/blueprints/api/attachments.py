"""Routes of attachments: upload files of a campaign, and see what became of them."""

from chalice import Blueprint

from chalicelib import wiring
from chalicelib.blueprints.api.attachment_models import (
    AttachmentInput,
    AttachmentList,
    AttachmentShown,
    AttachmentStarted,
)
from chalicelib.blueprints.api.models import Upload
from chalicelib.blueprints.api.requests import Call, Nothing
from chalicelib.blueprints.api.routing import route
from chalicelib.flow import attachments as steps

attachments = Blueprint(__name__)


@route(
    attachments,
    "POST",
    "/campaigns/{campaign_id}/attachments",
    AttachmentInput,
    Nothing,
    AttachmentStarted,
    status=201,
    problems=(409,),
    audit="attachment_created",
)
def create_attachment(call: Call[AttachmentInput, Nothing], campaign_id: str) -> AttachmentStarted:
    """Upload a file with the form that is returned; once it is ready, the campaign can have it attached."""
    wish = steps.FileWish(call.body.file_name, call.body.content_id, call.body.file_size)
    upload, form = steps.start_upload(call.account_id, campaign_id, wish, wiring.attachment_ports())
    return AttachmentStarted(
        attachment=AttachmentShown.of(upload),
        upload=Upload(
            url=form.url,
            fields=dict(form.fields),
            max_bytes=wish.most,
            expires_at=form.expires_at,
        ),
    )


@route(attachments, "GET", "/campaigns/{campaign_id}/attachments", Nothing, Nothing, AttachmentList)
def list_attachments(call: Call[Nothing, Nothing], campaign_id: str) -> AttachmentList:
    """List the uploaded files of a campaign, oldest first."""
    found = steps.list_attachments(call.account_id, campaign_id, wiring.attachment_ports())
    return AttachmentList(items=[AttachmentShown.of(upload) for upload in found])


@route(
    attachments,
    "DELETE",
    "/campaigns/{campaign_id}/attachments/{attachment_id}",
    Nothing,
    Nothing,
    None,
    status=204,
    problems=(409,),
    audit="attachment_deleted",
)
def delete_attachment(call: Call[Nothing, Nothing], campaign_id: str, attachment_id: str) -> None:
    """Delete a file that was never part of a content; the others go with the campaign."""
    steps.remove_attachment(call.account_id, campaign_id, attachment_id, wiring.attachment_ports())
