"""Passwords of lines, encrypted by AWS KMS for exactly one account and line."""

from chalicelib.adapters.aws import client
from chalicelib.errors import SecretUnreadable


class KmsSecretBox:
    """Port ``SecretBox``. The encryption context binds a ciphertext to its row: elsewhere it won't open.

    https://docs.aws.amazon.com/kms/latest/developerguide/encrypt_context.html
    """

    def __init__(self, key_id: str) -> None:
        self._key_id = key_id

    def seal(self, account_id: str, line_id: str, secret: str) -> bytes:
        """Encrypt a password of at most 4,096 bytes."""
        answer = client("kms").encrypt(
            KeyId=self._key_id, Plaintext=secret.encode(), EncryptionContext=_context(account_id, line_id)
        )
        sealed: bytes = answer["CiphertextBlob"]
        return sealed

    def open(self, account_id: str, line_id: str, sealed: bytes) -> str:
        """Decrypt; KMS refuses a ciphertext of another account or line."""
        try:
            answer = client("kms").decrypt(
                KeyId=self._key_id, CiphertextBlob=sealed, EncryptionContext=_context(account_id, line_id)
            )
        except client("kms").exceptions.InvalidCiphertextException as error:
            raise SecretUnreadable from error
        secret: bytes = answer["Plaintext"]
        return secret.decode()


def _context(account_id: str, line_id: str) -> dict[str, str]:
    return {"account": account_id, "line": line_id}
