"""A box that gives a secret back to its own account and line only."""

import json

from chalicelib.errors import SecretUnreadable


class FakeSecretBox:
    """Port ``SecretBox``. It encrypts nothing."""

    def seal(self, account_id: str, line_id: str, secret: str) -> bytes:
        return json.dumps([account_id, line_id, secret]).encode()[::-1]

    def open(self, account_id: str, line_id: str, sealed: bytes) -> str:
        owner, line, secret = json.loads(sealed[::-1])
        if (owner, line) != (account_id, line_id):
            raise SecretUnreadable
        return str(secret)
