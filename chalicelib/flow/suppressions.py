"""The suppression list as a person handles it: look up, add, take off, and as files."""

from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.domain.address import Address, Rejection, key_prefix, parse_address
from chalicelib.domain.ids import new_id
from chalicelib.domain.job import SUPPRESSION_LIST, ExportJob, ImportJob, JobState
from chalicelib.domain.suppression import Suppression, SuppressionReason
from chalicelib.errors import FieldError, Invalid, NotFound
from chalicelib.flow.imports import begin_upload
from chalicelib.flow.report import queue_export
from chalicelib.ports import (
    Clock,
    ExportStore,
    FileStore,
    GiveLeave,
    ImportStore,
    JobPlaces,
    JobQueue,
    Page,
    SuppressionStore,
    UploadForm,
)


@dataclass(frozen=True, slots=True)
class ListPorts:
    """What the API's steps with the suppression list need."""

    suppressions: SuppressionStore
    imports: ImportStore
    exports: ExportStore
    files: FileStore
    export_queue: JobQueue
    clock: Clock
    leave: GiveLeave
    places: JobPlaces


@dataclass(frozen=True, slots=True)
class Listed:
    """What became of addresses put on the list by hand; the entries are as they are there now."""

    entries: list[Suppression]
    added: int
    duplicates: int


def suppress_addresses(
    account_id: str, addresses: Sequence[str], reason: SuppressionReason, ports: ListPorts
) -> Listed:
    """Put addresses on the list; wrong ones raise Invalid, all at once, and then none is put there."""
    now = ports.clock.now()
    parsed = [_parsed(f"addresses[{number}]", text) for number, text in enumerate(addresses)]
    if errors := [one for one in parsed if isinstance(one, FieldError)]:
        raise Invalid(*errors)
    new = [Suppression(one.key, one.text, reason, now) for one in parsed if isinstance(one, Address)]
    added = ports.suppressions.add(account_id, new)
    found = ports.suppressions.find(account_id, (one.key for one in new))
    return Listed(list(found.values()), added, len(new) - added)


def find_suppressed(account_id: str, email: str, ports: ListPorts) -> Page[Suppression]:
    """The entry of this address, however it is written, as a page of one or none; raises Invalid."""
    key = _key(email)
    return Page(list(ports.suppressions.find(account_id, [key]).values()), None)


def list_suppressed(
    account_id: str,
    cursor: str | None,
    limit: int,
    reason: SuppressionReason | None,
    prefix: str,
    ports: ListPorts,
) -> Page[Suppression]:
    """A page of the list; raises Invalid for a cursor that isn't of this list."""
    return ports.suppressions.page(account_id, cursor, limit, reason, key_prefix(prefix) if prefix else "")


def allow_address(account_id: str, email: str, ports: ListPorts) -> Suppression:
    """Take an address off the list; returns the entry as it was. Raises Invalid and NotFound."""
    key = _key(email)
    found = ports.suppressions.find(account_id, [key])
    if key not in found:
        raise NotFound("suppressed address")
    ports.suppressions.remove(account_id, key)
    return found[key]


def start_list_import(
    account_id: str,
    file_name: str,
    file_type: str,
    ports: ListPorts,
    *,
    review: bool = False,
    size: int | None = None,
) -> tuple[ImportJob, UploadForm]:
    """Make an import job and the form to upload its file with.

    The upload itself starts the import or, with ``review``, its preview.
    """
    now = ports.clock.now()
    job = ImportJob(new_id(now), SUPPRESSION_LIST, file_name, JobState.WAITING, now, previews=review)
    return job, begin_upload(account_id, job, file_type, size, ports)


def page_list_imports(account_id: str, cursor: str | None, limit: int, ports: ListPorts) -> Page[ImportJob]:
    """A page of the imports into the list, newest first."""
    return ports.imports.page(account_id, SUPPRESSION_LIST, cursor, limit)


def start_list_export(account_id: str, ports: ListPorts) -> ExportJob:
    """Make an export job and queue it; raises QuotaReached."""
    now = ports.clock.now()
    job = ExportJob(new_id(now), SUPPRESSION_LIST, JobState.QUEUED, now)
    queue_export(account_id, job, ports)
    return job


def _key(email: str) -> str:
    parsed = _parsed("email", email)
    if isinstance(parsed, FieldError):
        raise Invalid(parsed)
    return parsed.key


def _parsed(field: str, text: str) -> Address | FieldError:
    address = parse_address(text)
    if isinstance(address, Rejection):
        return FieldError(field, address.code, address.text)
    return address
