"""Domains: a key signs only while its record is in DNS, and no look at DNS is taken for more than it says."""

import pytest

from chalicelib.domain.dkim_record import record_name
from chalicelib.domain.dns_answers import UNANSWERED, RecordType, found
from chalicelib.domain.sending_domain import MOST_KEYS, KeyState, SendingDomain, domain_of
from chalicelib.errors import Conflict, NotFound, Outdated
from chalicelib.flow.domains import (
    add_domain,
    add_key,
    ask_for_all_checks,
    ask_for_check,
    check_domain,
    remove_key,
)
from tests.fakes.world import ACCOUNT, STRANGER, World

NAME = "shop.example"


def states(domain: SendingDomain) -> list[str]:
    return [key.state.value for key in domain.keys]


def fail_to_answer(world: World, domain: SendingDomain) -> None:
    for key in domain.keys:
        world.dns.records[record_name(key.selector, NAME), RecordType.TXT] = UNANSWERED


class TestAdding:
    def test_a_new_key_is_sealed_for_its_domain_and_does_not_sign_yet(self) -> None:
        world = World()
        domain = add_domain(ACCOUNT, NAME, world.domain_ports)
        (key,) = domain.keys
        assert key.state is KeyState.WAITING
        assert domain.signing_key is None
        assert world.secrets.open(ACCOUNT, NAME, key.private_key) == "private-1"
        assert domain.record(key) == (f"{key.selector}._domainkey.{NAME}", "v=DKIM1; k=rsa; p=public1")
        assert world.domains.get(ACCOUNT, NAME) == domain

    def test_a_domain_is_added_once(self) -> None:
        world = World()
        first = add_domain(ACCOUNT, NAME, world.domain_ports)
        with pytest.raises(Conflict) as refused:
            add_domain(ACCOUNT, NAME, world.domain_ports)
        assert refused.value.code == "domain_exists"
        assert world.domains.get(ACCOUNT, NAME) == first

    def test_two_accounts_have_keys_of_their_own(self) -> None:
        world = World()
        (own,) = add_domain(ACCOUNT, NAME, world.domain_ports).keys
        (other,) = add_domain(STRANGER, NAME, world.domain_ports).keys
        assert own.selector != other.selector
        assert own.public_key != other.public_key

    @pytest.mark.parametrize(
        ("address", "domain"),
        [("a@Shop.Example", "shop.example"), ("ä@bücher.example", "xn--bcher-kva.example")],
    )
    def test_the_domain_of_an_address_is_compared_in_one_form(self, address: str, domain: str) -> None:
        assert domain_of(address) == domain


class TestChecking:
    def test_a_published_key_signs(self) -> None:
        world = World()
        domain = world.signed_domain()
        assert states(domain) == ["published"]
        assert domain.signing_key == domain.keys[0]
        assert domain.keys[0].checked_at == world.clock.now()
        assert world.domains.get(ACCOUNT, NAME) == domain

    def test_a_record_that_is_gone_stops_signing_and_says_so(self) -> None:
        world = World()
        world.unpublish(world.signed_domain().keys[0].selector)
        gone = world.check()
        assert states(gone) == ["missing"]
        assert gone.signing_key is None
        assert gone.keys[0].reason is not None
        assert gone.keys[0].reason.code == "dkim_record_missing"

    def test_another_record_stops_it_too(self) -> None:
        world = World()
        world.publish(world.signed_domain().keys[0].selector, "other")
        changed = world.check()
        assert (states(changed), changed.signing_key) == (["missing"], None)
        assert changed.keys[0].reason is not None
        assert changed.keys[0].reason.code == "dkim_record_different"

    def test_no_answer_changes_nothing_and_is_told(self) -> None:
        world = World()
        before = world.signed_domain()
        fail_to_answer(world, before)
        after = world.check()
        assert after.signing_key is not None
        assert after.keys[0].reason is not None
        assert after.keys[0].reason.code == "dkim_record_unchecked"
        assert after.keys[0].checked_at == before.keys[0].checked_at

    def test_a_key_that_was_never_seen_keeps_waiting(self) -> None:
        world = World()
        add_domain(ACCOUNT, NAME, world.domain_ports)
        assert states(world.check()) == ["waiting"]

    def test_it_signs_again_when_the_record_is_back(self) -> None:
        world = World()
        (key,) = world.signed_domain().keys
        world.unpublish(key.selector)
        world.check()
        world.publish(key.selector, key.public_key)
        assert world.check().signing_key is not None

    def test_a_domain_that_is_gone_is_no_failure(self) -> None:
        world = World()
        assert check_domain(ACCOUNT, NAME, world.domain_check_ports) is None

    def test_a_key_added_during_the_look_is_not_lost(self) -> None:
        world = World()
        domain = world.signed_domain()

        def somebody_adds() -> None:
            world.dns.before_answer = lambda: None
            add_key(ACCOUNT, NAME, world.domain_ports)

        world.dns.before_answer = somebody_adds
        assert states(world.check()) == ["published", "waiting"]
        assert world.domains.get(ACCOUNT, NAME).keys[0].selector == domain.keys[0].selector

    def test_a_domain_removed_during_the_look_does_not_come_back(self) -> None:
        world = World()
        world.signed_domain()
        world.dns.before_answer = lambda: world.domains.remove(ACCOUNT, NAME)
        assert check_domain(ACCOUNT, NAME, world.domain_check_ports) is None
        with pytest.raises(NotFound):
            world.domains.get(ACCOUNT, NAME)

    def test_checks_are_asked_for_by_name_and_for_everybody(self) -> None:
        world = World()
        with pytest.raises(NotFound):
            ask_for_check(ACCOUNT, NAME, world.domain_ports)
        add_domain(ACCOUNT, NAME, world.domain_ports)
        add_domain(STRANGER, NAME, world.domain_ports)
        ask_for_check(ACCOUNT, NAME, world.domain_ports)
        assert world.check_queue.take() == [{"account_id": ACCOUNT, "domain": NAME}]
        assert ask_for_all_checks(world.domains, world.check_queue) == 2
        assert world.check_queue.take() == [
            {"account_id": ACCOUNT, "domain": NAME},
            {"account_id": STRANGER, "domain": NAME},
        ]


