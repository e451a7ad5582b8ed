"""Dialog rows: their keys, and the way between row and word."""

import zlib

from chalicelib.adapters.dynamodb.contact_rows import fill_person, person_from
from chalicelib.adapters.dynamodb.tables import DialogRow
from chalicelib.domain.dialog import Dialog, tag_key

# Partitions that the dialogs of one line are spread over, as a campaign's contacts are: an import writes to
# all of them at once. It is part of the keys of all that is stored.
BUCKETS = 8


def partition(account_id: str, line_id: str, bucket: int) -> str:
    """The partition key of one bucket."""
    return f"{account_id}#{line_id}#{bucket}"


def bucket_of(key: str) -> int:
    """Which bucket the dialog with this address key lives in."""
    return zlib.crc32(key.encode()) % BUCKETS


def keys(account_id: str, line_id: str, key: str) -> DialogRow:
    """A row that knows only its keys."""
    return DialogRow(partition(account_id, line_id, bucket_of(key)), key)


def row_of(account_id: str, line_id: str, dialog: Dialog, revision: int) -> DialogRow:
    """A dialog as a row."""
    row = keys(account_id, line_id, dialog.key)
    fill_person(row, dialog.person)
    row.tags = {tag_key(name) for name in dialog.tags} or None
    row.tag_names = list(dialog.tags) or None
    row.last_message_at = dialog.last_message_at
    row.created_at = dialog.created_at
    row.revision = revision
    return row


def dialog_from(row: DialogRow) -> Dialog:
    """A whole row as a dialog."""
    return Dialog(
        key=row.address_key,
        person=person_from(row),
        created_at=row.created_at,
        tags=tuple(row.tag_names or ()),
        last_message_at=row.last_message_at,
    )
