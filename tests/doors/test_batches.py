"""Every queue's door: one message that fails comes back, and takes none of its neighbours along."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from chalicelib import wiring
from chalicelib.adapters.sqs import encode_order
from chalicelib.blueprints import preparer
from chalicelib.blueprints.abandoner import abandon_jobs
from chalicelib.blueprints.bounce_reader import read_bounces
from chalicelib.blueprints.checker import check_dns, start_checks
from chalicelib.blueprints.connector import connect_lines
from chalicelib.blueprints.dispatcher import dispatch_campaign
from chalicelib.blueprints.exporter import export_reports
from chalicelib.blueprints.importer import import_uploads
from chalicelib.blueprints.preparer import prepare_attachments
from chalicelib.blueprints.remover import remove_campaigns
from chalicelib.blueprints.sender import send_emails
from chalicelib.domain.delivery import Accepted
from chalicelib.flow.domains import add_domain
from chalicelib.ports import SendOrder
from tests.doors.events import TEST_NOTIFICATION, failed_ids, sqs_event, upload_notification
from tests.doors.in_process import BROKEN, Context, EmptyStore, OutOfReach
from tests.fakes.world import World

Handler = Callable[[dict[str, Any], Context], dict[str, list[dict[str, str]]]]

# name of the second id in a door's messages, the door, and the wiring that it asks
DOORS: list[tuple[str, Handler, dict[str, str]]] = [
    ("campaign_id", dispatch_campaign, {"dispatch_ports": "campaigns"}),
    ("import_id", import_uploads, {"import_ports": "imports clock"}),
    ("export_id", export_reports, {"exports": ""}),
    ("personal_data_id", export_reports, {"personal_data_work_ports": "jobs"}),
    ("line_id", connect_lines, {"proof_ports": "lines"}),
    ("domain", check_dns, {"domain_check_ports": "domains dns clock"}),
    ("advice_for", check_dns, {"advising_ports": "lines dns clock"}),
    ("line_id", read_bounces, {"reading_ports": "lines"}),
    ("campaign_id", remove_campaigns, {"removal_ports": "campaigns"}),
    ("line_id", remove_campaigns, {"removal_ports": "lines dialogs imports files"}),
    ("import_id", abandon_jobs, {"imports": ""}),
    ("export_id", abandon_jobs, {"exports": ""}),
    ("personal_data_id", abandon_jobs, {"personal_data": ""}),
    ("line_id", abandon_jobs, {"lines": ""}),
    ("advice_for", abandon_jobs, {"advice": ""}),
]
NAMES = [
    "dispatch",
    "import",
    "export",
    "personal data",
    "connect",
    "check domain",
    "check line",
    "bounces",
    "remove",
    "remove dialogs",
    "abandoned import",
    "abandoned export",
    "abandoned personal data",
    "abandoned line",
    "abandoned advice",
]
GARBAGE = ["", "not json", "null", "[]", "5", '{"account_id": 5}', '{"account_id": "a"}', '{"Records": [{}]}']


def wire(monkeypatch: pytest.MonkeyPatch, places: dict[str, str]) -> EmptyStore:
    store = EmptyStore()
    for function, port in places.items():
        behind: Any = SimpleNamespace(**dict.fromkeys(port.split(), store)) if port else store
        monkeypatch.setattr(wiring, function, lambda behind=behind: behind)
    return store


@pytest.mark.parametrize(("second_id", "handler", "places"), DOORS, ids=NAMES)
def test_only_the_message_that_failed_comes_back(
    monkeypatch: pytest.MonkeyPatch, second_id: str, handler: Handler, places: dict[str, str]
) -> None:
    store = wire(monkeypatch, places)
    messages = [{"account_id": account, second_id: f"id-{n}"} for n, account in enumerate(["a", BROKEN, "b"])]
    assert failed_ids(handler(sqs_event(*messages), Context())) == ["message-1"]
    assert store.asked == [("a", "id-0"), (BROKEN, "id-1"), ("b", "id-2")]


@pytest.mark.parametrize(("second_id", "handler", "places"), DOORS, ids=NAMES)
def test_a_message_nobody_understands_comes_back_by_itself(
    monkeypatch: pytest.MonkeyPatch, second_id: str, handler: Handler, places: dict[str, str]
) -> None:
    store = wire(monkeypatch, places)
    good = {"account_id": "a", second_id: "id"}
    answer = handler(sqs_event(*GARBAGE, good), Context())
    assert failed_ids(answer) == [f"message-{n}" for n in range(len(GARBAGE))]
    assert store.asked == [("a", "id")]


class RecordingSender:
    """A sender that accepts everything but what is broken."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.flushed: list[int] = []

    def flush(self) -> None:
        self.flushed.append(len(self.sent))

    def send(self, order: SendOrder, stop_at: datetime) -> Accepted | None:
        assert stop_at > datetime.now(UTC)
        if order.contact_id == BROKEN:
            raise OutOfReach
        self.sent.append(order.contact_id)
        return Accepted()


