"""Members and invitations in memory."""

from dataclasses import replace
from threading import Lock

from chalicelib.domain.access import Role
from chalicelib.domain.account import Account
from chalicelib.domain.member import Invitation, Member, already_member
from chalicelib.errors import Conflict, NotFound
from tests.fakes.accounts import FakeAccountStore
from tests.fakes.row_keys import check_row_key


class FakeMemberStore:
    """Port ``MemberStore``; one write at a time, as a transaction is."""

    def __init__(self, accounts: FakeAccountStore) -> None:
        self._accounts = accounts
        self._members: dict[str, Member] = {}
        self._invitations: dict[tuple[str, str], Invitation] = {}
        self._one_at_a_time = Lock()

    def found(self, account: Account, owner: Member) -> None:
        with self._one_at_a_time:
            self._join(owner)
            self._accounts.add(account)

    def find(self, sub: str) -> Member | None:
        check_row_key(sub)
        return self._members.get(sub)

    def list_members(self, account_id: str) -> list[Member]:
        own = (member for member in self._members.values() if member.account_id == account_id)
        return sorted(own, key=lambda member: (member.joined_at, member.sub))

    def change_role(self, account_id: str, sub: str, role: Role) -> Member:
        with self._one_at_a_time:
            member = self._get(account_id, sub)
            if role is not Role.OWNER:
                self._check_owner_left(member)
            self._members[sub] = replace(member, role=role)
            return self._members[sub]

    def remove(self, account_id: str, sub: str) -> None:
        with self._one_at_a_time:
            self._check_owner_left(self._get(account_id, sub))
            del self._members[sub]

    def add_invitation(self, account_id: str, invitation: Invitation) -> None:
        self._invitations[account_id, invitation.invitation_id] = invitation

    def find_invitation(self, account_id: str, invitation_id: str) -> Invitation | None:
        check_row_key(account_id, invitation_id)
        return self._invitations.get((account_id, invitation_id))

    def list_invitations(self, account_id: str) -> list[Invitation]:
        own = (found for (account, _), found in self._invitations.items() if account == account_id)
        return sorted(own, key=lambda invitation: invitation.invitation_id)

    def withdraw(self, account_id: str, invitation_id: str) -> None:
        if self._invitations.pop((account_id, invitation_id), None) is None:
            raise NotFound("invitation")

    def accept(self, account_id: str, invitation: Invitation, member: Member) -> bool:
        with self._one_at_a_time:
            if (account_id, invitation.invitation_id) not in self._invitations:
                return False
            self._join(member)
            del self._invitations[account_id, invitation.invitation_id]
            return True

    def _join(self, member: Member) -> None:
        if member.sub in self._members:
            raise already_member()
        self._members[member.sub] = member

    def _get(self, account_id: str, sub: str) -> Member:
        member = self._members.get(sub)
        if member is None or member.account_id != account_id:
            raise NotFound("member")
        return member

    def _check_owner_left(self, member: Member) -> None:
        owners = [other for other in self.list_members(member.account_id) if other.role is Role.OWNER]
        if owners == [member]:
            raise Conflict("last_owner", "An account keeps at least one owner.")
