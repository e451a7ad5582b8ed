"""People: one account each, invited by address, never given more than who gives it has."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.access import ALL_SCOPES, SCOPES_OF, Actor, ActorKind, Maker, Role, Scope
from chalicelib.domain.account import KeyWish, mint_key
from chalicelib.domain.address import Address
from chalicelib.domain.line import LinePlan
from chalicelib.domain.member import MAX_PEOPLE, Member, Person, split_token
from chalicelib.errors import Conflict, Forbidden, Invalid
from chalicelib.flow.members import accept, change_role, found_account, invite, open_invitation, plan_account
from tests.fakes.world import World

ANNA = Person("sub-anna", Address("Anna@shop.example", "anna@shop.example"))
BEN_AT = Address("ben@shop.example", "ben@shop.example")
BEN = Person("sub-ben", BEN_AT)
CARL_AT = Address("c@shop.example", "c@shop.example")
CARL = Person("sub-carl", CARL_AT)
ANNA_INVITES = Maker(Actor(ActorKind.PERSON, ANNA.sub), ALL_SCOPES)
NOBODY = Person("sub-nobody", None)


def invited(world: World, account_id: str, role: Role = Role.VIEWER) -> str:
    return invite(account_id, BEN_AT, role, ANNA_INVITES, world.member_ports)[1]


def founded(world: World, owner: Person) -> str:
    account = plan_account(owner, "Oak", world.member_ports)
    found_account(owner, account, world.member_ports)
    return account.account_id


def joined(world: World, person: Person, token: str) -> Member:
    return accept(person, open_invitation(token, world.member_ports), world.member_ports)


def wrong_fields(refused: pytest.ExceptionInfo[Invalid]) -> list[str]:
    return [error.field for error in refused.value.errors]


def test_who_makes_an_account_owns_it_and_starts_with_the_plan_for_trying_out() -> None:
    world = World()
    account = plan_account(ANNA, "Oak", world.member_ports)
    found_account(ANNA, account, world.member_ports)
    assert world.accounts.get(account.account_id) == account
    assert account.line_plan is LinePlan.DEMO
    (owner,) = world.members.list_members(account.account_id)
    assert (owner.sub, owner.role, owner.email) == (ANNA.sub, Role.OWNER, "Anna@shop.example")
    with pytest.raises(Conflict):
        plan_account(ANNA, "Elm", world.member_ports)
    with pytest.raises(Conflict):
        found_account(ANNA, replace(account, account_id="another"), world.member_ports)


def test_who_was_invited_joins_with_the_role_and_the_token_works_once() -> None:
    world = World()
    account_id = founded(world, ANNA)
    token = invited(world, account_id, Role.MANAGER)
    assert token.rpartition("_")[2] not in repr(world.members.list_invitations(account_id))
    member = joined(world, BEN, token)
    assert (member.account_id, member.role) == (account_id, Role.MANAGER)
    with pytest.raises(Invalid):
        joined(world, replace(BEN, sub="another"), token)


def test_a_role_has_the_scopes_that_it_is_for() -> None:
    assert {role: sorted(scopes) for role, scopes in SCOPES_OF.items()} == {
        Role.OWNER: ["admin", "read", "send", "write"],
        Role.MANAGER: ["read", "send", "write"],
        Role.VIEWER: ["read"],
    }


@pytest.mark.parametrize("person", [ANNA, NOBODY])
def test_an_invitation_is_for_its_address_only(person: Person) -> None:
    world = World()
    owner = replace(ANNA, sub="owner")
    account_id = founded(world, owner)
    maker = Maker(Actor(ActorKind.PERSON, owner.sub), ALL_SCOPES)
    _, token = invite(account_id, BEN_AT, Role.VIEWER, maker, world.member_ports)
    with pytest.raises(Forbidden) as refused:
        joined(world, person, token)
    assert refused.value.code == "other_address"
    assert "ben" not in str(refused.value)
    assert world.members.find(person.sub) is None


def test_an_invitation_ends_after_a_week() -> None:
    world = World()
    account_id = founded(world, ANNA)
    token = invited(world, account_id)
    world.clock.wait(days=7)
    with pytest.raises(Invalid) as refused:
        joined(world, BEN, token)
    assert wrong_fields(refused) == ["token"]
    later = invited(world, account_id)
    world.clock.wait(days=7, seconds=-1)
    assert joined(world, BEN, later).sub == BEN.sub


def test_a_token_with_another_secret_or_that_is_none_opens_nothing() -> None:
    world = World()
    account_id = founded(world, ANNA)
    token, other = invited(world, account_id), invited(world, account_id)
    head, _, secret = token.rpartition("_")
    wrong = ["", "pi", "pi___", token[:-1], f"{head}_{other.rpartition('_')[2]}", f"pl{token[2:]}"]
    wrong.append(f"pi_{'0' * 22}_{head.split('_')[2]}_{secret}")
    for text in wrong:
        with pytest.raises(Invalid):
            joined(world, BEN, text)
    assert split_token(token) == (account_id, head.split("_")[2], secret)


def test_a_withdrawn_invitation_opens_nothing() -> None:
    world = World()
    account_id = founded(world, ANNA)
    token = invited(world, account_id)
    (invitation,) = world.members.list_invitations(account_id)
    world.members.withdraw(account_id, invitation.invitation_id)
    with pytest.raises(Invalid):
        joined(world, BEN, token)


@pytest.mark.parametrize("gone", ["removed", "made a manager", "in another account"])
def test_an_invitation_is_good_no_longer_than_its_maker_could_make_it(gone: str) -> None:
    world = World()
    account_id = founded(world, ANNA)
    joined(world, BEN, invited(world, account_id, Role.OWNER))
    ben = Maker(Actor(ActorKind.PERSON, BEN.sub), ALL_SCOPES)
    tokens = [invite(account_id, CARL_AT, role, ben, world.member_ports)[1] for role in Role]
    if gone == "made a manager":
        change_role(account_id, BEN.sub, Role.MANAGER, ALL_SCOPES, world.member_ports)
    else:
        world.members.remove(account_id, BEN.sub)
    if gone == "in another account":
        founded(world, BEN)
    for token in tokens:
        with pytest.raises(Invalid) as refused:
            joined(world, CARL, token)
        assert wrong_fields(refused) == ["token"]
    assert world.members.find(CARL.sub) is None


@pytest.mark.parametrize("gone", [None, "revoked", "expired", "of another account"])
def test_an_invitation_that_a_key_made_ends_with_the_key(gone: str | None) -> None:
    world = World()
    account_id = founded(world, ANNA)
    owner_of_key = "another" if gone == "of another account" else account_id
    wish = KeyWish("inviting", ALL_SCOPES, world.clock.now() + timedelta(days=1))
    key, _ = mint_key(owner_of_key, wish, ANNA_INVITES.actor, world.clock.now())
    world.accounts.add_key(key)
    maker = Maker(Actor(ActorKind.KEY, key.key_id), ALL_SCOPES)
    _, token = invite(account_id, BEN_AT, Role.OWNER, maker, world.member_ports)
    if gone is None:
        assert joined(world, BEN, token).role is Role.OWNER
        return
    if gone == "revoked":
        world.accounts.revoke_key(account_id, key.key_id, world.clock.now())
    if gone == "expired":
        world.clock.wait(days=1)
    with pytest.raises(Invalid):
        joined(world, BEN, token)
    assert world.members.find(BEN.sub) is None


def test_nobody_gives_more_than_they_may_do() -> None:
    world = World()
    account_id = founded(world, ANNA)
    joined(world, BEN, invited(world, account_id))
    limited = frozenset({Scope.ADMIN, Scope.READ})
    for role in (Role.OWNER, Role.MANAGER):
        with pytest.raises(Invalid) as refused:
            invite(account_id, CARL_AT, role, Maker(ANNA_INVITES.actor, limited), world.member_ports)
        assert wrong_fields(refused) == ["role"]
        with pytest.raises(Invalid) as refused:
            change_role(account_id, BEN.sub, role, limited, world.member_ports)
        assert wrong_fields(refused) == ["role"]
    assert change_role(account_id, BEN.sub, Role.VIEWER, limited, world.member_ports).role is Role.VIEWER


def test_an_account_does_not_grow_without_bound() -> None:
    world = World()
    account_id = founded(world, ANNA)
    for _ in range(MAX_PEOPLE - 1):
        invited(world, account_id)
    with pytest.raises(Conflict) as refused:
        invited(world, account_id)
    assert refused.value.code == "too_many_people"
