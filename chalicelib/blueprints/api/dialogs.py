"""Routes of a line's dialogs: the customers an account has talked with there."""

from typing import cast

from chalice import Blueprint
from pydantic import Field

from chalicelib import wiring
from chalicelib.blueprints.api.dialog_models import (
    ChosenTags,
    DialogInput,
    DialogPage,
    DialogQuery,
    DialogResults,
    DialogShown,
    DialogsInput,
    DialogTold,
    OneAddress,
    TaggingInput,
)
from chalicelib.blueprints.api.imports import (
    FileInput,
    ImportPage,
    ImportShown,
    ImportStarted,
    import_shown,
    import_started,
)
from chalicelib.blueprints.api.models import Input, PageQuery
from chalicelib.blueprints.api.requests import Call, Nothing
from chalicelib.blueprints.api.routing import route
from chalicelib.domain.dialog import Dialog, DialogSource, TagFilter, distinct_tags
from chalicelib.flow import dialogs as steps
from chalicelib.flow.dialog_contacts import start_from_dialogs

dialogs = Blueprint(__name__)


class SourceInput(Input):
    """Which dialogs become contacts: all of a line's, or those with such tags."""

    line_id: str = Field(min_length=1, max_length=64)
    any_of: ChosenTags = Field(default_factory=list, description="At least one of these tags.")
    all_of: ChosenTags = Field(default_factory=list, description="Each of these tags.")
    none_of: ChosenTags = Field(default_factory=list, description="None of these tags.")

    def source(self) -> DialogSource:
        """The dialogs it speaks of."""
        parts = (distinct_tags(names) for names in (self.any_of, self.all_of, self.none_of))
        return DialogSource(self.line_id, TagFilter(*parts))


@route(dialogs, "POST", "/lines/{line_id}/dialogs", DialogInput, Nothing, DialogTold)
def tell_dialog(call: Call[DialogInput, Nothing], line_id: str) -> DialogTold:
    """Tell of one customer: the dialog is made, or brought up to date. Told twice, it is the same."""
    told = steps.tell_dialog(call.account_id, line_id, call.body.change(), wiring.dialog_ports())
    return DialogTold(outcome=told.outcome, dialog=DialogShown.of(cast(Dialog, told.dialog)))


@route(dialogs, "POST", "/lines/{line_id}/dialogs/bulk", DialogsInput, Nothing, DialogResults)
def tell_dialogs(call: Call[DialogsInput, Nothing], line_id: str) -> DialogResults:
    """Tell of up to 1,000 customers; each item is answered for by itself."""
    told = steps.tell_dialogs(call.account_id, line_id, call.body.changes(), wiring.dialog_ports())
    return DialogResults.of(told)


@route(dialogs, "POST", "/lines/{line_id}/dialogs/tags", TaggingInput, Nothing, DialogResults)
def tag_dialogs(call: Call[TaggingInput, Nothing], line_id: str) -> DialogResults:
    """Add tags to, and remove them from, up to 1,000 dialogs; each address is answered for by itself."""
    body = call.body
    add, remove = distinct_tags(body.add), distinct_tags(body.remove)
    told = steps.tag_dialogs(call.account_id, line_id, body.emails, add, remove, wiring.dialog_ports())
    return DialogResults.of(told)


@route(dialogs, "GET", "/lines/{line_id}/dialogs", Nothing, DialogQuery, DialogPage)
def list_dialogs(call: Call[Nothing, DialogQuery], line_id: str) -> DialogPage:
    """List a line's dialogs: all, those that begin so or have such tags, or the one with an address."""
    query, ports = call.query, wiring.dialog_ports()
    if query.email is not None:
        page = steps.find_dialog(call.account_id, line_id, query.email, ports)
    else:
        page = steps.list_dialogs(
            call.account_id, line_id, query.cursor, query.limit, query.wanted(), query.prefix, ports
        )
    return DialogPage(items=[DialogShown.of(one) for one in page.items], next_cursor=page.cursor)


@route(
    dialogs,
    "DELETE",
    "/lines/{line_id}/dialogs",
    Nothing,
    OneAddress,
    None,
    status=204,
    audit="dialog_deleted",
)
def delete_dialog(call: Call[Nothing, OneAddress], line_id: str) -> None:
    """Delete the dialog with this address; contacts that campaigns took from it stay."""
    steps.remove_dialog(call.account_id, line_id, call.query.email, wiring.dialog_ports())


@route(
    dialogs,
    "POST",
    "/lines/{line_id}/dialogs/imports",
    FileInput,
    Nothing,
    ImportStarted,
    status=201,
    audit="dialog_import_created",
)
def create_dialog_import(call: Call[FileInput, Nothing], line_id: str) -> ImportStarted:
    """Take in the dialogs of a file: upload it with the form, and the import begins by itself."""
    body, ports = call.body, wiring.dialog_ports()
    job, form = steps.start_dialog_file(
        call.account_id,
        line_id,
        body.file_name,
        body.file_type,
        ports,
        review=body.review,
        size=body.file_size,
    )
    return import_started(job, form, body.file_size)


@route(dialogs, "GET", "/lines/{line_id}/dialogs/imports", Nothing, PageQuery, ImportPage)
def list_dialog_imports(call: Call[Nothing, PageQuery], line_id: str) -> ImportPage:
    """List the imports into a line's dialogs, newest first."""
    page = steps.list_dialog_files(
        call.account_id, line_id, call.query.cursor, call.query.limit, wiring.dialog_ports()
    )
    return ImportPage(items=[import_shown(job, None) for job in page.items], next_cursor=page.cursor)


@route(
    dialogs,
    "POST",
    "/campaigns/{campaign_id}/imports/dialogs",
    SourceInput,
    Nothing,
    ImportShown,
    status=202,
    problems=(409,),
    audit="import_created",
)
def import_from_dialogs(call: Call[SourceInput, Nothing], campaign_id: str) -> ImportShown:
    """Make contacts of a line's dialogs as they are now; later ones are not added by themselves."""
    job = start_from_dialogs(call.account_id, campaign_id, call.body.source(), wiring.dialog_source_ports())
    return import_shown(job, None)
