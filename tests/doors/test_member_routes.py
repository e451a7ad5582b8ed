"""People over HTTP: who signed in makes or joins an account, and its owners decide about the rest."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

from app import app
from chalicelib import wiring
from chalicelib.domain.access import SCOPES_OF
from chalicelib.domain.audit import SERVICE
from chalicelib.flow.audit import AuditPorts
from tests.doors.in_process import Context
from tests.doors.test_routes import request
from tests.fakes.audit import FakeAuditStore
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
def ticking(world: World, trail: FakeAuditStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """No two acts begin in the same moment, so that the trail has them in their order."""

    class Ticking:
        def now(self) -> datetime:
            world.clock.wait(seconds=1)
            return world.clock.now()

    monkeypatch.setattr(wiring, "audit_ports", lambda: AuditPorts(trail, Ticking()))


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


def acts(trail: FakeAuditStore, account_id: str) -> list[tuple[str, str, str | None, str, str]]:
    """Who did what, newest first."""
    return [
        (entry.action, entry.outcome, entry.code, entry.actor.id, entry.subject.get("member_id", ""))
        for entry in trail.page(account_id, None, 50).items
    ]


def account_of(person: Signed) -> str:
    member = person.world.members.find(person.sub)
    assert member is not None
    return member.account_id


@pytest.mark.usefixtures("ticking")
def test_owners_see_in_their_trail_who_founded_the_account_and_who_joined(
    anna: Signed, ben: Signed, trail: FakeAuditStore
) -> None:
    anna.call("POST", "/account", {"name": "Oak"})
    joined(anna, ben, "owner")
    assert acts(trail, account_of(anna)) == [
        ("invitation_accepted", "done", None, ben.sub, ben.sub),
        ("member_invited", "done", None, anna.sub, ""),
        ("account_created", "done", None, anna.sub, ""),
    ]
    accepted, invited, _ = trail.page(account_of(anna), None, 50).items
    assert accepted.subject["role"] == "owner"
    assert accepted.subject["invitation_id"] == invited.subject["invitation_id"]
    assert acts(trail, SERVICE)[0][:4] == ("invitation_accepted", "done", None, ben.sub)


@pytest.mark.usefixtures("ticking")
def test_whoever_has_the_token_of_somebody_else_is_in_the_trail_and_who_guesses_is_not(
    anna: Signed, ben: Signed, trail: FakeAuditStore
) -> None:
    anna.call("POST", "/account", {"name": "Oak"})
    token = anna.call("POST", "/invitations", {"email": ben.email, "role": "viewer"})[1]["token"]
    seen, path = acts(trail, account_of(anna)), "/invitations/accept"
    eve = Signed(anna.world, "sub-eve", "eve@shop.example")
    guess = f"{token.rpartition('_')[0]}_{'0' * 64}"
    assert eve.call("POST", path, {"token": guess})[0] == 422
    assert acts(trail, account_of(anna)) == seen
    assert acts(trail, SERVICE)[0] == ("invitation_accepted", "refused", "invalid", eve.sub, "")
    assert eve.call("POST", path, {"token": token})[0] == 403
    refused = ("invitation_accepted", "refused", "other_address", eve.sub, "")
    assert acts(trail, account_of(anna)) == [refused, *seen]


@pytest.mark.parametrize("path", ["/account", "/invitations/accept"])
def test_nobody_comes_into_an_account_unless_it_can_be_written_down(
    anna: Signed, ben: Signed, trail: FakeAuditStore, path: str
) -> None:
    anna.call("POST", "/account", {"name": "Oak"})
    token = anna.call("POST", "/invitations", {"email": ben.email, "role": "viewer"})[1]["token"]
    body = {"name": "Elm"} if path == "/account" else {"token": token}
    trail.refused = lambda account_id: account_id != SERVICE
    assert ben.call("POST", path, body)[0] == 500
    assert ben.world.members.find(ben.sub) is None


def test_who_belongs_to_an_account_leaves_no_trail_of_another(anna: Signed, trail: FakeAuditStore) -> None:
    anna.call("POST", "/account", {"name": "Oak"})
    assert anna.call("POST", "/account", {"name": "Elm"})[0] == 409
    assert trail.accounts == {SERVICE, account_of(anna)}


@pytest.mark.parametrize(
    "token",
    [
        f"pi_a_{'€' * 480}_x",
        f"pi_{'€' * 240}_{'€' * 240}_x",
        f"pi_{'0' * 22}_{'€' * 22}_{'0' * 64}",
        f"pi_{'0' * 22}_{'0' * 22}_{'0' * 65}",
        "pi_a_b_\ud800",
        "pi_\ud800_b_c",
    ],
    ids=lambda token: ascii(token)[:9],
)
def test_no_table_is_asked_for_what_can_not_be_an_invitation(
    anna: Signed, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    asked: list[tuple[str, str]] = []
    monkeypatch.setattr(anna.world.members, "find_invitation", lambda *ids: asked.append(ids))
    status, problem = anna.call("POST", "/invitations/accept", {"token": token})
    assert (status, [error["field"] for error in problem["errors"]]) == (422, ["token"])
    assert asked == []
