"""The audit trail at the door of the API: every act is in it before it is done, and no address, no secret."""

from datetime import timedelta
from typing import Any

import pytest

from chalicelib import wiring
from chalicelib.blueprints.api.audited import audited
from chalicelib.blueprints.api.requests import Call, Nothing
from chalicelib.blueprints.api.routing import ROUTES
from chalicelib.domain.access import Actor, ActorKind
from chalicelib.domain.api_call import CALL_IS_OVER
from chalicelib.domain.audit import SERVICE
from tests.doors.in_process import OutOfReach
from tests.doors.test_mail_kinds import NEW, call
from tests.fakes.audit import FakeAuditStore
from tests.fakes.world import ACCOUNT, STRANGER, World

NO_ACT = {
    "take_bounce_in",  # a mail server tells what became of a message
    "tell_dialog",  # programs tell of every talk with a customer: the dialog itself says so
    "tell_dialogs",
    "tag_dialogs",
    "preview_message",  # these show something, or look at something again
    "preview_import",
    "create_preflight",
    "start_advice",
    "start_domain_check",
    "unsubscribe_recipient",  # by recipients, whose entry of the suppression list says when
}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, trail: FakeAuditStore) -> World:
    made = World(audit=trail)
    made.add_line()
    for name in ("campaign_ports", "count_ports", "list_ports", "personal_data_ports", "audit_ports"):
        monkeypatch.setattr(wiring, name, lambda name=name: getattr(made, name))
    monkeypatch.setattr(wiring, "brake_ports", lambda: made.brake_ports)
    monkeypatch.setattr(wiring, "clock", made.clock)
    return made


def entries(**query: str) -> list[dict[str, Any]]:
    status, page = read(**query)
    assert status == 200, page
    found: list[dict[str, Any]] = page["items"]
    return found


def read(**query: str) -> tuple[int, dict[str, Any]]:
    return call("GET", "/audit", {}, query=query)


def test_every_route_that_changes_something_is_an_act_or_says_why_it_is_none() -> None:
    changing = {route.name for route in ROUTES if route.method not in ("GET", "HEAD")}
    acts = {route.name for route in ROUTES if route.audit}
    assert changing - acts == NO_ACT
    assert acts <= changing


def test_an_act_names_who_what_when_and_the_id_that_was_made(world: World) -> None:
    _, made = call("POST", "/campaigns", NEW, key="key7")
    (entry,) = entries()
    assert entry.pop("entry_id")
    assert entry.pop("at").startswith(world.clock.now().isoformat()[:19])
    assert entry == {
        "actor": {"kind": "api_key", "id": "key7"},
        "action": "campaign_created",
        "subject": {"campaign_id": made["campaign_id"]},
        "outcome": "done",
        "code": None,
    }


def test_what_is_refused_is_in_the_trail_with_its_reason(world: World) -> None:
    one = world.add_campaign(0).campaign_id
    assert call("POST", "/campaigns/{campaign_id}/launch", {}, campaign_id=one)[0] == 409
    world.clock.wait(seconds=1)
    assert call("DELETE", "/campaigns/{campaign_id}", {}, campaign_id="nothing")[0] == 404
    assert [(e["action"], e["outcome"], e["code"], e["subject"]) for e in entries()] == [
        ("campaign_deleted", "refused", "not_found", {"campaign_id": "nothing"}),
        ("campaign_launched", "refused", "not_ready", {"campaign_id": one}),
    ]


def test_what_is_not_understood_is_no_act(world: World) -> None:
    assert call("POST", "/campaigns", {"name": 5})[0] == 422
    assert entries() == []


def test_what_cannot_be_written_down_is_not_done(world: World) -> None:
    one = world.running(1)
    world.audit.begins = False
    assert call("POST", "/campaigns/{campaign_id}/pause", {}, campaign_id=one)[0] == 500
    assert world.campaigns.get(ACCOUNT, one).status == "in_progress"


