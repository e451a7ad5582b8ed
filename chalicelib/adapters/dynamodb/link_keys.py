"""The keys of the links in DynamoDB, as ciphertext."""

from chalicelib.adapters.dynamodb.tables import LinkKeyRow
from chalicelib.adapters.dynamodb.writing import put_if
from chalicelib.ports import SealedKey

_RING = "links"


class DynamoLinkKeyStore:
    """Port ``LinkKeyStore``."""

    def add(self, key: SealedKey) -> bool:
        """Store a key that has a number of its own."""
        row = LinkKeyRow(_RING, key.number, sealed=key.sealed, created_at=key.created_at)
        return put_if(row, LinkKeyRow.number.does_not_exist())

    def list(self) -> list[SealedKey]:
        """All keys, newest first; there are few of them."""
        rows = LinkKeyRow.query(_RING, consistent_read=True, scan_index_forward=False)
        return [SealedKey(int(row.number), row.sealed, row.created_at) for row in rows]
