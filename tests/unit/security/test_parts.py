"""`make security` can't call something right that is wrong, and makes requests that their routes take."""

import json
from typing import Any

import pytest

from app import app
from chalicelib.blueprints.api.openapi import openapi_document
from chalicelib.blueprints.api.requests import RawMessage
from chalicelib.blueprints.api.routing import ROUTES
from security.corpus import Case
from security.policies import Policy, never_used
from security.requests import operations
from security.verdict import Family, verdict
from tests.stack.api import Answer

LINES = "arn:aws:dynamodb:us-east-1:0:table/postline-LineTable-917DCF50A28CD"
FILES = "arn:aws:s3:::postline-filebucket-f5efe97c44396/results/*"
PROBLEM = {"content-type": "application/problem+json"}


def test_one_wrong_thing_is_enough_to_fail() -> None:
    family = Family("some")
    family.refusal("bad")
    family.control("good")
    assert verdict([family]) == ('{"tried": 2, "refused": 1, "accepted_controls": 1, "wrong": 0}', 0)
    family.refusal("worse", "let through")
    assert verdict([family]) == ('{"tried": 3, "refused": 1, "accepted_controls": 1, "wrong": 1}', 1)
    assert family.wrong == ["worse: let through"]


def invalid(status: int = 422, code: str = "invalid", *fields: str) -> Answer:
    errors = [{"field": field} for field in fields]
    return Answer(status, PROBLEM, {"status": status, "code": code, "errors": errors})


@pytest.mark.parametrize(
    ("answer", "is_right"),
    [
        (invalid(422, "invalid", "name"), True),
        (invalid(422, "invalid", "name", "host"), False),
        (invalid(422, "invalid", "host"), False),
        (invalid(400, "not_json"), False),
        (invalid(500, "internal"), False),
        (Answer(201, {}, {}), False),
        (Answer(422, {"content-type": "text/html"}, b"<pre>Traceback"), False),
    ],
    ids=["right", "one more", "another field", "another status", "our fault", "let through", "no problem"],
)
def test_a_refusal_counts_only_if_it_is_for_the_right_reason(answer: Answer, is_right: bool) -> None:
    fault = Case("a case", "POST", "/lines", {}, 422, field="name").fault(answer)
    assert (fault is None) is is_right


def test_good_input_that_is_refused_is_wrong() -> None:
    assert Case("a case", "POST", "/lines", {}, 201).fault(invalid(422, "invalid", "name")) is not None
    assert Case("a case", "POST", "/lines", {}, 201).fault(Answer(201, {}, {})) is None


def test_every_route_gets_a_body_that_it_takes() -> None:
    assert app.routes
    ids = {name: "x" for route in ROUTES for name in route.path.split("/") if name.startswith("{")}
    ids = {name.strip("{}"): "x" for name in ids} | {"domain": "owner.example"}
    bodies = {route.name: route.body for route in ROUTES}
    tried = 0
    for operation in operations(json.loads(json.dumps(openapi_document(ROUTES, "1")))):
        sent: dict[str, Any] = operation.body(ids)
        model = bodies[operation.name]
        if model is RawMessage:
            assert sent["raw"]
        elif "body" in sent:
            model.model_validate(sent["body"])
            tried += 1
    assert tried > 20


def policy(*statements: tuple[list[str], list[str]]) -> Policy:
    written = [{"Effect": "Allow", "Action": a, "Resource": r} for a, r in statements]
    return Policy("SendEmails", "arn:aws:iam::0:role/x", "p", {"Statement": written})


def test_what_nobody_needed_is_idle() -> None:
    used = {("dynamodb:GetItem", LINES), ("s3:GetObject", FILES.replace("*", "a/b.csv"))}
    needed = policy(
        (["dynamodb:GetItem"], [LINES]), (["s3:GetObject"], [FILES]), (["logs:PutLogEvents"], ["x"])
    )
    assert list(never_used(needed, used)) == []
    idle = policy((["dynamodb:GetItem", "dynamodb:PutItem"], [LINES]), (["s3:GetObject"], [FILES, LINES]))
    assert list(never_used(idle, used)) == [
        "SendEmails, statement 0 (LineTable): nobody needed dynamodb:PutItem",
        "SendEmails, statement 1 (filebucket/results/*, LineTable): nobody needed LineTable",
    ]
