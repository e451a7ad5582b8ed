"""Idempotency-Key: what comes again is answered as it was, and nothing is done twice."""

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from app import app
from chalicelib import wiring
from chalicelib.blueprints.api.openapi import openapi_document
from chalicelib.blueprints.api.routing import ROUTES
from chalicelib.domain.campaign import CampaignStatus
from chalicelib.domain.delivery import Reason, Refused
from chalicelib.domain.delivery import Scope as Blame
from chalicelib.domain.job import JobState
from chalicelib.domain.quota import Quota
from chalicelib.domain.repeat import KEPT, LEASE, Repeat
from chalicelib.flow.repeats import RepeatPorts
from tests.doors.in_process import Context, OutOfReach
from tests.doors.test_mail_kinds import NEW
from tests.doors.test_routes import request
from tests.fakes.queues import FakeDispatchQueue
from tests.fakes.repeats import FakeRepeatStore
from tests.fakes.world import ACCOUNT, STRANGER, World

IMPORTS = "/campaigns/{campaign_id}/imports"
TESTS = "/campaigns/{campaign_id}/tests"
EXPORTS = "/campaigns/{campaign_id}/exports"
LAUNCH = "/campaigns/{campaign_id}/launch"
PAUSE = "/campaigns/{campaign_id}/pause"
RESEND = "/campaigns/{campaign_id}/resend"
ME = {"to": "me@shop.example"}


@dataclass
class Repeats(FakeRepeatStore):
    """The store, which may break right before an answer is kept."""

    breaks: bool = False
    settled: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def settle(self, account_id: str, key: str, token: str, answer: bytes | None) -> None:
        if self.breaks:
            raise OutOfReach("the secret host name")
        self.settled.append(key)
        super().settle(account_id, key, token, answer)


class Unreachable(FakeDispatchQueue):
    """A queue that takes nothing."""

    def put(self, message: Mapping[str, str], after: timedelta = timedelta(0)) -> None:
        raise OutOfReach("the secret host name")


@dataclass
class Service:
    """The API on a world in memory."""

    world: World = field(default_factory=World)
    repeats: Repeats = field(default_factory=Repeats)
    drawn: int = 0
    key_name: str = "key"

    def draw(self, size: int) -> bytes:
        self.drawn += 1
        return b"%d" % self.drawn

    def key_of(self, number: int) -> bytes:
        return f"{self.key_name} {number}".encode()

    @property
    def ports(self) -> RepeatPorts:
        return RepeatPorts(self.repeats, self.world.clock, self.draw, self.key_of)

    def post(
        self,
        path: str,
        body: object = None,
        key: str | None = "k1",
        *,
        account: str = ACCOUNT,
        method: str = "POST",
        headers: dict[str, str] | None = None,
        **ids: str,
    ) -> dict[str, Any]:
        event = request(method, path, None if body is None else json.dumps(body), account=account)
        sent = {"Content-Type": "application/json", **(headers or {})}
        if key is not None:
            sent["Idempotency-Key"] = key
        event["headers"] = sent
        event["multiValueHeaders"] = {name: [value] for name, value in sent.items()}
        event["pathParameters"] = ids or None
        answer: dict[str, Any] = app(event, Context())
        return answer

    def dies_before_it_answers(self, path: str, body: object = None, key: str = "k1", **ids: str) -> None:
        """The first time: all is done, and nobody keeps or gets the answer. Then the lease ends."""
        self.repeats.breaks = True
        self.post(path, body, key, **ids)
        self.repeats.breaks = False
        self.world.clock.wait(seconds=LEASE.total_seconds())

    @property
    def campaigns(self) -> int:
        return len(self.world.campaigns.page(ACCOUNT, None, 100).items)


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Service:
    made = Service()
    world = made.world
    world.add_line()
    for name in ("campaign", "contact", "ask", "export", "line", "brake", "count", "dialog", "list"):
        monkeypatch.setattr(wiring, f"{name}_ports", lambda name=name: getattr(world, f"{name}_ports"))
    monkeypatch.setattr(wiring, "repeat_ports", lambda: made.ports)
    monkeypatch.setattr(wiring, "accounts", lambda: world.accounts)
    monkeypatch.setattr(wiring, "clock", world.clock)
    return made


def code(answer: dict[str, Any]) -> tuple[int, str]:
    return answer["statusCode"], json.loads(answer["body"])["code"]


def shown(answer: dict[str, Any]) -> tuple[str, int]:
    """Status and revision of the campaign that a success shows."""
    assert answer["statusCode"] == 200, answer["body"]
    body = json.loads(answer["body"])
    return body["status"], body["revision"]


def send_all(world: World, campaign_id: str) -> None:
    for order in world.visit(campaign_id):
        world.clock.set(max(world.clock.now(), order.slot_at))
        world.sender().send(order, world.stop_at())
    world.visit(campaign_id)


