"""A box that gives a secret back to its own account and owner only."""

import json

from chalicelib.errors import SecretUnreadable


class FakeSecretBox:
    """Port ``SecretBox``. It encrypts nothing."""

    def seal(self, account_id: str, owner_id: str, secret: str) -> bytes:
        return json.dumps([account_id, owner_id, secret]).encode()[::-1]

    def open(self, account_id: str, owner_id: str, sealed: bytes) -> str:
        account, owner, secret = json.loads(sealed[::-1])
        if (account, owner) != (account_id, owner_id):
            raise SecretUnreadable
        return str(secret)
