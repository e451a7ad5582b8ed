"""Where the routes meet the audit trail: the one place from which an account's acts get there."""

from collections.abc import Callable
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

    What somebody does who belongs to no account yet is in the service's trail.
    """

    @wraps(handler)
    def act(call: Call[Any, Any], **ids: str) -> BaseModel | None:
        with recorded(call.account_id or SERVICE, call.actor, action, ids, wiring.audit_ports()) as made:
            answer = handler(call, **ids)
            made.update(iter(answer or Nothing()))
        return answer

    return act
