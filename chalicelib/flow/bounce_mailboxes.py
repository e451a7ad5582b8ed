"""The mailboxes that lines' bounces arrive in: set, taken away, and read again and again.

A mailbox is somebody else's: it is opened read-only, and nothing in it changes. How far it was read is kept
with the line, as IMAP's own numbers. Whatever comes twice, late or cut off in between is read again from
there, and an event that was applied changes nothing the second time.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chalicelib.domain.delivery import Reason
from chalicelib.domain.ids import new_id
from chalicelib.domain.imap_advice import MailboxFailed, imap_reason
from chalicelib.domain.line import BounceMailbox, ImapChannel, Line, MailboxState, Reading
from chalicelib.domain.mime_reading import SIZE_LIMIT
from chalicelib.errors import SecretUnreadable
from chalicelib.flow.lines import find_line
from chalicelib.flow.take_bounce import BouncePorts, take_bounce
from chalicelib.ports import Clock, JobQueue, LineStore, Mailbox, MailboxReader, SecretBox

LOOK_BACK = timedelta(days=7)  # before the mailbox was set: servers try for five days until they give up
BATCH = 1_000  # messages that one search is asked for
CHECKPOINT = 20  # messages between two writes of how far it was read
MOST_TRIES = 12  # visits, an hour of them: then the message that none got past is passed over
ONE_VISIT = timedelta(minutes=2)  # a second order for the same mailbox within this time finds it read

_REST = {
    MailboxState.READING: ONE_VISIT,
    MailboxState.RETRYING: ONE_VISIT,
    MailboxState.FAILED: timedelta(hours=1),
}
_PASSING = frozenset({"host_not_found", "connect_failed", "connection_lost", "mailbox_refused"})


@dataclass(frozen=True, slots=True)
class MailboxPorts:
    """What the API's steps need. They can seal a password and never open one."""

    lines: LineStore
    secrets: SecretBox
    bounce_queue: JobQueue
    clock: Clock


@dataclass(frozen=True, slots=True)
class ReadingPorts:
    """What the readers need: they may open the password."""

    lines: LineStore
    secrets: SecretBox
    mailboxes: MailboxReader
    bounces: BouncePorts
    clock: Clock


@dataclass(frozen=True, slots=True)
class Visit:
    """What one reading did: messages looked at, and those of them that were about a message of ours."""

    state: MailboxState
    messages: int = 0
    bounces: int = 0
    passed_over: int = 0


def set_mailbox(
    account_id: str, line_id: str, channel: ImapChannel, password: str, ports: MailboxPorts
) -> Line:
    """Set the line's bounce mailbox in place of any other, and ask for its first reading; raises NotFound."""
    now = ports.clock.now()
    mailbox = BounceMailbox(new_id(now), channel, ports.secrets.seal(account_id, line_id, password), now)
    ports.lines.set_bounce_mailbox(account_id, line_id, mailbox)
    ports.bounce_queue.put({"account_id": account_id, "line_id": line_id})
    return ports.lines.get(account_id, line_id)


def visit_mailboxes(lines: LineStore, bounce_queue: JobQueue) -> int:
    """The round: ask for a reading of every line's bounce mailbox; returns how many."""
    asked = 0
    for account_id, line_id in lines.with_bounce_mailbox():
        bounce_queue.put({"account_id": account_id, "line_id": line_id})
        asked += 1
    return asked


def read_mailbox(account_id: str, line_id: str, ports: ReadingPorts, stop_at: datetime) -> Visit | None:
    """Read on in a line's bounce mailbox until it ends or time does; None when there is nothing to do now.

    How it went is kept with the line. What applying a bounce raises goes to the caller; the next visit begins
    with that message again.
    """
    line = find_line(account_id, line_id, ports.lines)
    mailbox = line.bounce_mailbox if line else None
    if mailbox is None or not _is_due(mailbox.reading, ports.clock.now()):
        return None
    return _Reader(account_id, line_id, mailbox, ports).visit(stop_at)


def _is_due(reading: Reading, now: datetime) -> bool:
    rest = _REST.get(reading.state, timedelta())
    return reading.checked_at is None or now - reading.checked_at >= rest


class _Reader:
    """One visit to one mailbox."""

    def __init__(self, account_id: str, line_id: str, mailbox: BounceMailbox, ports: ReadingPorts) -> None:
        self._account_id = account_id
        self._line_id = line_id
        self._mailbox = mailbox
        self._ports = ports
        self._reading = mailbox.reading
        self._visit = Visit(MailboxState.READING)

    def visit(self, stop_at: datetime) -> Visit:
        try:
            password = self._ports.secrets.open(self._account_id, self._line_id, self._mailbox.password)
            with self._ports.mailboxes.open(self._mailbox.channel, password) as inbox:
                self._read_on(inbox, stop_at)
            self._store(MailboxState.READING)
        except SecretUnreadable:
            self._store(MailboxState.FAILED, imap_reason("password_unreadable"))
        except MailboxFailed as error:
            passing = error.reason.code in _PASSING
            self._store(MailboxState.RETRYING if passing else MailboxState.FAILED, error.reason)
        return replace(self._visit, state=self._reading.state)

    def _read_on(self, inbox: Mailbox, stop_at: datetime) -> None:
        if inbox.validity != self._reading.validity:  # its numbers mean other messages now (RFC 9051, 2.3.1)
            self._reading = replace(self._reading, validity=inbox.validity, last_uid=0, tries=0)
        while self._has_time(stop_at) and (uids := self._next(inbox)):
            self._begin(uids[0])
            pace = CHECKPOINT if self._reading.tries <= 1 else 1  # the message that stopped it shows itself
            for count, uid in enumerate(uids, 1):
                if not self._has_time(stop_at):
                    return
                self._take(inbox, uid)
                if count % pace == 0:
                    self._store(MailboxState.READING)

    def _next(self, inbox: Mailbox) -> list[int]:
        since = (self._mailbox.set_at - LOOK_BACK).date()
        return list(inbox.newer_than(self._reading.last_uid, since, BATCH))

    def _begin(self, uid: int) -> None:
        """Count the try before it is made: what ends the process must not be met for ever either."""
        self._reading = replace(self._reading, tries=self._reading.tries + 1)
        if self._reading.tries > MOST_TRIES:
            self._reading = replace(self._reading, last_uid=uid, tries=0)
            self._visit = replace(self._visit, passed_over=self._visit.passed_over + 1)
        self._store(MailboxState.READING)

    def _take(self, inbox: Mailbox, uid: int) -> None:
        if uid <= self._reading.last_uid:
            return
        raw = inbox.fetch(uid, SIZE_LIMIT)
        found = raw is not None and take_bounce(raw, self._account_id, self._ports.bounces).tags is not None
        self._reading = replace(self._reading, last_uid=uid, tries=0)
        self._visit = replace(
            self._visit, messages=self._visit.messages + 1, bounces=self._visit.bounces + found
        )

    def _has_time(self, stop_at: datetime) -> bool:
        return self._ports.clock.now() < stop_at

    def _store(self, state: MailboxState, reason: Reason | None = None) -> None:
        """Write down how far it is read; nothing, when another mailbox was set meanwhile."""
        self._reading = replace(self._reading, state=state, checked_at=self._ports.clock.now(), reason=reason)
        self._ports.lines.set_reading(
            self._account_id, self._line_id, self._mailbox.mailbox_id, self._reading
        )
