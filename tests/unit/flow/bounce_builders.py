"""A world where a message was sent, and what servers and other people write back."""

from dataclasses import dataclass, field, replace

from chalicelib.domain.delivery import MessageTags
from chalicelib.domain.delivery_event import DeliveryEvent
from chalicelib.domain.link_tokens import TokenKind
from chalicelib.domain.mime_reading import parse_message
from chalicelib.domain.return_path import RETURN_FIELD, mark
from chalicelib.flow.take_bounce import BouncePorts
from tests.fakes.world import ACCOUNT, World

REPORT = """\
Return-Path: <>
From: MAILER-DAEMON@mx.shop.example
To: {to}
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.shop.example
{envelope}
Final-Recipient: rfc822; {recipient}
Action: {action}
Status: {status}

--b
Content-Type: text/rfc822-headers

From: news@shop.example
{header}
--b--
"""


@dataclass
class Sent:
    """One message that left, and the events that came of what was written back."""

    world: World
    tags: MessageTags
    token: str
    sender: str
    envelope_id: str
    events: list[DeliveryEvent] = field(default_factory=list)
    fails: bool = False

    @property
    def ports(self) -> BouncePorts:
        return BouncePorts(self.world.campaigns, self.world.ring, self._track, self.world.clock)

    def _track(self, event: DeliveryEvent) -> None:
        if self.fails:
            raise ConnectionError("DynamoDB is out of reach")
        self.events.append(event)

    def report(
        self,
        *,
        token: str | None = None,
        to: str = "news@shop.example",
        envelope_id: str | None = None,
        recipient: str = "c0@mail.example",
        action: str = "failed",
        status: str = "5.1.1",
    ) -> bytes:
        """A server's report; without ``token``, ``to`` or ``envelope_id`` nothing in it names the message."""
        text = REPORT.format(
            to=to,
            envelope=f"Original-Envelope-Id: {envelope_id}\n" if envelope_id else "",
            recipient=recipient,
            action=action,
            status=status,
            header=f"{RETURN_FIELD}: {token}\n" if token else "",
        )
        return text.encode()


def sent(return_path: str = "bounces+{token}@shop.example", world: World | None = None) -> Sent:
    """A message to c0@mail.example, sent by a line with this return path."""
    world = world or World()
    campaign_id = world.running()
    line = world.lines.get(ACCOUNT, "line1")
    world.lines.remove(ACCOUNT, "line1")
    world.lines.add(ACCOUNT, replace(line, return_path=return_path))
    (order,) = world.visit(campaign_id)
    world.sender().send(order, world.stop_at())
    (mail,) = world.channel.accepted
    token = parse_message(mail.text).first(RETURN_FIELD.lower())
    tags = world.ring.read(TokenKind.RETURN, token)
    assert tags is not None
    return Sent(world, tags, token, mail.sender, mark(tags, token) or "")
