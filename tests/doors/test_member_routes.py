"""People over HTTP: who signed in makes or joins an account, and its owners decide about the rest."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from app import app
from chalicelib import wiring
from chalicelib.domain.access import SCOPES_OF
from tests.doors.in_process import Context
from tests.doors.test_routes import request
from tests.fakes.world import ACCOUNT, World


@dataclass(frozen=True)
class Signed:
    """A person who signed in, as the authorizer tells of them."""

    world: World
    sub: str
    email: str = ""

    def call(self, method: str, path: str, body: object = None, **ids: str) -> tuple[int, Any]:
        text = None if body is None else json.dumps(body)
        event = request(method, path, text)
        member = self.world.members.find(self.sub)
        event["pathParameters"] = ids or None
        event["requestContext"]["authorizer"] = {
            "account_id": member.account_id if member else "",
            "actor_kind": "person",
            "actor_id": self.sub,
            "scopes": " ".join(SCOPES_OF[member.role]) if member else "",
            "email": self.email,
        }
        answer = app(event, Context())
        return answer["statusCode"], json.loads(answer["body"]) if answer["body"] else None


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    monkeypatch.setattr(wiring, "accounts", lambda: made.accounts)
    monkeypatch.setattr(wiring, "members", lambda: made.members)
    monkeypatch.setattr(wiring, "member_ports", lambda: made.member_ports)
    return made


@pytest.fixture
def anna(world: World) -> Signed:
    return Signed(world, "sub-anna", "anna@shop.example")


@pytest.fixture
def ben(world: World) -> Signed:
    return Signed(world, "sub-ben", "Ben@shop.example")


def joined(owner: Signed, guest: Signed, role: str) -> str:
    status, made = owner.call("POST", "/invitations", {"email": guest.email, "role": role})
    assert status == 201
    status, member = guest.call("POST", "/invitations/accept", {"token": made["token"]})
    assert (status, member["role"]) == (200, role)
    return str(member["member_id"])


def test_a_person_of_no_account_makes_one_and_can_do_nothing_before(anna: Signed) -> None:
    status, problem = anna.call("GET", "/account")
    assert (status, problem["code"]) == (403, "no_account")
    status, made = anna.call("POST", "/account", {"name": " Oak "})
    assert (status, made["name"], made["line_plan"]) == (201, "Oak", "demo")
    assert anna.call("GET", "/account") == (200, made)
    assert made["scopes"] == ["admin", "read", "send", "write"]
    status, problem = anna.call("POST", "/account", {"name": "Elm"})
    assert (status, problem["code"]) == (409, "already_member")


@pytest.mark.usefixtures("world")
def test_only_people_make_accounts_and_accept_invitations() -> None:
    for path, body in (("/account", {"name": "Oak"}), ("/invitations/accept", {"token": "x"})):
        answer = app(request("POST", path, json.dumps(body), account=ACCOUNT), Context())
        assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (403, "people_only")


def test_an_invitation_shows_its_token_once_and_brings_one_person_in(anna: Signed, ben: Signed) -> None:
    anna.call("POST", "/account", {"name": "Oak"})
    _, made = anna.call("POST", "/invitations", {"email": "ben@shop.example", "role": "viewer"})
    _, listed = anna.call("GET", "/invitations")
    assert listed["items"] == [{name: made[name] for name in made if name != "token"}]
    status, problem = anna.call("POST", "/invitations/accept", {"token": made["token"]})
    assert (status, problem["code"]) == (403, "other_address")
    status, member = ben.call("POST", "/invitations/accept", {"token": made["token"]})
    assert (status, member["email"], member["role"]) == (200, "Ben@shop.example", "viewer")
    assert anna.call("GET", "/invitations")[1]["items"] == []
    status, problem = Signed(ben.world, "another", ben.email).call(
        "POST", "/invitations/accept", {"token": made["token"]}
    )
    assert (status, problem["errors"][0]["field"]) == (422, "token")


def test_an_invitation_is_withdrawn(anna: Signed, ben: Signed) -> None:
    anna.call("POST", "/account", {"name": "Oak"})
    _, made = anna.call("POST", "/invitations", {"email": ben.email, "role": "viewer"})
    path, gone = "/invitations/{invitation_id}", made["invitation_id"]
    assert anna.call("DELETE", path, invitation_id=gone) == (204, None)
    assert anna.call("DELETE", path, invitation_id=gone)[0] == 404
    assert ben.call("POST", "/invitations/accept", {"token": made["token"]})[0] == 422


def test_a_member_does_what_the_role_allows_until_it_changes(anna: Signed, ben: Signed) -> None:
    anna.call("POST", "/account", {"name": "Oak"})
    member_id = joined(anna, ben, "viewer")
    assert ben.call("GET", "/account")[0] == 200
    for method, path in (("GET", "/members"), ("POST", "/invitations"), ("POST", "/campaigns")):
        status, problem = ben.call(method, path, {} if method == "POST" else None)
        assert (status, problem["code"]) == (403, "missing_scope")
    one = "/members/{member_id}"
    status, changed = anna.call("PATCH", one, {"role": "owner"}, member_id=member_id)
    assert (status, changed["role"]) == (200, "owner")
    emails = [member["email"] for member in ben.call("GET", "/members")[1]["items"]]
    assert emails == ["anna@shop.example", "Ben@shop.example"]
    assert ben.call("DELETE", one, member_id=anna.sub) == (204, None)
    assert anna.call("GET", "/account")[0] == 403
    for answer in (
        ben.call("DELETE", one, member_id=ben.sub),
        ben.call("PATCH", one, {"role": "viewer"}, member_id=ben.sub),
    ):
        assert (answer[0], answer[1]["code"]) == (409, "last_owner")
    assert ben.call("PATCH", one, {"role": "viewer"}, member_id=anna.sub)[0] == 404


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"email": "nobody", "role": "viewer"}, "email"),
        ({"email": "a@shop.example", "role": "king"}, "role"),
        ({"email": "a@shop.example"}, "role"),
    ],
)
def test_a_wrong_invitation_is_refused_by_name(anna: Signed, wrong: dict[str, str], field: str) -> None:
    anna.call("POST", "/account", {"name": "Oak"})
    status, problem = anna.call("POST", "/invitations", wrong)
    assert (status, [error["field"] for error in problem["errors"]]) == (422, [field])
