"""Where the routes meet the audit trail: the one place from which an account's acts get there."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import wraps
from typing import Any

from pydantic import BaseModel

from chalicelib import wiring
from chalicelib.blueprints.api.requests import Call, Nothing
from chalicelib.domain.audit import SERVICE
from chalicelib.flow.audit import recorded

Handler = Callable[..., BaseModel | None]


def audited(handler: Handler, action: str) -> Handler:
    """The handler, whose every call is an act in the trail: its subject are the ids in path and answer.

    What somebody does who belongs to no account yet is in the service's trail. When they come into one by it,
    the handler sees to it that the account's own trail says so too: ``in_trail_of``.
    """

    @wraps(handler)
    def act(call: Call[Any, Any], **ids: str) -> BaseModel | None:
        with in_trail_of(call.account_id or SERVICE, call, action, ids) as made:
            answer = handler(call, **ids)
            made.update(iter(answer or Nothing()))
        return answer

    return act


def in_trail_of(
    account_id: str, call: Call[Any, Any], action: str, ids: Mapping[str, str]
) -> AbstractContextManager[dict[str, object]]:
    """What is done within is an act in this account's trail, as ``recorded`` says.

    The account is the caller's own, or one that they have proved to be let into: nobody else writes there.
    """
    return recorded(account_id, call.actor, action, ids, wiring.audit_ports())
