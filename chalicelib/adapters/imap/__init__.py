"""Reading a line's bounce mailbox by IMAP (RFC 9051; RFC 3501 before it).

`imaplib` knows the protocol but waits without end and reads whatever a server announces. So it gets its bytes
from a connection of ours, where every command has a deadline and every answer a size.
"""

from chalicelib.adapters.imap.mailbox import ImapReader
from chalicelib.adapters.imap.session import Patience

__all__ = ["ImapReader", "Patience"]
