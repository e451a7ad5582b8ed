"""Sending through SES: one call for each message, wherever the connection ends."""

import ssl
from collections.abc import Iterator
from dataclasses import replace

import boto3
import pytest
import trustme
from botocore.config import Config

from chalicelib.adapters.channels import SenderByChannel
from chalicelib.adapters.ses import SesSender
from chalicelib.adapters.ses.clients import MANAGING, SENDING
from chalicelib.adapters.ses.sender import RENEW_AFTER
from chalicelib.domain.delivery import (
    Accepted,
    Connected,
    Envelope,
    LongMessage,
    MessageTags,
    Outcome,
    Refused,
    Scope,
    TryLater,
    Unknown,
    Withheld,
)
from chalicelib.domain.identity import SES_SIZE_LIMIT
from chalicelib.domain.line import Line, SesChannel
from chalicelib.flow.composed import HAND_OVER
from chalicelib.settings import SesSettings
from tests.contract import smtp_builders
from tests.contract.faulty_ses import (
    MESSAGE_ID,
    SEND,
    Fault,
    FaultySes,
    answer,
    drop,
    error,
    hang,
    leave_unread,
    reset,
    say,
    then,
)
from tests.contract.smtp_builders import End
from tests.fakes.channel import FakeEmailSender
from tests.fakes.clock import HandClock

LINE = Line("line-1", "Shop", SesChannel("shop.example"), "news@shop.example")
TAGS = MessageTags("acc1", "cmp1", "c1", 2, 3)
ENVELOPE = Envelope("news@shop.example", "bob@mail.example", TAGS)
MESSAGE = b"Subject: hello\r\n\r\nFirst line\r\n"
PATIENT = SENDING.merge(Config(read_timeout=20))
IMPATIENT = SENDING.merge(Config(connect_timeout=1, read_timeout=1))  # where a time-out is the point


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_MAX_ATTEMPTS", "5"),  # an environment that wants retries doesn't get them
    ):
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it remembers credentials


def sender(
    endpoint: str, config: Config = PATIENT, *, tenants: bool = False, clock: HandClock | None = None
) -> SesSender:
    clock = clock or HandClock()
    settings = SesSettings("a-set", "arn:aws:ses:us-east-1:1", endpoint, tenants)
    return SesSender(settings, config, lambda: clock.now().timestamp())


def send(
    server: FaultySes, config: Config = PATIENT, envelope: Envelope = ENVELOPE, message: bytes = MESSAGE
) -> Outcome:
    return sender(server.endpoint, config).deliver(LINE, envelope, message, lambda: True)


def test_a_message_is_one_call_with_all_that_its_events_will_need() -> None:
    with FaultySes() as server:
        assert send(server) == Accepted(MESSAGE_ID)
        (request,) = server.requests
    assert request.path == SEND
    assert request.message == MESSAGE
    assert {name: value for name, value in request.body.items() if name != "Content"} == {
        "FromEmailAddress": "news@shop.example",
        "Destination": {"ToAddresses": ["bob@mail.example"]},
        "ConfigurationSetName": "a-set",
        "EmailTags": [
            {"Name": "account", "Value": "acc1"},
            {"Name": "campaign", "Value": "cmp1"},
            {"Name": "contact", "Value": "c1"},
            {"Name": "generation", "Value": "2"},
            {"Name": "attempt", "Value": "3"},
        ],
    }


def test_a_message_of_a_tenant_says_so() -> None:
    with FaultySes() as server:
        tenant = sender(server.endpoint, tenants=True)
        tenant.deliver(LINE, ENVELOPE, MESSAGE, lambda: True)
        tenant.deliver(LINE, replace(ENVELOPE, tags=None), MESSAGE, lambda: True)
        assert [request.body.get("TenantName") for request in server.sends] == ["acc1", None]
        assert "EmailTags" not in server.sends[1].body


def test_international_domains_go_as_a_labels() -> None:
    with FaultySes() as server:
        send(server, envelope=Envelope("news@bücher.example", "bob@müller.example"))
        body = server.sends[0].body
    assert body["FromEmailAddress"] == "news@xn--bcher-kva.example"
    assert body["Destination"] == {"ToAddresses": ["bob@xn--mller-kva.example"]}


@pytest.mark.parametrize(
    ("recipient", "message", "code", "scope"),
    [
        ("почта@mail.example", MESSAGE, "smtputf8_not_supported", Scope.CONTACT),
        ("a b@mail.example", MESSAGE, "address_invalid", Scope.CONTACT),
        ("bob@mail.example,eve@mail.example", MESSAGE, "address_invalid", Scope.CONTACT),
        ("bob@mail.example", bytes(SES_SIZE_LIMIT + 1), "message_too_large", Scope.CONTENT),
    ],
)
def test_what_ses_does_not_take_is_not_even_tried(
    recipient: str, message: bytes, code: str, scope: Scope
) -> None:
    with FaultySes() as server:
        outcome = send(server, envelope=replace(ENVELOPE, recipient=recipient), message=message)
        assert isinstance(outcome, Refused)
        assert (outcome.reason.code, outcome.scope) == (code, scope)
        assert server.connections == 0


