"""A preflight as a customer meets it, and its messages on the exporter's queue."""

from types import SimpleNamespace

import pytest

from chalicelib import wiring
from chalicelib.blueprints.abandoner import abandon_jobs
from chalicelib.blueprints.exporter import export_reports
from chalicelib.domain.content import Content
from tests.doors.events import failed_ids, sqs_event
from tests.doors.in_process import BROKEN, Context, EmptyStore
from tests.doors.test_mail_kinds import call
from tests.fakes.world import World

CONTENT = Content("Your [param2]", "<p>Hi</p>")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    made.add_line()
    monkeypatch.setattr(wiring, "preflight_ports", lambda: made.preflight_ports)
    monkeypatch.setattr(wiring, "checking_ports", lambda: made.checking_ports)
    monkeypatch.setattr(wiring, "preflights", lambda: made.preflights)
    monkeypatch.setattr(wiring, "clock", made.clock)
    return made


def test_a_preflight_is_asked_for_worked_on_and_read(world: World) -> None:
    one = world.add_campaign(37, content=CONTENT).campaign_id
    path, ids = "/campaigns/{campaign_id}/preflight", {"campaign_id": one}
    assert call("GET", path, {}, **ids)[0] == 404
    status, shown = call("POST", path, {}, **ids)
    assert (status, shown["state"], shown["missing"]) == (202, "queued", [])
    assert failed_ids(export_reports(sqs_event(*world.export_queue.take()), Context())) == []
    status, shown = call("GET", path, {}, **ids)
    assert (status, shown["state"], shown["checked"], shown["stale"]) == (200, "done", 37, False)
    (missing,) = shown["missing"]
    assert missing["text"] == "37 contacts lack param2; the subject would read “Your”."
    assert (missing["fields"], missing["example"]["subject"]) == (["subject"], "Your")


def test_one_contact_is_told_in_the_singular(world: World) -> None:
    one = world.add_campaign(1, content=CONTENT).campaign_id
    call("POST", "/campaigns/{campaign_id}/preflight", {}, campaign_id=one)
    export_reports(sqs_event(*world.export_queue.take()), Context())
    _, shown = call("GET", "/campaigns/{campaign_id}/preflight", {}, campaign_id=one)
    assert shown["missing"][0]["text"].startswith("1 contact lacks param2;")


def test_an_unknown_campaign_has_none(world: World) -> None:
    for method in ("POST", "GET"):
        status, problem = call(method, "/campaigns/{campaign_id}/preflight", {}, campaign_id="nothing")
        assert (status, problem["code"]) == (404, "campaign_not_found")
    assert world.export_queue.take() == []


def test_a_preflight_that_was_given_up_is_failed_with_a_reason(world: World) -> None:
    one = world.add_campaign(1, content=CONTENT).campaign_id
    call("POST", "/campaigns/{campaign_id}/preflight", {}, campaign_id=one)
    assert failed_ids(abandon_jobs(sqs_event(*world.export_queue.take()), Context())) == []
    _, shown = call("GET", "/campaigns/{campaign_id}/preflight", {}, campaign_id=one)
    assert (shown["state"], shown["reason"]["code"]) == ("failed", "gave_up")


def test_only_the_message_that_failed_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    class Preflights(EmptyStore):
        def progress(self, account_id: str, campaign_id: str, preflight_id: str, checked: int) -> bool:
            self._look(account_id, preflight_id)
            return bool(campaign_id == "none" and checked)

    store = Preflights()
    monkeypatch.setattr(wiring, "checking_ports", lambda: SimpleNamespace(preflights=store))
    good = {"account_id": "a", "campaign_id": "c", "preflight_id": "p1"}
    answer = export_reports(
        sqs_event({**good, "account_id": BROKEN}, good, {"preflight_id": 5}, {}), Context()
    )
    assert failed_ids(answer) == ["message-0", "message-2", "message-3"]
    assert store.asked == [(BROKEN, "p1"), ("a", "p1")]
