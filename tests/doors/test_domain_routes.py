"""Routes of domains and advice: what is shown, and that no private key is."""

import json
from typing import Any

import pytest

from app import app
from chalicelib import wiring
from chalicelib.flow.advice import advise_on_line
from tests.doors.in_process import Context
from tests.doors.test_routes import request
from tests.fakes.world import ACCOUNT, STRANGER, World


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    for name in ("domain_ports", "advice_ports"):
        monkeypatch.setattr(wiring, name, lambda name=name: getattr(made, name))
    monkeypatch.setattr(wiring, "domains", lambda: made.domains)
    monkeypatch.setattr(wiring, "advice", lambda: made.advice)
    return made


def call(method: str, path: str, body: object = None, account: str = ACCOUNT, **ids: str) -> tuple[int, Any]:
    text = None if body is None else json.dumps(body)
    event = request(method, path, text, account=account) | {"pathParameters": ids or None}
    answer = app(event, Context())
    return answer["statusCode"], json.loads(answer["body"] or "null")


def test_a_domain_is_added_and_its_record_shown(world: World) -> None:
    status, shown = call("POST", "/domains", {"domain": " Shop.Example "})
    assert (status, shown["domain"], shown["signed"]) == (201, "shop.example", False)
    (key,) = shown["keys"]
    assert key["record"] == {
        "type": "TXT",
        "name": f"{key['selector']}._domainkey.shop.example",
        "value": "v=DKIM1; k=rsa; p=public1",
    }
    assert (key["state"], key["signs"]) == ("waiting", False)
    assert "private" not in json.dumps(shown)
    assert call("GET", "/domains/{domain}", domain="shop.example") == (200, shown)
    assert call("GET", "/domains")[1] == {"items": [shown], "next_cursor": None}
    assert call("POST", "/domains", {"domain": "shop.example"})[1]["code"] == "domain_exists"


def test_an_international_domain_is_kept_in_its_ascii_form(world: World) -> None:
    assert call("POST", "/domains", {"domain": "bücher.example"})[1]["domain"] == "xn--bcher-kva.example"


@pytest.mark.parametrize(
    "domain",
    [
        *("", "shop", "a@shop.example", "https://shop.example", "shop.example.", "10.0.0.1", "shop example"),
        *("shop..example", "x" * 64 + ".example", "gmail.com", "mail.ru", "a\u0000.example", "-a.example"),
    ],
)
def test_what_is_no_domain_of_ones_own_is_refused_by_name(world: World, domain: str) -> None:
    status, problem = call("POST", "/domains", {"domain": domain})
    assert (status, [error["field"] for error in problem["errors"]]) == (422, ["domain"])
    assert call("GET", "/domains")[1]["items"] == []


def test_a_published_key_is_shown_to_sign_and_is_rotated(world: World) -> None:
    (old,) = world.signed_domain().keys
    shown = call("GET", "/domains/{domain}", domain="shop.example")[1]
    assert (shown["signed"], shown["keys"][0]["state"], shown["keys"][0]["signs"]) == (
        True,
        "published",
        True,
    )
    status, rotated = call("POST", "/domains/{domain}/keys", domain="shop.example")
    assert (status, [key["signs"] for key in rotated["keys"]]) == (201, [True, False])
    assert call("POST", "/domains/{domain}/keys", domain="shop.example")[0] == 409
    ids = {"domain": "shop.example", "selector": old.selector}
    assert call("DELETE", "/domains/{domain}/keys/{selector}", **ids)[0] == 200
    assert call("DELETE", "/domains/{domain}/keys/{selector}", **ids)[0] == 404


def test_a_check_is_asked_for(world: World) -> None:
    call("POST", "/domains", {"domain": "shop.example"})
    assert call("POST", "/domains/{domain}/check", domain="shop.example")[0] == 202
    assert world.check_queue.take() == [{"account_id": ACCOUNT, "domain": "shop.example"}]


def test_a_domain_is_deleted(world: World) -> None:
    call("POST", "/domains", {"domain": "shop.example"})
    assert call("DELETE", "/domains/{domain}", domain="shop.example")[0] == 204
    assert call("GET", "/domains/{domain}", domain="shop.example")[0] == 404


def test_another_accounts_domain_is_not_there(world: World) -> None:
    (key,) = world.signed_domain().keys
    ids = {"domain": "shop.example"}
    for method, path in (
        ("GET", "/domains/{domain}"),
        ("POST", "/domains/{domain}/check"),
        ("POST", "/domains/{domain}/keys"),
        ("DELETE", "/domains/{domain}"),
    ):
        assert call(method, path, account=STRANGER, **ids)[0] == 404
    ids["selector"] = key.selector
    assert call("DELETE", "/domains/{domain}/keys/{selector}", account=STRANGER, **ids)[0] == 404
    assert world.domains.get(ACCOUNT, "shop.example").signing_key is not None


def test_advice_is_asked_for_and_read(world: World) -> None:
    world.add_line()
    assert call("GET", "/lines/{line_id}/advice", line_id="line1")[1]["code"] == "advice_not_found"
    status, asked = call("POST", "/lines/{line_id}/advice", line_id="line1")
    assert (status, asked["state"], asked["findings"]) == (202, "checking", [])
    advise_on_line(ACCOUNT, "line1", world.advising_ports)
    status, given = call("GET", "/lines/{line_id}/advice", line_id="line1")
    assert (status, given["state"]) == (200, "done")
    dmarc = next(found for found in given["findings"] if found["code"] == "dmarc_missing")
    assert dmarc["level"] == "must"
    assert dmarc["record"] == {"type": "TXT", "name": "_dmarc.shop.example", "value": "v=DMARC1; p=none"}
    assert call("GET", "/lines/{line_id}/advice", account=STRANGER, line_id="line1")[0] == 404
    assert call("POST", "/lines/{line_id}/advice", account=STRANGER, line_id="line1")[0] == 404