def test_the_go_ahead_is_asked_once_and_before_anything_is_said() -> None:
    asked: list[int] = []

    def refuse() -> bool:
        asked.append(server.connections)
        return False

    with FaultySes() as server:
        assert sender(server.endpoint).deliver(LINE, ENVELOPE, MESSAGE, refuse) == Withheld()
        assert (asked, server.connections) == ([0], 0)


def test_what_fails_before_the_call_is_no_unknown_outcome() -> None:
    class Unreadable(End):
        def __iter__(self) -> Iterator[bytes]:
            raise FileNotFoundError

    def fail() -> bool:
        raise TimeoutError

    with FaultySes() as server:
        ses = sender(server.endpoint)
        unasked = ses.deliver(LINE, ENVELOPE, MESSAGE, fail)
        unread = ses.deliver(LINE, ENVELOPE, LongMessage(MESSAGE, Unreadable(1)), lambda: True)
        assert server.connections == 0
    for outcome, failure in ((unasked, TimeoutError), (unread, FileNotFoundError)):
        assert isinstance(outcome, Withheld)
        assert isinstance(outcome.failure, failure)


def test_a_line_is_ready_without_a_network_and_says_how_much_it_takes() -> None:
    with FaultySes() as server:
        assert sender(server.endpoint).connect(LINE, "") == Connected(SES_SIZE_LIMIT)
        assert server.connections == 0


HALF_AN_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
ENDS: dict[str, dict[str, list[Fault | None]]] = {
    "closed before anything was read": {"accept": [then(leave_unread, drop)]},
    "reset before anything was read": {"accept": [then(leave_unread, reset)]},
    "closed within the request": {"head": [drop]},
    "reset within the request": {"head": [reset]},
    "closed after the request": {"request": [drop]},
    "reset after the request": {"request": [reset]},
    "closed within the status line": {"request": [then(say(b"HTTP/1.1 2"), drop)]},
    "closed within the header": {"request": [then(say(b"HTTP/1.1 200 OK\r\nContent-Le"), drop)]},
    "closed within the body": {"request": [then(say(HALF_AN_ANSWER), drop)]},
    "no HTTP at all": {"request": [then(say(b"220 mail.example ESMTP\r\n"), drop)]},
    "a body that is no JSON": {"request": [answer(200, "<html>")]},
    "no message id": {"request": [answer(200, {})]},
    "a bare 500": {"request": [answer(500, "")]},
    "a 502 of somebody in between": {"request": [answer(502, "<html>Bad gateway</html>")]},
    "a 503 of somebody in between": {"request": [answer(503, "Service Unavailable")]},
    "a 504 of somebody in between": {"request": [answer(504, "<html>Gateway time-out</html>")]},
    "a fault of SES": {"request": [error(500, "InternalServiceErrorException", "boom")]},
    "a 400 of somebody in between": {"request": [answer(400, "<html>Bad request</html>")]},
    "a 408": {"request": [answer(408, "")]},
}


@pytest.mark.parametrize("where", ENDS)
def test_wherever_it_ends_without_a_word_of_ses_it_is_a_doubt_and_never_repeated(where: str) -> None:
    with FaultySes(ENDS[where]) as server:
        outcome = send(server)
        assert isinstance(outcome, Unknown), outcome
        assert outcome.reason.code == "outcome_unknown"
        assert (server.connections, len(server.sends) <= 1) == (1, True)


@pytest.mark.parametrize("point", ["accept", "head", "request"])
def test_silence_is_a_doubt_too(point: str) -> None:
    with FaultySes({point: [hang]}) as server:
        assert isinstance(send(server, IMPATIENT), Unknown)
        assert server.connections == 1


def test_this_server_does_see_a_second_copy_when_a_client_repeats_its_call() -> None:
    """The proof that the tests above would notice: with retries on, one lost reply makes two copies."""
    with FaultySes({"request": [drop]}) as server:
        assert send(server, MANAGING) == Accepted(MESSAGE_ID)
        assert len(server.sends) == 2


@pytest.mark.parametrize(
    ("fault", "kind", "code"),
    [
        (
            error(429, "TooManyRequestsException", "Maximum sending rate exceeded."),
            TryLater,
            "sending_too_fast",
        ),
        (error(400, "LimitExceededException"), TryLater, "sending_quota_used_up"),
        (error(400, "MessageRejected", "Email address is not verified."), Refused, "from_not_verified"),
        (error(400, "SendingPausedException"), Refused, "ses_paused"),
        (error(403, "AccessDeniedException"), Refused, "ses_not_allowed"),
        (error(404, "NotFoundException", "Configuration set does not exist"), Refused, "ses_misconfigured"),
    ],
)
def test_an_error_of_ses_is_a_clear_no_after_one_call(fault: Fault, kind: type, code: str) -> None:
    with FaultySes({"request": [fault]}) as server:
        outcome = send(server)
        assert isinstance(outcome, TryLater | Refused)
        assert (type(outcome), outcome.reason.code, len(server.sends)) == (kind, code, 1)