def replayed(answer: dict[str, Any]) -> bool:
    return answer["headers"].get("Idempotency-Replayed") == "true"


class TestAgain:
    def test_the_same_request_is_answered_the_same_and_carried_out_once(self, service: Service) -> None:
        first, again = (service.post("/campaigns", NEW) for _ in range(2))
        assert (first["statusCode"], replayed(first), replayed(again)) == (201, False, True)
        assert (again["statusCode"], again["body"]) == (201, first["body"])
        for name in ("Content-Type", "ETag"):
            assert again["headers"][name] == first["headers"][name]
        assert service.campaigns == 1

    def test_without_a_key_or_with_another_it_is_another_request(self, service: Service) -> None:
        for key in (None, None, "k1", "k2"):
            assert not replayed(service.post("/campaigns", NEW, key))
        assert service.campaigns == 4

    def test_a_refusal_is_answered_the_same_too(self, service: Service) -> None:
        nowhere = {**NEW, "line_ids": ["nothing"]}
        first = service.post("/campaigns", nowhere)
        assert code(first) == (422, "invalid")
        service.world.add_line("nothing")
        again = service.post("/campaigns", nowhere)
        assert (again["statusCode"], again["body"], replayed(again)) == (422, first["body"], True)
        assert again["headers"]["Content-Type"] == "application/problem+json"

    def test_a_request_that_is_not_understood_uses_no_key_up(self, service: Service) -> None:
        assert service.post("/campaigns", {"name": 5})["statusCode"] == 422
        assert service.post("/campaigns", NEW)["statusCode"] == 201

    def test_a_day_later_the_key_is_as_good_as_new(self, service: Service) -> None:
        service.post("/campaigns", NEW)
        service.world.clock.wait(seconds=KEPT.total_seconds())
        assert not replayed(service.post("/campaigns", {**NEW, "name": "Another"}))
        assert service.campaigns == 2

    def test_the_end_of_a_month_in_between_changes_nothing(self, service: Service) -> None:
        clock = service.world.clock
        month_ends = (clock.now().replace(day=1) + timedelta(days=32)).replace(day=1, hour=0, minute=0)
        clock.wait(seconds=(month_ends - clock.now()).total_seconds() - 60)
        first = service.post("/campaigns", NEW)
        clock.wait(seconds=120)
        again = service.post("/campaigns", NEW)
        assert (again["body"], replayed(again), service.campaigns) == (first["body"], True, 1)

    def test_a_form_for_an_upload_is_the_same_one(self, service: Service) -> None:
        one = service.world.add_campaign().campaign_id
        first, again = (service.post(IMPORTS, {}, campaign_id=one) for _ in range(2))
        assert json.loads(first["body"]) == json.loads(again["body"])
        assert len(service.world.imports.page(ACCOUNT, one, None, 10).items) == 1

    def test_other_methods_have_no_use_for_a_key(self, service: Service) -> None:
        one = service.world.add_campaign().campaign_id
        for name in ("B", "C"):
            changed = service.post(
                "/campaigns/{campaign_id}", {"name": name}, method="PATCH", campaign_id=one
            )
            assert not replayed(changed)
        assert service.world.campaigns.get(ACCOUNT, one).name == "C"

    def test_every_post_of_the_api_takes_a_key_and_says_so(self) -> None:
        paths = openapi_document(ROUTES, "1")["paths"]
        for declared in ROUTES:
            operation = paths[declared.path][declared.method.lower()]
            taken = any(one["name"] == "Idempotency-Key" for one in operation["parameters"])
            assert taken == (declared.method == "POST" and not declared.public), declared.path
            assert not taken or "409" in operation["responses"]


class TestOtherRequests:
    def test_another_body_route_revision_or_thing_under_the_key_is_refused(self, service: Service) -> None:
        one, two = (service.world.add_campaign().campaign_id for _ in range(2))
        service.post(TESTS, ME, campaign_id=one)
        service.world.sample_queue.take()
        others = (
            service.post(TESTS, {"to": "you@shop.example"}, campaign_id=one),
            service.post(TESTS, ME, campaign_id=two),
            service.post(TESTS, ME, campaign_id=one, headers={"If-Match": '"1"'}),
            service.post("/campaigns", NEW),
        )
        for other in others:
            problem = json.loads(other["body"])
            assert (other["statusCode"], problem["errors"][0]["field"]) == (422, "Idempotency-Key")
        assert service.world.sample_queue.take() == []
        assert service.campaigns == 2

    def test_a_key_is_an_accounts_own(self, service: Service) -> None:
        service.post("/campaigns", NEW)
        own = service.world.accounts.get(ACCOUNT)
        service.world.accounts.add(replace(own, account_id=STRANGER))
        answer = service.post("/campaigns", NEW, account=STRANGER)
        assert "line_ids[0]" in answer["body"], "carried out for the stranger, who has no such line"
        assert not replayed(answer)

    @pytest.mark.parametrize("key", ["", "é", "a\tb", "x" * 256])
    def test_a_key_that_is_none_is_named(self, service: Service, key: str) -> None:
        problem = json.loads(service.post("/campaigns", NEW, key)["body"])
        assert problem["errors"][0]["field"] == "Idempotency-Key"
        assert service.campaigns == 0


