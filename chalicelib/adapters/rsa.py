"""RSA keys for DKIM by the cryptography library: 2048 bits (RFC 8301, 3.2)."""

from base64 import b64decode, b64encode
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)

_EXPONENT, _BITS = 65537, 2048


def make_key() -> tuple[str, str]:
    """A new key pair, each as base64: PKCS #8 (some 1,600 characters) and SubjectPublicKeyInfo."""
    key = generate_private_key(_EXPONENT, _BITS)
    private = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return b64encode(private).decode(), b64encode(public).decode()


def load_key(private: str) -> Callable[[bytes], bytes]:
    """What signs bytes: RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017, 8.2).

    Checking the key takes 50 ms of CPU, so load it once.
    """
    key = load_der_private_key(b64decode(private), None)
    if not isinstance(key, RSAPrivateKey):
        raise TypeError("a DKIM key is an RSA key")
    return lambda text: key.sign(text, PKCS1v15(), SHA256())