def test_in_the_sandbox_it_is_the_address_on_the_wire_that_ses_names() -> None:
    said = (
        "Email address is not verified. The following identities failed the check: bob@xn--mller-kva.example"
    )
    with FaultySes({"request": [error(400, "MessageRejected", said)]}) as server:
        outcome = send(server, envelope=replace(ENVELOPE, recipient="bob@müller.example"))
    assert isinstance(outcome, Refused)
    assert (outcome.reason.code, outcome.scope) == ("recipient_not_verified", Scope.CONTACT)


def test_where_nobody_listens_nothing_was_handed_over() -> None:
    with FaultySes() as server:
        gone = server.endpoint
    outcome = sender(gone).deliver(LINE, ENVELOPE, MESSAGE, lambda: True)
    assert isinstance(outcome, TryLater)
    assert (outcome.reason.code, outcome.scope) == ("ses_unreachable", Scope.LINE)


@pytest.fixture
def certificate() -> ssl.SSLContext:
    """Of an authority that nobody knows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    return context


def test_to_a_stranger_nothing_is_said(certificate: ssl.SSLContext) -> None:
    with FaultySes(tls=certificate) as server:
        outcome = send(server)
        assert isinstance(outcome, TryLater)
        assert (outcome.reason.code, server.requests) == ("ses_unreachable", [])


def test_without_credentials_nothing_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    nothing = str(tmp_path_factory.mktemp("home") / "none")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", nothing)
    monkeypatch.setenv("AWS_CONFIG_FILE", nothing)
    with FaultySes() as server:
        outcome = send(server)
        assert isinstance(outcome, TryLater)
        assert server.connections == 0


def test_one_call_takes_less_time_than_a_go_ahead_leaves() -> None:
    assert SENDING.connect_timeout + SENDING.read_timeout < HAND_OVER.total_seconds()
    assert SENDING.retries["total_max_attempts"] == 1


def test_several_messages_share_a_connection() -> None:
    with FaultySes() as server:
        warm = sender(server.endpoint)
        outcomes = [warm.deliver(LINE, ENVELOPE, MESSAGE, lambda: True) for _ in range(3)]
        assert outcomes == [Accepted(MESSAGE_ID)] * 3
        assert (server.connections, len(server.sends)) == (1, 3)


def test_a_connection_that_was_closed_while_it_rested_costs_nobody_a_message() -> None:
    with FaultySes({"request": [then(answer(200, {"MessageId": "one"}), drop)]}) as server:
        warm = sender(server.endpoint)
        assert warm.deliver(LINE, ENVELOPE, MESSAGE, lambda: True) == Accepted("one")
        server.stopping.wait(0.2)
        assert warm.deliver(LINE, ENVELOPE, MESSAGE, lambda: True) == Accepted(MESSAGE_ID)


@pytest.mark.parametrize(
    ("rest", "connections"), [(0, 1), (RENEW_AFTER - 1, 1), (RENEW_AFTER, 2), (86_400, 2), (-60, 2)]
)
def test_a_connection_that_has_rested_is_not_used_again(rest: float, connections: int) -> None:
    clock = HandClock()
    with FaultySes() as server:
        warm = sender(server.endpoint, clock=clock)
        assert warm.deliver(LINE, ENVELOPE, MESSAGE, lambda: True) == Accepted(MESSAGE_ID)
        clock.wait(seconds=rest)
        outcomes = [warm.deliver(LINE, ENVELOPE, MESSAGE, lambda: True) for _ in range(2)]
        assert outcomes == [Accepted(MESSAGE_ID)] * 2
        assert (server.connections, len(server.sends)) == (connections, 3)


def test_a_connection_that_died_while_the_process_was_frozen_makes_no_doubt() -> None:
    """It looks alive: only what is written into it meets its end."""
    clock = HandClock()
    dying = then(answer(200, {"MessageId": "one"}), leave_unread, reset)
    with FaultySes({"request": [dying]}) as server:
        warm = sender(server.endpoint, clock=clock)
        assert warm.deliver(LINE, ENVELOPE, MESSAGE, lambda: True) == Accepted("one")
        clock.wait(minutes=10)
        assert warm.deliver(LINE, ENVELOPE, MESSAGE, lambda: True) == Accepted(MESSAGE_ID)
        assert (server.connections, len(server.sends)) == (2, 2)


def test_each_line_goes_through_the_sender_of_its_channel_made_on_first_use() -> None:
    smtp, ses, made = FakeEmailSender(), FakeEmailSender(), []

    def make(name: str, one: FakeEmailSender) -> FakeEmailSender:
        made.append(name)
        return one

    both = SenderByChannel(lambda: make("smtp", smtp), lambda: make("ses", ses))
    assert made == []
    for _ in range(2):
        both.connect(LINE, "")
        both.deliver(LINE, ENVELOPE, MESSAGE, lambda: True)
    assert (made, len(ses.accepted), smtp.accepted) == (["ses"], 2, [])
    both.connect(smtp_builders.line(25), "secret")
    both.deliver(smtp_builders.line(25), ENVELOPE, MESSAGE, lambda: True)
    assert (made, smtp.passwords, len(smtp.accepted)) == (["ses", "smtp"], ["secret"], 1)
