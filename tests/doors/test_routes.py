"""The API's routes: all guarded, all described, none of which ever shows a stack or an account's secret."""

import base64
import json
import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest
import yaml
from openapi_spec_validator import OpenAPIV31SpecValidator

from app import app
from chalicelib import wiring
from chalicelib.blueprints.api.description import VERSION
from chalicelib.blueprints.api.openapi import openapi_document
from chalicelib.blueprints.api.requests import MAX_BODY
from chalicelib.blueprints.api.routing import ROUTES
from chalicelib.domain.access import ALL_SCOPES, SCOPES_OF, Role, Scope
from chalicelib.flow.request_rate import STEP, RequestRate
from chalicelib.settings import Settings
from local.package import package
from tests.doors.in_process import Context, OutOfReach
from tests.environment import environment
from tests.fakes.clock import HandClock
from tests.fakes.usage import FakeUsageStore

PUBLIC = {
    *((method, "/u/{token}") for method in ("GET", "HEAD", "POST")),
    *((method, "/o/{token}") for method in ("GET", "HEAD")),
    *((method, "/d/{token}/{attachment_id}") for method in ("GET", "HEAD")),
    ("GET", "/sign-in"),
}
"""What needs no API key: recipients' links, which a token in the path speaks for, and where to sign in."""
REGISTERED = {
    (method, path) for path, methods in app.routes.items() for method in methods if method != "OPTIONS"
}


def authorized(account: str, *scopes: Scope, key: str = "key1") -> dict[str, str]:
    """What the authorizer says of a key's holder."""
    return {
        "account_id": account,
        "actor_kind": "api_key",
        "actor_id": key,
        "scopes": " ".join(scopes),
    }


def request(
    method: str,
    path: str,
    body: str | None = None,
    *,
    account: str | None = "an-account",
    encoded: bool = False,
    scopes: Collection[Scope] = ALL_SCOPES,
) -> dict[str, Any]:
    """An event of API Gateway (Lambda proxy integration)."""
    return {
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": {"Content-Type": "application/json"},
        "multiValueHeaders": {"Content-Type": ["application/json"]},
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "body": body,
        "isBase64Encoded": encoded,
        "requestContext": {
            "httpMethod": method,
            "resourcePath": path,
            "authorizer": authorized(account, *scopes) if account else None,
        },
    }


def test_every_route_asks_the_authorizer_but_those_of_recipients() -> None:
    unguarded = {
        (method, path)
        for path, methods in app.routes.items()
        for method, entry in methods.items()
        if method != "OPTIONS"
        if entry.authorizer is None or entry.authorizer.name != "authorize"
    }
    assert unguarded == PUBLIC
    assert len(REGISTERED) >= 38