class TestAtOnce:
    def test_while_one_is_being_carried_out_the_other_is_told_to_wait(self, service: Service) -> None:
        first = service.post("/campaigns", NEW, "k0")
        there = service.repeats.get(ACCOUNT, "k0")
        assert there is not None
        now = service.world.clock.now()
        begun = Repeat(there.fingerprint, b"seed", now, "other", now + timedelta(seconds=42))
        service.repeats.begin(ACCOUNT, "k1", begun, now)
        busy = service.post("/campaigns", NEW)
        assert (first["statusCode"], code(busy)) == (201, (409, "in_progress"))
        assert busy["headers"]["Retry-After"] == "42"
        assert service.campaigns == 1
        service.world.clock.wait(seconds=42)
        assert service.post("/campaigns", NEW)["statusCode"] == 201


class TestBrokenOff:
    """Everything was done and the answer is lost: done again, it makes nothing new."""

    def test_a_campaign_is_made_once(self, service: Service) -> None:
        service.dies_before_it_answers("/campaigns", NEW)
        answer = service.post("/campaigns", NEW)
        assert (answer["statusCode"], replayed(answer), service.campaigns) == (201, False, 1)
        assert service.world.usage.get(ACCOUNT).campaigns == 1

    def test_a_test_message_is_sent_once(self, service: Service) -> None:
        one = service.world.add_campaign().campaign_id
        service.dies_before_it_answers(TESTS, ME, campaign_id=one)
        service.post(TESTS, ME, campaign_id=one)
        orders = service.world.sample_queue.take()
        assert len(orders) == 2
        assert orders[0] == orders[1], "both are of one row, which is claimed once"

    def test_an_import_is_one_and_keeps_what_it_did_meanwhile(self, service: Service) -> None:
        one = service.world.add_campaign().campaign_id
        service.dies_before_it_answers(IMPORTS, {}, campaign_id=one)
        (job,) = service.world.imports.page(ACCOUNT, one, None, 10).items
        service.world.imports.begin(ACCOUNT, job.import_id, service.world.clock.now())
        again = service.post(IMPORTS, {}, campaign_id=one)
        assert json.loads(again["body"])["import_id"] == job.import_id
        (job,) = service.world.imports.page(ACCOUNT, one, None, 10).items
        assert job.state is JobState.RUNNING
        assert service.world.usage.get(ACCOUNT).imports == (job.import_id,)

    def test_an_export_is_one(self, service: Service) -> None:
        one = service.world.add_campaign().campaign_id
        service.dies_before_it_answers(EXPORTS, campaign_id=one)
        service.post(EXPORTS, campaign_id=one)
        first, second = service.world.export_queue.take()
        assert first == second

    def test_a_launch_that_worked_is_answered_as_one(self, service: Service) -> None:
        one = service.world.add_campaign(1).campaign_id
        service.dies_before_it_answers(LAUNCH, campaign_id=one)
        assert shown(service.post(LAUNCH, campaign_id=one)) == ("in_progress", 2)
        assert replayed(service.post(LAUNCH, campaign_id=one))

    def test_a_launch_that_broke_off_behind_its_move_is_completed(self, service: Service) -> None:
        """The queue is out of reach: a 500. The repeat asks for the visit that is missing."""
        one = service.world.add_campaign(1).campaign_id
        queue, service.world.dispatch_queue = service.world.dispatch_queue, Unreachable()
        assert service.post(LAUNCH, campaign_id=one)["statusCode"] == 500
        service.world.dispatch_queue = queue
        assert shown(service.post(LAUNCH, campaign_id=one)) == ("in_progress", 2)
        assert queue.take() == [{"account_id": ACCOUNT, "campaign_id": one}]

    def test_a_launch_does_not_undo_the_pause_that_came_after_it(self, service: Service) -> None:
        one = service.world.add_campaign(1).campaign_id
        service.dies_before_it_answers(LAUNCH, campaign_id=one)
        assert shown(service.post(PAUSE, key="k2", campaign_id=one)) == ("paused", 3)
        assert code(service.post(LAUNCH, campaign_id=one)) == (412, "outdated")
        assert service.world.campaigns.status(ACCOUNT, one) is CampaignStatus.PAUSED
        assert shown(service.post(LAUNCH, key="k3", campaign_id=one)) == ("in_progress", 4)

    def test_a_pause_that_worked_is_answered_as_one_and_undoes_no_launch(self, service: Service) -> None:
        one = service.world.add_campaign(1).campaign_id
        service.post(LAUNCH, key="k0", campaign_id=one)
        service.dies_before_it_answers(PAUSE, campaign_id=one)
        assert shown(service.post(PAUSE, campaign_id=one)) == ("paused", 3)
        service.post(LAUNCH, key="k2", campaign_id=one)
        service.dies_before_it_answers(PAUSE, key="k3", campaign_id=one)
        service.post(LAUNCH, key="k4", campaign_id=one)
        assert code(service.post(PAUSE, key="k3", campaign_id=one)) == (412, "outdated")
        assert service.world.campaigns.status(ACCOUNT, one) is CampaignStatus.IN_PROGRESS

    @pytest.mark.parametrize("status", ["in_progress", "finished"])
    def test_a_resend_that_worked_is_answered_as_one(self, service: Service, status: str) -> None:
        world = service.world
        one = world.add_campaign(1).campaign_id
        service.post(LAUNCH, key="k0", campaign_id=one)
        refused = Refused(Reason("mailbox_full", "Full."), Blame.CONTACT)
        world.channel.outcomes["c0@mail.example"] = [refused, refused]
        send_all(world, one)
        service.dies_before_it_answers(RESEND, {}, campaign_id=one)
        if status == "finished":
            send_all(world, one)
        again = service.post(RESEND, {}, campaign_id=one)
        assert shown(again) == (status, world.campaigns.get(ACCOUNT, one).revision)
        send_all(world, one)
        assert world.only(one).generation == 2

    def test_an_api_key_is_not_made_again_behind_its_owners_back(self, service: Service) -> None:
        service.dies_before_it_answers("/api-keys", {"name": "ci"})
        for _ in range(2):
            assert code(service.post("/api-keys", {"name": "ci"})) == (409, "answer_not_kept")
        assert len(service.world.accounts.list_keys(ACCOUNT)) == 1


