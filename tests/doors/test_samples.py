"""Previews and test messages as a customer meets them, and their orders at the sender's door."""

from typing import Any

import pytest

from chalicelib import wiring
from chalicelib.blueprints.sender import send_emails
from chalicelib.domain.preview_frame import framed
from tests.doors.events import failed_ids, sqs_event
from tests.doors.in_process import Context
from tests.doors.test_mail_kinds import call
from tests.fakes.world import ACCOUNT, World

TESTS = "/campaigns/{campaign_id}/tests"
PREVIEW = "/campaigns/{campaign_id}/preview"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    made.add_line()
    monkeypatch.setattr(wiring, "ask_ports", lambda: made.ask_ports)
    monkeypatch.setattr(wiring, "sample_ports", lambda: made.sample_ports)
    monkeypatch.setattr(wiring, "preview_ports", lambda: made.preview_ports)
    monkeypatch.setattr(wiring, "samples", lambda: made.samples)
    monkeypatch.setattr(wiring, "sender", made.sender)
    monkeypatch.setattr(wiring, "clock", made.clock)
    return made


def read(test_id: str) -> dict[str, Any]:
    status, shown = call("GET", "/tests/{test_id}", {}, test_id=test_id)
    assert status == 200
    return shown


def test_a_test_message_is_asked_for_sent_once_and_read(world: World) -> None:
    one = world.add_campaign(1).campaign_id
    status, asked = call("POST", TESTS, {"to": "me@shop.example"}, campaign_id=one)
    assert (status, asked["state"], asked["to"]) == (202, "queued", "me@shop.example")
    (order,) = world.sample_queue.take()
    for delivered in (sqs_event(order, order), sqs_event(order)):  # twice at once, and once more later
        assert failed_ids(send_emails(delivered, Context())) == []
    assert read(asked["test_id"])["state"] == "sent"
    assert len(world.channel.accepted) == 1
    assert world.contacts.totals(ACCOUNT, one).unsettled == 1


def test_a_contacts_preview_and_an_example_persons(world: World) -> None:
    one = world.add_campaign(1).campaign_id
    contact = world.only(one).contact_id
    path = "/campaigns/{campaign_id}/contacts/{contact_id}/preview"
    status, shown = call("GET", path, {}, campaign_id=one, contact_id=contact)
    assert (status, shown["content_version"], shown["from_address"]) == (200, 1, "news@shop.example")
    person = {"email": "anna@mail.example", "first_name": "<Anna>"}
    status, example = call("POST", PREVIEW, {"person": person}, campaign_id=one)
    assert status == 200
    assert "<Anna>" not in example["html"]
    assert world.contacts.totals(ACCOUNT, one).contacts == 1


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (TESTS, {}, 422),
        (TESTS, {"to": "nobody"}, 422),
        (TESTS, {"to": "me@shop.example", "line_id": "gone"}, 422),
        (TESTS, {"to": "me@shop.example", "contact_id": "x", "person": {"email": "a@b.example"}}, 422),
        (PREVIEW, {}, 422),
        (PREVIEW, {"person": {"email": "anna@mail.example"}, "line_id": "gone"}, 422),
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_queued(
    world: World, path: str, body: dict[str, Any], status: int
) -> None:
    one = world.add_campaign(1).campaign_id
    found, problem = call("POST", path, body, campaign_id=one)
    assert found == status, problem
    assert world.sample_queue.take() == []


def test_what_there_is_not_is_not_found(world: World) -> None:
    assert call("GET", "/tests/{test_id}", {}, test_id="nothing")[0] == 404
    for path, body in ((TESTS, {"to": "me@shop.example"}), (PREVIEW, {"person": {"email": "a@b.example"}})):
        status, problem = call("POST", path, body, campaign_id="nothing")
        assert (status, problem["code"]) == (404, "campaign_not_found")
    assert world.sample_queue.take() == []


def test_a_preview_comes_as_a_document_that_runs_nothing(world: World) -> None:
    one = world.add_campaign(1).campaign_id
    _, shown = call("POST", PREVIEW, {"person": {"email": "a@b.example"}}, campaign_id=one)
    assert shown["document"] == framed(shown["html"], {})
