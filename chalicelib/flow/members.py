"""People come into an account by making it or by an invitation; its owners decide about them."""

from dataclasses import dataclass

from chalicelib.domain.access import SCOPES_OF, Maker, Role, Scope
from chalicelib.domain.account import Account, new_account
from chalicelib.domain.address import Address
from chalicelib.domain.line import LinePlan
from chalicelib.domain.member import (
    MAX_PEOPLE,
    Invitation,
    Member,
    Person,
    already_member,
    mint_invitation,
    split_token,
)
from chalicelib.errors import Conflict, FieldError, Forbidden, Invalid
from chalicelib.flow.admission import scopes_now
from chalicelib.ports import AccountStore, Clock, MemberStore


@dataclass(frozen=True, slots=True)
class MemberPorts:
    """What the steps about people need."""

    accounts: AccountStore
    members: MemberStore
    clock: Clock


def plan_account(person: Person, name: str, ports: MemberPorts) -> Account:
    """The account that this person may found; raises Conflict when they belong to one already.

    Its lines start in the plan for trying out; the operator decides about another one.
    """
    if ports.members.find(person.sub) is not None:
        raise already_member()
    return new_account(name, LinePlan.DEMO, ports.clock.now())


def found_account(person: Person, account: Account, ports: MemberPorts) -> None:
    """Make the account, with this person as its owner; raises Conflict when they belong to one by now."""
    ports.members.found(account, _member(account.account_id, person, Role.OWNER, ports))


def invite(
    account_id: str, address: Address, role: Role, maker: Maker, ports: MemberPorts
) -> tuple[Invitation, str]:
    """Invite an address; the second value is the token, shown this once.

    Raises Invalid when the role has scopes that the maker lacks, Conflict when the account is full.
    """
    _check_role(role, maker.scopes)
    members = ports.members
    if len(members.list_members(account_id)) + len(members.list_invitations(account_id)) >= MAX_PEOPLE:
        text = f"An account has at most {MAX_PEOPLE} members and open invitations; remove or withdraw some."
        raise Conflict("too_many_people", text)
    invitation, token = mint_invitation(account_id, address, role, maker.actor, ports.clock.now())
    members.add_invitation(account_id, invitation)
    return invitation, token


def open_invitation(token: str, ports: MemberPorts) -> Invitation:
    """The invitation whose token this is; raises Invalid for one that opens nothing.

    It is good as long as its maker may still give this role: whoever was removed must leave no door behind.
    """
    parts = split_token(token)
    if parts is None:
        raise _not_valid()
    account_id, invitation_id, secret = parts
    invitation = ports.members.find_invitation(account_id, invitation_id)
    if invitation is None or not invitation.opens_with(secret, ports.clock.now()):
        raise _not_valid()
    may = scopes_now(account_id, invitation.by, ports.accounts, ports.members, ports.clock)
    if not SCOPES_OF[invitation.role] | {Scope.ADMIN} <= may:
        raise _not_valid()
    return invitation


def accept(person: Person, invitation: Invitation, ports: MemberPorts) -> Member:
    """Make the person a member of the account that an opened invitation is of; it can't be used again.

    Raises Invalid when it is gone by now, Forbidden when another address was invited, Conflict when the
    person belongs to an account already.
    """
    if not invitation.is_for(person):
        text = "This invitation is for another address. Sign in as that one, with the address confirmed."
        raise Forbidden("other_address", text)
    member = _member(invitation.account_id, person, invitation.role, ports)
    if not ports.members.accept(invitation.account_id, invitation, member):
        raise _not_valid()
    return member


def change_role(account_id: str, sub: str, role: Role, maker: frozenset[Scope], ports: MemberPorts) -> Member:
    """Give a member another role; raises NotFound, Invalid, or Conflict for the last owner."""
    _check_role(role, maker)
    return ports.members.change_role(account_id, sub, role)


def _not_valid() -> Invalid:
    text = "This invitation is unknown, used, withdrawn or expired. Ask for a new one."
    return Invalid(FieldError("token", "not_valid", text))


def _check_role(role: Role, maker: frozenset[Scope]) -> None:
    lacking = sorted(SCOPES_OF[role] - maker)
    if lacking:
        text = f"You give nobody more than you may do yourself; you lack: {', '.join(lacking)}."
        raise Invalid(FieldError("role", "not_yours", text))


def _member(account_id: str, person: Person, role: Role, ports: MemberPorts) -> Member:
    email = person.address.text if person.address else ""
    return Member(account_id, person.sub, email, role, ports.clock.now())
