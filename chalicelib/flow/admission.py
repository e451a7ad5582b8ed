"""Who knocks: an API key, or the token of a person's sign-in. What they may do, our own rows say."""

from collections.abc import Callable
from dataclasses import dataclass

from chalicelib.domain.access import SCOPES_OF, Actor, ActorKind, Scope
from chalicelib.domain.account import PREFIX, ApiKey
from chalicelib.domain.member import Person
from chalicelib.flow.accounts import authenticate, note_use
from chalicelib.observability import log
from chalicelib.ports import AccountStore, Clock, MemberStore


@dataclass(frozen=True, slots=True)
class Caller:
    """Who was let in. ``account_id`` is "" and ``scopes`` are none for a person who belongs to no account.

    ``email`` is an address that the person proved to read, or "".
    """

    account_id: str
    actor: Actor
    scopes: frozenset[Scope]
    email: str = ""


@dataclass(frozen=True, slots=True)
class AdmissionPorts:
    """What is needed to let somebody in. ``read_token`` raises Unauthorized."""

    accounts: AccountStore
    members: MemberStore
    read_token: Callable[[str], Person]
    clock: Clock


def admit(text: str, ports: AdmissionPorts) -> Caller:
    """Who has this key or token; raises Unauthorized."""
    if text.startswith(f"{PREFIX}_"):
        key = authenticate(text, ports.accounts, ports.clock)
        _note_use(key, ports)
        return Caller(key.account_id, Actor(ActorKind.KEY, key.key_id), key.scopes)
    return _signed_in(ports.read_token(text), ports.members)


def _note_use(key: ApiKey, ports: AdmissionPorts) -> None:
    try:
        note_use(key, ports.accounts, ports.clock)
    except Exception as error:  # noqa: BLE001  (a good key opens, whether or not that could be written down)
        log("key_use_not_noted", error=error)


def scopes_now(
    account_id: str, actor: Actor, accounts: AccountStore, members: MemberStore, clock: Clock
) -> frozenset[Scope]:
    """What a key or a person may do in the account by now, whatever anybody remembers of it."""
    if actor.kind is ActorKind.KEY:
        key = accounts.find_key(actor.id)
        own = key is not None and key.account_id == account_id and key.in_force(clock.now())
        return key.scopes if key and own else frozenset()
    member = members.find(actor.id)
    return SCOPES_OF[member.role] if member and member.account_id == account_id else frozenset()


def _signed_in(person: Person, members: MemberStore) -> Caller:
    actor = Actor(ActorKind.PERSON, person.sub)
    email = person.address.text if person.address else ""
    member = members.find(person.sub)
    if member is None:
        return Caller("", actor, frozenset(), email)
    return Caller(member.account_id, actor, SCOPES_OF[member.role], email)
