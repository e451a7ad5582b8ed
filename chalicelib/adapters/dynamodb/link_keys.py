"""The keys of the links in DynamoDB, as ciphertext."""

from pynamodb.exceptions import PutError

from chalicelib.adapters.dynamodb.tables import LinkKeyRow
from chalicelib.adapters.dynamodb.writing import refused
from chalicelib.ports import SealedKey

_RING = "links"


class DynamoLinkKeyStore:
    """Port ``LinkKeyStore``."""

    def add(self, key: SealedKey) -> bool:
        """Store a key that has a number of its own."""
        row = LinkKeyRow(_RING, key.number, sealed=key.sealed, created_at=key.created_at)
        try:
            row.save(LinkKeyRow.number.does_not_exist())
        except PutError as error:
            if refused(error):
                return False
            raise
        return True

    def list(self) -> list[SealedKey]:
        """All keys, newest first; there are few of them."""
        rows = LinkKeyRow.query(_RING, consistent_read=True, scan_index_forward=False)
        return [SealedKey(int(row.number), row.sealed, row.created_at) for row in rows]
