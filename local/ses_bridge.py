"""Plays the part of Amazon SES that the emulator lacks: what becomes of a message, and the events telling it.

It listens on loopback between the Lambdas and the emulator. Every request goes on to the emulator as it
came, with its signature and its Host, and the answer comes back as it is. Three things are different: an
identity is shown as unverified for a while after it was made, the account's sending rate can be set, and a
message's fate may be that something goes wrong with it. Raw messages that the emulator accepted land in the
Maildir, and their events go to the SNS topics that their configuration set names.

``POST /reader/MESSAGE-ID/open`` (or any other name of ``Happening``) makes it happen to a message by hand.
"""

import base64
import json
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import getaddresses
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from local.emulator import Emulator
from local.maildir import Maildir, Received
from local.ports import LOOPBACK
from local.ses_answers import adjusted
from local.ses_destinations import Destinations
from local.ses_events import Happening, Message, Origin, event, headers_of
from local.ses_fates import Fate, Fault, Plan, by_address
from local.ses_proxy import Answer, Request, error_answer, forward, serve, signed_by
from local.ses_publishing import Disorder, Due, Published, Publisher

LARGEST_BACKLOG = 20_000
"""Events that may wait; more messages are put off meanwhile, as by SES when they come too fast."""

_SEND = ("POST", "/v2/email/outbound-emails")
_READER = "/reader/"


@dataclass(frozen=True, slots=True)
class Options:
    """How the bridge behaves. ``verify_after`` is the seconds until a new identity is shown as verified,
    ``send_rate`` the messages per second that GetAccount tells (None is what the emulator says).
    """

    plan: Plan = by_address
    disorder: Disorder = field(default_factory=Disorder)
    verify_after: float = 0.0
    send_rate: float | None = None
    messages_remembered: int = 10_000
    events_remembered: int = 200_000


