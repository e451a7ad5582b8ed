"""Every message names itself: in a field, in the envelope's id, and in its sender where a line wants that."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from chalicelib.domain.contact import ContactStatus
from chalicelib.domain.delivery import Envelope, MessageTags
from chalicelib.domain.line import Line
from chalicelib.domain.link_tokens import SigningKey, TokenKind, TokenRing
from chalicelib.domain.mime_reading import parse_message
from chalicelib.domain.return_path import RETURN_FIELD, envelope_of, mark, marks_in, read_mark
from chalicelib.ports import SendOrder
from tests.fakes.world import ACCOUNT, World

MESSAGE = MessageTags("01hx5k9zz0123456789abc", "01hx5m0000zyxwvtsrqpnm", "mfrggzdfmztwq2lknnwg23tpoa", 1, 1)
RING = TokenRing([SigningKey(1, b"k" * 32)])
TOKEN = RING.seal(TokenKind.RETURN, MESSAGE)


def queued(world: World, **changed: object) -> tuple[str, SendOrder]:
    campaign_id = world.running()
    line: Line = replace(world.lines.get(ACCOUNT, "line1"), **changed)  # type: ignore[arg-type]
    world.lines.remove(ACCOUNT, "line1")
    world.lines.add(ACCOUNT, line)
    (order,) = world.visit(campaign_id)
    return campaign_id, order


def tags_of(order: SendOrder) -> MessageTags:
    return MessageTags(order.account_id, order.campaign_id, order.contact_id, order.generation, order.attempt)


def test_a_message_names_itself_in_its_header() -> None:
    world = World()
    _, order = queued(world)
    world.sender().send(order, world.stop_at())
    (mail,) = world.channel.accepted
    named = parse_message(mail.text).first(RETURN_FIELD.lower())
    assert world.ring.read(TokenKind.RETURN, named) == tags_of(order)
    assert mail.sender == "news@shop.example"


def test_a_return_path_makes_a_sender_for_each_message() -> None:
    world = World()
    _, order = queued(world, return_path="bounces+{token}@shop.example")
    world.sender().send(order, world.stop_at())
    (mail,) = world.channel.accepted
    (found,) = marks_in(mail.sender)
    assert read_mark(world.ring, found, ACCOUNT, order.campaign_id) == tags_of(order)
    assert mail.sender == f"bounces+{found}@shop.example"
    assert b"From: " in mail.text
    assert found.encode() not in mail.text


class _Unreachable(TokenRing):
    def seal_all(self, kinds: Sequence[TokenKind], tags: MessageTags) -> list[str]:
        if TokenKind.RETURN in kinds:
            raise ConnectionError("KMS is out of reach")
        return ["token" for _ in kinds]


def test_a_message_that_can_not_be_named_is_not_claimed() -> None:
    world = World()
    campaign_id, order = queued(world)
    world.ring = _Unreachable([])
    with pytest.raises(ConnectionError):
        world.sender().send(order, world.stop_at())
    contact = world.only(campaign_id)
    assert (contact.status, contact.claim) == (ContactStatus.NOT_SENT, None)
    assert world.channel.accepted == []


class _Counting(TokenRing):
    asked = 0

    def seal_all(self, kinds: Sequence[TokenKind], tags: MessageTags) -> list[str]:
        self.asked += 1
        return super().seal_all(kinds, tags)


def test_one_code_is_worked_out_for_all_tokens_of_a_message() -> None:
    world = World()
    _, order = queued(world)
    world.ring = ring = _Counting([SigningKey(1, b"k" * 32)])
    world.sender().send(order, world.stop_at())
    (mail,) = world.channel.accepted
    assert mail.text.count(f"{RETURN_FIELD}: 1.".encode()) == 1
    assert ring.asked == 1


def envelope(world: World, **changed: object) -> Envelope:
    line: Line = replace(world.add_line(), **changed)  # type: ignore[arg-type]
    return envelope_of(line, "anna@mail.example", MESSAGE, TOKEN)


def test_success_is_asked_for_only_where_it_is_read() -> None:
    plain, own = envelope(World()), envelope(World(), return_path="b+{token}@shop.example")
    assert plain.reports is not None
    assert own.reports is not None
    assert (plain.reports.success, own.reports.success) == (False, True)
    assert plain.reports.envelope_id == own.reports.envelope_id == mark(MESSAGE, TOKEN)
    assert plain.sender == "news@shop.example"


def test_a_message_without_a_mark_comes_from_the_line_itself() -> None:
    tags = replace(MESSAGE, attempt=40_000)
    line = replace(World().add_line(), return_path="b+{token}@shop.example")
    made = envelope_of(line, "anna@mail.example", tags, RING.seal(TokenKind.RETURN, tags))
    assert made == Envelope("news@shop.example", "anna@mail.example", tags)
