"""Secrets, encrypted by AWS KMS for exactly one account and one line or domain of it."""

from chalicelib.adapters.aws import client
from chalicelib.errors import SecretUnreadable


class KmsSecretBox:
    """Port ``SecretBox``. The encryption context binds a ciphertext to its row: elsewhere it won't open.

    https://docs.aws.amazon.com/kms/latest/developerguide/encrypt_context.html
    """

    def __init__(self, key_id: str, kind: str = "line") -> None:
        """``kind`` names what the secrets belong to; it is part of what they are bound to."""
        self._key_id = key_id
        self._kind = kind

    def seal(self, account_id: str, owner_id: str, secret: str) -> bytes:
        """Encrypt a secret of at most 4,096 bytes."""
        answer = client("kms").encrypt(
            KeyId=self._key_id,
            Plaintext=secret.encode(),
            EncryptionContext=self._context(account_id, owner_id),
        )
        sealed: bytes = answer["CiphertextBlob"]
        return sealed

    def open(self, account_id: str, owner_id: str, sealed: bytes) -> str:
        """Decrypt; KMS refuses a ciphertext of another account, kind or owner."""
        try:
            answer = client("kms").decrypt(
                KeyId=self._key_id,
                CiphertextBlob=sealed,
                EncryptionContext=self._context(account_id, owner_id),
            )
        except client("kms").exceptions.InvalidCiphertextException as error:
            raise SecretUnreadable from error
        secret: bytes = answer["Plaintext"]
        return secret.decode()

    def _context(self, account_id: str, owner_id: str) -> dict[str, str]:
        return {"account": account_id, self._kind: owner_id}