def test_an_outcome_that_cannot_be_written_down_is_unknown_and_the_act_is_not_missing(world: World) -> None:
    one = world.running(1)
    world.audit.concludes = False
    assert call("POST", "/campaigns/{campaign_id}/pause", {}, campaign_id=one)[0] == 200
    assert world.campaigns.get(ACCOUNT, one).status == "paused"
    assert [entry["outcome"] for entry in entries()] == ["begun"]
    world.clock.wait(seconds=CALL_IS_OVER.total_seconds() + 1)
    assert [(entry["action"], entry["outcome"]) for entry in entries()] == [("campaign_paused", "unknown")]


def test_how_far_an_act_came_that_broke_is_unknown(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise OutOfReach

    monkeypatch.setattr(wiring, "campaign_ports", broken)
    assert call("DELETE", "/campaigns/{campaign_id}", {}, campaign_id="c")[0] == 500
    assert [(entry["action"], entry["outcome"]) for entry in entries()] == [("campaign_deleted", "unknown")]


def test_no_address_no_text_and_no_secret_gets_in(
    world: World, monkeypatch: pytest.MonkeyPatch, trail: FakeAuditStore
) -> None:
    monkeypatch.setattr(wiring, "accounts", lambda: world.accounts)
    _, key = call("POST", "/api-keys", {"name": "Ann's laptop"})
    world.clock.wait(seconds=1)
    call("POST", "/suppressions", {"addresses": ["ann@mail.example"]})
    call("DELETE", "/suppressions", {}, query={"email": "ann@mail.example"})
    call("POST", "/personal-data/erasures", {"address": "ann@mail.example"})
    call("DELETE", "/campaigns/{campaign_id}", {}, campaign_id="ann@mail.example")
    call("DELETE", "/campaigns/{campaign_id}", {}, campaign_id="ann%40mail.example")
    found = entries()
    assert len(found) == 6
    assert found[-1]["subject"] == {"key_id": key["key_id"]}
    for hidden in ("ann", "mail.example", key["api_key"].rpartition("_")[2]):
        assert hidden not in repr(vars(trail)).lower(), hidden


def test_a_page_leads_to_the_next_and_filters_hold_together(world: World) -> None:
    one = world.running(1)
    started = world.clock.now()
    for action in ("pause", "launch", "pause"):
        call("POST", f"/campaigns/{{campaign_id}}/{action}", {}, campaign_id=one)
        world.clock.wait(hours=1)
    _, page = read(limit="2")
    _, rest = read(limit="2", cursor=page["next_cursor"])
    names = [entry["action"] for entry in page["items"] + rest["items"]]
    assert names == ["campaign_paused", "campaign_launched", "campaign_paused"]
    assert rest["next_cursor"] is None
    assert len(entries(action="campaign_paused")) == 2
    since = (started + timedelta(hours=1)).isoformat()
    assert [entry["action"] for entry in entries(since=since)] == names[:2]
    assert [entry["action"] for entry in entries(until=since)] == names[2:]
    assert entries(action="campaign_paused", since=since, until=since) == []


@pytest.mark.parametrize("query", [{"since": "yesterday"}, {"since": "2026-01-01T00:00:00"}, {"limit": "0"}])
def test_a_wrong_question_is_told_its_field(world: World, query: dict[str, str]) -> None:
    status, problem = read(**query)
    assert (status, [error["field"] for error in problem["errors"]]) == (422, list(query))


def test_what_somebody_without_an_account_does_is_in_the_services_trail(trail: FakeAuditStore) -> None:
    newcomer = Call("", Nothing(), Nothing(), None, Actor(ActorKind.PERSON, "sub1"), frozenset())
    audited(lambda call: None, "account_created")(newcomer)
    (entry,) = trail.page(SERVICE, None, 10).items
    assert (entry.actor.id, entry.action, entry.outcome) == ("sub1", "account_created", "done")


def test_nobody_else_reads_it(world: World) -> None:
    call("POST", "/campaigns", NEW)
    assert call("GET", "/audit", {}, account=STRANGER)[1]["items"] == []
