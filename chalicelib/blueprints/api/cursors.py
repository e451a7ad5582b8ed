"""The one place where cursors meet the world: opened on the way in, sealed on the way out.

A list is named by the account, the route with its ids, and what selects the list's items; so a cursor of
another account, of another list or of the same list filtered otherwise is refused, and an edited one, too.
The stores see plain places.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from chalicelib import wiring
from chalicelib.blueprints.api.models import PageQuery
from chalicelib.blueprints.api.problems import Unacceptable
from chalicelib.blueprints.api.requests import Call
from chalicelib.domain.cursor_seal import open_seal, seal
from chalicelib.errors import Invalid

Handler = Callable[..., BaseModel | None]
_OF_THE_PAGE = {"cursor", "limit"}  # all other parameters select the items of the list


def paged(handler: Handler, path: str) -> Handler:
    """The handler of a list, with cursors that only we can have made."""

    def sealed(call: Call[Any, Any], **ids: str) -> BaseModel | None:
        name = _name(call, path, ids)
        cursor = call.query.cursor
        if cursor is None:
            return _with_seal(handler(call, **ids), name)
        place = open_seal(name, cursor, wiring.clock.now(), wiring.cursor_key)
        if place is None:
            raise _refusal()
        try:
            opened = replace(call, query=call.query.model_copy(update={"cursor": place}))
            return _with_seal(handler(opened, **ids), name)
        except Invalid as error:
            if [wrong.field for wrong in error.errors] == ["cursor"]:
                raise _refusal() from error
            raise

    return sealed


def is_list(query: type[BaseModel]) -> bool:
    """Whether these are the query parameters of a list in pages."""
    return issubclass(query, PageQuery)


def _with_seal(answer: Any, name: str) -> BaseModel:
    cursor = answer.next_cursor
    if cursor is not None:
        cursor = seal(name, cursor, wiring.clock.now(), wiring.cursor_key)
    page: BaseModel = answer.model_copy(update={"next_cursor": cursor})
    return page


def _name(call: Call[Any, Any], path: str, ids: Mapping[str, str]) -> str:
    selected = call.query.model_dump(mode="json", exclude=_OF_THE_PAGE)
    return json.dumps([call.account_id, path, ids, selected], sort_keys=True)


def _refusal() -> Unacceptable:
    return Unacceptable(
        400, "cursor", "Use a cursor as a page of this list returned it, with the same parameters."
    )
