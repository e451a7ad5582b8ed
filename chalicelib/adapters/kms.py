"""AWS KMS: secrets encrypted for exactly what they belong to (a line, a domain, a key of the links), and the
keys of cursors, of repeated requests and of the marks of erased addresses, which it makes.
"""

from chalicelib.adapters.aws import client
from chalicelib.domain.personal_data import mark_of
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


class KmsAddressMarks:
    """Port ``AddressMarks``. Their key is what KMS makes of a fixed message by an HMAC key of its own.

    It is the same in every process, is stored nowhere, and is asked for once: who has the table, or a copy of
    it, can't try addresses on the marks. The KMS key is never rotated: nobody would recognise the erased.
    https://docs.aws.amazon.com/kms/latest/developerguide/hmac.html
    """

    def __init__(self, key_id: str) -> None:
        self._key_id = key_id
        self._secret: bytes | None = None

    def mark(self, account_id: str, address_key: str) -> str:
        """The mark; raises what KMS does when it can't be had."""
        if self._secret is None:
            answer = client("kms").generate_mac(
                KeyId=self._key_id, MacAlgorithm="HMAC_SHA_256", Message=b"postline erased addresses"
            )
            self._secret = answer["Mac"]
        return mark_of(self._secret, account_id, address_key)


class KmsMonthKeys:
    """The keys that something of the API is sealed with month by month, each asked for once by a process.

    A key is the code that KMS makes of ``purpose`` and number by an HMAC key which never leaves KMS: it is
    the same in every process and after every start, and nothing has to be stored. Those of one purpose tell
    nothing about those of another.
    https://docs.aws.amazon.com/kms/latest/developerguide/hmac.html
    """

    def __init__(self, key_id: str, purpose: str) -> None:
        self._key_id = key_id
        self._purpose = purpose
        self._made: dict[int, bytes] = {}

    def get(self, number: int) -> bytes:
        """The 32 bytes of the key with this number."""
        if number not in self._made:
            message = f"postline {self._purpose} {number}".encode()
            answer = client("kms").generate_mac(
                KeyId=self._key_id, MacAlgorithm="HMAC_SHA_256", Message=message
            )
            self._made[number] = answer["Mac"]
        return self._made[number]