class TestSecrets:
    def test_the_row_tells_neither_request_nor_answer_to_who_has_no_key(self, service: Service) -> None:
        """A request may hold a password and an answer addresses; words can be tried on a bare hash."""
        made = []
        for name in ("key", "another key"):
            service.key_name = name
            service.post("/campaigns", NEW, name)
            kept = service.repeats.get(ACCOUNT, name)
            assert kept is not None
            assert kept.answer is not None
            assert NEW["name"].encode() not in kept.answer
            made.append((kept.fingerprint, kept.answer))
        assert made[0][0] != made[1][0]
        with pytest.raises(zlib.error):
            zlib.decompress(made[0][1])

    def test_the_text_of_an_api_key_is_never_kept(self, service: Service) -> None:
        made = json.loads(service.post("/api-keys", {"name": "ci"})["body"])
        kept = service.repeats.get(ACCOUNT, "k1")
        assert kept is not None
        assert (kept.done, kept.answer) == (True, None)
        assert made["api_key"] not in repr(kept)
        assert code(service.post("/api-keys", {"name": "ci"})) == (409, "answer_not_kept")
        assert len(service.world.accounts.list_keys(ACCOUNT)) == 1

    def test_its_refusal_is_kept(self, service: Service) -> None:
        service.world.accounts.set_quota(ACCOUNT, Quota.API_KEYS, 0)
        for _ in range(2):
            answer = service.post("/api-keys", {"name": "ci"})
            assert code(answer) == (409, "quota_reached")
        assert replayed(answer)

    def test_whoever_answers_with_a_secret_says_so(self) -> None:
        """Its model's words are "shown this once": such an answer must be kept for no repetition."""
        once = {d.path for d in ROUTES if d.answer and "this once" in (d.answer.__doc__ or "")}
        assert once == {d.path for d in ROUTES if d.secret} == {"/api-keys", "/invitations"}


class TestFaults:
    def test_a_fault_of_ours_is_not_kept_and_the_request_may_come_again_at_once(
        self, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        working = wiring.campaign_ports

        def broken() -> None:
            raise OutOfReach("the secret host name")

        monkeypatch.setattr(wiring, "campaign_ports", broken)
        assert service.post("/campaigns", NEW)["statusCode"] == 500
        monkeypatch.setattr(wiring, "campaign_ports", working)
        answer = service.post("/campaigns", NEW)
        assert (answer["statusCode"], replayed(answer)) == (201, False)
        assert replayed(service.post("/campaigns", NEW))

    def test_what_was_done_is_told_though_its_answer_can_not_be_kept(
        self, service: Service, capsys: pytest.CaptureFixture[str]
    ) -> None:
        service.repeats.breaks = True
        assert service.post("/campaigns", NEW)["statusCode"] == 201
        logged = capsys.readouterr().out
        assert '"event": "answer_not_kept"' in logged
        assert "secret" not in logged
