"""Signing: mail of a domain with a published key is signed, and never leaves unsigned because of a fault."""

import pytest

from chalicelib.domain.contact import ContactStatus
from chalicelib.domain.line import ConnectionState
from chalicelib.domain.sending_domain import SendingDomain
from chalicelib.errors import SecretUnreadable
from chalicelib.flow.domains import add_domain, add_key
from chalicelib.flow.signing import REFRESH
from tests.fakes.world import ACCOUNT, STRANGER, World

NAME = "shop.example"


def sent(world: World) -> bytes:
    """The text of a campaign's one message."""
    campaign_id = world.running()
    (order,) = world.visit(campaign_id)
    world.sender().send(order, world.stop_at())
    return world.channel.accepted[-1].text


def damage(world: World, domain: SendingDomain) -> None:
    """Put another account's ciphertext into the row."""
    (key,) = add_domain(STRANGER, NAME, world.domain_ports).keys
    damaged = domain.keys[0].__class__(
        domain.keys[0].selector, key.public_key, key.private_key, key.created_at, domain.keys[0].state
    )
    world.domains.save(ACCOUNT, domain.__class__(NAME, (damaged,), domain.created_at, domain.revision))


class TestSender:
    def test_mail_of_the_domain_is_signed_with_its_key(self) -> None:
        world = World()
        (key,) = world.signed_domain().keys
        text = sent(world)
        assert text.startswith(b"DKIM-Signature: ")
        assert f"d={NAME};".encode() in text
        assert f"s={key.selector};".encode() in text
        assert world.keys.opened == ["private-1"]

    def test_a_key_that_nobody_can_find_yet_does_not_sign(self) -> None:
        world = World()
        add_domain(ACCOUNT, NAME, world.domain_ports)
        assert b"DKIM-Signature" not in sent(world)
        assert world.keys.opened == []

    def test_another_accounts_key_never_signs(self) -> None:
        world = World()
        (key,) = add_domain(STRANGER, NAME, world.domain_ports).keys
        world.publish(key.selector, key.public_key)
        world.domains.save(STRANGER, world.domains.get(STRANGER, NAME))
        assert b"DKIM-Signature" not in sent(world)

    def test_another_domains_key_never_signs(self) -> None:
        world = World()
        world.signed_domain("news.shop.example")
        assert b"DKIM-Signature" not in sent(world)

    def test_a_key_that_cannot_be_read_stops_the_line_and_nobody_is_lost(self) -> None:
        world = World()
        damage(world, world.signed_domain())
        campaign_id = world.running()
        (order,) = world.visit(campaign_id)
        assert world.sender().send(order, world.stop_at()) is None
        assert world.channel.accepted == []
        assert world.only(campaign_id).status is ContactStatus.NOT_SENT
        connection = world.lines.get(ACCOUNT, "line1").connection
        assert connection.state is ConnectionState.FAILED
        assert connection.reason is not None
        assert connection.reason.code == "dkim_key_unreadable"


class TestKeys:
    def test_a_key_is_opened_once(self) -> None:
        world = World()
        world.signed_domain()
        signing = world.signing
        first = signing.key(ACCOUNT, NAME)
        world.clock.wait(seconds=3 * REFRESH.total_seconds())
        assert signing.key(ACCOUNT, NAME) == first
        assert world.keys.opened == ["private-1"]

    def test_a_new_key_is_noticed_and_a_missing_one_too(self) -> None:
        world = World()
        (old,) = world.signed_domain().keys
        signing = world.signing
        assert signing.key(ACCOUNT, NAME) is not None
        new = add_key(ACCOUNT, NAME, world.domain_ports).keys[1]
        world.publish(new.selector, new.public_key)
        world.check()
        world.clock.wait(seconds=REFRESH.total_seconds() + 1)
        key = signing.key(ACCOUNT, NAME)
        assert key is not None
        assert key.selector == new.selector
        for selector in (old.selector, new.selector):
            world.unpublish(selector)
        world.check()
        world.clock.wait(seconds=REFRESH.total_seconds() + 1)
        assert signing.key(ACCOUNT, NAME) is None

    def test_a_domain_that_is_added_is_noticed(self) -> None:
        world = World()
        signing = world.signing
        assert signing.key(ACCOUNT, NAME) is None
        world.signed_domain()
        world.clock.wait(seconds=REFRESH.total_seconds() + 1)
        assert signing.key(ACCOUNT, NAME) is not None

    def test_a_removed_domain_is_forgotten(self) -> None:
        world = World()
        world.signed_domain()
        signing = world.signing
        signing.key(ACCOUNT, NAME)
        world.domains.remove(ACCOUNT, NAME)
        world.clock.wait(seconds=REFRESH.total_seconds() + 1)
        assert signing.key(ACCOUNT, NAME) is None

    def test_one_that_cannot_be_read_is_told_each_time(self) -> None:
        world = World()
        damage(world, world.signed_domain())
        signing = world.signing
        for _ in range(2):
            with pytest.raises(SecretUnreadable):
                signing.key(ACCOUNT, NAME)

    def test_many_domains_do_not_fill_the_memory(self) -> None:
        world = World()
        signing = world.signing
        for number in range(200):
            signing.key(ACCOUNT, f"shop{number}.example")
        assert len(signing._known) <= 64
