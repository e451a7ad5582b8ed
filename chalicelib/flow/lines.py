"""Lines: add, prove the connection, remove."""

from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace

from chalicelib.domain.address import Address, parse_address
from chalicelib.domain.api_call import CALL_IS_OVER
from chalicelib.domain.delivery import Reason
from chalicelib.domain.identity import covers, is_domain
from chalicelib.domain.ids import new_id
from chalicelib.domain.job_place import JobPlace, PlaceKind
from chalicelib.domain.ledger import LineLimits
from chalicelib.domain.line import Channel, Connection, ConnectionState, Line, SesChannel
from chalicelib.domain.quota import Quota, reached, usual_limit
from chalicelib.errors import Conflict, FieldError, Invalid, NotFound, SecretUnreadable, found
from chalicelib.flow.identities import IdentityPorts, claim_identity, follow_identity
from chalicelib.ports import (
    AccountStore,
    AdviceStore,
    Clock,
    IdentityStore,
    IdentityVerifier,
    JobPlaces,
    JobQueue,
    LimitOf,
    LineProver,
    LineStore,
    PaceStore,
    SecretBox,
)

PASSWORD_UNREADABLE = Reason(
    "password_unreadable", "The stored password can't be read. Give it again: POST /lines/…/password."
)


@dataclass(frozen=True, slots=True)
class NewLine:
    """What a person gives to add a line."""

    name: str
    channel: Channel
    password: str
    from_address: str
    from_name: str
    reply_to: str | None
    limits: LineLimits
    return_path: str | None = None


@dataclass(frozen=True, slots=True)
class LinePorts:
    """What the API's line steps need. It can seal a password and never open one."""

    accounts: AccountStore
    lines: LineStore
    identities: IdentityStore
    advice: AdviceStore
    pace: PaceStore
    secrets: SecretBox
    connect_queue: JobQueue
    removal_queue: JobQueue
    clock: Clock
    places: JobPlaces
    limit_of: LimitOf = usual_limit


@dataclass(frozen=True, slots=True)
class ProofPorts:
    """What the proof of a connection needs: it may open the password, and speak to SES of identities."""

    lines: LineStore
    identities: IdentityStore
    pace: PaceStore
    secrets: SecretBox
    prover: LineProver
    verifier: IdentityVerifier
    clock: Clock

    @property
    def of_identities(self) -> IdentityPorts:
        """The part that concerns SES identities."""
        return IdentityPorts(self.lines, self.identities, self.verifier, self.clock)


def add_line(account_id: str, new: NewLine, ports: LinePorts) -> Line:
    """Store a line with its password encrypted; its connection is still to be proven.

    Raises Invalid when the From address doesn't belong to the SES identity, and Conflict when the identity
    can't be the account's, or it has as many lines as it may.
    """
    now = ports.clock.now()
    line_id = new_id(now)
    line = Line(
        line_id=line_id,
        name=new.name,
        channel=new.channel,
        from_address=_from_address(new),
        from_name=new.from_name,
        reply_to=new.reply_to,
        return_path=new.return_path,
        plan=ports.accounts.get(account_id).line_plan,
        limits=new.limits,
        password=ports.secrets.seal(account_id, line_id, new.password) if new.password else b"",
        created_at=now,
    )
    _claim(account_id, line, ports)
    most = ports.limit_of(account_id, Quota.LINES)
    if not ports.lines.add(account_id, line, most):
        raise reached(Quota.LINES, most)
    return line


def _from_address(new: NewLine) -> str:
    """The From address, which SES has to let us send from; of an address it knows the one form only."""
    if not isinstance(new.channel, SesChannel):
        return new.from_address
    identity, address = new.channel.identity, parse_address(new.from_address)
    if isinstance(address, Address) and covers(identity, address.key):
        return new.from_address if is_domain(identity) else identity
    allowed = f"an address at {identity} or below it" if is_domain(identity) else identity
    raise Invalid(FieldError("from_address", "not_of_identity", f"Send from {allowed}."))


def _claim(account_id: str, line: Line, ports: LinePorts) -> None:
    if isinstance(line.channel, SesChannel):
        claim_identity(account_id, line.channel.identity, ports.identities, ports.connect_queue, ports.clock)


def ask_for_connection(account_id: str, line_id: str, ports: LinePorts) -> Line:
    """Queue the proof of the connection: the function that makes it may open the password, the API not.

    A proof that is under way is waited for. Raises Conflict when the line's SES identity can't be the
    account's (any more), and QuotaReached.
    """
    line = ports.lines.get(account_id, line_id)
    _claim(account_id, line, ports)
    with _place(account_id, line_id, ports) as first:
        if first:
            _begin_proof(account_id, line, ports)
    return replace(line, connection=_connecting(line))


