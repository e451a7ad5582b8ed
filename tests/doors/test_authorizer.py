"""The authorizer: a good key or sign-in opens all routes of one account, anything else opens none."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from chalicelib import wiring
from chalicelib.blueprints.authorizer import authorize
from chalicelib.domain.access import Actor, ActorKind, Role, Scope
from chalicelib.domain.account import Account, ApiKey, KeyWish, mint_key
from chalicelib.domain.address import Address
from chalicelib.domain.line import LinePlan
from chalicelib.domain.member import Member, Person, mint_invitation
from chalicelib.errors import Unauthorized
from tests.doors.in_process import Context, OutOfReach
from tests.fakes.accounts import FakeAccountStore
from tests.fakes.members import FakeMemberStore

KEY, TEXT = mint_key("an-account", KeyWish("key"), Actor(ActorKind.PERSON, "anna"), datetime.now(UTC))
numbered = partial(pytest.mark.parametrize, ids=lambda _: "token")  # a key's text differs in each process


@dataclass
class OneKey:
    """An account store that knows one key."""

    key: ApiKey
    noted: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def find_key(self, key_id: str) -> ApiKey | None:
        self.asked.append(key_id)
        return self.key if key_id == self.key.key_id else None

    def note_key_use(self, account_id: str, key_id: str, now: datetime, before: datetime) -> None:
        assert (account_id, before) == (self.key.account_id, now - timedelta(hours=1))
        self.noted.append(key_id)


ANNA = Address("Anna@shop.example", "anna@shop.example")


@pytest.fixture
def people(monkeypatch: pytest.MonkeyPatch) -> FakeMemberStore:
    """The members; whoever's token is "token-of-<sub>" signed in."""

    def read_token(token: str) -> Person:
        if not token.startswith("token-of-"):
            raise Unauthorized
        return Person(token.removeprefix("token-of-"), ANNA)

    store = FakeMemberStore(FakeAccountStore())
    monkeypatch.setattr(wiring, "accounts", lambda: OneKey(KEY))
    monkeypatch.setattr(wiring, "members", lambda: store)
    monkeypatch.setattr(wiring, "read_token", read_token)
    return store


def answer_to(token: str) -> dict[str, Any]:
    event = {
        "type": "TOKEN",
        "authorizationToken": token,
        "methodArn": "arn:aws:execute-api:us-east-1:1:a/api/GET/x",
    }
    answer: dict[str, Any] = authorize(event, Context())
    return answer


def resources_of(answer: dict[str, Any]) -> list[str]:
    return [r for statement in answer["policyDocument"]["Statement"] for r in statement["Resource"]]


@numbered("token", [TEXT, f"Bearer {TEXT}", f"Bearer  {TEXT} "])
def test_a_good_key_opens_its_account(monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    store = OneKey(KEY)
    monkeypatch.setattr(wiring, "accounts", lambda: store)
    answer = answer_to(token)
    assert store.noted == [KEY.key_id]
    assert answer["context"] == {
        "account_id": "an-account",
        "actor_kind": "api_key",
        "actor_id": KEY.key_id,
        "scopes": "admin read send write",
        "email": "",
    }
    assert answer["principalId"] == KEY.key_id
    assert any(resource.endswith("*") for resource in resources_of(answer))


def test_a_good_key_opens_even_when_its_use_can_not_be_noted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Unwritable(OneKey):
        def note_key_use(self, account_id: str, key_id: str, now: datetime, before: datetime) -> None:
            raise OutOfReach(f"{account_id} {key_id} {now} {before}")

    monkeypatch.setattr(wiring, "accounts", lambda: Unwritable(KEY))
    assert any(resource.endswith("*") for resource in resources_of(answer_to(TEXT)))
    assert "key_use_not_noted" in capsys.readouterr().out


@pytest.mark.usefixtures("people")
@numbered(
    "token",
    [
        "",
        "Bearer ",
        "Bearer",
        "pl__",
        "x",
        TEXT[:-1],
        TEXT + "0",
        TEXT.upper(),
        f"Basic {TEXT}",
        TEXT.replace("pl", "pk"),
        "é" * 9,
    ],
)
def test_anything_else_opens_nothing(capsys: pytest.CaptureFixture[str], token: str) -> None:
    answer = answer_to(token)
    assert resources_of(answer) == []
    assert answer["context"] == {}
    assert TEXT[-20:] not in capsys.readouterr().out


@pytest.mark.parametrize(
    "token",
    [
        f"pl_{'a' * 9_000}_x",
        f"pl_{'a' * 9_000}_{'0' * 64}",
        f"pl_{KEY.key_id}_x",
        f"pl_{KEY.key_id}0_{'0' * 64}",
        f"pl_{KEY.key_id}_{'0' * 65}",
        f"pl_{KEY.key_id}_{'0' * 64}_",
        f"pl_{'é' * 12}_{'0' * 64}",
        f"pl_{'٣' * 12}_{'0' * 64}",
        f"pl_\ud800_{'0' * 64}",
        f"pl_{KEY.key_id}_{'0' * 64}\n\n0",
    ],
    ids=lambda _: "token",
)
def test_no_table_is_asked_for_what_can_not_be_a_key(monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    store = OneKey(KEY)
    monkeypatch.setattr(wiring, "accounts", lambda: store)
    assert resources_of(answer_to(token)) == []
    assert store.asked == []


@pytest.mark.parametrize("change", [{"revoked_at": KEY.created_at}, {"expires_at": KEY.created_at}])
def test_a_key_that_is_revoked_or_expired_opens_nothing(
    monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]
) -> None:
    store = OneKey(replace(KEY, **change))
    monkeypatch.setattr(wiring, "accounts", lambda: store)
    assert resources_of(answer_to(TEXT)) == []
    assert store.noted == []


def test_a_key_has_the_scopes_it_was_made_with(monkeypatch: pytest.MonkeyPatch) -> None:
    narrow = replace(KEY, scopes=frozenset({Scope.SEND, Scope.READ}))
    monkeypatch.setattr(wiring, "accounts", lambda: OneKey(narrow))
    assert answer_to(TEXT)["context"]["scopes"] == "read send"


@pytest.mark.parametrize(
    ("role", "scopes"),
    [
        (Role.OWNER, "admin read send write"),
        (Role.MANAGER, "read send write"),
        (Role.VIEWER, "read"),
    ],
)
def test_a_person_has_the_scopes_of_their_role_in_our_own_rows(
    people: FakeMemberStore, capsys: pytest.CaptureFixture[str], role: Role, scopes: str
) -> None:
    now = datetime.now(UTC)
    account = Account("an-account", "Oak", LinePlan.DEMO, now)
    people.found(account, Member("an-account", "anna", ANNA.text, Role.OWNER, now))
    other, _ = mint_invitation("an-account", ANNA, role, Actor(ActorKind.PERSON, "anna"), now)
    people.add_invitation("an-account", other)
    people.accept("an-account", other, Member("an-account", "ben", ANNA.text, role, now))
    answer = answer_to("Bearer token-of-ben")
    assert answer["context"] == {
        "account_id": "an-account",
        "actor_kind": "person",
        "actor_id": "ben",
        "scopes": scopes,
        "email": "Anna@shop.example",
    }
    assert "shop.example" not in capsys.readouterr().out
    people.remove("an-account", "ben")
    assert answer_to("token-of-ben")["context"]["account_id"] == ""


@pytest.mark.usefixtures("people")
def test_a_person_of_no_account_is_known_and_may_do_nothing() -> None:
    context = answer_to("token-of-nobody")["context"]
    assert (context["account_id"], context["scopes"], context["actor_id"]) == ("", "", "nobody")
