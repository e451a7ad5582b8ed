"""Test messages: asked for at the API, sent by a sender, which alone may open a line's password.

Nothing of a contact is touched or counted, and nothing reports on the message. It is never sent twice by
itself: the row is claimed before the hand-over, and a claimed row is never claimed again.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chalicelib.domain.address import Address, Rejection, contact_id, parse_address
from chalicelib.domain.campaign import Campaign
from chalicelib.domain.contact import Contact, Person
from chalicelib.domain.custom_variables import draw_for
from chalicelib.domain.delivery import (
    Accepted,
    Connected,
    Envelope,
    Message,
    Outcome,
    Reason,
    Refused,
    TryLater,
    Unknown,
    Withheld,
)
from chalicelib.domain.email import CompiledMessage
from chalicelib.domain.header import CannotComposeError, message_id_for
from chalicelib.domain.ids import new_id
from chalicelib.domain.line import ConnectionState, Line
from chalicelib.domain.message_links import DOWNLOAD_PATH, OF_A_TEST, OPEN_PATH, UNSUBSCRIBE_PATH
from chalicelib.domain.personalization import NO_LINKS, Links
from chalicelib.domain.quota import Quota, reached, usual_limit
from chalicelib.domain.sample import NO_REPLY, NOT_IN_TIME, Sample, SampleState, marked
from chalicelib.domain.suppression import why_not_sent
from chalicelib.errors import Conflict, FieldError, Invalid, NotFound, SecretUnreadable
from chalicelib.flow.attached_files import AttachedFiles
from chalicelib.flow.clearance import Clearance
from chalicelib.flow.compose import compile_for
from chalicelib.flow.composed import ADDRESSING, HAND_OVER, PART_MISSING, complete
from chalicelib.flow.lines import find_line
from chalicelib.flow.open_line import open_line
from chalicelib.flow.signing import KEY_UNREADABLE
from chalicelib.ports import (
    CampaignStore,
    Clock,
    ContactStore,
    DkimSigner,
    EmailSender,
    IdentityStore,
    JobQueue,
    LimitOf,
    LineStore,
    SampleStore,
    SecretBox,
    SuppressionStore,
)


@dataclass(frozen=True, slots=True)
class AskPorts:
    """What asking for a test message needs."""

    samples: SampleStore
    campaigns: CampaignStore
    contacts: ContactStore
    lines: LineStore
    suppressions: SuppressionStore
    send_queue: JobQueue
    clock: Clock
    public_url: str
    limit_of: LimitOf = usual_limit


@dataclass(frozen=True, slots=True)
class SamplePorts:
    """What sending one needs."""

    samples: SampleStore
    campaigns: CampaignStore
    lines: LineStore
    identities: IdentityStore
    suppressions: SuppressionStore
    secrets: SecretBox
    channel: EmailSender
    clock: Clock
    public_url: str
    attached: AttachedFiles
    new_token: Callable[[], str]
    signer: DkimSigner | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """A test message as it is asked for: a contact's, a typed person's, or the first contact's."""

    recipient: str
    contact_id: str | None = None
    person: Person | None = None
    line_id: str | None = None


def ask_for_sample(account_id: str, campaign_id: str, wish: Wish, ports: AskPorts) -> Sample:
    """Queue a test message. Raises NotFound, Invalid, and Conflict with what stands in the way."""
    campaign = ports.campaigns.get(account_id, campaign_id)
    found = find_line(account_id, _line_id(wish, campaign), ports.lines)
    if found is None:
        raise Invalid(FieldError("line_id", "line_missing", "You have no line with this id."))
    line = _usable(found)
    _check_recipient(account_id, wish.recipient, ports.suppressions)
    contact, person = _model(account_id, campaign_id, wish, ports.contacts)
    now = ports.clock.now()
    sample = Sample(
        sample_id=new_id(now),
        campaign_id=campaign_id,
        line_id=line.line_id,
        recipient=wish.recipient,
        contact_id=contact,
        person=person,
        content_version=campaign.content_version,
        asked_at=now,
    )
    try:
        compiled = _compiled(account_id, sample, campaign, line, ports.campaigns, ports.public_url)
        _render(compiled, sample, line, ports.public_url, now)
    except CannotComposeError as error:
        raise Conflict(error.reason.code, error.reason.text) from error
    most = ports.limit_of(account_id, Quota.TESTS_PER_HOUR)
    if not ports.samples.count(account_id, now, most):
        raise reached(Quota.TESTS_PER_HOUR, most)
    ports.samples.add(account_id, sample)
    ports.send_queue.put({"account_id": account_id, "test_id": sample.sample_id})
    return sample