def _place(account_id: str, line_id: str, ports: LinePorts) -> AbstractContextManager[bool]:
    place = JobPlace(PlaceKind.CONNECTION, line_id, new_id(ports.clock.now()))
    return ports.places.hold(account_id, place)


def _begin_proof(account_id: str, line: Line, ports: LinePorts) -> None:
    ports.lines.set_connection(account_id, line.line_id, _connecting(line))
    ports.connect_queue.put({"account_id": account_id, "line_id": line.line_id})


def _connecting(line: Line) -> Connection:
    return replace(line.connection, state=ConnectionState.CONNECTING, reason=None, check_at=None)


def replace_password(account_id: str, line_id: str, password: str, ports: LinePorts) -> Line:
    """Store another SMTP password and have the connection proven with it.

    Until then the line carries nothing. A sender at work may use the old one for half a minute. Raises
    Conflict for a line through SES, which has none, and while the old one is being proven.
    """
    line = ports.lines.get(account_id, line_id)
    if isinstance(line.channel, SesChannel):
        raise Conflict("no_password", "A line through SES has no password.")
    with _place(account_id, line_id, ports) as first:
        if not first:
            text = "The line is being connected. Give the other password when that is over: a minute or two."
            raise Conflict("line_connecting", text)
        sealed = ports.secrets.seal(account_id, line_id, password)
        ports.lines.set_password(account_id, line_id, sealed)
        _begin_proof(account_id, line, ports)
    return replace(line, connection=_connecting(line), password=sealed)


def ask_for_due_checks(lines: LineStore, connect_queue: JobQueue, clock: Clock) -> int:
    """The tick: ask for a proof of every line that is to be proven again by itself; returns how many."""
    asked = 0
    for account_id, line_id in lines.due_for_check(clock.now()):
        connect_queue.put({"account_id": account_id, "line_id": line_id})
        asked += 1
    return asked


def prove_line(account_id: str, line_id: str, ports: ProofPorts) -> ConnectionState | None:
    """Prove the channel and write down how it went; None when the line is gone.

    An SMTP server is talked to as far as MAIL FROM. SES is asked to verify the identity, or how that stands.
    """
    try:
        line = ports.lines.get(account_id, line_id)
        if _is_out_of_use(line):
            return line.connection.state
        connection = _prove(account_id, line, ports)
        ports.lines.set_connection(account_id, line_id, connection)
    except NotFound:
        return None
    if connection.state is ConnectionState.CONNECTED:
        ports.pace.line_worked(account_id, line_id)
    return connection.state


def _is_out_of_use(line: Line) -> bool:
    """Whether the check of an SES line comes too late: it failed meanwhile, and a person has to ask again."""
    return isinstance(line.channel, SesChannel) and line.connection.state is ConnectionState.FAILED


def _prove(account_id: str, line: Line, ports: ProofPorts) -> Connection:
    if isinstance(line.channel, SesChannel):
        return follow_identity(account_id, line, line.channel, ports.of_identities)
    try:
        password = ports.secrets.open(account_id, line.line_id, line.password)
    except SecretUnreadable:
        return Connection(ConnectionState.FAILED, ports.clock.now(), PASSWORD_UNREADABLE)
    return ports.prover.prove(line, password)


def find_line(account_id: str, line_id: str, lines: LineStore) -> Line | None:
    """The line, or None when it was deleted."""
    return found(lambda: lines.get(account_id, line_id))


def give_up_connecting(account_id: str, line_id: str, reason: Reason, lines: LineStore, clock: Clock) -> None:
    """The last word on a proof that never came to an end; does nothing when the line is gone."""
    with suppress(NotFound):
        connection = lines.get(account_id, line_id).connection
        if connection.state is ConnectionState.CONNECTING:
            lines.set_connection(account_id, line_id, connection.failed(clock.now(), reason))


def remove_line(account_id: str, line_id: str, ports: LinePorts) -> None:
    """Remove a line and its password; a campaign that has no other line pauses and says so.

    A sender that is at work may still know the line for half a minute. A job gives up the identity of an SES
    line if it was the last one that used it. Another removes its dialogs, asked for before nobody knows the
    line any more, and for a time when this call has ended one way or the other.
    """
    channel = ports.lines.get(account_id, line_id).channel
    ports.removal_queue.put({"account_id": account_id, "line_id": line_id}, CALL_IS_OVER)
    ports.lines.remove(account_id, line_id)
    ports.pace.forget_line(account_id, line_id)
    if isinstance(channel, SesChannel):
        ports.connect_queue.put({"account_id": account_id, "identity": channel.identity})
    ports.advice.remove(account_id, line_id)
