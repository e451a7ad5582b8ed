"""Send: one order of the send queue becomes one message at a server, or nothing at all.

The order of things is the promise: look (is it still wanted?), connect, **claim**, look at the suppression
list, render, hand over, record. Whoever loses the claim sends nothing. Before the claim every failure just
gives the contact back; between claim and hand-over too, and an address on the list ends there; after the
hand-over only the server's reply decides, and without one the outcome is unknown for good.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from chalicelib.domain.campaign import Campaign, CampaignStatus
from chalicelib.domain.contact import OUTCOME_UNKNOWN, Contact, ContactStatus
from chalicelib.domain.custom_variables import draw_for
from chalicelib.domain.delivery import (
    Accepted,
    Envelope,
    Message,
    MessageTags,
    Outcome,
    Reason,
    Refused,
    Scope,
    Stage,
    TryLater,
    Unknown,
    Withheld,
    obstacle,
)
from chalicelib.domain.email import CompiledMessage
from chalicelib.domain.header import CannotComposeError, ExtraHeaders, message_id_for
from chalicelib.domain.line import ConnectionState, Line, SmtpChannel
from chalicelib.domain.link_tokens import TokenRing
from chalicelib.domain.message_links import links_of
from chalicelib.domain.personalization import NO_LINKS, Links
from chalicelib.domain.retry import LINE_WAITS, RATE_WAIT, contact_wait, line_wait
from chalicelib.domain.return_path import RETURN_FIELD, envelope_of
from chalicelib.errors import NotFound, SecretUnreadable
from chalicelib.flow.attached_files import AttachedFiles
from chalicelib.flow.brake import AcceptedTally
from chalicelib.flow.clearance import Clearance
from chalicelib.flow.compose import compile_for
from chalicelib.flow.composed import HAND_OVER, Composed, complete
from chalicelib.flow.open_line import open_line
from chalicelib.flow.signing import KEY_UNREADABLE
from chalicelib.observability import log
from chalicelib.ports import (
    BrakeStore,
    CampaignStore,
    Clock,
    ContactStore,
    DkimSigner,
    EmailSender,
    IdentityStore,
    LineStore,
    PaceStore,
    SecretBox,
    SendOrder,
    Settlement,
    SuppressionStore,
)

FRESH = timedelta(seconds=2)  # how old a look at the campaign may be when a message is handed over
LATEST = timedelta(minutes=10)  # a message later than this gets a new slot, whatever its pace
QUEUE_TIME = timedelta(seconds=30)  # between a slot and its message at the sender, on a normal day
REMEMBER_LINE = timedelta(seconds=30)
REMEMBER_MESSAGES = 20  # compiled ones: as many as a campaign may have lines, which take turns
CONCERNS_ALL = frozenset({"message_too_large"})  # refusals that every contact of the campaign would meet
NOT_MADE = Reason(
    "message_not_made",
    "By an error of ours the message could not be made, and nothing was sent. Please tell the operator.",
)
PASSES_BY_ITSELF = frozenset({"sending_quota_used_up"})  # nothing is wrong with the line

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SendPorts:
    """What a sender needs. ``new_token`` makes a claim's token, ``draw`` a number in [0, 1) for jitter.

    ``tokens`` seals those of the links in a message, which begin with ``public_url`` ("" for no links).
    Without ``signer`` nothing is signed here.
    """

    campaigns: CampaignStore
    contacts: ContactStore
    suppressions: SuppressionStore
    lines: LineStore
    identities: IdentityStore
    pace: PaceStore
    brakes: BrakeStore
    secrets: SecretBox
    channel: EmailSender
    clock: Clock
    new_token: Callable[[], str]
    draw: Callable[[], float]
    tokens: TokenRing
    public_url: str
    attached: AttachedFiles
    signer: DkimSigner | None = None


@dataclass(frozen=True, slots=True)
class Own:
    """What a message has of its own: tags, links, and the token by which a bounce names it.

    SES tells of its messages by their tags, so one through SES needs no token ("").
    """

    tags: MessageTags
    links: Links
    returns: str

    @property
    def headers(self) -> ExtraHeaders:
        """The fields beyond those of every message."""
        return ((RETURN_FIELD, self.returns),) if self.returns else ()

    def envelope(self, line: Line, recipient: str) -> Envelope:
        """From whom and to whom it goes on the wire."""
        if self.returns:
            return envelope_of(line, recipient, self.tags, self.returns)
        return Envelope(line.from_address, recipient, self.tags)


class Sender:
    """A warm sender: between orders it remembers campaigns, lines and compiled messages."""

    def __init__(self, ports: SendPorts) -> None:
        self._ports = ports
        self._looks: dict[tuple[str, str], tuple[datetime, Campaign | None]] = {}
        self._lines: dict[tuple[str, str], tuple[datetime, Line, str]] = {}
        self._messages: dict[tuple[str, str, int, tuple[str, ...], Line], CompiledMessage] = {}
        self._troubled: set[tuple[str, str]] = set()
        self._resting: dict[tuple[str, str], datetime] = {}
        self._accepted = AcceptedTally(ports.brakes)

    def send(self, order: SendOrder, stop_at: datetime) -> Outcome | None:
        """Carry out one order; None when nothing was handed over and the contact went back or was gone.

        ``stop_at`` is when this process may be stopped: too little time left is too little to begin.
        """
        campaign = self._look(order)
        now = self._ports.clock.now()
        found = self._line(order)
        if campaign is None or found is None or now + HAND_OVER > stop_at:
            self._give_back(order, None)
            return None
        line, password = found
        if not wanted(campaign, line, order, now):
            self._give_back(order, None)
            return None
        composed = self._compose_or_stop(order, campaign, line, stop_at)
        if composed is None:
            return None
        own = self._own(order, composed, line)
        connected = self._ports.channel.connect(line, password)
        if isinstance(connected, TryLater | Refused):
            self._settle_line(order, connected)
            self._give_back(order, None, reason=connected.reason)
            return connected
        return self._claim_and_hand_over(order, campaign, line, composed, own, stop_at)

    def flush(self) -> None:
        """Write down how many messages were accepted since the last time; to be called after each batch."""
        self._accepted.flush()

    def _claim_and_hand_over(
        self,
        order: SendOrder,
        campaign: Campaign,
        line: Line,
        composed: Composed,
        own: Own,
        stop_at: datetime,
    ) -> Outcome | None:
        token = self._ports.new_token()
        now = self._ports.clock.now()
        contact = self._ports.contacts.claim(order.account_id, order, token, campaign.content_version, now)
        if contact is None:
            return None
        limit = min(stop_at, contact.lease_until or now)
        clearance = Clearance(order.account_id, contact, self._ports.suppressions, self._ports.clock, FRESH)
        outcome = obstacle(clearance.holds) or self._hand_over(
            order, line, composed, own, contact, limit, clearance
        )
        if isinstance(outcome, Withheld) and clearance.refusal:
            outcome = Refused(clearance.refusal, Scope.CONTACT)
        self._record(order, token, contact, outcome)
        if isinstance(outcome, Withheld):
            outcome.raise_failure()
        return outcome

    def _hand_over(
        self,
        order: SendOrder,
        line: Line,
        composed: Composed,
        own: Own,
        contact: Contact,
        limit: datetime,
        clearance: Clearance,
    ) -> Outcome:
        try:
            message = self._message(order, line, composed, own, contact)
        except CannotComposeError as error:
            return Refused(error.reason, error.scope)
        except Exception as error:  # noqa: BLE001  (a mistake of ours: it was not sent, and that is known)
            log("message_not_made", contact_id=order.contact_id, campaign_id=order.campaign_id, error=error)
            return Refused(NOT_MADE, Scope.CONTACT)
        return self._ports.channel.deliver(
            line,
            own.envelope(line, contact.person.email),
            message,
            lambda: self._go_ahead(order, line, limit - composed.hand_over) and clearance.holds(),
        )

    def _message(
        self, order: SendOrder, line: Line, composed: Composed, own: Own, contact: Contact
    ) -> Message:
        """The contact's message, ready to go. Raises CannotComposeError."""
        now = self._ports.clock.now()
        message = composed.message.render(
            contact.person,
            _message_id(order, line),
            now,
            own.links,
            draw_for(order.campaign_id, order.contact_id),
            extra_headers=own.headers,
            smtputf8=True,
        )
        return composed.finish(message, now)

    def _own(self, order: SendOrder, composed: Composed, line: Line) -> Own:
        """Made before the claim, for it may have to ask for a key: after it, that would end as unknown."""
        tags, by_smtp = _tags(order), isinstance(line.channel, SmtpChannel)
        if not (by_smtp or self._ports.public_url):
            return Own(tags, NO_LINKS, "")
        use, tokens = composed.message.link_use, self._ports.tokens
        links, returns = links_of(tags, use, tokens, self._ports.public_url)
        return Own(tags, links, returns if by_smtp else "")

    def _go_ahead(self, order: SendOrder, line: Line, latest: datetime) -> bool:
        """The last look, just before the message leaves: still wanted, and enough time for the reply."""
        campaign, now = self._look(order), self._ports.clock.now()
        return campaign is not None and wanted(campaign, line, order, now) and now <= latest

    def _record(self, order: SendOrder, token: str, contact: Contact, outcome: Outcome) -> None:
        """Write down what became of the message. The claim makes sure that it is ours to say."""
        now = self._ports.clock.now()
        match outcome:
            case Accepted(remote_id):
                self._settle(order, token, Settlement(ContactStatus.SENT, now, remote_id=remote_id))
                self._accepted.add(order.account_id, order.campaign_id, order.line_id, now)
                self._line_worked(order)
            case Unknown(reason):
                # The code is what keeps a resend away from it, whatever the channel calls it.
                doubt = replace(reason, code=OUTCOME_UNKNOWN)
                self._settle(order, token, Settlement(ContactStatus.ERROR, now, doubt))
            case Withheld():
                self._give_back(order, token)
            case Refused(reason, Scope.CONTACT) | Refused(reason, Scope.CONTENT):
                self._refuse(order, token, reason)
            case TryLater(reason, Scope.CONTACT, after) | TryLater(reason, Scope.CONTENT, after):
                self._put_off(order, token, contact.failures + 1, reason, after)
            case TryLater() | Refused():
                self._settle_line(order, outcome)
                self._give_back(order, token, reason=outcome.reason)

    def _refuse(self, order: SendOrder, token: str, reason: Reason) -> None:
        """An Error for this contact; what none of the campaign would pass pauses the campaign instead."""
        if reason.code in CONCERNS_ALL and reason.stage is not Stage.RCPT:
            self._pause(order, reason)
            self._give_back(order, token, reason=reason)
        else:
            self._settle(order, token, Settlement(ContactStatus.ERROR, self._ports.clock.now(), reason))

    def _put_off(
        self, order: SendOrder, token: str, failures: int, reason: Reason, after: timedelta | None
    ) -> None:
        wait = contact_wait(failures, after, self._ports.draw())
        now = self._ports.clock.now()
        if wait is None:
            self._settle(order, token, Settlement(ContactStatus.ERROR, now, reason))
        else:
            back = Settlement(ContactStatus.NOT_SENT, now, reason, now + wait, failures)
            self._settle(order, token, back)

    def _settle_line(self, order: SendOrder, outcome: TryLater | Refused) -> None:
        """Let the line rest, or take it out of use; its contacts are not burned for it."""
        key, now = (order.account_id, order.line_id), self._ports.clock.now()
        self._troubled.add(key)
        if isinstance(outcome, Refused):
            self._take_out_of_use(key, outcome.reason)
        elif outcome.scope is Scope.RATE or outcome.reason.code in PASSES_BY_ITSELF:
            self._rest(key, now + max(RATE_WAIT, outcome.after or RATE_WAIT))
        else:
            failures = self._ports.pace.line_failed(*key, now, now + LINE_WAITS[0])
            self._resting[key] = now + LINE_WAITS[0]
            wait = line_wait(failures, outcome.after) if failures else LINE_WAITS[0]
            if wait is None:
                self._take_out_of_use(key, outcome.reason)
            elif failures and wait > LINE_WAITS[0]:
                self._rest(key, now + wait)

    def _rest(self, key: tuple[str, str], until: datetime) -> None:
        self._ports.pace.rest_line(*key, until)
        self._resting[key] = until

    def _take_out_of_use(self, key: tuple[str, str], reason: Reason) -> None:
        """Nothing leaves through it until a person has connected it again."""
        with suppress(NotFound):
            connection = self._ports.lines.get(*key).connection
            self._ports.lines.set_connection(*key, connection.failed(self._ports.clock.now(), reason))
        self._lines.pop(key, None)

    def _line_worked(self, order: SendOrder) -> None:
        """Forget failures this process has seen; a write for every message would cost more than it tells."""
        key = (order.account_id, order.line_id)
        if key in self._troubled:
            self._ports.pace.line_worked(*key)
            self._troubled.discard(key)

    def _pause(self, order: SendOrder, reason: Reason) -> None:
        self._ports.campaigns.move(
            order.account_id,
            order.campaign_id,
            [CampaignStatus.IN_PROGRESS],
            CampaignStatus.PAUSED,
            self._ports.clock.now(),
            reason,
        )

    def _give_back(self, order: SendOrder, token: str | None, reason: Reason | None = None) -> None:
        """Back to Not sent: certainly not handed over. An order that is out of date changes nothing."""
        self._settle(order, token, Settlement(ContactStatus.NOT_SENT, self._ports.clock.now(), reason))

    def _settle(self, order: SendOrder, token: str | None, settlement: Settlement) -> None:
        self._ports.contacts.settle(order.account_id, order, token, settlement)

    def _look(self, order: SendOrder) -> Campaign | None:
        """The campaign as it was at most FRESH ago; None when it is gone."""
        key, now = (order.account_id, order.campaign_id), self._ports.clock.now()
        seen = self._looks.get(key)
        if seen is None or now - seen[0] > FRESH:
            seen = self._looks[key] = (now, _find(lambda: self._ports.campaigns.get(*key)))
        return seen[1]

    def _line(self, order: SendOrder) -> tuple[Line, str] | None:
        """The line and its password; None when it was deleted, rests, is braked or out of use."""
        key, now = (order.account_id, order.line_id), self._ports.clock.now()
        if now < self._resting.get(key, now):
            return None
        seen = self._lines.get(key)
        if seen is None or now - seen[0] > REMEMBER_LINE:
            line = _find(lambda: self._ports.lines.get(*key))
            if line is None or line.connection.state is not ConnectionState.CONNECTED or line.brake:
                return None
            password = self._leave_to_send(key, line)
            if password is None:
                return None
            seen = self._lines[key] = (now, line, password)
        return seen[1], seen[2]

    def _leave_to_send(self, key: tuple[str, str], line: Line) -> str | None:
        """The password; empty for SES, where the identity must be the account's own. None: out of use now."""
        found = open_line(key[0], line, self._ports.identities, self._ports.secrets)
        if isinstance(found, Reason):
            self._take_out_of_use(key, found)
            return None
        return found

    def _compose_or_stop(
        self, order: SendOrder, campaign: Campaign, line: Line, stop_at: datetime
    ) -> Composed | None:
        """The compiled message and its key. What can't be composed would fail for every contact: it pauses.

        A key that can't be read takes the line out of use: what is to be signed never leaves unsigned.
        """
        try:
            composed = self._composed(order, campaign, line)
        except CannotComposeError as error:
            self._pause(order, error.reason)
            self._give_back(order, None, reason=error.reason)
            return None
        except SecretUnreadable:
            self._take_out_of_use((order.account_id, order.line_id), KEY_UNREADABLE)
            self._give_back(order, None)
            return None
        except NotFound:  # the campaign was removed since the look
            return None
        if self._ports.clock.now() + composed.hand_over > stop_at:  # files may take their time to come
            self._give_back(order, None)
            return None
        return composed

    def _composed(self, order: SendOrder, campaign: Campaign, line: Line) -> Composed:
        message = self._compiled(order, campaign, line)
        ports = self._ports
        return complete(order.account_id, order.campaign_id, message, line, ports.attached, ports.signer)

    def _compiled(self, order: SendOrder, campaign: Campaign, line: Line) -> CompiledMessage:
        """The message of this content version and line, compiled once."""
        key = (order.account_id, campaign.campaign_id, campaign.content_version, campaign.columns, line)
        if key not in self._messages:
            if len(self._messages) >= REMEMBER_MESSAGES:
                self._messages.clear()  # a few campaigns at a time are the rule; the memory stays flat
            content = self._ports.campaigns.content(*key[:3])
            self._messages[key] = compile_for(campaign, content, line, self._ports.public_url)
        return self._messages[key]


def wanted(campaign: Campaign, line: Line, order: SendOrder, now: datetime) -> bool:
    """Whether a message may leave now: the campaign runs, the slot isn't long past, the window is open.

    A slot lies inside a window by construction; the few seconds a queue needs don't make it late. Where
    messages are paced, by gaps or by the line's limits, more than those seconds do: what piled up while no
    sender worked would leave in a burst.
    """
    latest = QUEUE_TIME if campaign.timetable.gap_max or line.limits_in_force.is_paced else LATEST
    late = now - order.slot_at
    open_now = campaign.timetable.is_open(now) or (
        late <= QUEUE_TIME and campaign.timetable.is_open(order.slot_at)
    )
    runs = campaign.status is CampaignStatus.IN_PROGRESS and campaign.brake is None
    return runs and late <= latest and open_now


def _tags(order: SendOrder) -> MessageTags:
    return MessageTags(order.account_id, order.campaign_id, order.contact_id, order.generation, order.attempt)


def _message_id(order: SendOrder, line: Line) -> str:
    domain = line.from_address.rpartition("@")[2]
    return message_id_for(order.campaign_id, order.contact_id, order.generation, domain)


def _find(read: Callable[[], T]) -> T | None:
    try:
        return read()
    except NotFound:
        return None
