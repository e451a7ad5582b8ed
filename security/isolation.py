"""Every route of the served document, with what belongs to somebody else and with keys that open nothing.

What is another account's is answered like what doesn't exist: the same status, the same words, and as many
calls of AWS, so that not even the time it takes tells them apart.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from local.stack import Stack
from security.requests import Operation, operations
from security.verdict import Family
from tests.stack.api import Answer, Api, wait_for
from tests.stack.customer import ALWAYS, Customer
from tests.stack.person import Person

API_ROLE = "ApiHandlerRole"
NO_IDS = {"file_type"}
"""Path parameters that name nothing of anybody's."""

FOR_LATER = {**ALWAYS, "start_date": "2098-01-01"}
_OF_THE_RATE = ("UsageTable", "AccountTable")
"""Where the requests of the asking account are counted, by the tenth, whatever they ask for."""

_LACKS = {"missing_scope", "people_only"}
_AT_REST = {"done", "failed", "sent"}
_ORDER = ("POST", "PATCH", "PUT", "GET", "DELETE")
_BY_THE_WAY = {"url", "expires_at", "used_at"}


@dataclass(frozen=True)
class Tenant:
    """An account, and the ids of everything an account can have, by the names that paths give them."""

    customer: Customer
    ids: Mapping[str, str]


def settle_in(customer: Customer) -> Tenant:
    """Give an account one of everything, each of which names itself in some answer."""
    api = customer.api
    campaign = customer.campaign(schedule=FOR_LATER)
    (contact,) = customer.add(campaign, ["somebody"])
    (line,) = (line["line_id"] for line in api.get("/lines")["items"])
    domain = api.post("/domains", {"domain": f"{customer.account_id.lower()}.sender.example"})
    import_id, _ = customer.form(campaign)
    api.post(f"/lines/{line}/advice")
    api.post(f"/lines/{line}/dialogs", {"email": "somebody@example.com"})
    api.post("/suppressions", {"addresses": ["somebody@example.com"]})
    api.post(f"/campaigns/{campaign}/preflight")
    test = api.post(f"/campaigns/{campaign}/tests", {"to": customer.address("tester")})
    export = api.post(f"/campaigns/{campaign}/exports")
    attachment = api.post(f"/campaigns/{campaign}/attachments", {"file_name": "plan.pdf"})["attachment"]
    guest = Person.new(customer.stack, customer.address("guest"))
    token = api.post("/invitations", {"email": guest.email, "role": "viewer"})["token"]
    member = guest.api.post("/invitations/accept", {"token": token})["member_id"]
    invited = api.post("/invitations", {"email": customer.address("invited"), "role": "viewer"})
    _come_to_rest(
        api,
        f"/lines/{line}/advice",
        f"/campaigns/{campaign}/preflight",
        f"/tests/{test['test_id']}",
        f"/exports/{export['export_id']}",
    )
    job = api.post("/personal-data/exports", {"address": customer.address("somebody")})["job_id"]
    _come_to_rest(api, f"/personal-data/jobs/{job}")
    ids = {
        "job_id": job,
        "campaign_id": campaign,
        "contact_id": contact,
        "line_id": line,
        "import_id": import_id,
        "export_id": export["export_id"],
        "key_id": api.post("/api-keys", {"name": "to be revoked"})["key_id"],
        "test_id": test["test_id"],
        "attachment_id": attachment["attachment_id"],
        "member_id": member,
        "invitation_id": invited["invitation_id"],
        "domain": domain["domain"],
        "selector": domain["keys"][0]["selector"],
    }
    return Tenant(customer, ids)


def _come_to_rest(api: Api, *jobs: str) -> None:
    """Wait for what changes by itself, so that what changes later was changed by somebody."""
    for job in jobs:
        wait_for(lambda job=job: api.get(job)["state"] in _AT_REST, f"{job} ends")  # type: ignore[misc]


def walk(stack: Stack, family: Family, progress: Callable[[int], None] = lambda _: None) -> None:
    """Walk every route; owner and attacker have one of everything each."""
    owner, attacker = settle_in(Customer.new(stack)), settle_in(Customer.new(stack))
    routes = [o for o in operations(owner.customer.api.get("/openapi.json")) if not o.is_public]
    viewer = owner.customer.api.post("/api-keys", {"name": "viewer", "scopes": ["read"]})["api_key"]
    before = _seen(owner, routes)
    for done, route in enumerate(routes, start=1):
        _try_foreign_ids(route, owner, attacker, family)
        _try_foreign_ids_in_bodies(route, owner, attacker, family)
        progress(done)
    for name, key in keys_that_open_nothing(stack):
        for route in routes:
            _try_key(route, name, Api(stack.api_url, key), owner, family)
    changed = [name for name, seen in _seen(owner, routes).items() if before[name] != seen]
    family.refusal("all of it together", f"changed for its owner: {changed}" if changed else None)
    for route in routes:  # what a viewer isn't let do is in the owner's audit trail
        _try_as_viewer(route, Api(stack.api_url, viewer), owner, family)
    for route in sorted(routes, key=_deletions_last):
        _try_as_owner(route, owner, family)


def keys_that_open_nothing(stack: Stack) -> Iterator[tuple[str, str | None]]:
    """What each is, and the key."""
    yield "no key", None
    api = Customer.new(stack).api
    soon = datetime.now(UTC) + timedelta(seconds=1)
    expired = api.post("/api-keys", {"name": "expired", "expires_at": soon.isoformat()})
    revoked = api.post("/api-keys", {"name": "revoked"})
    api.delete(f"/api-keys/{revoked['key_id']}")
    yield "a revoked key", revoked["api_key"]
    yield "a key with a wrong secret", f"pl_{expired['key_id']}_{revoked['api_key'].rpartition('_')[2]}"
    wait_for(lambda: datetime.now(UTC) > soon or None, "the key expires")
    yield "an expired key", expired["api_key"]


