"""Routes of the suppression list: the addresses of an account that are not written to, and why."""

from datetime import datetime
from typing import Annotated, Self

from chalice import Blueprint
from pydantic import AfterValidator, Field

from chalicelib import wiring
from chalicelib.blueprints.api.exports import ExportShown, export_shown
from chalicelib.blueprints.api.imports import (
    FileInput,
    ImportPage,
    ImportStarted,
    import_shown,
    import_started,
)
from chalicelib.blueprints.api.models import Address, Input, Output, PageQuery, one_line
from chalicelib.blueprints.api.requests import Call, Nothing
from chalicelib.blueprints.api.routing import route
from chalicelib.domain.suppression import Suppression, SuppressionReason
from chalicelib.flow import suppressions as steps

suppressions = Blueprint(__name__)

MOST_AT_ONCE = 1_000


class SuppressionInput(Input):
    """Addresses that are not to be written to any more."""

    addresses: list[Address] = Field(min_length=1, max_length=MOST_AT_ONCE)
    reason: SuppressionReason = SuppressionReason.ADDED


class SuppressionShown(Output):
    """One address of the list."""

    email: str
    reason: SuppressionReason = Field(description="The reason that came first.")
    also: list[SuppressionReason] = Field(description="The reasons that came later.")
    since: datetime
    campaign_id: str | None = Field(description="The campaign whose mail led to the first reason, if any.")
    erased: bool = Field(
        description="The person's data were erased: the list keeps a keyed hash, which only a look-up finds."
    )

    @classmethod
    def of(cls, suppression: Suppression) -> Self:
        """An entry as it is shown."""
        return cls(
            email=suppression.address,
            reason=suppression.reason,
            also=sorted(suppression.also),
            since=suppression.added_at,
            campaign_id=suppression.campaign_id,
            erased=suppression.erased,
        )


class SuppressionsAdded(Output):
    """What became of the addresses; a duplicate is one that was on the list, and keeps its reasons."""

    added: int
    duplicates: int
    items: list[SuppressionShown]


class SuppressionQuery(PageQuery):
    """A page of the list: all, those that begin so, or the one with an address."""

    email: str | None = Field(None, max_length=1_024, description="Only the entry of this address.")
    prefix: Annotated[str, AfterValidator(one_line)] = Field(
        "", max_length=254, description="Only addresses that begin like this."
    )
    reason: SuppressionReason | None = Field(None, description="Only those with this reason, first or later.")


class SuppressionPage(Output):
    """A page of the list, by address. With a reason a page may be short, or empty, and not the last."""

    items: list[SuppressionShown]
    next_cursor: str | None


class AddressQuery(Input):
    """One address."""

    email: str = Field(max_length=1_024)


@route(suppressions, "GET", "/suppressions", Nothing, SuppressionQuery, SuppressionPage)
def list_suppressions(call: Call[Nothing, SuppressionQuery]) -> SuppressionPage:
    """List the addresses that are not written to: all, those that begin so, or look one up."""
    query, ports = call.query, wiring.list_ports()
    if query.email is not None:
        page = steps.find_suppressed(call.account_id, query.email, ports)
    else:
        page = steps.list_suppressed(
            call.account_id, query.cursor, query.limit, query.reason, query.prefix, ports
        )
    return SuppressionPage(items=[SuppressionShown.of(one) for one in page.items], next_cursor=page.cursor)


@route(
    suppressions,
    "POST",
    "/suppressions",
    SuppressionInput,
    Nothing,
    SuppressionsAdded,
    status=201,
    audit="suppressions_added",
)
def add_suppressions(call: Call[SuppressionInput, Nothing]) -> SuppressionsAdded:
    """Put addresses on the list; if one is wrong, all wrong ones are told and none is put there."""
    listed = steps.suppress_addresses(
        call.account_id, call.body.addresses, call.body.reason, wiring.list_ports()
    )
    return SuppressionsAdded(
        added=listed.added,
        duplicates=listed.duplicates,
        items=[SuppressionShown.of(one) for one in listed.entries],
    )


@route(
    suppressions,
    "DELETE",
    "/suppressions",
    Nothing,
    AddressQuery,
    SuppressionShown,
    problems=(404,),
    audit="suppression_removed",
)
def remove_suppression(call: Call[Nothing, AddressQuery]) -> SuppressionShown:
    """Take an address off the list, so that it is written to again; the answer is why it was there."""
    return SuppressionShown.of(steps.allow_address(call.account_id, call.query.email, wiring.list_ports()))


@route(
    suppressions,
    "POST",
    "/suppressions/imports",
    FileInput,
    Nothing,
    ImportStarted,
    status=201,
    audit="suppression_import_created",
)
def create_suppression_import(call: Call[FileInput, Nothing]) -> ImportStarted:
    """Put the addresses of a file on the list: upload it with the form, and the import begins by itself."""
    body, ports = call.body, wiring.list_ports()
    job, form = steps.start_list_import(
        call.account_id, body.file_name, body.file_type, ports, review=body.review, size=body.file_size
    )
    return import_started(job, form, body.file_size)


@route(suppressions, "GET", "/suppressions/imports", Nothing, PageQuery, ImportPage)
def list_suppression_imports(call: Call[Nothing, PageQuery]) -> ImportPage:
    """List the imports into the suppression list, newest first."""
    page = steps.page_list_imports(call.account_id, call.query.cursor, call.query.limit, wiring.list_ports())
    return ImportPage(items=[import_shown(job, None) for job in page.items], next_cursor=page.cursor)


@route(
    suppressions,
    "POST",
    "/suppressions/exports",
    Nothing,
    Nothing,
    ExportShown,
    status=202,
    audit="suppression_export_requested",
)
def create_suppression_export(call: Call[Nothing, Nothing]) -> ExportShown:
    """Ask for the suppression list as CSV; read the export to see when it is done."""
    return export_shown(steps.start_list_export(call.account_id, wiring.list_ports()), None)
