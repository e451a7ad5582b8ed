"""Mailboxes in memory, at servers that can be out of reach."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date

from chalicelib.domain.imap_advice import MailboxFailed, imap_reason
from chalicelib.domain.line import ImapChannel


@dataclass
class FakeMailbox:
    """Port ``Mailbox``: messages by number, and the day they came. ``breaks_at`` fails when it is fetched."""

    validity: int = 7
    messages: dict[int, tuple[date, bytes]] = field(default_factory=dict)
    fetched: list[int] = field(default_factory=list)
    breaks_at: int | None = None

    def add(self, day: date, *raw: bytes) -> None:
        for message in raw:
            self.messages[max(self.messages, default=0) + 1] = (day, message)

    def newer_than(self, uid: int, since: date, limit: int) -> Sequence[int]:
        found = (
            number for number, (day, _) in sorted(self.messages.items()) if number > uid and day >= since
        )
        return list(found)[:limit]

    def fetch(self, uid: int, max_bytes: int) -> bytes | None:
        self.fetched.append(uid)
        if uid == self.breaks_at:
            raise MailboxFailed(imap_reason("connection_lost"))
        return self.messages[uid][1][:max_bytes] if uid in self.messages else None


@dataclass
class FakeMailboxReader:
    """Port ``MailboxReader``: one mailbox for whoever has its password, or a ``fault``."""

    mailbox: FakeMailbox = field(default_factory=FakeMailbox)
    password: str = "imap secret"
    fault: str | None = None
    opened: list[ImapChannel] = field(default_factory=list)

    @contextmanager
    def open(self, channel: ImapChannel, password: str) -> Iterator[FakeMailbox]:
        self.opened.append(channel)
        if self.fault:
            raise MailboxFailed(imap_reason(self.fault))
        if password != self.password:
            raise MailboxFailed(imap_reason("credentials_rejected"))
        yield self.mailbox
