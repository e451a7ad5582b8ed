"""The keys of the links: one first key however many begin, and a new one is known before it is met."""

from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from chalicelib.domain.delivery import MessageTags
from chalicelib.domain.link_tokens import TokenKind, TokenRing, key_number
from chalicelib.errors import SecretUnreadable
from chalicelib.flow.link_keys import A_MOMENT, REMEMBERED, KeptRing, LinkKeyPorts, rotate_link_key
from chalicelib.ports import SealedKey
from tests.fakes.clock import HandClock
from tests.fakes.link_keys import FakeLinkKeyBox, FakeLinkKeyStore

TAGS = MessageTags("acc1", "camp1", "contact1", 1, 1)
UNSUBSCRIBE, RETURN = TokenKind.UNSUBSCRIBE, TokenKind.RETURN


@dataclass
class Deployment:
    """One store of keys, and as many processes as are asked for."""

    keys: FakeLinkKeyStore = field(default_factory=FakeLinkKeyStore)
    clock: HandClock = field(default_factory=HandClock)
    drawn: int = 0

    @property
    def ports(self) -> LinkKeyPorts:
        return LinkKeyPorts(self.keys, FakeLinkKeyBox(), self.clock, self._draw)

    def process(self) -> KeptRing:
        return KeptRing(self.ports)

    def _draw(self, size: int) -> bytes:
        self.drawn += 1
        return bytes([self.drawn]) * size


def test_the_first_token_makes_the_first_key_and_another_process_reads_it() -> None:
    deployment = Deployment()
    token = deployment.process().seal(UNSUBSCRIBE, TAGS)
    assert key_number(token) == 1
    assert deployment.process().read(UNSUBSCRIBE, token) == TAGS


def test_two_processes_that_begin_at_once_seal_by_the_same_key() -> None:
    deployment = Deployment()
    other = deployment.process()

    class Slow(FakeLinkKeyBox):
        """Another process makes the first key while this one encrypts its own."""

        def seal(self, number: int, secret: bytes) -> bytes:
            other.seal(UNSUBSCRIBE, TAGS)
            return super().seal(number, secret)

    ports = LinkKeyPorts(deployment.keys, Slow(), deployment.clock, deployment._draw)
    token = KeptRing(ports).seal(UNSUBSCRIBE, TAGS)
    assert deployment.drawn == 2
    assert token == other.seal(UNSUBSCRIBE, TAGS)
    assert deployment.process().read(UNSUBSCRIBE, token) == TAGS


def test_reading_makes_no_key() -> None:
    deployment = Deployment()
    assert deployment.process().read(UNSUBSCRIBE, "1.a.b.c.1.1") is None
    assert deployment.keys.list() == []


def test_keys_are_read_once_and_again_when_what_is_remembered_is_old() -> None:
    deployment = Deployment()
    ring = deployment.process()
    tokens = [ring.seal(UNSUBSCRIBE, TAGS) for _ in range(3)]
    reads = deployment.keys.reads
    assert [ring.read(UNSUBSCRIBE, token) for token in tokens] == [TAGS] * 3
    deployment.clock.wait(minutes=5)
    ring.seal(UNSUBSCRIBE, TAGS)
    assert deployment.keys.reads == reads
    deployment.clock.wait(seconds=1)
    ring.seal(UNSUBSCRIBE, TAGS)
    assert deployment.keys.reads == reads + 1


def test_after_a_rotation_the_new_key_seals_within_minutes_and_the_old_one_still_reads() -> None:
    deployment = Deployment()
    ring = deployment.process()
    old = ring.seal(UNSUBSCRIBE, TAGS)
    assert rotate_link_key(deployment.ports) == 2
    assert timedelta(0) < REMEMBERED <= timedelta(minutes=5)
    deployment.clock.wait(minutes=5, seconds=1)
    new = ring.seal(UNSUBSCRIBE, TAGS)
    assert (key_number(old), key_number(new)) == (1, 2)
    for process in (ring, deployment.process()):
        assert process.read(UNSUBSCRIBE, old) == process.read(UNSUBSCRIBE, new) == TAGS


def test_a_token_of_a_newer_key_is_read_at_once() -> None:
    deployment = Deployment()
    reader = deployment.process()
    reader.read(UNSUBSCRIBE, deployment.process().seal(UNSUBSCRIBE, TAGS))
    rotate_link_key(deployment.ports)
    new = deployment.process().seal(UNSUBSCRIBE, TAGS)
    assert key_number(new) == 2
    reads = deployment.keys.reads
    assert reader.read(UNSUBSCRIBE, new) == TAGS
    assert deployment.keys.reads == reads + 1


def test_who_works_a_code_out_again_gets_those_of_newer_keys_too_but_not_at_every_turn() -> None:
    deployment = Deployment()
    reader = deployment.process()
    old = deployment.process().seal(RETURN, TAGS)
    assert list(reader.seals(RETURN, TAGS)) == [old]
    rotate_link_key(deployment.ports)
    new = deployment.process().seal(RETURN, TAGS)
    assert new not in list(reader.seals(RETURN, TAGS))
    deployment.clock.wait(seconds=A_MOMENT.total_seconds() + 1)
    assert new in list(reader.seals(RETURN, TAGS))
    reads = deployment.keys.reads
    assert set(reader.seals(RETURN, TAGS)) == {old, new}
    assert deployment.keys.reads == reads


def test_a_forged_number_costs_one_look_and_is_none() -> None:
    deployment = Deployment()
    ring = deployment.process()
    token = ring.seal(UNSUBSCRIBE, TAGS)
    reads = deployment.keys.reads
    assert ring.read(UNSUBSCRIBE, "9" + token[1:]) is None
    assert deployment.keys.reads == reads + 1


def test_the_operator_may_make_the_first_key() -> None:
    deployment = Deployment()
    assert rotate_link_key(deployment.ports) == 1
    assert key_number(deployment.process().seal(UNSUBSCRIBE, TAGS)) == 1


def test_a_key_that_was_put_under_another_number_is_not_taken() -> None:
    deployment = Deployment()
    box = FakeLinkKeyBox()
    deployment.keys.add(SealedKey(1, box.seal(2, b"k" * 32), deployment.clock.now()))
    with pytest.raises(SecretUnreadable):
        deployment.process().seal(UNSUBSCRIBE, TAGS)


def test_a_ring_without_keys_seals_nothing() -> None:
    with pytest.raises(ValueError, match="without keys"):
        TokenRing([]).seal(UNSUBSCRIBE, TAGS)
