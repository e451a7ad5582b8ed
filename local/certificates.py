"""A certificate authority for loopback, kept in a folder, and what it issues for the mailbox."""

import ssl
from pathlib import Path

import trustme

CA_FILE = "ca.pem"
_CA_KEY_FILE = "ca-key.pem"


def server_context(folder: Path) -> ssl.SSLContext:
    """A TLS context for a server at localhost or 127.0.0.1, signed by the authority kept in `folder`.

    Clients trust it by `folder/ca.pem`. The authority is made on first use, the certificate each time.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    _authority(folder).issue_cert("localhost", "127.0.0.1").configure_cert(context)
    return context


def _authority(folder: Path) -> trustme.CA:
    certificate, key = folder / CA_FILE, folder / _CA_KEY_FILE
    if certificate.exists() and key.exists():
        return trustme.CA.from_pem(certificate.read_bytes(), key.read_bytes())
    authority = trustme.CA(organization_name="Postline embedded stack")
    key.touch(mode=0o600)
    authority.private_key_pem.write_to_path(str(key))
    authority.cert_pem.write_to_path(str(certificate))
    return authority