def order(contact_id: str) -> str:
    return encode_order(SendOrder("a", "c", contact_id, "l", 1, 1, datetime.now(UTC)))


def test_only_the_order_that_failed_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    sender = RecordingSender()
    monkeypatch.setattr(wiring, "sender", lambda: sender)
    batch = sqs_event(order("one"), "{}", order(BROKEN), '{"account_id": 1', order("two"))
    assert failed_ids(send_emails(batch, Context())) == ["message-1", "message-2", "message-3"]
    assert sender.sent == ["one", "two"]
    assert sender.flushed == [2], "what was accepted is counted once, when the batch is done"


def test_no_message_comes_back_because_the_accepted_could_not_be_counted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Uncounted(RecordingSender):
        def flush(self) -> None:
            raise OutOfReach

    sender = Uncounted()
    monkeypatch.setattr(wiring, "sender", lambda: sender)
    assert failed_ids(send_emails(sqs_event(order("one"), order("two")), Context())) == []
    assert sender.sent == ["one", "two"]
    assert "accepted_not_counted" in capsys.readouterr().out


def test_all_uploads_of_a_notification_are_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    store = wire(monkeypatch, {"import_ports": "imports files clock"})
    notification = upload_notification("uploads/a/c/i 1", "uploads/b/c/ä+2")
    assert failed_ids(import_uploads(sqs_event(notification), Context())) == []
    assert list(dict.fromkeys(store.asked)) == [("a", "i 1"), ("b", "ä+2")]
    assert store.purged == ["uploads/a/c/i 1", "uploads/b/c/ä+2"]


@pytest.mark.parametrize("handler", [import_uploads, abandon_jobs, read_bounces])
def test_what_s3_sends_to_try_the_queue_is_passed_over(
    monkeypatch: pytest.MonkeyPatch, handler: Handler
) -> None:
    store = wire(monkeypatch, {"import_ports": "imports clock", "imports": ""})
    assert failed_ids(handler(sqs_event(TEST_NOTIFICATION), Context())) == []
    assert store.asked == []


def test_uploads_are_prepared_each_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    prepared: list[tuple[str, ...]] = []

    def prepare(*names: Any) -> bool:
        prepared.append(names[:3])
        if names[0] == BROKEN:
            raise OutOfReach
        return True

    monkeypatch.setattr(preparer, "prepare_attachment", prepare)
    monkeypatch.setattr(wiring, "attachment_ports", lambda: None)
    told = [upload_notification(f"attachment-uploads/{account}/c/f") for account in ("a", BROKEN, "b")]
    batch = sqs_event(*told, TEST_NOTIFICATION, "not json", upload_notification("uploads/a/c/i"))
    assert failed_ids(prepare_attachments(batch, Context())) == ["message-1", "message-4"]
    assert prepared == [("a", "c", "f"), (BROKEN, "c", "f"), ("b", "c", "f")]


def test_an_attachment_that_was_given_up_is_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    failed: list[tuple[str, ...]] = []
    store = SimpleNamespace(fail=lambda *names: failed.append(names[:3]))
    monkeypatch.setattr(wiring, "attachments", lambda: store)
    batch = sqs_event(upload_notification("attachment-uploads/a/c/f"))
    assert failed_ids(abandon_jobs(batch, Context())) == []
    assert failed == [("a", "c", "f")]


def test_a_failure_is_logged_without_what_it_was_about(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Indiscreet:
        def send(self, order: SendOrder, stop_at: datetime) -> None:
            raise ValueError("550 <secret-address@example.com> unknown")

        def flush(self) -> None:
            """Nothing was accepted."""

    monkeypatch.setattr(wiring, "sender", Indiscreet)
    send_emails(sqs_event(order("one"), "secret-address@example.com"), Context())
    logged = capsys.readouterr().out
    assert "secret-address" not in logged
    lines = [json.loads(line) for line in logged.splitlines()]
    assert [line["event"] for line in lines] == ["message_failed", "message_failed", "batch_handled"]
    assert lines[0]["error"] == "ValueError"
    assert lines[0]["at"][-1].startswith("send:")


def test_a_domains_check_that_was_given_up_is_passed_over_for_the_next_day() -> None:
    assert failed_ids(abandon_jobs(sqs_event({"account_id": "a", "domain": "shop.example"}), Context())) == []


def test_every_day_each_domain_is_asked_about(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    for account in ("a", "b"):
        add_domain(account, "shop.example", world.domain_ports)
    monkeypatch.setattr(wiring, "domains", lambda: world.domains)
    monkeypatch.setattr(wiring, "check_queue", lambda: world.check_queue)
    tick = dict.fromkeys(
        ("version", "account", "region", "detail", "detail-type", "source", "time", "id", "resources"), ""
    )
    start_checks(tick, Context())
    assert world.check_queue.take() == [{"account_id": a, "domain": "shop.example"} for a in ("a", "b")]
