# ruff: noqa: E501 (a sentence is read as a whole)
"""One plain sentence for every reason that reading a bounce mailbox can end with: what to do about it."""

from functools import partial

from chalicelib.domain.advised_reason import advised
from chalicelib.domain.delivery import Reason

ADVICE: dict[str, str] = {
    "host_not_found": "The name of the IMAP server was not found; check the host for typing errors.",
    "host_not_allowed": "This host cannot be used; enter the name of an IMAP server on the public Internet.",
    "connect_failed": "The IMAP server cannot be reached; check host and port, and that it accepts outside connections.",
    "connection_lost": "The IMAP server closed the connection or stopped answering; we try again by ourselves.",
    "not_an_imap_server": "The server answered with something that is not IMAP; check host and port.",
    "tls_failed": "Encryption could not be set up; check that port and security match (993 is TLS, 143 is STARTTLS).",
    "tls_tampered": "Somebody on the way put text into the connection before it was encrypted; do not use this network path.",
    "starttls_not_offered": "The IMAP server does not offer STARTTLS; choose TLS with port 993.",
    "certificate_expired": "The IMAP server's certificate has expired; its operator has to renew it.",
    "certificate_name_mismatch": "The IMAP server's certificate is for another name; use the host name its operator gives.",
    "certificate_untrusted": "The IMAP server's certificate is not signed by a known authority; its operator has to install one that is.",
    "credentials_rejected": "The IMAP server does not accept this user name and password; an app password may be needed, and IMAP switched on in the account's settings.",
    "mailbox_refused": "The IMAP server does not let us read the inbox; the reply below says why.",
    "password_unreadable": "The stored password of the bounce mailbox can't be read. Set the bounce mailbox again.",
}


imap_reason = partial(advised, ADVICE)


class MailboxFailed(Exception):
    """A bounce mailbox can't be read at present; ``reason`` says why and what to do."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.code)
        self.reason = reason
