"""A line's channel: exactly one of two, each said in full and shown without secrets."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from app import app
from chalicelib.blueprints.api.bounce_mailbox_models import MailboxInput
from chalicelib.blueprints.api.description import VERSION
from chalicelib.blueprints.api.line_models import LineInput, LineShown, PasswordInput, SmtpInput
from chalicelib.blueprints.api.openapi import openapi_document
from chalicelib.blueprints.api.routing import ROUTES
from chalicelib.domain.brake import BrakeLevel, BrakeState, Counts
from chalicelib.domain.identity import DnsRecord, Verification, VerificationState
from chalicelib.domain.ledger import LineLimits
from chalicelib.domain.line import Connection, ConnectionState, Line, SesChannel
from tests.doors.in_process import Context
from tests.doors.test_routes import request

SMTP = {"host": "smtp.example.com", "port": 587, "username": "u", "password": "p"}
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
FREE = BrakeState(BrakeLevel.OK, Counts())


def body(**channel: Any) -> dict[str, Any]:
    return {"name": "Shop", "from_address": "shop@example.com", **channel}


def wrong(**channel: Any) -> dict[str, str]:
    answer = app(request("POST", "/lines", json.dumps(body(**channel))), Context())
    assert answer["statusCode"] == 422
    return {error["field"]: error["message"] for error in json.loads(answer["body"])["errors"]}


@pytest.mark.parametrize(
    "channel",
    [{}, {"smtp": None}, {"smtp": None, "ses": None}, {"smtp": SMTP, "ses": {"identity": "example.com"}}],
)
def test_neither_or_both_are_refused(channel: dict[str, Any]) -> None:
    assert wrong(**channel) == {"ses": "Give exactly one of smtp and ses."}


def test_a_wrong_field_of_the_one_given_is_told_alone() -> None:
    assert wrong(smtp=SMTP | {"port": 1}).keys() == {"smtp.port"}
    assert wrong(ses={"identity": "com"}) == {
        "ses.identity": "Give an address such as news@example.com or a domain such as example.com."
    }
    assert wrong(ses={"identity": "example.com", "password": "p"}).keys() == {"ses.password"}


def password_in(model: type[BaseModel], password: str) -> object:
    """What becomes of a password that is sent."""
    given: dict[type[BaseModel], dict[str, Any]] = {
        SmtpInput: SMTP,
        PasswordInput: {},
        MailboxInput: {"host": "imap.example.com", "username": "u"},
    }
    return model.model_validate_json(json.dumps(given[model] | {"password": password})).model_dump()[
        "password"
    ]


with_password = pytest.mark.parametrize("model", [SmtpInput, PasswordInput, MailboxInput])


@with_password
@pytest.mark.parametrize("password", ["  pass word ", "\u00a0p", " ", "пароль ", "x" * 1_000])
def test_a_password_is_taken_as_it_is(model: type[BaseModel], password: str) -> None:
    assert password_in(model, password) == password


@with_password
@pytest.mark.parametrize("password", ["", "p\n", "\tp", "a\0b", "x" * 1_001])
def test_a_password_that_no_server_can_be_told_is_refused(model: type[BaseModel], password: str) -> None:
    with pytest.raises(ValidationError) as refused:
        password_in(model, password)
    assert [error["loc"] for error in refused.value.errors()] == [("password",)]


def test_these_are_all_the_passwords_that_are_sent() -> None:
    document = openapi_document(ROUTES, VERSION)
    models = document["components"]["schemas"]
    found = {
        name
        for name, model in models.items()
        for field in model.get("properties", {}).values()
        if field.get("format") == "password"
    }
    assert found == {"SmtpInput", "PasswordInput", "MailboxInput"}
    named = {name for name, model in models.items() if "password" in model.get("properties", {})}
    assert named == found


def test_an_identity_is_taken_in_its_one_form_and_has_no_password() -> None:
    given = LineInput.model_validate(body(ses={"identity": "Example.COM"}))
    assert (given.channel, given.password) == (SesChannel("example.com"), "")


def test_a_line_through_ses_shows_identity_state_records_and_quota() -> None:
    record = DnsRecord("CNAME", "token._domainkey.example.com", "token.dkim.example")
    connection = Connection(
        ConnectionState.VERIFYING,
        NOON,
        quota=LineLimits(per_second=14),
        verification=Verification(VerificationState.PENDING, (record,), NOON),
    )
    line = Line("line1", "Shop", SesChannel("example.com"), "shop@example.com", connection=connection)
    shown = json.loads(LineShown.of(line, FREE).model_dump_json())
    assert shown["smtp"] is None
    assert shown["ses"] == {
        "identity": "example.com",
        "kind": "domain",
        "verification": "pending",
        "records": [{"type": "CNAME", "name": "token._domainkey.example.com", "value": "token.dkim.example"}],
        "verify_until": "2026-03-02T12:00:00Z",
    }
    assert shown["connection"]["state"] == "verifying"
    assert shown["connection"]["quota"]["per_second"] == 14


def test_a_line_that_was_never_connected_shows_what_there_is() -> None:
    shown = LineShown.of(Line("line1", "Shop", SesChannel("news@example.com"), "news@example.com"), FREE)
    assert shown.ses is not None
    assert (shown.ses.kind, shown.ses.verification, shown.ses.records) == ("address", None, [])
