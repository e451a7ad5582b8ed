"""Routes of the people of an account: members and invitations."""

from datetime import datetime
from typing import Self

from chalice import Blueprint
from pydantic import Field

from chalicelib import wiring
from chalicelib.blueprints.api.audited import in_trail_of
from chalicelib.blueprints.api.models import ActorShown, Address, Input, Output
from chalicelib.blueprints.api.requests import Call, Nothing
from chalicelib.blueprints.api.routing import route
from chalicelib.domain.access import Role, Scope
from chalicelib.domain.address import Rejection, parse_address
from chalicelib.domain.member import Invitation, Member
from chalicelib.flow.members import accept, change_role, invite, open_invitation

members = Blueprint(__name__)


class MemberShown(Output):
    """A person in the account."""

    member_id: str
    email: str = Field(description="Their address when they joined.")
    role: Role
    joined_at: datetime

    @classmethod
    def of(cls, member: Member) -> Self:
        """A member as listed."""
        return cls(member_id=member.sub, email=member.email, role=member.role, joined_at=member.joined_at)


class MemberList(Output):
    """All members of the account, the longest there first."""

    items: list[MemberShown]


class RolePatch(Input):
    """Another role for a member."""

    role: Role


class InvitationInput(Input):
    """Whom to invite, and as what."""

    email: Address
    role: Role


class InvitationShown(Output):
    """An open invitation. It ends before its time if who made it may no longer give the role."""

    invitation_id: str
    email: str
    role: Role
    invited_by: ActorShown
    invited_at: datetime
    expires_at: datetime

    @classmethod
    def of(cls, invitation: Invitation) -> Self:
        """An invitation without its token."""
        return cls(
            invitation_id=invitation.invitation_id,
            email=invitation.email,
            role=invitation.role,
            invited_by=ActorShown.of(invitation.by),
            invited_at=invitation.invited_at,
            expires_at=invitation.expires_at,
        )


class NewInvitationShown(InvitationShown):
    """A new invitation, with the token that is shown this once."""

    token: str = Field(description="Pass it on to the person yourself; no mail is sent.")


class InvitationList(Output):
    """All open invitations of the account, oldest first; expired ones may be among them for some days."""

    items: list[InvitationShown]


class TokenInput(Input):
    """The token of an invitation."""

    token: str = Field(min_length=1, max_length=500)


@route(members, "GET", "/members", Nothing, Nothing, MemberList, scope=Scope.ADMIN)
def list_members(call: Call[Nothing, Nothing]) -> MemberList:
    """List the people of the account."""
    found = wiring.members().list_members(call.account_id)
    return MemberList(items=[MemberShown.of(member) for member in found])


@route(
    members,
    "PATCH",
    "/members/{member_id}",
    RolePatch,
    Nothing,
    MemberShown,
    problems=(409,),
    scope=Scope.ADMIN,
    audit="member_role_changed",
)
def change_member(call: Call[RolePatch, Nothing], member_id: str) -> MemberShown:
    """Give a member another role, at most as much as you may do; it holds within a minute."""
    ports = wiring.member_ports()
    return MemberShown.of(change_role(call.account_id, member_id, call.body.role, call.scopes, ports))


@route(
    members,
    "DELETE",
    "/members/{member_id}",
    Nothing,
    Nothing,
    None,
    status=204,
    problems=(409,),
    scope=Scope.ADMIN,
    audit="member_removed",
)
def remove_member(call: Call[Nothing, Nothing], member_id: str) -> None:
    """Remove a member; what they may do ends within a minute. API keys that they made stay, and say so."""
    wiring.members().remove(call.account_id, member_id)


@route(
    members,
    "POST",
    "/invitations",
    InvitationInput,
    Nothing,
    NewInvitationShown,
    status=201,
    problems=(409,),
    scope=Scope.ADMIN,
    audit="member_invited",
    secret=True,
)
def invite_member(call: Call[InvitationInput, Nothing]) -> NewInvitationShown:
    """Invite an address for a week; the answer carries the token once, and you pass it on."""
    address = parse_address(call.body.email)
    assert not isinstance(address, Rejection), "the field was checked"  # noqa: S101
    invitation, token = invite(call.account_id, address, call.body.role, call.maker, wiring.member_ports())
    return NewInvitationShown(**dict(InvitationShown.of(invitation)), token=token)


@route(members, "GET", "/invitations", Nothing, Nothing, InvitationList, scope=Scope.ADMIN)
def list_invitations(call: Call[Nothing, Nothing]) -> InvitationList:
    """List the open invitations of the account."""
    found = wiring.members().list_invitations(call.account_id)
    return InvitationList(items=[InvitationShown.of(invitation) for invitation in found])


@route(
    members,
    "DELETE",
    "/invitations/{invitation_id}",
    Nothing,
    Nothing,
    None,
    status=204,
    scope=Scope.ADMIN,
    audit="invitation_withdrawn",
)
def withdraw_invitation(call: Call[Nothing, Nothing], invitation_id: str) -> None:
    """Withdraw an invitation; its token opens nothing any more."""
    wiring.members().withdraw(call.account_id, invitation_id)


@route(
    members,
    "POST",
    "/invitations/accept",
    TokenInput,
    Nothing,
    MemberShown,
    problems=(409,),
    audit="invitation_accepted",
    newcomers=True,
)
def accept_invitation(call: Call[TokenInput, Nothing]) -> MemberShown:
    """Join the account that invited your address, as a person who signed in; then refresh your token."""
    person, ports = call.person, wiring.member_ports()
    invitation = open_invitation(call.body.token, ports)
    ids = {"invitation_id": invitation.invitation_id}
    with in_trail_of(invitation.account_id, call, "invitation_accepted", ids) as made:
        shown = MemberShown.of(accept(person, invitation, ports))
        made.update(iter(shown))
    return shown
