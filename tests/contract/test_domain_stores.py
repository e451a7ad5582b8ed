"""Contracts of ``DomainStore`` and ``AdviceStore``, and of the keys that the first one holds."""

from base64 import b64decode
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from chalicelib.adapters.rsa import load_key, make_key
from chalicelib.domain.advice.finding import Finding, Level, Record
from chalicelib.domain.delivery import Reason
from chalicelib.domain.sending_domain import DomainKey, KeyState, SendingDomain
from chalicelib.errors import Conflict, Invalid, NotFound, Outdated
from chalicelib.ports import Advice
from tests.contract.conftest import Stores
from tests.contract.store_builders import NOON, new_id

WHY = Reason("dkim_record_missing", "There is none.")
SEEN = DomainKey("pl2", "QUJE", b"\xff\x01", NOON, KeyState.MISSING, NOON + timedelta(hours=1), WHY)


def domain(name: str = "") -> SendingDomain:
    return SendingDomain(
        name or f"{new_id()}.example", (DomainKey("pl1", "QUJD", b"\x00sealed", NOON),), NOON
    )


class TestDomainStore:
    def test_a_domain_is_read_as_it_was_stored(self, stores: Stores) -> None:
        stored = replace(domain(), keys=(domain().keys[0], SEEN))
        stores.domains.add(stores.account, stored)
        assert stores.domains.get(stores.account, stored.domain) == stored

    def test_an_account_has_a_domain_once(self, stores: Stores) -> None:
        stored = domain()
        stores.domains.add(stores.account, stored)
        with pytest.raises(Conflict):
            stores.domains.add(stores.account, replace(stored, keys=(SEEN,)))
        stores.domains.add(stores.stranger, replace(stored, keys=(SEEN,)))
        assert stores.domains.get(stores.account, stored.domain) == stored
        assert stores.domains.get(stores.stranger, stored.domain).keys == (SEEN,)

    def test_keys_are_replaced_by_who_has_seen_the_last_change(self, stores: Stores) -> None:
        first = domain()
        stores.domains.add(stores.account, first)
        second = stores.domains.save(stores.account, replace(first, keys=(*first.keys, SEEN)))
        assert second == replace(first, keys=(*first.keys, SEEN), revision=2)
        assert stores.domains.get(stores.account, first.domain) == second
        with pytest.raises(Outdated):
            stores.domains.save(stores.account, replace(first, keys=()))
        assert stores.domains.get(stores.account, first.domain) == second

    def test_a_removed_domain_is_gone_and_no_late_write_brings_it_back(self, stores: Stores) -> None:
        stored = domain()
        stores.domains.add(stores.account, stored)
        stores.domains.remove(stores.account, stored.domain)
        for attempt in (
            lambda: stores.domains.get(stores.account, stored.domain),
            lambda: stores.domains.save(stores.account, stored),
            lambda: stores.domains.remove(stores.account, stored.domain),
        ):
            with pytest.raises(NotFound):
                attempt()

    def test_another_accounts_domain_is_not_there(self, stores: Stores) -> None:
        stored = domain()
        stores.domains.add(stores.account, stored)
        for attempt in (
            lambda: stores.domains.get(stores.stranger, stored.domain),
            lambda: stores.domains.save(stores.stranger, stored),
            lambda: stores.domains.remove(stores.stranger, stored.domain),
        ):
            with pytest.raises(NotFound):
                attempt()
        assert stores.domains.page(stores.stranger, None, 10).items == []
        assert stores.domains.get(stores.account, stored.domain) == stored

    def test_pages_show_every_domain_of_the_account_once(self, stores: Stores) -> None:
        names = [f"{letter}.{'x' * 60}.{'y' * 60}.example" for letter in "abc"]
        for name in names:
            stores.domains.add(stores.account, domain(name))
        stores.domains.add(stores.stranger, domain("b0.example"))
        first = stores.domains.page(stores.account, None, 2)
        second = stores.domains.page(stores.account, first.cursor, 2)
        assert [item.domain for item in (*first.items, *second.items)] == names
        assert second.cursor is None
        with pytest.raises(Invalid):
            stores.domains.page(stores.account, "no cursor", 2)

    def test_everybodys_domains_are_found_for_the_check(self, stores: Stores) -> None:
        one, other = domain(), domain()
        stores.domains.add(stores.account, one)
        stores.domains.add(stores.stranger, other)
        seen = set(stores.domains.everybodys())
        assert {(stores.account, one.domain), (stores.stranger, other.domain)} <= seen
        stores.domains.remove(stores.account, one.domain)
        assert (stores.account, one.domain) not in set(stores.domains.everybodys())


FINDINGS = (
    Finding("spf_missing", Level.MUST, "Add “it”.", Record("TXT", "shop.example", "v=spf1 -all")),
    Finding("tls_ok", Level.OK, "Fine."),
)
LATER = NOON + timedelta(minutes=1)


class TestAdviceStore:
    def test_advice_is_asked_for_given_and_read(self, stores: Stores) -> None:
        line = new_id()
        assert stores.advice.ask(stores.account, line, NOON) == Advice(NOON)
        assert stores.advice.get(stores.account, line) == Advice(NOON)
        stores.advice.give(stores.account, line, LATER, FINDINGS)
        assert stores.advice.get(stores.account, line) == Advice(NOON, LATER, FINDINGS)

    def test_a_new_wish_keeps_what_was_found(self, stores: Stores) -> None:
        line = new_id()
        stores.advice.ask(stores.account, line, NOON)
        stores.advice.give(stores.account, line, NOON, FINDINGS)
        stores.advice.fail(stores.account, line, WHY, NOON)
        assert stores.advice.get(stores.account, line) == Advice(NOON, NOON, FINDINGS, WHY)
        assert stores.advice.ask(stores.account, line, LATER) == Advice(LATER, NOON, FINDINGS)
        stores.advice.give(stores.account, line, LATER, ())
        assert stores.advice.get(stores.account, line) == Advice(LATER, LATER, ())

    def test_advice_nobody_asks_for_is_not_kept(self, stores: Stores) -> None:
        line = new_id()
        stores.advice.ask(stores.account, line, NOON)
        stores.advice.remove(stores.account, line)
        stores.advice.remove(stores.account, line)
        stores.advice.give(stores.account, line, LATER, FINDINGS)
        stores.advice.fail(stores.account, line, WHY, LATER)
        with pytest.raises(NotFound):
            stores.advice.get(stores.account, line)

    def test_another_accounts_advice_is_not_there(self, stores: Stores) -> None:
        line = new_id()
        stores.advice.ask(stores.account, line, NOON)
        stores.advice.give(stores.stranger, line, LATER, FINDINGS)
        stores.advice.remove(stores.stranger, line)
        with pytest.raises(NotFound):
            stores.advice.get(stores.stranger, line)
        assert stores.advice.get(stores.account, line) == Advice(NOON)


class TestRsaKeys:
    def test_what_one_half_signs_the_other_verifies(self) -> None:
        private, public = make_key()
        key = load_der_public_key(b64decode(public))
        assert isinstance(key, RSAPublicKey)
        assert key.key_size == 2048
        key.verify(load_key(private)(b"text"), b"text", PKCS1v15(), SHA256())
        assert len(private) <= 4_096, "KMS encrypts no more directly"

    def test_no_two_keys_are_the_same(self) -> None:
        assert make_key()[1] != make_key()[1]

    def test_what_is_no_rsa_key_is_refused(self) -> None:
        ed25519 = "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC"
        with pytest.raises(TypeError):
            load_key(ed25519)
