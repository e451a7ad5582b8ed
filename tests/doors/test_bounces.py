"""Bounces as they come to the doors: posted, from a mailbox, from a file that SES wrote."""

import base64
import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from app import app
from chalicelib import wiring
from chalicelib.blueprints.api.requests import MAX_BODY
from chalicelib.blueprints.bounce_reader import read_bounces, start_bounce_reading
from chalicelib.domain.line import MailboxState
from chalicelib.flow.bounce_mailboxes import MailboxPorts, ReadingPorts
from chalicelib.settings import Settings
from tests.doors.events import TICK, failed_ids, sqs_event, upload_notification
from tests.doors.in_process import Context
from tests.doors.test_routes import request
from tests.environment import environment
from tests.fakes.mailboxes import FakeMailboxReader
from tests.fakes.queues import FakeJobQueue
from tests.fakes.world import ACCOUNT, STRANGER
from tests.unit.flow.bounce_builders import Sent, sent

MAILBOX = {"host": "imap.shop.example", "username": "bounces@shop.example", "password": "imap secret"}
LINE = {
    "name": "Shop",
    "from_address": "news@shop.example",
    "smtp": {"host": "smtp.shop.example", "port": 587, "username": "u", "password": "p"},
}


@dataclass
class Deployment:
    """A world behind the doors, in which a message was sent."""

    sent: Sent = field(default_factory=sent)
    queue: FakeJobQueue = field(default_factory=FakeJobQueue)
    servers: FakeMailboxReader = field(default_factory=FakeMailboxReader)
    env: dict[str, str] = field(default_factory=dict)

    def mailbox_ports(self) -> MailboxPorts:
        world = self.sent.world
        return MailboxPorts(world.lines, world.secrets, self.queue, world.clock)

    def reading_ports(self) -> ReadingPorts:
        world = self.sent.world
        return ReadingPorts(world.lines, world.secrets, self.servers, self.sent.ports, world.clock)


@pytest.fixture
def deployment(monkeypatch: pytest.MonkeyPatch) -> Deployment:
    made = Deployment()
    world = made.sent.world
    for name, value in {
        "settings": lambda: Settings.from_environment(environment(**made.env)),
        "accounts": lambda: world.accounts,
        "usage": lambda: world.usage,
        "lines": lambda: world.lines,
        "files": lambda: world.files,
        "line_ports": lambda: world.line_ports,
        "brake_ports": lambda: world.brake_ports,
        "bounce_queue": lambda: made.queue,
        "bounce_ports": lambda: made.sent.ports,
        "mailbox_ports": made.mailbox_ports,
        "reading_ports": made.reading_ports,
    }.items():
        monkeypatch.setattr(wiring, name, value)
    return made


def call(
    method: str,
    path: str,
    body: Any = None,
    *,
    raw: bytes | None = None,
    media_type: str = "application/json",
    account: str = ACCOUNT,
    **ids: str,
) -> tuple[int, Any]:
    """The status and the answer of a request; ``raw`` bytes come as the gateway hands them over."""
    text = base64.b64encode(raw).decode() if raw is not None else json.dumps(body) if body else None
    event = request(method, path, text, account=account, encoded=raw is not None)
    event["headers"] = {"Content-Type": media_type}
    event["multiValueHeaders"] = {"Content-Type": [media_type]}
    event["pathParameters"] = ids or None
    answer = app(event, Context())
    return answer["statusCode"], json.loads(answer["body"] or "null")


def post(raw: bytes, media_type: str = "message/rfc822", account: str = ACCOUNT) -> tuple[int, Any]:
    return call("POST", "/bounces", raw=raw, media_type=media_type, account=account)


def wrong(answer: tuple[int, Any]) -> dict[str, str]:
    """What is said of each wrong field."""
    status, problem = answer
    assert (status, problem["code"]) == (422, "invalid")
    return {error["field"]: error["message"] for error in problem["errors"]}


def test_a_posted_bounce_is_taken_in_and_answered_with_its_contact(deployment: Deployment) -> None:
    message = deployment.sent
    status, shown = post(message.report(token=message.token))
    assert status == 200
    assert (shown["kind"], shown["bounce_type"]) == ("failure", "permanent")
    assert shown["reason"]["code"] == "mailbox_unknown"
    assert (shown["campaign_id"], shown["contact_id"]) == (message.tags.campaign_id, message.tags.contact_id)
    assert [event.tags for event in message.events] == [message.tags]
    assert post(message.report(token=message.token)) == (200, shown)


def test_what_is_no_bounce_of_the_account_is_told_and_changes_nothing(deployment: Deployment) -> None:
    message = deployment.sent
    assert post(b"Subject: Hello\n\nHow are you?")[1] == {
        "kind": "nothing",
        "bounce_type": None,
        "reason": None,
        "campaign_id": None,
        "contact_id": None,
    }
    _, shown = post(message.report(token=message.token), account=STRANGER)
    assert (shown["kind"], shown["campaign_id"], shown["contact_id"]) == ("failure", None, None)
    assert message.events == []


