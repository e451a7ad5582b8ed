"""Secrets encrypted by AWS KMS, each for exactly what it belongs to: a line, a domain, a key of the links."""

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


class KmsLinkKeyBox:
    """Port ``LinkKeyBox``. By a key of its own: who reads links must not be able to read passwords."""

    def __init__(self, key_id: str) -> None:
        self._key_id = key_id

    def seal(self, number: int, secret: bytes) -> bytes:
        """Encrypt the secret of the link key with this number."""
        answer = client("kms").encrypt(
            KeyId=self._key_id, Plaintext=secret, EncryptionContext=_number_context(number)
        )
        sealed: bytes = answer["CiphertextBlob"]
        return sealed

    def open(self, number: int, sealed: bytes) -> bytes:
        """Decrypt; KMS refuses a ciphertext of another number."""
        try:
            answer = client("kms").decrypt(
                KeyId=self._key_id, CiphertextBlob=sealed, EncryptionContext=_number_context(number)
            )
        except client("kms").exceptions.InvalidCiphertextException as error:
            raise SecretUnreadable from error
        secret: bytes = answer["Plaintext"]
        return secret


def _number_context(number: int) -> dict[str, str]:
    return {"link_key": str(number)}
