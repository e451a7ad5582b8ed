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
from functools import partial

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
from chalicelib.domain.header import CannotComposeError, ExtraHeaders, message_id_for
from chalicelib.domain.line import Line, SmtpChannel
from chalicelib.domain.link_tokens import TokenRing
from chalicelib.domain.message_links import links_of
from chalicelib.domain.personalization import NO_LINKS, Links
from chalicelib.domain.retry import contact_wait
from chalicelib.domain.return_path import RETURN_FIELD, envelope_of
from chalicelib.errors import NotFound, SecretUnreadable
from chalicelib.flow.attached_files import AttachedFiles
from chalicelib.flow.brake import AcceptedTally
from chalicelib.flow.clearance import Clearance
from chalicelib.flow.composed import ADDRESSING, HAND_OVER, PART_MISSING, Composed, complete
from chalicelib.flow.line_trouble import LineTrouble
from chalicelib.flow.signing import KEY_UNREADABLE
from chalicelib.flow.warm_memory import OpenLine, WarmMemory
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

LATEST = timedelta(minutes=10)  # a message later than this gets a new slot, whatever its pace
QUEUE_TIME = timedelta(seconds=30)  # between a slot and its message at the sender, on a normal day
CONCERNS_ALL = frozenset({"message_too_large"})  # refusals that every contact of the campaign would meet
NOT_MADE = Reason(
    "message_not_made",
    "By an error of ours the message could not be made, and nothing was sent. Please tell the operator.",
)


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


@dataclass(frozen=True, slots=True)
class Ready:
    """All that a message needs but its contact: made before the claim, while a failure costs nothing.

    ``version`` is the content version it was composed from.
    """

    line: Line
    composed: Composed
    own: Own
    version: int


@dataclass(frozen=True, slots=True)
class Stopped:
    """Why an order got no further than its preparation. The contact goes back; ``afterwards`` comes then."""

    reason: Reason | None = None
    outcome: TryLater | Refused | None = None
    afterwards: Callable[[], None] = lambda: None


