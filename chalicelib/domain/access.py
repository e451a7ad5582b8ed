"""Who acts, and what they may do.

Four scopes say what a caller may do; a key carries some of them, a person those of their role.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Scope(StrEnum):
    """One kind of thing that callers may do."""

    READ = "read"
    WRITE = "write"  # change campaigns with contacts and files, lines with passwords, domains, suppressions
    SEND = "send"  # launch, pause, resend, test messages
    ADMIN = "admin"  # API keys, members, invitations, audit trail, export and erasure of personal data


ALL_SCOPES = frozenset(Scope)


class Role(StrEnum):
    """What a person is in an account."""

    OWNER = "owner"
    MANAGER = "manager"
    VIEWER = "viewer"


SCOPES_OF: Mapping[Role, frozenset[Scope]] = MappingProxyType(
    {
        Role.OWNER: ALL_SCOPES,
        Role.MANAGER: frozenset({Scope.READ, Scope.WRITE, Scope.SEND}),
        Role.VIEWER: frozenset({Scope.READ}),
    }
)


class ActorKind(StrEnum):
    """What kind of somebody acts."""

    KEY = "api_key"
    PERSON = "person"
    OPERATOR = "operator"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a key by its public id, a person by the ``sub`` of their sign-in, never by an address."""

    kind: ActorKind
    id: str


@dataclass(frozen=True, slots=True)
class Maker:
    """Who makes a key or an invitation, and what they may do themselves."""

    actor: Actor
    scopes: frozenset[Scope]
