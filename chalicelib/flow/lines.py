"""Lines: add, prove the connection, remove."""

from contextlib import suppress
from dataclasses import dataclass, replace

from chalicelib.domain.delivery import Reason
from chalicelib.domain.ids import new_id
from chalicelib.domain.line import Connection, ConnectionState, Line, SmtpChannel
from chalicelib.domain.schedule import LineLimits
from chalicelib.errors import NotFound, SecretUnreadable
from chalicelib.ports import (
    AccountStore,
    Clock,
    JobQueue,
    LineProver,
    LineStore,
    PaceStore,
    SecretBox,
)

PASSWORD_UNREADABLE = Reason(
    "password_unreadable", "The stored password can't be read. Add the line again with its password."
)


@dataclass(frozen=True, slots=True)
class NewLine:
    """What a person gives to add a line."""

    name: str
    channel: SmtpChannel
    password: str
    from_address: str
    from_name: str
    reply_to: str | None
    limits: LineLimits


@dataclass(frozen=True, slots=True)
class LinePorts:
    """What the API's line steps need. It can seal a password and never open one."""

    accounts: AccountStore
    lines: LineStore
    pace: PaceStore
    secrets: SecretBox
    connect_queue: JobQueue
    clock: Clock


@dataclass(frozen=True, slots=True)
class ProofPorts:
    """What the proof of a connection needs: it may open the password."""

    lines: LineStore
    pace: PaceStore
    secrets: SecretBox
    prover: LineProver
    clock: Clock


def add_line(account_id: str, new: NewLine, ports: LinePorts) -> Line:
    """Store a line with its password encrypted; its connection is still to be proven."""
    now = ports.clock.now()
    line_id = new_id(now)
    line = Line(
        line_id=line_id,
        name=new.name,
        channel=new.channel,
        from_address=new.from_address,
        from_name=new.from_name,
        reply_to=new.reply_to,
        plan=ports.accounts.get(account_id).line_plan,
        limits=new.limits,
        password=ports.secrets.seal(account_id, line_id, new.password),
        created_at=now,
    )
    ports.lines.add(account_id, line)
    return line


def ask_for_connection(account_id: str, line_id: str, ports: LinePorts) -> Line:
    """Queue the proof of the connection: the function that makes it may open the password, the API not."""
    line = ports.lines.get(account_id, line_id)
    connection = replace(line.connection, state=ConnectionState.CONNECTING, reason=None)
    ports.lines.set_connection(account_id, line_id, connection)
    ports.connect_queue.put({"account_id": account_id, "line_id": line_id})
    return replace(line, connection=connection)


def prove_line(account_id: str, line_id: str, ports: ProofPorts) -> ConnectionState | None:
    """Talk to the server as far as MAIL FROM and write down how it went; None when the line is gone."""
    try:
        line = ports.lines.get(account_id, line_id)
        connection = _prove(account_id, line, ports)
        ports.lines.set_connection(account_id, line_id, connection)
    except NotFound:
        return None
    if connection.state is ConnectionState.CONNECTED:
        ports.pace.line_worked(account_id, line_id)
    return connection.state


def _prove(account_id: str, line: Line, ports: ProofPorts) -> Connection:
    try:
        password = ports.secrets.open(account_id, line.line_id, line.password)
    except SecretUnreadable:
        return Connection(ConnectionState.FAILED, ports.clock.now(), PASSWORD_UNREADABLE)
    return ports.prover.prove(line, password)


def find_line(account_id: str, line_id: str, lines: LineStore) -> Line | None:
    """The line, or None when it was deleted."""
    try:
        return lines.get(account_id, line_id)
    except NotFound:
        return None


def give_up_connecting(account_id: str, line_id: str, reason: Reason, lines: LineStore, clock: Clock) -> None:
    """The last word on a proof that never came to an end; does nothing when the line is gone."""
    with suppress(NotFound):
        if lines.get(account_id, line_id).connection.state is ConnectionState.CONNECTING:
            failed = Connection(ConnectionState.FAILED, clock.now(), reason)
            lines.set_connection(account_id, line_id, failed)


def remove_line(account_id: str, line_id: str, ports: LinePorts) -> None:
    """Remove a line and its password; a campaign that has no other line pauses and says so.

    A sender that is at work may still know the line for half a minute.
    """
    ports.lines.remove(account_id, line_id)
    ports.pace.forget_line(account_id, line_id)
