"""Contract of ``MemberStore``."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from chalicelib.domain.access import Actor, ActorKind, Role
from chalicelib.domain.account import Account
from chalicelib.domain.address import Address
from chalicelib.domain.line import LinePlan
from chalicelib.domain.member import Invitation, Member, mint_invitation
from chalicelib.errors import Conflict, NotFound
from tests.contract.conftest import Stores
from tests.contract.store_builders import NOON

ANNA = Address("Anna@shop.example", "anna@shop.example")


def member(account_id: str, role: Role = Role.VIEWER, minutes: int = 0) -> Member:
    at = NOON + timedelta(minutes=minutes)
    return Member(account_id, f"sub-{uuid.uuid4().hex}", "Anna@shop.example", role, at)


def founded(stores: Stores, account_id: str) -> Member:
    owner = member(account_id, Role.OWNER)
    stores.members.found(Account(account_id, "Oak", LinePlan.DEMO, NOON), owner)
    return owner


def invited(stores: Stores, account_id: str, role: Role = Role.VIEWER) -> Invitation:
    invitation, _ = mint_invitation(account_id, ANNA, role, Actor(ActorKind.PERSON, "maker"), NOON)
    stores.members.add_invitation(account_id, invitation)
    return invitation


def joined(stores: Stores, account_id: str, role: Role, minutes: int = 1) -> Member:
    new = member(account_id, role, minutes)
    assert stores.members.accept(account_id, invited(stores, account_id, role), new)
    return new


class TestMemberStore:
    def test_an_account_is_founded_with_its_owner(self, stores: Stores) -> None:
        owner = founded(stores, stores.account)
        assert stores.accounts.get(stores.account).name == "Oak"
        assert stores.members.find(owner.sub) == owner
        assert stores.members.list_members(stores.account) == [owner]

    def test_who_belongs_to_an_account_founds_no_other(self, stores: Stores) -> None:
        owner = founded(stores, stores.account)
        again = Member(stores.stranger, owner.sub, owner.email, Role.OWNER, NOON)
        with pytest.raises(Conflict) as refused:
            stores.members.found(Account(stores.stranger, "Elm", LinePlan.DEMO, NOON), again)
        assert refused.value.code == "already_member"
        assert stores.members.find(owner.sub) == owner
        with pytest.raises(NotFound):
            stores.accounts.get(stores.stranger)

    def test_nobody_is_a_member_before_they_came(self, stores: Stores) -> None:
        assert stores.members.find("nobody") is None
        assert stores.members.list_members(stores.account) == []

    def test_members_are_listed_for_their_account_only_the_longest_there_first(self, stores: Stores) -> None:
        owner = founded(stores, stores.account)
        later = joined(stores, stores.account, Role.MANAGER, minutes=9)
        sooner = joined(stores, stores.account, Role.VIEWER, minutes=3)
        founded(stores, stores.stranger)
        assert stores.members.list_members(stores.account) == [owner, sooner, later]

    def test_an_invitation_is_read_as_it_was_stored_by_its_own_account(self, stores: Stores) -> None:
        invitation = invited(stores, stores.account)
        assert stores.members.find_invitation(stores.account, invitation.invitation_id) == invitation
        assert stores.members.find_invitation(stores.stranger, invitation.invitation_id) is None
        assert stores.members.list_invitations(stores.account) == [invitation]
        assert stores.members.list_invitations(stores.stranger) == []

    def test_an_invitation_is_withdrawn_once_and_by_its_own_account(self, stores: Stores) -> None:
        invitation = invited(stores, stores.account)
        with pytest.raises(NotFound):
            stores.members.withdraw(stores.stranger, invitation.invitation_id)
        stores.members.withdraw(stores.account, invitation.invitation_id)
        with pytest.raises(NotFound):
            stores.members.withdraw(stores.account, invitation.invitation_id)
        assert not stores.members.accept(stores.account, invitation, member(stores.account))

    def test_an_invitation_is_accepted_once(self, stores: Stores) -> None:
        founded(stores, stores.account)
        invitation = invited(stores, stores.account)
        first, second = member(stores.account), member(stores.account)
        assert stores.members.accept(stores.account, invitation, first)
        assert not stores.members.accept(stores.account, invitation, second)
        assert stores.members.find(first.sub) == first
        assert stores.members.find(second.sub) is None
        assert stores.members.list_invitations(stores.account) == []

    def test_who_belongs_to_an_account_accepts_nothing_and_the_invitation_stays(self, stores: Stores) -> None:
        founded(stores, stores.account)
        elsewhere = founded(stores, stores.stranger)
        invitation = invited(stores, stores.account)
        again = Member(stores.account, elsewhere.sub, elsewhere.email, Role.VIEWER, NOON)
        with pytest.raises(Conflict) as refused:
            stores.members.accept(stores.account, invitation, again)
        assert refused.value.code == "already_member"
        assert stores.members.find(elsewhere.sub) == elsewhere
        assert stores.members.list_invitations(stores.account) == [invitation]

    @pytest.mark.parametrize("old", list(Role))
    @pytest.mark.parametrize("new", list(Role))
    def test_a_role_is_changed_to_any_other(self, stores: Stores, old: Role, new: Role) -> None:
        founded(stores, stores.account)
        somebody = joined(stores, stores.account, old)
        changed = stores.members.change_role(stores.account, somebody.sub, new)
        assert (changed.role, changed.joined_at) == (new, somebody.joined_at)
        assert stores.members.find(somebody.sub) == changed

    @pytest.mark.parametrize("role", list(Role))
    def test_a_member_is_removed_and_may_come_again(self, stores: Stores, role: Role) -> None:
        owner = founded(stores, stores.account)
        somebody = joined(stores, stores.account, role)
        stores.members.remove(stores.account, somebody.sub)
        assert stores.members.find(somebody.sub) is None
        assert stores.members.list_members(stores.account) == [owner]
        with pytest.raises(NotFound):
            stores.members.remove(stores.account, somebody.sub)
        assert stores.members.accept(stores.account, invited(stores, stores.account), somebody)

    def test_nobody_changes_or_removes_a_member_of_another_account(self, stores: Stores) -> None:
        founded(stores, stores.account)
        founded(stores, stores.stranger)
        for role in (Role.OWNER, Role.VIEWER):
            somebody = joined(stores, stores.account, role)
            with pytest.raises(NotFound):
                stores.members.change_role(stores.stranger, somebody.sub, Role.MANAGER)
            with pytest.raises(NotFound):
                stores.members.remove(stores.stranger, somebody.sub)
            assert stores.members.find(somebody.sub) == somebody

    def test_the_last_owner_is_neither_removed_nor_made_less(self, stores: Stores) -> None:
        owner = founded(stores, stores.account)
        joined(stores, stores.account, Role.MANAGER)
        for role in (Role.MANAGER, Role.VIEWER):
            with pytest.raises(Conflict) as refused:
                stores.members.change_role(stores.account, owner.sub, role)
            assert refused.value.code == "last_owner"
        with pytest.raises(Conflict) as refused:
            stores.members.remove(stores.account, owner.sub)
        assert refused.value.code == "last_owner"
        assert stores.members.change_role(stores.account, owner.sub, Role.OWNER) == owner

    def test_owners_are_counted_however_they_came_and_went(self, stores: Stores) -> None:
        first = founded(stores, stores.account)
        second = joined(stores, stores.account, Role.OWNER)
        third = joined(stores, stores.account, Role.VIEWER)
        stores.members.change_role(stores.account, third.sub, Role.OWNER)
        stores.members.remove(stores.account, first.sub)
        stores.members.change_role(stores.account, second.sub, Role.VIEWER)
        with pytest.raises(Conflict):
            stores.members.remove(stores.account, third.sub)

    def test_an_account_of_the_operators_gets_its_first_owner_by_invitation(self, stores: Stores) -> None:
        stores.accounts.add(Account(stores.account, "Oak", LinePlan.PURCHASED, NOON))
        owner = joined(stores, stores.account, Role.OWNER)
        with pytest.raises(Conflict):
            stores.members.remove(stores.account, owner.sub)
        assert stores.accounts.get(stores.account).line_plan is LinePlan.PURCHASED

    def test_two_owners_who_remove_each_other_at_once_leave_one(self, stores: Stores) -> None:
        for turn in range(8):
            account = f"{stores.account}-{turn}"
            first = founded(stores, account)
            second = joined(stores, account, Role.OWNER)
            at_once = Barrier(2)

            def remove(sub: str, account: str = account, at_once: Barrier = at_once) -> bool:
                at_once.wait()
                try:
                    stores.members.remove(account, sub)
                except Conflict:
                    return False
                return True

            with ThreadPoolExecutor(2) as pool:
                done = list(pool.map(remove, (first.sub, second.sub)))
            assert sorted(done) == [False, True]
            assert len(stores.members.list_members(account)) == 1