@pytest.mark.parametrize(
    ("raw", "media_type", "status", "code"),
    [
        (b"{}", "application/json", 415, "unsupported_media_type"),
        (b"Subject: x\n\n", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
        (b" \r\n", "message/rfc822", 400, "no_message"),
        (b"a" * (MAX_BODY + 1), "message/rfc822", 413, "too_large"),
    ],
)
def test_what_is_no_message_is_refused(
    deployment: Deployment, raw: bytes, media_type: str, status: int, code: str
) -> None:
    found, problem = post(raw, media_type)
    assert (found, problem["code"]) == (status, code)
    assert deployment.sent.events == []


@pytest.mark.parametrize("raw", [b"\xff\xfe\x00", b"a" * MAX_BODY, b"Subject: \xe9\n\n" + b"\0" * 1000])
def test_any_bytes_have_an_answer(deployment: Deployment, raw: bytes) -> None:
    status, shown = post(raw, "Message/RFC822; charset=x")
    assert (status, shown["kind"]) == (200, "nothing")
    assert deployment.sent.events == []


def test_a_mailbox_is_set_shown_without_its_password_and_taken_away(deployment: Deployment) -> None:
    path = "/lines/{line_id}/bounce-mailbox"
    status, shown = call("POST", path, MAILBOX, line_id="line1")
    assert status == 202
    assert shown["bounce_mailbox"] == {
        "host": "imap.shop.example",
        "port": 993,
        "security": "tls",
        "username": "bounces@shop.example",
        "state": "new",
        "checked_at": None,
        "reason": None,
    }
    assert deployment.queue.take() == [{"account_id": ACCOUNT, "line_id": "line1"}]
    assert call("DELETE", path, line_id="line1") == (204, None)
    assert call("GET", "/lines/{line_id}", line_id="line1")[1]["bounce_mailbox"] is None
    for method, body in (("POST", MAILBOX), ("DELETE", None)):
        assert call(method, path, body, account=STRANGER, line_id="line1")[0] == 404


@pytest.mark.parametrize(
    ("changes", "name", "says"),
    [
        ({"host": "127.0.0.1"}, "host", "Give a host name such as imap.example.com"),
        ({"host": "localhost"}, "host", "Give a host name such as imap.example.com"),
        ({"port": 25}, "port", "Use one of the ports 993, 143."),
        ({"security": "none"}, "security", "Input should be"),
        ({"username": ""}, "username", "at least 1"),
        ({"password": "a\r\nb"}, "password", "Use one line without control characters."),
        ({"folder": "INBOX"}, "folder", "Extra inputs"),
    ],
)
def test_a_mailbox_that_can_not_be_read_is_refused(
    deployment: Deployment, changes: dict[str, Any], name: str, says: str
) -> None:
    answer = call("POST", "/lines/{line_id}/bounce-mailbox", {**MAILBOX, **changes}, line_id="line1")
    assert says in wrong(answer)[name]
    assert deployment.queue.take() == []


def test_a_line_has_its_own_return_path(deployment: Deployment) -> None:
    status, shown = call("POST", "/lines", {**LINE, "return_path": "bounces+{token}@shop.example"})
    assert (status, shown["return_path"]) == (201, "bounces+{token}@shop.example")
    assert deployment.sent.world.lines.get(ACCOUNT, shown["line_id"]).return_path == shown["return_path"]
    assert call("POST", "/lines", LINE)[1]["return_path"] is None
    refused = call("POST", "/lines", {**LINE, "return_path": "bounces@shop.example"})
    assert wrong(refused) == {
        "return_path": "Write {token} once before the @, as in bounces+{token}@example.com."
    }


def test_under_the_operators_domain_each_account_has_its_own(deployment: Deployment) -> None:
    assert call("GET", "/account")[1]["return_path"] is None
    deployment.env["INBOUND_DOMAIN"] = "in.example"
    own = call("GET", "/account")[1]["return_path"]
    assert own == f"{{token}}@{ACCOUNT}.in.example"
    assert call("POST", "/lines", {**LINE, "return_path": own})[0] == 201
    for host in (f"{STRANGER}.in.example", "in.example", f"x.{ACCOUNT}.in.example"):
        refused = call("POST", "/lines", {**LINE, "return_path": f"{{token}}@{host}"})
        assert wrong(refused) == {"return_path": f"Under this domain, yours is {own}."}
    assert call("POST", "/lines", {**LINE, "return_path": "{token}@win.example"})[0] == 201


def test_the_round_asks_for_each_mailbox_and_the_reader_reads_it(deployment: Deployment) -> None:
    message, mailbox = deployment.sent, deployment.servers.mailbox
    call("POST", "/lines/{line_id}/bounce-mailbox", MAILBOX, line_id="line1")
    deployment.queue.take()
    mailbox.add(message.world.clock.now().date(), message.report(token=message.token))
    start_bounce_reading(TICK, Context())
    orders = deployment.queue.take()
    assert orders == [{"account_id": ACCOUNT, "line_id": "line1"}]
    assert failed_ids(read_bounces(sqs_event(*orders), Context())) == []
    assert [event.tags for event in message.events] == [message.tags]
    shown = call("GET", "/lines/{line_id}", line_id="line1")[1]["bounce_mailbox"]
    assert (shown["state"], shown["reason"]) == (MailboxState.READING, None)


def test_a_file_of_ses_is_taken_in_and_one_that_fails_comes_back(deployment: Deployment) -> None:
    message = deployment.sent
    message.world.files.contents["inbound/a b"] = message.report(token=message.token)
    notifications = [upload_notification("inbound/gone"), upload_notification("inbound/a b")]
    assert failed_ids(read_bounces(sqs_event(*notifications), Context())) == ["message-0"]
    assert [event.tags for event in message.events] == [message.tags]


def test_nobodys_address_is_logged(deployment: Deployment, capsys: pytest.CaptureFixture[str]) -> None:
    message = deployment.sent
    post(message.report(token=message.token))
    message.world.files.contents["inbound/1"] = message.report(token=message.token)
    read_bounces(sqs_event(upload_notification("inbound/1")), Context())
    assert len(message.events) == 2
    assert "@" not in capsys.readouterr().out