def test_the_deployed_gateway_asks_the_authorizer_for_every_route() -> None:
    template = yaml.safe_load((package() / "sam.yaml").read_text(encoding="utf-8"))
    paths = template["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]["paths"]
    guarded = {
        (method.upper(), path)
        for path, methods in paths.items()
        for method, operation in methods.items()
        if operation.get("security") == [{"authorize": []}]
    }
    assert guarded == REGISTERED - PUBLIC
    assert {method for methods in paths.values() for method in methods} <= {
        "get",
        "post",
        "patch",
        "delete",
        "head",
        "options",
    }


def test_the_description_is_valid_and_tells_of_every_route() -> None:
    document = json.loads(json.dumps(openapi_document(ROUTES, VERSION)))
    OpenAPIV31SpecValidator(document).validate()
    described = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert described == REGISTERED
    assert document["security"] == [{"apiKey": []}]
    public = {
        (method.upper(), path)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if operation.get("security") == []
    }
    assert public == PUBLIC
    names = [
        operation["operationId"] for methods in document["paths"].values() for operation in methods.values()
    ]
    assert len(set(names)) == len(names)


def test_without_an_account_there_is_no_answer() -> None:
    for method, path in sorted(REGISTERED - PUBLIC):
        event = request(method, path, account=None)
        event["pathParameters"] = {
            "campaign_id": "c",
            "contact_id": "k",
            "line_id": "l",
            "import_id": "i",
            "export_id": "e",
            "test_id": "t",
            "key_id": "a",
            "member_id": "m",
            "invitation_id": "v",
            "file_type": "csv",
            "attachment_id": "f",
            "domain": "shop.example",
            "selector": "s",
            "job_id": "j",
        }
        answer = app(event, Context())
        assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (401, "unauthorized"), (
            method,
            path,
        )


def test_an_account_that_asks_too_often_is_told_when_to_ask_again(monkeypatch: pytest.MonkeyPatch) -> None:
    rate = RequestRate(FakeUsageStore(), lambda *_: 0, HandClock(), print)
    monkeypatch.setattr(wiring, "request_rate", lambda: rate)
    answers = [app(request("GET", "/openapi.json"), Context()) for _ in range(STEP)]
    assert [answer["statusCode"] for answer in answers] == [200] * (STEP - 1) + [429]
    assert json.loads(answers[-1]["body"])["code"] == "throttled"
    assert answers[-1]["headers"]["Retry-After"] == "60"
    assert app(request("GET", "/openapi.json", account="another"), Context())["statusCode"] == 200


@pytest.mark.parametrize(
    ("body", "scopes", "status"),
    [
        ("{}", ALL_SCOPES, 422),
        ("{", ALL_SCOPES, 400),
        ("x" * (MAX_BODY + 1), ALL_SCOPES, 413),
        ("{}", {Scope.READ}, 403),
    ],
)
def test_what_is_refused_is_a_request_too(
    monkeypatch: pytest.MonkeyPatch, body: str, scopes: set[Scope], status: int
) -> None:
    rate = RequestRate(FakeUsageStore(), lambda *_: 0, HandClock(), print)
    monkeypatch.setattr(wiring, "request_rate", lambda: rate)
    answers = [app(request("POST", "/lines", body, scopes=scopes), Context()) for _ in range(STEP)]
    assert [answer["statusCode"] for answer in answers] == [status] * (STEP - 1) + [429]


NEEDS = {
    Scope.SEND: {
        ("POST", "/campaigns/{campaign_id}/launch"),
        ("POST", "/campaigns/{campaign_id}/pause"),
        ("POST", "/campaigns/{campaign_id}/resend"),
        ("DELETE", "/campaigns/{campaign_id}/resend"),
        ("POST", "/campaigns/{campaign_id}/tests"),
    },
    Scope.ADMIN: {
        ("GET", "/api-keys"),
        ("POST", "/api-keys"),
        ("DELETE", "/api-keys/{key_id}"),
        ("GET", "/audit"),
        ("POST", "/personal-data/exports"),
        ("POST", "/personal-data/erasures"),
        ("GET", "/personal-data/jobs/{job_id}"),
        ("GET", "/members"),
        ("PATCH", "/members/{member_id}"),
        ("DELETE", "/members/{member_id}"),
        ("GET", "/invitations"),
        ("POST", "/invitations"),
        ("DELETE", "/invitations/{invitation_id}"),
    },
    None: {("POST", "/account"), ("POST", "/invitations/accept")},
}
"""The routes that need another scope than to read or to write; None is for people of no account yet."""


def test_each_route_needs_the_scope_of_what_it_does() -> None:
    needed = {(route.method, route.path): route.scope for route in ROUTES if not route.public}
    for scope, routes in NEEDS.items():
        assert {key for key, has in needed.items() if has is scope} == routes
    for (method, path), scope in needed.items():
        if not any((method, path) in routes for routes in NEEDS.values()):
            assert scope is (Scope.READ if method == "GET" else Scope.WRITE), (method, path)


def test_the_table_of_scopes_for_people_is_right() -> None:
    page = (Path(__file__).parents[2] / "docs" / "people.md").read_text(encoding="utf-8")
    rows = {cells[1].strip(" `"): cells[2:6] for line in page.splitlines() if (cells := line.split("|"))[1:]}
    for scope in Scope:
        told, *roles = rows[scope]
        assert {role for role, may in zip(Role, roles, strict=True) if may.strip() == "yes"} == {
            role for role in Role if scope in SCOPES_OF[role]
        }
        names = set(re.findall(r"`([^`]+)`", told))
        paths = [route.path for route in ROUTES if route.scope is scope]
        if scope is Scope.READ:
            assert names == {"admin"}
            assert {route.method for route in ROUTES if route.scope is scope} == {"GET"}
        elif scope is Scope.SEND:
            assert names == {path.rpartition("/")[2] for path in paths}
        else:
            assert names == {f"/{path.split('/')[1]}" for path in paths}
    for method, path in NEEDS[None]:
        assert f"`{method} {path}`" in page


def test_without_its_scope_a_route_does_nothing_and_names_it() -> None:
    for route in ROUTES:
        if route.scope is None:
            continue
        lacking = ALL_SCOPES - {route.scope}
        event = request(route.method, route.path, scopes=lacking)
        event["pathParameters"] = dict.fromkeys(re.findall(r"{(\w+)}", route.path), "x")
        answer = app(event, Context())
        problem = json.loads(answer["body"])
        assert (answer["statusCode"], problem["code"]) == (403, "missing_scope"), route
        assert f"scope {route.scope}:" in problem["detail"]


def test_where_to_sign_in_is_told_to_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    issuer = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_pool"
    told = {"SIGN_IN_POOL": "eu-west-1_pool", "SIGN_IN_CLIENT": "a-client", "SIGN_IN_ISSUER": issuer}
    monkeypatch.setattr(wiring, "settings", lambda: Settings.from_environment(environment(**told)))
    answer = app(request("GET", "/sign-in", account=None), Context())
    assert (answer["statusCode"], json.loads(answer["body"])) == (
        200,
        {
            "region": "eu-west-1",
            "endpoint": "https://cognito-idp.eu-west-1.amazonaws.com",
            "user_pool_id": "eu-west-1_pool",
            "client_id": "a-client",
        },
    )


@pytest.mark.parametrize("body", [None, "", "  "])
def test_no_body_is_one_without_fields(body: str | None) -> None:
    answer = app(request("POST", "/lines", body), Context())
    problem = json.loads(answer["body"])
    assert (answer["statusCode"], problem["code"]) == (422, "invalid")
    assert {error["field"] for error in problem["errors"]} == {"name", "from_address", "ses"}


def test_a_body_that_is_no_text_is_not_json() -> None:
    body = base64.b64encode(b'{"name": "\xff\xfe"}').decode()
    answer = app(request("POST", "/lines", body, encoded=True), Context())
    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (400, "not_json")


def test_a_fault_of_ours_is_told_without_its_cause(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unreachable() -> None:
        raise OutOfReach("the secret host name")

    monkeypatch.setattr(wiring, "accounts", unreachable)
    answer = app(request("GET", "/account"), Context())
    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (500, "internal")
    assert answer["headers"]["Content-Type"] == "application/problem+json"
    assert "secret" not in answer["body"] + capsys.readouterr().out