class TestRotation:
    def test_the_new_key_signs_once_published_and_the_old_one_until_then(self) -> None:
        world = World()
        (old,) = world.signed_domain().keys
        added = add_key(ACCOUNT, NAME, world.domain_ports)
        new = added.keys[1]
        assert new.selector != old.selector
        assert added.signing_key is not None
        assert added.signing_key.selector == old.selector
        world.publish(new.selector, new.public_key)
        switched = world.check()
        assert states(switched) == ["published", "published"]
        assert switched.signing_key is not None
        assert switched.signing_key.selector == new.selector
        left = remove_key(ACCOUNT, NAME, old.selector, world.domain_ports)
        assert [key.selector for key in left.keys] == [new.selector]

    def test_if_the_new_record_goes_the_old_key_signs_again(self) -> None:
        world = World()
        (old,) = world.signed_domain().keys
        new = add_key(ACCOUNT, NAME, world.domain_ports).keys[1]
        world.publish(new.selector, new.public_key)
        world.check()
        world.unpublish(new.selector)
        back = world.check().signing_key
        assert back is not None
        assert back.selector == old.selector

    def test_there_are_two_keys_at_most_and_one_at_least(self) -> None:
        world = World()
        domain = add_domain(ACCOUNT, NAME, world.domain_ports)
        with pytest.raises(Conflict) as last:
            remove_key(ACCOUNT, NAME, domain.keys[0].selector, world.domain_ports)
        assert last.value.code == "last_key"
        assert len(add_key(ACCOUNT, NAME, world.domain_ports).keys) == MOST_KEYS
        with pytest.raises(Conflict) as full:
            add_key(ACCOUNT, NAME, world.domain_ports)
        assert full.value.code == "too_many_keys"
        with pytest.raises(NotFound):
            remove_key(ACCOUNT, NAME, "other", world.domain_ports)

    @pytest.mark.parametrize("first_is_kept", [False, True])
    def test_a_look_at_dns_meanwhile_or_a_lost_reply_costs_no_key(
        self, monkeypatch: pytest.MonkeyPatch, *, first_is_kept: bool
    ) -> None:
        world = World()
        add_domain(ACCOUNT, NAME, world.domain_ports)
        save, tries = world.domains.save, list[int]()

        def outdated_at_first(account_id: str, domain: SendingDomain) -> SendingDomain:
            tries.append(len(domain.keys))
            if len(tries) == 1:
                if first_is_kept:
                    save(account_id, domain)
                else:
                    world.check()
                raise Outdated
            return save(account_id, domain)

        monkeypatch.setattr(world.domains, "save", outdated_at_first)
        changed = add_key(ACCOUNT, NAME, world.domain_ports)
        assert len(changed.keys) == 2
        assert world.domains.get(ACCOUNT, NAME) == changed

    def test_an_outdated_change_changes_nothing(self) -> None:
        world = World()
        seen = add_domain(ACCOUNT, NAME, world.domain_ports)
        changed = add_key(ACCOUNT, NAME, world.domain_ports)
        with pytest.raises(Outdated):
            world.domains.save(ACCOUNT, seen)
        assert world.domains.get(ACCOUNT, NAME) == changed


def test_a_record_of_another_kind_of_text_is_no_key() -> None:
    world = World()
    (key,) = add_domain(ACCOUNT, NAME, world.domain_ports).keys
    world.dns.records[record_name(key.selector, NAME), RecordType.TXT] = found("hello")
    assert states(world.check()) == ["waiting"]