class Sender:
    """A warm sender: between orders it remembers campaigns, lines and compiled messages."""

    def __init__(self, ports: SendPorts) -> None:
        self._ports = ports
        self._memory = WarmMemory(
            ports.campaigns, ports.lines, ports.identities, ports.secrets, ports.clock, ports.public_url
        )
        self._trouble = LineTrouble(ports.pace, ports.lines, ports.clock)
        self._accepted = AcceptedTally(ports.brakes, ports.campaigns)

    def send(self, order: SendOrder, stop_at: datetime) -> Outcome | None:
        """Carry out one order; None when nothing was handed over and the contact went back or was gone.

        ``stop_at`` is when this process may be stopped: too little time left is too little to begin. What
        the stores raise is raised, after the contact was given back if nothing was handed over.
        """
        try:
            ready = self._prepare(order, stop_at)
        except Exception:
            with suppress(Exception):  # else the end of its lease gives it back
                self._give_back(order, None)
            raise
        if isinstance(ready, Ready):
            return self._claim_and_hand_over(order, ready, stop_at)
        self._give_back(order, None, ready.reason)
        ready.afterwards()
        return ready.outcome

    def flush(self) -> None:
        """Write down how many messages were accepted since the last time; to be called after each batch."""
        self._accepted.flush()

    def _prepare(self, order: SendOrder, stop_at: datetime) -> Ready | Stopped:
        """Look, compose and connect."""
        campaign = self._memory.campaign(order.account_id, order.campaign_id)
        opened, now = self._open_line(order), self._ports.clock.now()
        if campaign is None or opened is None or not wanted(campaign, opened.line, order, now):
            return Stopped()
        composed = (
            Stopped()
            if now + ADDRESSING + HAND_OVER > stop_at
            else self._compose(order, campaign, opened.line)
        )
        if isinstance(composed, Stopped):
            return composed
        own = self._own(order, composed, opened.line)
        if self._late(composed, stop_at):  # files may take their time to come
            return Stopped()
        connected = self._ports.channel.connect(opened.line, opened.password)
        if isinstance(connected, TryLater | Refused):
            return Stopped(connected.reason, connected, partial(self._line_failed, order, connected))
        if self._late(composed, stop_at):  # so may a server
            return Stopped()
        return Ready(opened.line, composed, own, campaign.content_version)

    def _late(self, composed: Composed, stop_at: datetime) -> bool:
        return self._ports.clock.now() + ADDRESSING + composed.hand_over > stop_at

    def _claim_and_hand_over(self, order: SendOrder, ready: Ready, stop_at: datetime) -> Outcome | None:
        token = self._ports.new_token()
        contact = self._claim(order, token, ready.version)
        if contact is None:
            return None
        limit = min(stop_at, contact.lease_until or self._ports.clock.now()) - ready.composed.hand_over
        clearance = Clearance(order.account_id, contact, self._ports.suppressions, self._ports.clock)
        outcome = obstacle(clearance.holds) or self._hand_over(order, ready, contact, limit, clearance)
        if isinstance(outcome, Withheld) and clearance.refusal:
            outcome = Refused(clearance.refusal, Scope.CONTACT)
        self._record(order, token, contact, outcome)
        if isinstance(outcome, Withheld):
            outcome.raise_failure()
        return outcome

    def _claim(self, order: SendOrder, token: str, version: int) -> Contact | None:
        """The contact, if it is ours now. A claim whose reply was lost for good is given back unused."""
        try:
            return self._ports.contacts.claim(
                order.account_id, order, token, version, self._ports.clock.now()
            )
        except Exception:
            with suppress(Exception):
                self._give_back(order, token)
            raise

    def _hand_over(
        self, order: SendOrder, ready: Ready, contact: Contact, latest: datetime, clearance: Clearance
    ) -> Outcome:
        try:
            message = self._message(order, ready, contact)
        except CannotComposeError as error:
            return Refused(error.reason, error.scope)
        except Exception as error:  # noqa: BLE001  (a mistake of ours: it was not sent, and that is known)
            log("message_not_made", contact_id=order.contact_id, campaign_id=order.campaign_id, error=error)
            return Refused(NOT_MADE, Scope.CONTACT)
        return self._ports.channel.deliver(
            ready.line,
            ready.own.envelope(ready.line, contact.person.email),
            message,
            lambda: clearance.holds() and self._go_ahead(order, ready, latest),
        )

    def _message(self, order: SendOrder, ready: Ready, contact: Contact) -> Message:
        """The contact's message, ready to go. Raises CannotComposeError."""
        now = self._ports.clock.now()
        message = ready.composed.message.render(
            contact.person,
            _message_id(order, ready.line),
            now,
            ready.own.links,
            draw_for(order.campaign_id, order.contact_id),
            extra_headers=ready.own.headers,
            smtputf8=True,
        )
        return ready.composed.finish(message, now)

    def _own(self, order: SendOrder, composed: Composed, line: Line) -> Own:
        """Made before the claim, for it may have to ask for a key: after it, that would end as unknown."""
        tags, by_smtp = _tags(order), isinstance(line.channel, SmtpChannel)
        if not (by_smtp or self._ports.public_url):
            return Own(tags, NO_LINKS, "")
        use, tokens = composed.message.link_use, self._ports.tokens
        links, returns = links_of(tags, use, tokens, self._ports.public_url)
        return Own(tags, links, returns if by_smtp else "")

    def _go_ahead(self, order: SendOrder, ready: Ready, latest: datetime) -> bool:
        """The last look, just before the message leaves: still wanted, as it is, and time for the reply."""
        campaign = self._memory.campaign(order.account_id, order.campaign_id)
        now = self._ports.clock.now()
        if campaign is None or campaign.content_version != ready.version:
            return False
        return wanted(campaign, ready.line, order, now) and now <= latest

    def _record(self, order: SendOrder, token: str, contact: Contact, outcome: Outcome) -> None:
        """Write down what became of the message. The claim makes sure that it is ours to say.

        The contact comes first: what else is to be done may fail, and must not leave the claim behind.
        """
        now = self._ports.clock.now()
        match outcome:
            case Accepted(remote_id):
                self._settle(order, token, Settlement(ContactStatus.SENT, now, remote_id=remote_id))
                self._accepted.add(order.account_id, order.campaign_id, order.line_id, now)
                self._trouble.worked((order.account_id, order.line_id))
            case Unknown(reason):
                # The code is what keeps a resend away from it, whatever the channel calls it.
                doubt = replace(reason, code=OUTCOME_UNKNOWN)
                self._settle(order, token, Settlement(ContactStatus.ERROR, now, doubt))
            case Withheld():
                self._give_back(order, token)
            case Refused(reason, Scope.CONTACT) | Refused(reason, Scope.CONTENT):
                self._refuse(order, token, reason)
            case TryLater(_, Scope.CONTACT) | TryLater(_, Scope.CONTENT):
                self._try_later(order, token, contact, outcome)
            case TryLater() | Refused():
                self._give_back(order, token, reason=outcome.reason)
                self._line_failed(order, outcome)

    def _refuse(self, order: SendOrder, token: str, reason: Reason) -> None:
        """An Error for this contact; what none of the campaign would pass pauses the campaign instead."""
        if reason.code in CONCERNS_ALL and reason.stage is not Stage.RCPT:
            self._give_back(order, token, reason=reason)
            self._pause(order, reason)
        else:
            self._settle(order, token, Settlement(ContactStatus.ERROR, self._ports.clock.now(), reason))

    def _try_later(self, order: SendOrder, token: str, contact: Contact, outcome: TryLater) -> None:
        """The contact waits; a server that is silent to one after the other is the line's trouble."""
        key, reason = (order.account_id, order.line_id), outcome.reason
        if self._trouble.fell_silent(key, order.contact_id, reason):
            self._give_back(order, token, reason=reason)
            self._line_failed(order, replace(outcome, scope=Scope.LINE))
            return
        failures, now = contact.failures + 1, self._ports.clock.now()
        wait = contact_wait(failures, outcome.after, self._ports.draw())
        if wait is None:
            self._settle(order, token, Settlement(ContactStatus.ERROR, now, reason))
        else:
            back = Settlement(ContactStatus.NOT_SENT, now, reason, now + wait, failures)
            self._settle(order, token, back)

    def _line_failed(self, order: SendOrder, outcome: TryLater | Refused) -> None:
        self._memory.forget_line(order.account_id, order.line_id)
        self._trouble.failed((order.account_id, order.line_id), outcome)

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

    def _open_line(self, order: SendOrder) -> OpenLine | None:
        """The line, ready to connect; None when it was deleted, rests, is braked or out of use."""
        key = order.account_id, order.line_id
        if self._trouble.rests(key):
            return None
        opened = self._memory.line(*key)
        if isinstance(opened, Reason):
            self._trouble.take_out_of_use(key, opened)
            return None
        return opened

    def _compose(self, order: SendOrder, campaign: Campaign, line: Line) -> Composed | Stopped:
        """The compiled message and its key. What can't be composed would fail for every contact: it pauses.

        A key that can't be read takes the line out of use: what is to be signed never leaves unsigned.
        """
        try:
            message = self._memory.message(order.account_id, campaign, line)
            return complete(
                order.account_id, order.campaign_id, message, line, self._ports.attached, self._ports.signer
            )
        except CannotComposeError as error:
            return Stopped(error.reason, afterwards=partial(self._pause, order, error.reason))
        except SecretUnreadable:
            refusal = Refused(KEY_UNREADABLE, Scope.LINE)
            return Stopped(afterwards=partial(self._line_failed, order, refusal))
        except NotFound:  # either the campaign was removed since the look, or it lacks a file
            return Stopped(PART_MISSING, afterwards=partial(self._pause, order, PART_MISSING))


def wanted(campaign: Campaign, line: Line, order: SendOrder, now: datetime) -> bool:
    """Whether a message may leave now: the campaign runs, through this line, in the slot's time and window.

    A slot lies inside a window by construction; the few seconds a queue needs don't make it late. Where
    messages are paced, by gaps or by the line's limits, more than those seconds do: what piled up while no
    sender worked would leave in a burst.
    """
    if order.line_id not in campaign.line_ids:
        return False
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
