"""Contract of counting: a store counts what it stores, and nobody passes the last place twice."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.account import Account, KeyWish, mint_key
from chalicelib.domain.ids import new_id
from chalicelib.domain.job_place import export_place, preflight_place
from chalicelib.domain.line import LinePlan
from chalicelib.domain.quota import Quota
from chalicelib.domain.sending_domain import DomainKey, SendingDomain
from chalicelib.domain.usage import Usage
from chalicelib.errors import Conflict, NotFound
from tests.contract.conftest import Stores
from tests.contract.losing import first_reply_lost, first_transaction_cancelled, transactions
from tests.contract.store_builders import CONTENT, NOON
from tests.contract.store_builders import campaign as new_campaign
from tests.contract.store_builders import line as new_line
from tests.fakes.world import ANNA

Add = Callable[[int], bool]


def add_campaign(stores: Stores) -> Add:
    return lambda most: stores.campaigns.add(stores.account, new_campaign(), CONTENT, most)


def add_line(stores: Stores) -> Add:
    return lambda most: stores.lines.add(stores.account, new_line(), most)


def add_key(stores: Stores) -> Add:
    return lambda most: stores.accounts.add_key(mint_key(stores.account, KeyWish("k"), ANNA, NOON)[0], most)


def add_domain(stores: Stores) -> Add:
    """Another one each time."""
    key = DomainKey("pl1", "MIIB", b"sealed", NOON)
    return lambda most: stores.domains.add(
        stores.account, SendingDomain(f"{new_id(NOON)}.example", (key,), NOON), most
    )


COUNTED = [
    (Quota.CAMPAIGNS, add_campaign),
    (Quota.LINES, add_line),
    (Quota.API_KEYS, add_key),
    (Quota.DOMAINS, add_domain),
]


def used(stores: Stores, quota: Quota) -> int:
    count: int = getattr(stores.usage.get(stores.account), quota)
    return count


@pytest.mark.parametrize(("quota", "adder"), COUNTED)
class TestCounts:
    def test_there_are_never_more_than_the_most(
        self, stores: Stores, quota: Quota, adder: Callable[[Stores], Add]
    ) -> None:
        add = adder(stores)
        assert not add(0)
        assert [add(2) for _ in range(3)] == [True, True, False]
        assert used(stores, quota) == 2
        assert add(3)
        assert stores.usage.get(stores.stranger) == Usage()

    def test_of_many_at_once_the_places_decide(
        self, dynamodb: Stores, quota: Quota, adder: Callable[[Stores], Add]
    ) -> None:
        add = adder(dynamodb)
        with ThreadPoolExecutor(8) as several:
            assert sorted(several.map(lambda _: add(5), range(8))) == [False] * 3 + [True] * 5
        assert used(dynamodb, quota) == 5

    def test_a_lost_reply_and_a_busy_row_count_once(
        self, dynamodb: Stores, quota: Quota, adder: Callable[[Stores], Add]
    ) -> None:
        with first_reply_lost(transactions(), "TransactWriteItems") as calls:
            assert adder(dynamodb)(1)
        assert len(calls) > 1
        with first_transaction_cancelled("TransactionConflict", 2):
            assert adder(dynamodb)(2)
        assert used(dynamodb, quota) == 2


def test_what_is_stored_again_is_counted_once_and_stays_as_it_is(stores: Stores) -> None:
    campaign, line = new_campaign(), new_line()
    for name in ("first", "second"):
        assert stores.campaigns.add(stores.account, replace(campaign, name=name), CONTENT, 1)
        assert stores.lines.add(stores.account, replace(line, name=name), 1)
    assert stores.campaigns.get(stores.account, campaign.campaign_id).name == "first"
    assert stores.lines.get(stores.account, line.line_id).name == "first"
    assert (used(stores, Quota.CAMPAIGNS), used(stores, Quota.LINES)) == (1, 1)


def test_a_domain_that_is_there_is_refused_as_such_and_not_counted(stores: Stores) -> None:
    shop = SendingDomain("shop.example", (), NOON)
    assert stores.domains.add(stores.account, shop, 1)
    with pytest.raises(Conflict) as refused:
        stores.domains.add(stores.account, shop, 1)
    assert (refused.value.code, used(stores, Quota.DOMAINS)) == ("domain_exists", 1)


def test_what_is_removed_again_is_uncounted_once(stores: Stores) -> None:
    campaign, line, key = new_campaign(), new_line(), mint_key(stores.account, KeyWish("k"), ANNA, NOON)[0]
    stores.campaigns.add(stores.account, campaign, CONTENT)
    stores.lines.add(stores.account, line)
    stores.domains.add(stores.account, SendingDomain("shop.example", (), NOON))
    stores.accounts.add_key(key)
    for _ in range(2):
        stores.campaigns.remove(stores.account, campaign.campaign_id)
        stores.accounts.revoke_key(stores.account, key.key_id, NOON)
    stores.lines.remove(stores.account, line.line_id)
    with pytest.raises(NotFound):
        stores.lines.remove(stores.account, line.line_id)
    stores.domains.remove(stores.account, "shop.example")
    with pytest.raises(NotFound):
        stores.domains.remove(stores.account, "shop.example")
    with pytest.raises(NotFound):
        stores.accounts.revoke_key(stores.stranger, key.key_id, NOON)
    assert stores.usage.get(stores.account) == Usage()
    assert stores.usage.get(stores.stranger) == Usage()


def test_imports_and_uploads_are_replaced_as_they_were_seen_and_beside_the_counts(stores: Stores) -> None:
    first = stores.usage.get(stores.account)
    assert first == Usage()
    assert stores.usage.replace(stores.account, first.with_import("i1", 5, NOON))
    assert not stores.usage.replace(stores.account, first.with_import("i2", 5, NOON))
    stores.lines.add(stores.account, new_line())
    second = stores.usage.get(stores.account)
    assert (second.imports, second.stored(NOON), second.lines) == (("i1",), 5, 1)
    assert stores.usage.replace(stores.account, second.with_import("i2", 7, NOON + timedelta(days=1)))
    assert stores.usage.get(stores.account).stored(NOON + timedelta(days=1)) == 12
    assert stores.usage.get(stores.account).lines == 1


def test_an_account_has_limits_of_its_own_until_they_are_taken_back(stores: Stores) -> None:
    account = Account(stores.account, "Oak & Linen", LinePlan.DEMO, NOON)
    stores.accounts.add(account)
    stores.accounts.set_quota(stores.account, Quota.LINES, 5)
    changed = stores.accounts.set_quota(stores.account, Quota.STORAGE, 7_000_000_000)
    assert changed == stores.accounts.get(stores.account)
    assert changed == replace(account, quotas={Quota.LINES: 5, Quota.STORAGE: 7_000_000_000})
    stores.accounts.set_quota(stores.account, Quota.STORAGE, None)
    stores.accounts.set_quota(stores.account, Quota.IMPORTS, None)
    assert stores.accounts.get(stores.account).quotas == {Quota.LINES: 5}
    with pytest.raises(NotFound):
        stores.accounts.set_quota(stores.stranger, Quota.LINES, 5)


def test_requests_are_counted_by_the_minute(stores: Stores) -> None:
    count = stores.usage.count_requests
    minutes = [NOON + timedelta(minutes=number) for number in range(3)]
    assert [count(stores.account, minutes[1], 10) for _ in range(3)] == [10, 20, 30]
    assert count(stores.stranger, minutes[1], 10) == 10
    assert count(stores.account, minutes[2], 10) == 10
    assert count(stores.account, minutes[0], 10) == 10, "a clock that is behind begins no minute anew"
    assert count(stores.account, minutes[2], 10) == 20
    assert stores.usage.get(stores.account) == Usage()


def test_requests_are_counted_once_each_at_the_turn_of_a_minute(dynamodb: Stores) -> None:
    with ThreadPoolExecutor(8) as several:
        list(several.map(lambda _: dynamodb.usage.count_requests(dynamodb.account, NOON, 10), range(8)))
    assert dynamodb.usage.count_requests(dynamodb.account, NOON, 10) == 90


def test_places_are_replaced_as_they_were_seen_and_beside_the_counts(stores: Stores) -> None:
    first, place = stores.usage.get(stores.account), preflight_place("c1", new_id(NOON))
    stores.lines.add(stores.account, new_line())
    assert stores.usage.replace(stores.account, replace(first, places=(place, export_place("e1"))))
    assert not stores.usage.replace(stores.account, replace(first, places=()))
    second = stores.usage.get(stores.account)
    assert (second.places, second.lines) == ((place, export_place("e1")), 1)
    assert stores.usage.replace(stores.account, second.without_place(place))
    assert stores.usage.get(stores.account).places == (export_place("e1"),)
    assert stores.usage.get(stores.stranger) == Usage()
