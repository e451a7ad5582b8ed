"""Headers of answers, and pages of other origins: what a browser may do with the API."""

import json
import re
from typing import Any

import pytest

from app import app
from chalicelib import wiring
from chalicelib.blueprints.api.routing import ROUTES
from chalicelib.domain.preview_frame import framed, policy
from chalicelib.settings import Settings
from tests.doors.in_process import Context
from tests.doors.test_links import UNSUBSCRIBE, visit
from tests.doors.test_routes import request
from tests.environment import environment
from tests.fakes.world import ACCOUNT, World

CONSOLE = "https://console.example"
GUARDED = sorted({declared.path for declared in ROUTES if not declared.public})
NOBODYS = (
    None,
    "https://evil.example",
    "null",
    "*",
    "https://console.example.evil.example",
    "http://console.example",
)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    monkeypatch.setattr(wiring, "accounts", lambda: made.accounts)
    monkeypatch.setattr(wiring, "usage", lambda: made.usage)
    monkeypatch.setattr(wiring, "cors_origins", lambda: frozenset({CONSOLE}))
    return made


def ask(method: str, path: str, origin: str | None = None, account: str | None = ACCOUNT) -> dict[str, Any]:
    event = request(method, path, account=account)
    event["pathParameters"] = dict.fromkeys(re.findall(r"{(\w+)}", path), "x") or None
    if origin is not None:
        event["headers"]["Origin"] = origin
        event["multiValueHeaders"]["Origin"] = [origin]
    answer: dict[str, Any] = app(event, Context())
    return answer


def headers_of(answer: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = answer["headers"]
    return found


@pytest.mark.parametrize("account", [ACCOUNT, "unknown", None])
def test_nobody_keeps_guesses_or_frames_an_answer(world: World, account: str | None) -> None:
    """Good answers, problems, and those to strangers alike."""
    headers = headers_of(ask("GET", "/account", account=account))
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Strict-Transport-Security"].startswith("max-age=")
    assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"


def test_a_recipients_page_has_them_too(world: World) -> None:
    headers = headers_of(visit("GET", "/u/{token}", UNSUBSCRIBE))
    for name in ("X-Content-Type-Options", "Referrer-Policy", "Strict-Transport-Security"):
        assert headers[name] == headers_of(ask("GET", "/account"))[name]
    assert "Access-Control-Allow-Origin" not in headers


class TestOrigins:
    def test_pages_of_a_named_origin_may_read(self, world: World) -> None:
        headers = headers_of(ask("GET", "/account", CONSOLE))
        assert headers["Access-Control-Allow-Origin"] == CONSOLE
        assert headers["Vary"] == "Origin"
        assert {"ETag", "Idempotency-Replayed"} <= set(headers["Access-Control-Expose-Headers"].split(", "))
        assert "Access-Control-Allow-Credentials" not in headers

    def test_they_read_problems_too(self, world: World) -> None:
        answer = ask("GET", "/account", CONSOLE, "unknown")
        assert answer["statusCode"] == 404
        assert headers_of(answer)["Access-Control-Allow-Origin"] == CONSOLE

    @pytest.mark.parametrize("origin", NOBODYS)
    def test_pages_of_others_may_not(self, world: World, origin: str | None) -> None:
        headers = headers_of(ask("GET", "/account", origin))
        assert not [name for name in headers if name.startswith("Access-Control")]
        assert headers["Vary"] == "Origin", "or a cache would give one origin's answer to another"

    @pytest.mark.parametrize("path", GUARDED)
    def test_every_route_tells_a_named_origin_what_it_may_ask_for(self, world: World, path: str) -> None:
        answer = ask("OPTIONS", path, CONSOLE, account=None)
        headers = headers_of(answer)
        assert (answer["statusCode"], answer["body"]) == (204, "")
        assert headers["Access-Control-Allow-Origin"] == CONSOLE
        methods = {declared.method for declared in ROUTES if declared.path == path}
        assert set(headers["Access-Control-Allow-Methods"].split(", ")) == methods
        asked_with = set(headers["Access-Control-Allow-Headers"].split(", "))
        assert asked_with == {"Authorization", "Content-Type", "Idempotency-Key", "If-Match"}

    @pytest.mark.parametrize("origin", NOBODYS)
    def test_others_are_told_no(self, world: World, origin: str | None) -> None:
        answer = ask("OPTIONS", "/account", origin, account=None)
        assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (403, "origin_not_allowed")
        assert not [name for name in headers_of(answer) if name.startswith("Access-Control")]

    def test_no_origin_is_named_until_somebody_does(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings = Settings.from_environment(environment())
        assert settings.cors_origins == frozenset()
        monkeypatch.setattr(wiring, "cors_origins", lambda: settings.cors_origins)
        assert ask("OPTIONS", "/account", CONSOLE)["statusCode"] == 403
        assert "Access-Control-Allow-Origin" not in headers_of(ask("GET", "/account", CONSOLE))
        two = Settings.from_environment(environment(CORS_ORIGINS="https://a.example, https://b.example"))
        assert two.cors_origins == {"https://a.example", "https://b.example"}


@pytest.mark.parametrize(
    "html", ["<p>Hi", "<!doctype html><html><head><title>x</title></head><body>Hi</body></html>"]
)
def test_the_policy_of_a_preview_comes_before_everything_of_the_message(html: str) -> None:
    document = framed(html, {})
    assert document.endswith(html)
    assert document.index(policy()) < document.index(html)
    assert policy().startswith("default-src 'none';")
    assert "script" not in policy()
    assert '"' not in policy()


def test_a_preview_may_load_its_own_images_from_a_store_that_has_no_https() -> None:
    local, there = "http://127.0.0.1:4566/files/a?x=1&y=2", "https://files.example/b"
    html = '<img src="cid:logo@inline.postline"><p>cid:logo cid:none@inline.postline</p>'
    document = framed(html, {"logo": local, "other": there})
    assert "img-src https: data: http://127.0.0.1:4566; " in document
    assert '<img src="http://127.0.0.1:4566/files/a?x=1&amp;y=2"><p>cid:logo cid:none@' in document
    assert policy([there]) == policy()
