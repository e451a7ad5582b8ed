"""Members and invitations in DynamoDB.

A member's row is found by the person, so that nobody is in two accounts. How many owners an account has
stands in its own row and is changed in the same transaction as the role: two owners who remove each other at
the same moment can't both succeed.
"""

from collections.abc import Callable

from pynamodb.exceptions import DoesNotExist
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from chalicelib.adapters.dynamodb.tables import AccountRow, InvitationRow, MemberRow
from chalicelib.adapters.dynamodb.writing import connection, delete_if, transact_if, update_if
from chalicelib.domain.access import Actor, ActorKind, Role
from chalicelib.domain.account import Account
from chalicelib.domain.member import Invitation, Member, already_member
from chalicelib.errors import Conflict, NotFound

_TRIES = 3  # when the role changes between the look and the write


class DynamoMemberStore:
    """Port ``MemberStore``."""

    def found(self, account: Account, owner: Member) -> None:
        """Store a new account and its owner, both or none."""

        def commit() -> None:
            with TransactWrite(connection=connection()) as write:
                write.save(_row(owner), MemberRow.sub.does_not_exist())
                row = AccountRow(
                    account_id=account.account_id,
                    name=account.name,
                    line_plan=account.line_plan,
                    created_at=account.created_at,
                    owners=1,
                )
                write.save(row, AccountRow.account_id.does_not_exist())

        failed = transact_if(commit)
        if 0 in failed:
            raise already_member()
        assert not failed, "a new id is new"  # noqa: S101

    def find(self, sub: str) -> Member | None:
        """The person's membership, wherever it is; None when there is none."""
        try:
            return _member(MemberRow.get(sub, consistent_read=True))
        except DoesNotExist:
            return None

    def list_members(self, account_id: str) -> list[Member]:
        """All of the account, the longest there first; one who came a moment ago may be missing."""
        subs = [row.sub for row in MemberRow.members_of_account.query(account_id)]
        rows = (row for row in MemberRow.batch_get(subs) if row.account_id == account_id)
        return sorted(map(_member, rows), key=lambda member: (member.joined_at, member.sub))

    def change_role(self, account_id: str, sub: str, role: Role) -> Member:
        """Give another role; raises NotFound, or Conflict when it would leave no owner."""

        def attempt(member: Member) -> bool:
            if member.role is role:
                return True
            actions: list[Action] = [MemberRow.role.set(role)]
            as_seen = _as_seen(member)
            if Role.OWNER not in {member.role, role}:
                return update_if(MemberRow(sub), actions, as_seen)

            def commit() -> None:
                with TransactWrite(connection=connection()) as write:
                    write.update(MemberRow(sub), actions, as_seen)
                    _count_owners(write, account_id, 1 if role is Role.OWNER else -1)

            return _owners_changed(commit)

        self._until_unchanged(account_id, sub, attempt)
        return self._get(account_id, sub)

    def remove(self, account_id: str, sub: str) -> None:
        """Remove a member; raises NotFound, or Conflict for the last owner."""

        def attempt(member: Member) -> bool:
            if member.role is not Role.OWNER:
                return delete_if(MemberRow(sub), _as_seen(member))

            def commit() -> None:
                with TransactWrite(connection=connection()) as write:
                    write.delete(MemberRow(sub), _as_seen(member))
                    _count_owners(write, account_id, -1)

            return _owners_changed(commit)

        self._until_unchanged(account_id, sub, attempt)

    def add_invitation(self, account_id: str, invitation: Invitation) -> None:
        """Store a new one. One that a broken-off request left behind is replaced: nobody has its token."""
        InvitationRow(
            account_id,
            invitation.invitation_id,
            email=invitation.email,
            address_key=invitation.address_key,
            role=invitation.role,
            actor_kind=invitation.by.kind,
            actor_id=invitation.by.id,
            salt=invitation.salt,
            digest=invitation.digest,
            invited_at=invitation.invited_at,
            expires_at=invitation.expires_at,
        ).save()

    def find_invitation(self, account_id: str, invitation_id: str) -> Invitation | None:
        """Read one; None when there is none (any more)."""
        try:
            return _invitation(InvitationRow.get(account_id, invitation_id, consistent_read=True))
        except DoesNotExist:
            return None

    def list_invitations(self, account_id: str) -> list[Invitation]:
        """All of the account, oldest first; expired ones too, until DynamoDB drops them."""
        return [_invitation(row) for row in InvitationRow.query(account_id, consistent_read=True)]

    def withdraw(self, account_id: str, invitation_id: str) -> None:
        """Delete one; raises NotFound."""
        if not delete_if(InvitationRow(account_id, invitation_id), InvitationRow.invitation_id.exists()):
            raise NotFound("invitation")

    def accept(self, account_id: str, invitation: Invitation, member: Member) -> bool:
        """Make the invitation a membership, once; False when it is gone. Raises Conflict."""

        def commit() -> None:
            with TransactWrite(connection=connection()) as write:
                row = InvitationRow(account_id, invitation.invitation_id)
                write.delete(row, InvitationRow.digest == invitation.digest)
                write.save(_row(member), MemberRow.sub.does_not_exist())
                if member.role is Role.OWNER:
                    _count_owners(write, account_id, 1)

        failed = transact_if(commit)
        if 0 in failed:
            return False
        if failed:
            raise already_member()
        return True

    def _get(self, account_id: str, sub: str) -> Member:
        found = self.find(sub)
        if found is None or found.account_id != account_id:
            raise NotFound("member")
        return found

    def _until_unchanged(self, account_id: str, sub: str, attempt: Callable[[Member], bool]) -> None:
        for _ in range(_TRIES):
            if attempt(self._get(account_id, sub)):
                return
        raise Conflict("changed", "The member was changed in the meantime. Look again, then repeat it.")


def _count_owners(write: TransactWrite, account_id: str, change: int) -> None:
    enough: Condition = AccountRow.account_id.exists()
    if change < 0:
        enough = AccountRow.owners > 1
    write.update(AccountRow(account_id), [AccountRow.owners.add(change)], enough)


def _owners_changed(commit: Callable[[], None]) -> bool:
    """Whether it was done; False when the member is no longer what was seen. Raises Conflict."""
    failed = transact_if(commit)
    if failed == {1}:
        raise Conflict(
            "last_owner", "An account keeps at least one owner. Make somebody else an owner first."
        )
    return not failed


def _as_seen(member: Member) -> Condition:
    return (MemberRow.account_id == member.account_id) & (MemberRow.role == member.role)


def _row(member: Member) -> MemberRow:
    return MemberRow(
        member.sub,
        account_id=member.account_id,
        email=member.email,
        role=member.role,
        joined_at=member.joined_at,
    )


def _member(row: MemberRow) -> Member:
    return Member(row.account_id, row.sub, row.email, Role(row.role), row.joined_at)


def _invitation(row: InvitationRow) -> Invitation:
    return Invitation(
        account_id=row.account_id,
        invitation_id=row.invitation_id,
        email=row.email,
        address_key=row.address_key,
        role=Role(row.role),
        by=Actor(ActorKind(row.actor_kind), row.actor_id),
        salt=row.salt,
        digest=row.digest,
        invited_at=row.invited_at,
        expires_at=row.expires_at,
    )