def _try_foreign_ids(route: Operation, owner: Tenant, attacker: Tenant, family: Family) -> None:
    for name in set(route.ids()) - NO_IDS:
        what = f"{route.method} {route.path} with another account's {name}"
        if name not in owner.ids:
            family.refusal(what, "security/isolation.py makes none")
            continue
        foreign, unknown = ({**attacker.ids, name: i} for i in (owner.ids[name], _unknown(owner.ids[name])))
        family.refusal(what, _told_apart(route, attacker, attacker.ids, foreign, unknown, {404}))


def _try_foreign_ids_in_bodies(route: Operation, owner: Tenant, attacker: Tenant, family: Family) -> None:
    for field in route.ids_in_body(owner.ids):
        name = field.removesuffix("s")
        value: Callable[[str], Any] = (lambda i: [i]) if field != name else (lambda i: i)
        bodies = [
            {**route.body(attacker.ids)["body"], field: value(i)}
            for i in (owner.ids[name], _unknown(owner.ids[name]))
        ]
        path = route.address(attacker.ids)
        answers = [attacker.customer.api.ask(route.method, path, body) for body in bodies]
        fault = None
        if any(answer.status not in {404, 409, 422} for answer in answers) or _differ(*answers):
            fault = f"{answers}"
        family.refusal(f"{route.method} {route.path} with another account's {field} in its body", fault)


def _told_apart(
    route: Operation,
    attacker: Tenant,
    own: Mapping[str, str],
    foreign: Mapping[str, str],
    unknown: Mapping[str, str],
    statuses: set[int],
) -> str | None:
    """How somebody can tell what is another's from what doesn't exist; None if they can't."""
    stack, api = attacker.customer.stack, attacker.customer.api
    answers, calls = [], []
    for ids in (foreign, unknown):
        start = stack.emulator.decisions.stat().st_size
        answers.append(api.ask(route.method, route.address(ids), **route.body(own)))
        calls.append(_calls_since(stack, start))
    if answers[0].status not in statuses:
        return f"answered with {answers[0].status} {answers[0].body!r}"
    if _differ(*answers):
        return f"answered with {answers[0]}, and for what doesn't exist with {answers[1]}"
    if calls[0] != calls[1]:
        return f"{calls[0]}, and for what doesn't exist {calls[1]}"
    return None


def _differ(one: Answer, other: Answer) -> bool:
    return (one.status, one.body) != (other.status, other.body)


def _calls_since(stack: Stack, start: int) -> list[str]:
    """The calls of AWS that the API has made since the file of decisions was so long."""
    with stack.emulator.decisions.open(encoding="utf-8") as lines:
        lines.seek(start)
        decisions = [json.loads(line) for line in lines]
    return [
        action
        for role, action, resource, _ in decisions
        if API_ROLE in role and not any(table in resource for table in _OF_THE_RATE)
    ]


def _unknown(known: str) -> str:
    """An id of the same shape that nobody has."""
    return "nobodys.example" if "." in known else "0" * len(known)


def _try_key(route: Operation, name: str, api: Api, owner: Tenant, family: Family) -> None:
    ids = {**owner.ids, "file_type": "csv"}
    answer = api.ask(route.method, route.address(ids), **route.body(ids))
    # the emulator says 403 where API Gateway says 401
    fault = None if answer.status in {401, 403} else f"answered with {answer.status} {answer.body!r}"
    family.refusal(f"{route.method} {route.path} with {name}", fault)


def _try_as_viewer(route: Operation, api: Api, owner: Tenant, family: Family) -> None:
    """A key that may read is told which scope it lacks, whatever else is wrong; what it may read, it gets."""
    ids = {**owner.ids, "file_type": "csv"}
    answer = api.ask(route.method, route.address(ids), **route.body(ids))
    what, how = (
        f"{route.method} {route.path} with a viewer's key",
        f"answered with {answer.status} {answer.body!r}",
    )
    if route.scope == "read":
        family.control(what, None if answer.status == 200 else how)
    else:
        family.refusal(what, None if answer.status == 403 and answer.body["code"] in _LACKS else how)


def _try_as_owner(route: Operation, owner: Tenant, family: Family) -> None:
    """The control: what nobody else may do, the owner may, unless a state is in the way."""
    ids = {**owner.ids, "file_type": "csv"}
    answer = owner.customer.api.ask(route.method, route.address(ids), **route.body(ids))
    if route.scope is None:  # for people who signed in, whatever they may do: tests/stack/test_people.py
        family.refusal(
            f"{route.method} {route.path} with a key", None if answer.status == 403 else answer.body
        )
    elif answer.status != 409:
        fault = None if answer.status < 300 else f"answered with {answer.status} {answer.body!r}"
        family.control(f"{route.method} {route.path} by its owner", fault)


def _deletions_last(route: Operation) -> tuple[int, int]:
    """Makers first, then readers, then what deletes, from the leaves to the root."""
    depth = route.path.count("/")
    return _ORDER.index(route.method), -depth if route.method == "DELETE" else depth


def _seen(owner: Tenant, routes: list[Operation]) -> dict[str, Any]:
    """All that the owner can read, without what is made anew for every reader."""
    ids = {**owner.ids, "file_type": "csv"}
    return {
        route.path: _lasting(owner.customer.api.ask("GET", route.address(ids)).body)
        for route in routes
        if route.method == "GET"
    }


def _lasting(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _lasting(each) for name, each in value.items() if name not in _BY_THE_WAY}
    return [_lasting(each) for each in value] if isinstance(value, list) else value