def read_sample(account_id: str, sample_id: str, samples: SampleStore, clock: Clock) -> Sample:
    """A test message and how it went; raises NotFound."""
    return samples.get(account_id, sample_id).at(clock.now())


def send_sample(account_id: str, sample_id: str, stop_at: datetime, ports: SamplePorts) -> SampleState | None:
    """Carry out one order; None when there was nothing (any more) to do.

    What the stores raise is raised: before the claim the order can be repeated, after it the failure is
    told with the test message.
    """
    try:
        sample = ports.samples.get(account_id, sample_id)
        campaign = ports.campaigns.get(account_id, sample.campaign_id)
        line = ports.lines.get(account_id, sample.line_id)
    except NotFound:
        return None
    _in_time(ports.clock.now() + HAND_OVER, stop_at)
    ready = _prepare(account_id, sample, campaign, line, ports)
    latest = stop_at if isinstance(ready, Reason) else stop_at - ready.hand_over
    _in_time(ports.clock.now() + ADDRESSING, latest)
    if not ports.samples.claim(account_id, sample_id, ports.new_token(), ports.clock.now()):
        return None
    outcome = (
        ready if isinstance(ready, Reason) else _hand_over(account_id, sample, line, ready, latest, ports)
    )
    state, reason, remote_id = _settlement(outcome)
    ports.samples.settle(account_id, sample_id, state, reason, remote_id, ports.clock.now())
    if isinstance(outcome, Withheld):
        outcome.raise_failure()
    return state


def _in_time(until: datetime, stop_at: datetime) -> None:
    if until > stop_at:
        raise TimeoutError("too little time left: another sender takes the order")


@dataclass(frozen=True, slots=True)
class _Ready:
    """The message, behind an open connection. ``hand_over`` is what its way to the server may take."""

    message: Message
    hand_over: timedelta


def _prepare(
    account_id: str, sample: Sample, campaign: Campaign, line: Line, ports: SamplePorts
) -> _Ready | Reason:
    """All but the hand-over; or the reason why it can't come to one."""
    ready = _made(account_id, sample, campaign, line, ports)
    if isinstance(ready, Reason):
        return ready
    password = open_line(account_id, line, ports.identities, ports.secrets)
    if isinstance(password, Reason):
        return password
    connected = ports.channel.connect(line, password)
    return ready if isinstance(connected, Connected) else connected.reason


def _made(
    account_id: str, sample: Sample, campaign: Campaign, line: Line, ports: SamplePorts
) -> _Ready | Reason:
    """The message with its files and signature, or the reason why none can be made."""
    now = ports.clock.now()
    try:
        _usable(line)
        compiled = _compiled(account_id, sample, campaign, line, ports.campaigns, ports.public_url)
        composed = complete(account_id, sample.campaign_id, compiled, line, ports.attached, ports.signer)
        own = _render(composed.message, sample, line, ports.public_url, now)
    except Conflict as error:
        return Reason(error.code, str(error))
    except CannotComposeError as error:
        return error.reason
    except SecretUnreadable:
        return KEY_UNREADABLE
    except NotFound:
        return PART_MISSING
    return _Ready(composed.finish(own, now), composed.hand_over)


