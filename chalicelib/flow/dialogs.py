"""Dialogs of a line as a person or a program handles them: tell, tag, look up, remove, and import."""

from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.domain.address import Address, Rejection, key_prefix, parse_address
from chalicelib.domain.dialog import Changed, Dialog, DialogChange, Outcome, TagFilter, time_fault
from chalicelib.domain.ids import new_id
from chalicelib.domain.job import ImportJob, JobState, dialogs_of
from chalicelib.errors import FieldError, Invalid, NotFound
from chalicelib.flow.campaign import RemovalPorts
from chalicelib.flow.imports import begin_upload
from chalicelib.flow.lines import find_line
from chalicelib.ports import (
    Clock,
    DialogStore,
    FileStore,
    GiveLeave,
    ImportStore,
    LineStore,
    Page,
    UploadForm,
)

_FIELDS = {"too_many_tags": "tags"}  # what a rejection by the store is about


@dataclass(frozen=True, slots=True)
class DialogPorts:
    """What the API's steps with dialogs need."""

    lines: LineStore
    dialogs: DialogStore
    imports: ImportStore
    files: FileStore
    clock: Clock
    leave: GiveLeave


@dataclass(frozen=True, slots=True)
class Told:
    """What became of one item of a request: the dialog as it is then, or what was wrong with the item."""

    outcome: Outcome
    dialog: Dialog | None = None
    errors: tuple[FieldError, ...] = ()


def tell_dialogs(
    account_id: str, line_id: str, items: Sequence[DialogChange | Invalid], ports: DialogPorts
) -> list[Told]:
    """Take in each item that isn't wrong; raises NotFound for the line. Told twice, it is the same."""
    ports.lines.get(account_id, line_id)
    now = ports.clock.now()
    checked: list[DialogChange | Invalid] = []
    for item in items:
        last = item.last_message_at if isinstance(item, DialogChange) else None
        fault = time_fault(last, now) if last else None
        checked.append(Invalid(FieldError("last_message_at", fault.code, fault.text)) if fault else item)
    good = [item for item in checked if isinstance(item, DialogChange)]
    results = iter(ports.dialogs.change(account_id, line_id, good, now))
    return [
        Told(Outcome.INVALID, errors=item.errors) if isinstance(item, Invalid) else _told(next(results))
        for item in checked
    ]


def _told(result: Changed) -> Told:
    fault = result.rejection
    if fault is None:
        return Told(result.outcome, result.dialog)
    return Told(Outcome.INVALID, None, (FieldError(_FIELDS[fault.code], fault.code, fault.text),))


def tell_dialog(account_id: str, line_id: str, change: DialogChange, ports: DialogPorts) -> Told:
    """Take in what is told of one customer; raises NotFound for the line, and Invalid."""
    (told,) = tell_dialogs(account_id, line_id, [change], ports)
    if told.errors:
        raise Invalid(*told.errors)
    return told


def tag_dialogs(
    account_id: str,
    line_id: str,
    emails: Sequence[str],
    add: tuple[str, ...],
    remove: tuple[str, ...],
    ports: DialogPorts,
) -> list[Told]:
    """Add and remove tags of dialogs that are there, by their addresses; raises NotFound for the line."""
    items: list[DialogChange | Invalid] = []
    for email in emails:
        address = parse_address(email)
        if isinstance(address, Rejection):
            items.append(Invalid(FieldError("email", address.code, address.text)))
        else:
            change = DialogChange(address.key, address.text, add_tags=add, remove_tags=remove, makes=False)
            items.append(change)
    return tell_dialogs(account_id, line_id, items, ports)


def find_dialog(account_id: str, line_id: str, email: str, ports: DialogPorts) -> Page[Dialog]:
    """The dialog with this address, however it is written, as a page of one or none; raises Invalid."""
    ports.lines.get(account_id, line_id)
    key = _key(email)
    try:
        return Page([ports.dialogs.find(account_id, line_id, key)], None)
    except NotFound:
        return Page([], None)


def list_dialogs(
    account_id: str,
    line_id: str,
    cursor: str | None,
    limit: int,
    wanted: TagFilter,
    prefix: str,
    ports: DialogPorts,
) -> Page[Dialog]:
    """A page of a line's dialogs, by address; raises NotFound, and Invalid for a cursor of another list."""
    ports.lines.get(account_id, line_id)
    start = key_prefix(prefix) if prefix else ""
    return ports.dialogs.page(account_id, line_id, cursor, limit, wanted, start)


def remove_dialog(account_id: str, line_id: str, email: str, ports: DialogPorts) -> None:
    """Remove a dialog; contacts that campaigns took from it stay. Raises NotFound and Invalid."""
    ports.lines.get(account_id, line_id)
    ports.dialogs.remove(account_id, line_id, _key(email))


def start_dialog_file(
    account_id: str,
    line_id: str,
    file_name: str,
    file_type: str,
    ports: DialogPorts,
    *,
    review: bool = False,
    size: int | None = None,
) -> tuple[ImportJob, UploadForm]:
    """Make an import job and the form to upload its file with.

    The upload itself starts the import or, with ``review``, its preview.
    """
    ports.lines.get(account_id, line_id)
    now = ports.clock.now()
    job = ImportJob(new_id(now), dialogs_of(line_id), file_name, JobState.WAITING, now, previews=review)
    return job, begin_upload(account_id, job, file_type, size, ports)


def list_dialog_files(
    account_id: str, line_id: str, cursor: str | None, limit: int, ports: DialogPorts
) -> Page[ImportJob]:
    """A page of the imports into a line's dialogs, newest first; raises NotFound."""
    ports.lines.get(account_id, line_id)
    return ports.imports.page(account_id, dialogs_of(line_id), cursor, limit)


def _key(email: str) -> str:
    address = parse_address(email)
    if isinstance(address, Address):
        return address.key
    raise Invalid(FieldError("email", address.code, address.text))


def purge_dialogs(account_id: str, line_id: str, ports: RemovalPorts) -> bool:
    """Remove the dialogs of a line that is gone, with their imports and files; False when it is still there.

    It can be repeated. Nothing comes after it: who writes dialogs asks in the same write whether the line is
    there, and who puts a file looks then whether its job is.
    """
    if find_line(account_id, line_id, ports.lines) is not None:
        return False
    ports.dialogs.purge(account_id, line_id)
    ports.imports.purge(account_id, dialogs_of(line_id))
    for kind in ("uploads", "results"):
        ports.files.purge(f"{kind}/{account_id}/{dialogs_of(line_id)}/")
    return True
