"""People on the deployed package: from sign-up to removal, with keys of their own."""

import uuid
from datetime import UTC, datetime, timedelta

from local.stack import Stack
from tests.stack.api import Api
from tests.stack.customer import Customer
from tests.stack.person import Person


def address(name: str) -> str:
    return f"{name}-{uuid.uuid4().hex[:8]}@shop.example"


def test_people_sign_up_make_an_account_invite_and_leave_again(stack: Stack) -> None:
    anna = Person(stack, address("anna"))
    anna.sign_up()
    assert anna.ask("InitiateAuth", **anna.by_password).body["__type"] == "UserNotConfirmedException"
    anna.confirm()
    anna.sign_in()
    refused = anna.api.call("GET", "/campaigns")
    assert (refused.status, refused.code) == (403, "no_account")
    made = anna.api.post("/account", {"name": "Oak & Linen"})
    anna.refresh()
    assert anna.api.get("/account") == made

    ben = Person.new(stack, address("ben"))
    invitation = anna.api.post("/invitations", {"email": ben.email, "role": "viewer"})
    stranger = Person.new(stack, address("stranger"))
    refused = stranger.api.call("POST", "/invitations/accept", {"token": invitation["token"]})
    assert (refused.status, refused.code) == (403, "other_address")
    member = ben.api.post("/invitations/accept", {"token": invitation["token"]})
    assert ben.api.call("POST", "/invitations/accept", {"token": invitation["token"]}).status == 422
    ben.refresh()
    assert ben.api.get("/account")["account_id"] == made["account_id"]
    assert ben.api.get("/campaigns")["items"] == []
    for path in ("/campaigns", "/lines", "/api-keys", "/invitations", "/campaigns/x/launch"):
        refused = ben.api.call("POST", path, {})
        assert (refused.status, refused.code) == (403, "missing_scope"), path

    acts = [(entry["action"], entry["code"]) for entry in anna.api.get("/audit")["items"]]
    assert acts == [
        ("invitation_accepted", None),
        ("invitation_accepted", "other_address"),
        ("member_invited", None),
        ("account_created", None),
    ]

    assert [found["role"] for found in anna.api.get("/members")["items"]] == ["owner", "viewer"]
    own, one = anna.api.get("/members")["items"][0]["member_id"], f"/members/{member['member_id']}"
    assert anna.api.call("DELETE", f"/members/{own}").code == "last_owner"
    assert anna.api.patch(one, {"role": "manager"})["role"] == "manager"
    anna.api.delete(one)
    ben.refresh()
    refused = ben.api.call("GET", "/account")
    assert (refused.status, refused.code) == (403, "no_account")


def test_a_forgotten_password_is_replaced_and_only_an_id_token_is_let_in(stack: Stack) -> None:
    person = Person.new(stack, address("carla"))
    person.forget_password("another fine sentence")
    assert person.ask("InitiateAuth", **person.by_password).body["__type"] == "NotAuthorizedException"
    person.password = "another fine sentence"
    person.sign_in()
    person.api.post("/account", {"name": "Elm"})
    person.refresh()
    assert person.api.get("/account")["name"] == "Elm"
    head, body, signature = person.id_token.split(".")
    for wrong in (person.access_token, f"{head}.{body}.", f"{head}.{body}.{signature[:-8]}AAAAAAAA"):
        assert Api(stack.api_url, wrong).call("GET", "/account").status in {401, 403}


def test_a_key_may_do_what_it_was_made_for_until_it_expires(customer: Customer) -> None:
    url, tomorrow = customer.stack.api_url, datetime.now(UTC) + timedelta(days=1)
    wish = {"name": "ci", "scopes": ["read", "admin"], "expires_at": tomorrow.isoformat()}
    made = customer.api.post("/api-keys", wish)
    narrow = Api(url, made["api_key"])
    assert narrow.get("/account")["scopes"] == ["admin", "read"]
    assert narrow.call("POST", "/campaigns", {}).code == "missing_scope"
    wider = narrow.call("POST", "/api-keys", {"name": "wider", "scopes": ["send"]})
    assert wider.wrong_fields == {"scopes"}
    shown = {key["key_id"]: key for key in narrow.get("/api-keys")["items"]}[made["key_id"]]
    assert shown["scopes"] == ["admin", "read"]
    assert shown["used_at"] is not None
    assert shown["prefix"] == made["api_key"].rpartition("_")[0]
    assert Api(url, customer.expired_key()).call("GET", "/account").status in {401, 403}


def test_who_was_removed_leaves_no_invitation_behind(customer: Customer) -> None:
    leaving, friend = (Person.new(customer.stack, address(name)) for name in ("leaving", "friend"))
    for_leaving = customer.api.post("/invitations", {"email": leaving.email, "role": "owner"})
    member = leaving.api.post("/invitations/accept", {"token": for_leaving["token"]})
    leaving.refresh()
    left = leaving.api.post("/invitations", {"email": friend.email, "role": "owner"})
    assert left["invited_by"] == {"kind": "person", "id": member["member_id"]}
    other = Person.new(customer.stack, address("other"))
    for_other = customer.api.post("/invitations", {"email": other.email, "role": "owner"})
    other.api.post("/invitations/accept", {"token": for_other["token"]})
    customer.api.delete(f"/members/{member['member_id']}")
    refused = friend.api.call("POST", "/invitations/accept", {"token": left["token"]})
    assert refused.wrong_fields == {"token"}