def _hand_over(
    account_id: str, sample: Sample, line: Line, ready: _Ready, latest: datetime, ports: SamplePorts
) -> Outcome | Reason:
    """The outcome, or what the suppression list has against it."""
    reader = Contact(sample.contact_id, replace(sample.person, email=sample.recipient))
    clearance = Clearance(account_id, reader, ports.suppressions, ports.clock)
    outcome = ports.channel.deliver(
        line,
        Envelope(line.from_address, sample.recipient),
        ready.message,
        lambda: clearance.holds() and ports.clock.now() <= latest,
    )
    return clearance.refusal if isinstance(outcome, Withheld) and clearance.refusal else outcome


def _settlement(outcome: Outcome | Reason) -> tuple[SampleState, Reason | None, str | None]:
    match outcome:
        case Accepted(remote_id):
            return SampleState.SENT, None, remote_id
        case Unknown(reason):
            return SampleState.UNKNOWN, replace(reason, code=NO_REPLY.code), None
        case Withheld():
            return SampleState.FAILED, NOT_IN_TIME, None
        case Reason():
            return SampleState.FAILED, outcome, None
        case TryLater(reason) | Refused(reason):
            return SampleState.FAILED, reason, None


def _compiled(
    account_id: str,
    sample: Sample,
    campaign: Campaign,
    line: Line,
    campaigns: CampaignStore,
    public_url: str,
) -> CompiledMessage:
    """The content as the contact would get it, marked."""
    content = campaigns.content(account_id, sample.campaign_id, sample.content_version)
    columns = tuple(dict.fromkeys((*campaign.columns, *(name for name, _ in sample.person.extra))))
    return compile_for(replace(campaign, columns=columns), marked(content), line, public_url)


def _render(compiled: CompiledMessage, sample: Sample, line: Line, public_url: str, now: datetime) -> bytes:
    """What the contact would get, with To and links of its own."""
    draw = draw_for(sample.campaign_id, sample.contact_id)
    message_id = message_id_for(sample.campaign_id, sample.sample_id, 1, line.from_address.rpartition("@")[2])
    links = _links(public_url)
    return compiled.render(
        sample.person, message_id, now, links, draw, recipient=sample.recipient, smtputf8=True
    )


def _links(public_url: str) -> Links:
    """URLs of the same shape as a contact's, which say that they are of no message and do nothing."""
    if not public_url:
        return NO_LINKS
    paths = (f"{UNSUBSCRIBE_PATH}{OF_A_TEST}", f"{OPEN_PATH}{OF_A_TEST}", f"{DOWNLOAD_PATH}{OF_A_TEST}/")
    return Links(*(public_url + path for path in paths))


def _line_id(wish: Wish, campaign: Campaign) -> str:
    line_id = wish.line_id or next(iter(campaign.line_ids), None)
    if line_id is None:
        raise Invalid(FieldError("line_id", "line_missing", "The campaign has no line: name one."))
    return line_id


def _usable(line: Line) -> Line:
    if line.connection.state is not ConnectionState.CONNECTED:
        raise Conflict("line_not_connected", f"Connect line “{line.name}” first.")
    if line.brake:
        raise Conflict("braked", line.brake.reason.text)
    return line


def _check_recipient(account_id: str, recipient: str, suppressions: SuppressionStore) -> None:
    address = _parsed(recipient, "to")
    found = suppressions.find(account_id, [address.key])
    if address.key in found:
        reason = why_not_sent(found[address.key])
        raise Conflict(reason.code, reason.text)


def _model(account_id: str, campaign_id: str, wish: Wish, contacts: ContactStore) -> tuple[str, Person]:
    """Whose message it is."""
    if wish.person is not None:
        return contact_id(campaign_id, _parsed(wish.person.email, "person.email").key), wish.person
    if wish.contact_id is not None:
        return wish.contact_id, contacts.get(account_id, campaign_id, wish.contact_id).person
    for contact in contacts.page(account_id, campaign_id, None, 1).items:
        return contact.contact_id, contact.person
    raise Invalid(FieldError("person", "no_contacts", "The campaign has no contact yet: give a person."))


def _parsed(text: str, field: str) -> Address:
    address = parse_address(text)
    if isinstance(address, Rejection):
        raise Invalid(FieldError(field, address.code, address.text))
    return address
