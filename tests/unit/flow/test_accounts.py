"""Accounts: keys that open only with their own secret, for as long as they are in force."""

from datetime import timedelta

import pytest

from chalicelib.domain.access import Actor, ActorKind, Maker, Scope
from chalicelib.domain.account import Account, KeyWish, new_account
from chalicelib.domain.line import LinePlan
from chalicelib.domain.member import Person
from chalicelib.errors import Invalid, Unauthorized
from chalicelib.flow.accounts import authenticate, create_key, open_account
from chalicelib.flow.admission import AdmissionPorts, admit
from tests.fakes.world import ACCOUNT, ANNA, OWNER, World

OPERATOR = Actor(ActorKind.OPERATOR, "a-request")


def opened(world: World) -> tuple[Account, str]:
    account = new_account("Oak", LinePlan.DEMO, world.clock.now())
    return account, open_account(account, OPERATOR, world.accounts, world.clock)


def test_an_account_comes_with_a_key_that_opens_it() -> None:
    world = World()
    account, text = opened(world)
    assert world.accounts.get(account.account_id) == account
    assert authenticate(text, world.accounts, world.clock).account_id == account.account_id
    (key,) = world.accounts.list_keys(account.account_id)
    assert key.created_by == OPERATOR
    assert text.rpartition("_")[2] not in repr(key)


def test_a_revoked_key_opens_nothing_and_another_still_does() -> None:
    world = World()
    account, first = opened(world)
    key, second = create_key(account.account_id, KeyWish("second"), OWNER, world.accounts, world.clock)
    world.accounts.revoke_key(account.account_id, key.key_id, world.clock.now())
    with pytest.raises(Unauthorized):
        authenticate(second, world.accounts, world.clock)
    assert authenticate(first, world.accounts, world.clock).account_id == account.account_id


@pytest.mark.parametrize(
    "text",
    [
        "pl_" + "a" * 9_000 + "_{secret}",
        "",
        "pl",
        "pl__",
        "pl_a_b",
        "x_{id}_{secret}",
        "pl_{id}_{secret}0",
        "pl_{id}_",
    ],
)
def test_what_is_not_a_key_opens_nothing(text: str) -> None:
    world = World()
    _, right = opened(world)
    _, key_id, secret = right.split("_")
    with pytest.raises(Unauthorized):
        authenticate(text.replace("{id}", key_id).replace("{secret}", secret), world.accounts, world.clock)


def test_a_key_has_the_scopes_it_was_made_with_and_works_until_it_expires() -> None:
    world = World()
    wish = KeyWish("narrow", frozenset({Scope.READ}), world.clock.now() + timedelta(days=1))
    made, text = create_key(ACCOUNT, wish, OWNER, world.accounts, world.clock)
    assert (made.scopes, made.created_by) == ({Scope.READ}, ANNA)
    world.clock.wait(hours=23, minutes=59)
    assert authenticate(text, world.accounts, world.clock).scopes == {Scope.READ}
    world.clock.wait(minutes=1)
    with pytest.raises(Unauthorized):
        authenticate(text, world.accounts, world.clock)


def test_nobody_makes_a_key_that_may_do_more_than_they_may() -> None:
    world = World()
    with pytest.raises(Invalid) as refused:
        create_key(
            ACCOUNT, KeyWish("wide"), Maker(ANNA, frozenset({Scope.ADMIN})), world.accounts, world.clock
        )
    assert [error.field for error in refused.value.errors] == ["scopes"]
    assert world.accounts.list_keys(ACCOUNT) == []


def test_a_key_without_any_scope_is_not_made() -> None:
    world = World()
    with pytest.raises(Invalid) as refused:
        create_key(ACCOUNT, KeyWish("none", frozenset()), OWNER, world.accounts, world.clock)
    assert [error.field for error in refused.value.errors] == ["scopes"]
    assert world.accounts.list_keys(ACCOUNT) == []


def test_a_key_that_would_be_expired_from_the_start_is_not_made() -> None:
    world = World()
    wish = KeyWish("late", expires_at=world.clock.now())
    with pytest.raises(Invalid) as refused:
        create_key(ACCOUNT, wish, OWNER, world.accounts, world.clock)
    assert [error.field for error in refused.value.errors] == ["expires_at"]


def world_without_people(token: str) -> Person:
    raise Unauthorized(token)


def test_the_last_use_is_noted_at_most_once_an_hour_and_only_of_a_key_that_opened() -> None:
    world = World()
    made, text = create_key(ACCOUNT, KeyWish("key"), OWNER, world.accounts, world.clock)
    ports = AdmissionPorts(world.accounts, world.members, world_without_people, world.clock)
    noted = []
    for minutes in (0, 59, 1, 30):
        world.clock.wait(minutes=minutes)
        admit(text, ports)
        (key,) = world.accounts.list_keys(ACCOUNT)
        noted.append(key.used_at)
    assert noted == [made.created_at] * 2 + [made.created_at + timedelta(hours=1)] * 2
    world.clock.wait(hours=2)
    with pytest.raises(Unauthorized):
        admit(text + "0", ports)
    (key,) = world.accounts.list_keys(ACCOUNT)
    assert key.used_at == noted[-1]
