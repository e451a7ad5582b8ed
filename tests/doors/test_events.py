"""The door of the SES event queue."""

import json
from pathlib import Path

import pytest

from chalicelib import wiring
from chalicelib.blueprints.events import track_events
from chalicelib.domain.contact import ContactStatus
from chalicelib.domain.delivery_event import Opener
from tests.doors.events import failed_ids, sqs_event
from tests.doors.in_process import Context
from tests.fakes.world import ACCOUNT, World

FILES = Path(__file__).parents[1] / "events"


class Told:
    """A world whose only contact was sent to, and what SES has to say of it."""

    def __init__(self) -> None:
        self.world = World()
        self.campaign_id = self.world.running()
        (order,) = self.world.visit(self.campaign_id)
        self.world.sender().send(order, self.world.stop_at())
        self.contact_id = order.contact_id

    def event(self, name: str, contact_id: str | None = None, campaign_id: str | None = None) -> str:
        message = json.loads((FILES / f"{name}.json").read_text())
        ours = {
            "account": ACCOUNT,
            "campaign": campaign_id or self.campaign_id,
            "contact": contact_id or self.contact_id,
            "generation": "1",
            "attempt": "1",
        }
        message["mail"]["tags"].update({tag: [value] for tag, value in ours.items()})
        return json.dumps({"Type": "Notification", "Message": json.dumps(message)})


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    made = Told()
    monkeypatch.setattr(wiring, "track_ports", lambda: made.world.track_ports)
    return made


def test_each_event_of_a_batch_is_tracked_and_only_what_nobody_can_read_comes_back(told: Told) -> None:
    batch = sqs_event(
        told.event("complaint"),
        "garbage",
        told.event("of_a_type_to_come"),
        told.event("open"),
        "Successfully validated SNS topic for Amazon SES event publishing.",
        told.event("delivery"),
        '{"eventType": "Send", "mail": 5}',
    )
    assert failed_ids(track_events(batch, Context())) == ["message-1", "message-6"]
    contact = told.world.only(told.campaign_id)
    assert (contact.status, contact.parts) == (ContactStatus.OPENED, {"complained"})
    assert [entry.address for entry in told.world.suppressions.page(ACCOUNT, None, 9).items] == [
        contact.person.email
    ]


def test_an_event_of_nobody_comes_back_while_it_is_young_and_is_dropped_and_counted_then(
    told: Told, capsys: pytest.CaptureFixture[str]
) -> None:
    batch = sqs_event(told.event("delivery", contact_id="nobody"))
    assert failed_ids(track_events(batch, Context())) == ["message-0"]
    told.world.clock.wait(minutes=20)
    assert failed_ids(track_events(batch, Context())) == []
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    became = [line["became"] for line in lines if line["event"] == "event_tracked"]
    assert became == ["unknown_young", "unknown_old"]


def test_an_event_that_failed_takes_none_of_its_neighbours_along(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ConnectionError

    monkeypatch.setattr(told.world.suppressions, "add", broken)
    batch = sqs_event(told.event("complaint"), told.event("delivery"))
    assert failed_ids(track_events(batch, Context())) == ["message-0"]
    assert told.world.only(told.campaign_id).status is ContactStatus.DELIVERED


def test_nothing_of_a_person_is_logged(told: Told, capsys: pytest.CaptureFixture[str]) -> None:
    names = [file.stem for file in FILES.glob("*.json") if not file.stem.startswith("notification_")]
    batch = sqs_event(*(told.event(name) for name in names), '{"eventType": "Open", "mail": "192.0.2.1"}')
    track_events(batch, Context())
    logged = capsys.readouterr().out
    assert '"event": "event_tracked"' in logged
    for secret in ("mail.example", "192.0.2.1", "172.224", "Mozilla", "user unknown", "shop.example"):
        assert secret not in logged


def test_the_picture_is_judged_without_a_time_by_what_the_request_says() -> None:
    assert wiring.judge_opener("Mozilla/5.0", "192.0.2.1") is Opener.MACHINE
    assert wiring.judge_opener("GoogleImageProxy", None) is Opener.HUMAN
    assert wiring.judge_opener(None, None) is Opener.UNKNOWN