class SesBridge:
    """A running bridge. It remembers the newest messages and events only; see `Options`."""

    def __init__(self, emulator: Emulator, maildir: Maildir, options: Options, port: int) -> None:
        session = self._session = emulator.session()
        self.url = f"http://{LOOPBACK}:{port}"
        self._options = options
        self._maildir = maildir
        self._emulator_port = urlsplit(emulator.endpoint).port or 80
        self._destinations = Destinations(session.client("sesv2", endpoint_url=emulator.endpoint))
        sns = session.client("sns", endpoint_url=emulator.endpoint)
        self.publisher = Publisher(sns, options.disorder, remembered=options.events_remembered)
        self._accepted: OrderedDict[str, Message] = OrderedDict()
        self._met: OrderedDict[str, None] = OrderedDict()  # addresses whose fault is spent
        self._lock = Lock()

    def accepted(self) -> list[Message]:
        """The messages that were accepted, oldest first."""
        with self._lock:
            return list(self._accepted.values())

    def ledger(self) -> list[Published]:
        """The events that were published, in order."""
        return self.publisher.ledger()

    def happen(self, message_id: str, happening: Happening) -> bool:
        """Make something happen to a message; False if it isn't remembered."""
        with self._lock:
            message = self._accepted.get(message_id)
        if message is None:
            return False
        self.publisher.put(self._events(message, dict.fromkeys(message.destination, Fate((happening,)))))
        return True

    def handle(self, request: Request) -> Answer | None:
        """Answer a request, or cut its connection."""
        if request.path.startswith(_READER):
            return self._read(request)
        if (request.method, request.path) == _SEND:
            return self._send(request)
        answer = forward(request, self._emulator_port)
        return adjusted(request, answer, self._options.verify_after, self._options.send_rate)

    def _read(self, request: Request) -> Answer:
        message_id, _, name = request.path.removeprefix(_READER).partition("/")
        if request.method != "POST" or name not in set(Happening):
            return error_answer(400, "BadRequest", f"POST /reader/MESSAGE-ID/{'|'.join(Happening)}, please.")
        if not self.happen(message_id, Happening(name)):
            return error_answer(404, "NotFound", "No such message was accepted lately.")
        return Answer(202, (), b"")

    def _send(self, request: Request) -> Answer | None:
        order = _order(request.body)
        if order is None:
            return forward(request, self._emulator_port)
        if self.publisher.backlog() > LARGEST_BACKLOG:
            return _throttled()
        fates = {recipient: self._options.plan(recipient) for recipient in order.recipients}
        fault = self._fault(fates)
        if fault is Fault.THROTTLE:
            return _throttled()
        if fault is Fault.FAIL:
            return error_answer(500, "InternalFailure", "Something went wrong.")
        # The emulator wants a right to send as anybody, which no function has: docs/emulator.md.
        answer = forward(signed_by(self._session, request, self._emulator_port), self._emulator_port)
        if answer.status == 200:
            self._accept(order, str(json.loads(answer.body)["MessageId"]), fates)
        return None if fault is Fault.DROP_REPLY and answer.status == 200 else answer

    def _fault(self, fates: Mapping[str, Fate]) -> Fault | None:
        """The fault of the first recipient that has one left; each address has it once."""
        with self._lock:
            for recipient, fate in fates.items():
                if fate.fault is not None and recipient not in self._met:
                    _remember(self._met, recipient, None, self._options.messages_remembered)
                    return fate.fault
        return None

    def _accept(self, order: "_Order", message_id: str, fates: Mapping[str, Fate]) -> None:
        headers, truncated = headers_of(order.content)
        message = Message(
            message_id=message_id,
            accepted_at=datetime.now(UTC),
            source=order.source,
            destination=order.recipients,
            configuration_set=order.configuration_set,
            tags=order.tags,
            headers=headers,
            headers_truncated=truncated,
        )
        with self._lock:
            _remember(self._accepted, message_id, message, self._options.messages_remembered)
        self._maildir.keep(Received(order.source, order.recipients, order.content))
        events = self._events(message, fates)
        if any(fate.held for fate in fates.values()):
            self.publisher.hold(events)
        elif not self.publisher.put_early(events):
            self.publisher.put(events)

    def _events(self, message: Message, fates: Mapping[str, Fate]) -> list[Due]:
        """All events of a message: each happening at each recipient, for each topic that wants to know."""
        return [
            Due(
                topic=topic,
                message_id=message.message_id,
                recipient=recipient,
                happening=happening,
                tags=message.tags,
                payload=event(message, recipient, happening, Origin.of(topic)),
            )
            for recipient, fate in fates.items()
            for happening in fate.happenings
            for topic in self._destinations.topics(message.configuration_set, happening)
        ]


@contextmanager
def run_bridge(
    emulator: Emulator, maildir: Maildir, port: int, options: Options | None = None
) -> Iterator[SesBridge]:
    """Run a bridge before the emulator, on threads of this process, while the block lasts."""
    bridge = SesBridge(emulator, maildir, options or Options(), port)
    bridge.publisher.start()
    try:
        with serve(bridge.handle, port):
            yield bridge
    finally:
        bridge.publisher.stop()


@dataclass(frozen=True, slots=True)
class _Order:
    """What a SendEmail request asks for."""

    source: str
    recipients: tuple[str, ...]
    configuration_set: str
    tags: Mapping[str, str]
    content: bytes


def _order(body: bytes) -> _Order | None:
    """A SendEmail request for a raw message; None for any other and for what can't be read."""
    try:
        wish = json.loads(body)
        content = base64.b64decode(wish["Content"]["Raw"]["Data"])
        source, recipients = wish["FromEmailAddress"], wish["Destination"]["ToAddresses"]
        tags = {tag["Name"]: tag["Value"] for tag in wish.get("EmailTags") or []}
    except (ValueError, KeyError, TypeError):
        return None
    bare = tuple(address for _, address in getaddresses(recipients))
    return _Order(source, bare, wish.get("ConfigurationSetName") or "", tags, content)


def _throttled() -> Answer:
    return error_answer(429, "TooManyRequestsException", "Maximum sending rate exceeded.")


def _remember(memory: "OrderedDict[str, Any]", key: str, value: object, most: int) -> None:
    memory[key] = value
    if len(memory) > most:
        memory.popitem(last=False)
