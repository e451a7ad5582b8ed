"""Who lost their rights while the gateway still remembers them: they decide about nobody any more."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from app import app
from chalicelib import wiring
from chalicelib.blueprints.api.routing import ROUTES
from chalicelib.domain.access import ALL_SCOPES, Actor, ActorKind, Role, Scope
from chalicelib.domain.account import KeyWish
from chalicelib.domain.address import Address
from chalicelib.domain.member import Person
from chalicelib.flow.accounts import create_key
from chalicelib.flow.members import accept, change_role, found_account, invite, open_invitation, plan_account
from tests.doors.in_process import Context
from tests.doors.test_routes import request
from tests.fakes.world import OWNER, World

ANNA_SIGNED = Person(OWNER.actor.id, Address("anna@shop.example", "anna@shop.example"))
BEN = Person("sub-ben", Address("ben@shop.example", "ben@shop.example"))
EVE = Person("sub-eve", Address("eve@shop.example", "eve@shop.example"))


@pytest.fixture(autouse=True)
def scopes_now() -> None:
    """Our rows are asked."""


class Shop:
    """An account of Anna, with Ben as an owner, Eve as a viewer and a key that may do all for a day."""

    def __init__(self) -> None:
        self.world = World()
        self.account_id = self.found(ANNA_SIGNED)
        self._join(BEN, Role.OWNER)
        self._join(EVE, Role.VIEWER)
        wish = KeyWish("all", expires_at=self.world.clock.now() + timedelta(days=1))
        self.key, _ = create_key(self.account_id, wish, OWNER, self.world.accounts, self.world.clock)

    def found(self, person: Person) -> str:
        account = plan_account(person, "Oak", self.world.member_ports)
        found_account(person, account, self.world.member_ports)
        return account.account_id

    def _join(self, person: Person, role: Role) -> None:
        assert person.address
        _, token = invite(self.account_id, person.address, role, OWNER, self.world.member_ports)
        accept(person, open_invitation(token, self.world.member_ports), self.world.member_ports)

    @property
    def state(self) -> tuple[object, ...]:
        return (
            self.world.members.list_members(self.account_id),
            self.world.members.list_invitations(self.account_id),
            self.world.accounts.list_keys(self.account_id),
        )

    def call(
        self, who: Actor, method: str, path: str, body: object = None, *, remembered: str = "", **ids: str
    ) -> tuple[int, Any]:
        """A request of somebody whom the gateway remembers, as one who may do all unless it says less."""
        event = request(method, path, None if body is None else json.dumps(body))
        event["pathParameters"] = ids or None
        event["requestContext"]["authorizer"] = {
            "account_id": self.account_id,
            "actor_kind": who.kind.value,
            "actor_id": who.id,
            "scopes": remembered or " ".join(ALL_SCOPES),
            "email": "",
        }
        answer = app(event, Context())
        return answer["statusCode"], json.loads(answer["body"] or "null")


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Shop:
    made = Shop()
    monkeypatch.setattr(wiring, "accounts", lambda: made.world.accounts)
    monkeypatch.setattr(wiring, "members", lambda: made.world.members)
    monkeypatch.setattr(wiring, "member_ports", lambda: made.world.member_ports)
    monkeypatch.setattr(wiring, "clock", made.world.clock)
    return made


def ben(_: Shop) -> Actor:
    return Actor(ActorKind.PERSON, BEN.sub)


def key(shop: Shop) -> Actor:
    return Actor(ActorKind.KEY, shop.key.key_id)


def remove(shop: Shop) -> None:
    shop.world.members.remove(shop.account_id, BEN.sub)


def remove_and_found_another(shop: Shop) -> None:
    remove(shop)
    shop.found(BEN)


def demote(shop: Shop) -> None:
    change_role(shop.account_id, BEN.sub, Role.MANAGER, ALL_SCOPES, shop.world.member_ports)


def revoke(shop: Shop) -> None:
    shop.world.accounts.revoke_key(shop.account_id, shop.key.key_id, shop.world.clock.now())


def expire(shop: Shop) -> None:
    shop.world.clock.wait(days=1)


Loss = Callable[[Shop], None]
WHO_BY_LOSS: Mapping[Loss, Callable[[Shop], Actor]] = {
    remove: ben,
    remove_and_found_another: ben,
    demote: ben,
    revoke: key,
    expire: key,
}
losses = pytest.mark.parametrize("lose", WHO_BY_LOSS, ids=lambda lose: lose.__name__)


@losses
def test_who_lost_their_rights_comes_in_by_no_door_that_is_still_open(shop: Shop, lose: Loss) -> None:
    who = WHO_BY_LOSS[lose](shop)
    lose(shop)
    before = shop.state
    every = {"name": "backdoor"}, {"role": "owner"}, {"email": "eve@shop.example", "role": "owner"}
    for method, path, body, ids in (
        ("POST", "/api-keys", every[0], {}),
        ("PATCH", "/members/{member_id}", every[1], {"member_id": EVE.sub}),
        ("DELETE", "/members/{member_id}", None, {"member_id": ANNA_SIGNED.sub}),
        ("POST", "/invitations", every[2], {}),
    ):
        status, problem = shop.call(who, method, path, body, **ids)
        assert (status, problem["code"]) == (403, "missing_scope"), path
    assert shop.state == before


@losses
def test_before_that_they_came_in(shop: Shop, lose: Loss) -> None:
    assert shop.call(WHO_BY_LOSS[lose](shop), "POST", "/api-keys", {"name": "ci"})[0] == 201


@losses
def test_no_route_for_owners_lets_them_in(shop: Shop, lose: Loss) -> None:
    who = WHO_BY_LOSS[lose](shop)
    lose(shop)
    for route in (route for route in ROUTES if route.scope is Scope.ADMIN):
        ids = dict.fromkeys(re.findall(r"{(\w+)}", route.path), "x")
        status, problem = shop.call(who, route.method, route.path, **ids)
        assert (status, problem["code"]) == (403, "missing_scope"), route


def test_nobody_gets_more_than_the_authorizer_said(shop: Shop) -> None:
    wish = {"name": "wide", "scopes": ["send"]}
    status, problem = shop.call(ben(shop), "POST", "/api-keys", wish, remembered="admin read")
    assert (status, problem["errors"][0]["code"]) == (422, "not_yours")


def test_a_key_says_who_made_it_also_when_they_are_gone(shop: Shop) -> None:
    _, made = shop.call(ben(shop), "POST", "/api-keys", {"name": "shop"})
    shop.call(key(shop), "POST", "/api-keys", {"name": "ci"})
    remove(shop)
    keys = shop.call(OWNER.actor, "GET", "/api-keys")[1]["items"]
    assert {found["name"]: found["created_by"] for found in keys} == {
        "all": {"kind": "person", "id": "sub-anna"},
        "shop": {"kind": "person", "id": "sub-ben"},
        "ci": {"kind": "api_key", "id": shop.key.key_id},
    }
    assert made["key_id"] in {found["key_id"] for found in keys if found["revoked_at"] is None}
