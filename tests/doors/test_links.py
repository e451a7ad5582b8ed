"""Links in messages, as recipients, their programs and strangers follow them."""

import base64
from dataclasses import dataclass, field
from typing import Any

import pytest

from app import app
from chalicelib import wiring
from chalicelib.domain.attachment import AttachmentUpload
from chalicelib.domain.delivery import MessageTags
from chalicelib.domain.delivery_event import DeliveryEvent, EventType, Opener
from chalicelib.domain.link_tokens import SECRET_BYTES, SigningKey, TokenKind, TokenRing
from chalicelib.domain.message_links import OF_A_TEST
from chalicelib.flow.download import DownloadPorts
from chalicelib.flow.follow_link import LinkPorts
from tests.doors.in_process import Context, OutOfReach
from tests.fakes.clock import HandClock
from tests.fakes.world import ACCOUNT, World

TAGS = MessageTags("acc1", "camp1", "contact1", 1, 1)
RING = TokenRing([SigningKey(1, b"k" * SECRET_BYTES)])
UNSUBSCRIBE, OPEN, DOWNLOAD = (
    RING.seal(kind, TAGS) for kind in (TokenKind.UNSUBSCRIBE, TokenKind.OPEN, TokenKind.DOWNLOAD)
)
LONG = "a" * 9_000
FORGED = (LONG, "x", "1.a.b.c.1.1", UNSUBSCRIBE[:-1] + "2", OPEN, "9" + UNSUBSCRIBE, "<script>", "é")
ONE_CLICK = "List-Unsubscribe=One-Click"


@dataclass
class Recipients:
    """What the links lead to: it remembers the events, and may be out of reach."""

    events: list[DeliveryEvent] = field(default_factory=list)
    reachable: bool = True
    known: bool = True
    judged: list[tuple[str, str]] = field(default_factory=list)

    def track(self, event: DeliveryEvent) -> bool:
        if not self.reachable:
            raise OutOfReach("the secret host name")
        self.events.append(event)
        return self.known

    def judge(self, user_agent: str, source_ip: str) -> Opener:
        self.judged.append((user_agent, source_ip))
        return Opener.MACHINE


@pytest.fixture
def recipients(monkeypatch: pytest.MonkeyPatch) -> Recipients:
    made = Recipients()
    monkeypatch.setattr(wiring, "link_ports", lambda: LinkPorts(RING, made.track, HandClock()))
    monkeypatch.setattr(wiring, "judge_opener", made.judge)
    return made


def visit(
    method: str, path: str, token: str, body: str | None = None, file: str = "", **headers: str
) -> dict[str, Any]:
    """The gateway's answer to a request without an API key."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    event = {
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": sent,
        "multiValueHeaders": {name: [value] for name, value in sent.items()},
        "multiValueQueryStringParameters": None,
        "pathParameters": {"token": token} | ({"attachment_id": file} if file else {}),
        "stageVariables": None,
        "body": body,
        "isBase64Encoded": False,
        "requestContext": {
            "httpMethod": method,
            "resourcePath": path,
            "identity": {"sourceIp": "192.0.2.7"},
        },
    }
    answer: dict[str, Any] = app(event, Context())
    return answer


def ask(token: str = UNSUBSCRIBE, **headers: str) -> dict[str, Any]:
    return visit("GET", "/u/{token}", token, **headers)


def post(token: str = UNSUBSCRIBE, **headers: str) -> dict[str, Any]:
    form = {"content_type": "application/x-www-form-urlencoded", **headers}
    return visit("POST", "/u/{token}", token, ONE_CLICK, **form)


def fetch(token: str = OPEN, **headers: str) -> dict[str, Any]:
    return visit("GET", "/o/{token}", token, **headers)


class TestUnsubscribe:
    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    def test_reading_the_page_does_nothing(self, recipients: Recipients, method: str) -> None:
        answer = visit(method, "/u/{token}", UNSUBSCRIBE, user_agent="Link scanner")
        assert answer["statusCode"] == 200
        assert recipients.events == []

    def test_the_page_asks_by_a_form_that_posts_to_its_own_address(self, recipients: Recipients) -> None:
        body = ask()["body"]
        assert '<form method="post"><button>Unsubscribe</button></form>' in body
        assert "<script" not in body
        assert "//" not in body

    def test_a_post_unsubscribes_the_address_for_good(self, recipients: Recipients) -> None:
        answer = post()
        assert answer["statusCode"] == 200
        assert "You are unsubscribed" in answer["body"]
        (event,) = recipients.events
        assert (event.type, event.tags, event.suppress) == (EventType.UNSUBSCRIBE, TAGS, True)

    @pytest.mark.parametrize(
        "content_type",
        ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain", ""],
    )
    def test_whatever_kind_of_form_a_provider_posts(self, recipients: Recipients, content_type: str) -> None:
        assert post(content_type=content_type)["statusCode"] == 200
        assert len(recipients.events) == 1

    def test_posting_again_is_answered_the_same(self, recipients: Recipients) -> None:
        assert post() == post()
        assert len(recipients.events) == 2

    @pytest.mark.parametrize("token", FORGED)
    def test_a_token_that_is_not_ours_does_nothing_and_is_answered_like_one_of_a_contact_that_is_gone(
        self, recipients: Recipients, token: str
    ) -> None:
        recipients.known = False
        gone = post()
        recipients.events.clear()
        assert ask(token) == ask()
        assert post(token) == gone
        assert recipients.events == []

    def test_a_contact_that_is_gone_is_not_told_that_it_was_done(self, recipients: Recipients) -> None:
        recipients.known = False
        answer = post()
        assert answer["statusCode"] == 404
        assert "You were not unsubscribed by it" in answer["body"]
        assert "<form" not in answer["body"]

    def test_what_was_not_done_is_not_called_done(
        self, recipients: Recipients, capsys: pytest.CaptureFixture[str]
    ) -> None:
        recipients.reachable = False
        answer = post()
        assert answer["statusCode"] == 503
        assert answer["headers"]["Retry-After"] == "60"
        assert "not unsubscribed yet" in answer["body"]
        logged = capsys.readouterr().out
        assert "secret" not in answer["body"] + logged
        assert UNSUBSCRIBE not in logged

    @pytest.mark.parametrize(
        ("accepted", "language", "word"),
        [
            ("", "en", "Unsubscribe"),
            ("ru-RU,ru;q=0.9,en;q=0.8", "ru", "Отписаться"),
            ("en-GB,en;q=0.9,ru;q=0.8", "en", "Unsubscribe"),
        ],
    )
    def test_the_page_speaks_the_browsers_language(
        self, recipients: Recipients, accepted: str, language: str, word: str
    ) -> None:
        answer = ask(accept_language=accepted)
        assert f'<html lang="{language}">' in answer["body"]
        assert f"<button>{word}</button>" in answer["body"]
        assert answer["headers"]["Content-Language"] == language
        assert answer["headers"]["Vary"] == "Accept-Language"
        done = post(accept_language=accepted)["body"]
        assert f'<html lang="{language}">' in done

    @pytest.mark.parametrize(("accepted", "words"), [("en", "a test message"), ("ru", "тестовое письмо")])
    def test_the_link_of_a_test_message_says_so_and_unsubscribes_nobody(
        self, recipients: Recipients, accepted: str, words: str
    ) -> None:
        shown = ask(OF_A_TEST, accept_language=accepted)
        assert shown == post(OF_A_TEST, accept_language=accepted)
        assert shown["statusCode"] == 200
        assert words in shown["body"]
        assert "<form" not in shown["body"]
        assert recipients.events == []

    def test_nobody_keeps_frames_or_lists_the_page(self, recipients: Recipients) -> None:
        for answer in (ask(), post(), post("forged"), ask(OF_A_TEST)):
            headers = answer["headers"]
            assert "no-store" in headers["Cache-Control"]
            assert headers["X-Robots-Tag"] == "noindex, nofollow"
            assert headers["Referrer-Policy"] == "no-referrer"
            policy = headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert "Set-Cookie" not in headers
            assert "Location" not in headers


class TestPixel:
    def test_the_picture_is_the_same_for_every_token_and_every_client(self, recipients: Recipients) -> None:
        answers = [fetch(), *(fetch(token) for token in (*FORGED, UNSUBSCRIBE, OF_A_TEST))]
        answers += [fetch(accept=accept) for accept in ("image/webp,image/png", "text/html", "*/*")]
        assert all(answer == answers[0] for answer in answers)
        answer = answers[0]
        assert (answer["statusCode"], answer["isBase64Encoded"]) == (200, True)
        picture = base64.b64decode(answer["body"])
        assert len(picture) == 43
        assert picture.startswith(b"GIF89a\x01\x00\x01\x00")
        assert answer["headers"]["Content-Type"] == "image/gif"
        assert answer["headers"]["Cache-Control"] == "no-store, no-cache, private, max-age=0"

    def test_it_tells_of_the_opening_and_who_it_seems_to_be_but_not_who_it_was(
        self, recipients: Recipients, capsys: pytest.CaptureFixture[str]
    ) -> None:
        fetch(user_agent="A proxy")
        (event,) = recipients.events
        assert (event.type, event.tags, event.opener) == (EventType.OPEN, TAGS, Opener.MACHINE)
        assert event.suppress is False
        assert recipients.judged == [("A proxy", "192.0.2.7")]
        assert not any(word in repr(event) + capsys.readouterr().out for word in ("A proxy", "192.0.2.7"))

    def test_a_token_that_is_not_ours_opens_nothing(self, recipients: Recipients) -> None:
        for token in (*FORGED[:3], UNSUBSCRIBE, OF_A_TEST):
            fetch(token)
        assert recipients.events == []

    def test_asking_whether_there_is_a_picture_opens_nothing(self, recipients: Recipients) -> None:
        assert visit("HEAD", "/o/{token}", OPEN)["headers"] == fetch("forged")["headers"]
        assert recipients.events == []

    def test_it_is_the_same_picture_when_the_contact_is_gone(self, recipients: Recipients) -> None:
        shown = fetch()
        recipients.known = False
        assert fetch() == shown

    def test_it_is_shown_when_nothing_can_be_noted(
        self, recipients: Recipients, capsys: pytest.CaptureFixture[str]
    ) -> None:
        shown = fetch()
        recipients.reachable = False
        assert fetch() == shown
        logged = capsys.readouterr().out
        assert '"event": "visit_failed"' in logged
        assert OPEN not in logged


class TestDownloads:
    """A file that was too large for its message; ``world`` has the message's campaign and the file."""

    @pytest.fixture
    def world(self, recipients: Recipients, monkeypatch: pytest.MonkeyPatch) -> World:
        made = World()
        made.add_line()
        one = made.add_campaign(1)
        contact = made.only(one.campaign_id)
        self.token = RING.seal(
            TokenKind.DOWNLOAD, MessageTags(ACCOUNT, one.campaign_id, contact.contact_id, 1, 1)
        )
        upload = AttachmentUpload("f1", one.campaign_id, "Договор.pdf", None, made.clock.now())
        made.attachments.add(ACCOUNT, upload)
        made.attachments.ready(ACCOUNT, upload, 5, "d" * 64)
        made.attachments.use(ACCOUNT, one.campaign_id, "f1")
        ports = DownloadPorts(wiring.link_ports(), made.contacts, made.attachments, made.files)
        monkeypatch.setattr(wiring, "download_ports", lambda: ports)
        return made

    def get(self, token: str, file: str = "f1", method: str = "GET", **headers: str) -> dict[str, Any]:
        return visit(method, "/d/{token}/{attachment_id}", token, file=file, **headers)

    def test_the_link_leads_to_the_file_and_is_noted(self, world: World, recipients: Recipients) -> None:
        answer = self.get(self.token, user_agent="A browser")
        assert answer["statusCode"] == 302
        assert "Договор.pdf" in answer["headers"]["Location"]
        assert answer["headers"]["Cache-Control"].startswith("no-store")
        (event,) = recipients.events
        assert (event.type, event.opener) == (EventType.DOWNLOAD, Opener.MACHINE)
        assert recipients.judged == [("A browser", "192.0.2.7")]

    @pytest.mark.parametrize("token", [*FORGED, DOWNLOAD])
    def test_nothing_else_leads_anywhere(self, world: World, recipients: Recipients, token: str) -> None:
        answer = self.get(token)
        assert answer["statusCode"] == 404
        assert "There is no file here" in answer["body"]
        assert recipients.events == []
        assert self.get(self.token, "f2")["statusCode"] == 404

    @pytest.mark.parametrize("file", [LONG, "€" * 342, "f1" + "\0" * 300], ids=["long", "wide", "nul"])
    def test_a_file_that_nothing_can_be_called_is_not_there(
        self, world: World, recipients: Recipients, file: str
    ) -> None:
        assert self.get(self.token, file) == self.get(self.token, "f2")
        assert self.get(self.token, file, "HEAD") == self.get(self.token, "f2", "HEAD")
        assert recipients.events == []

    def test_asking_whether_there_is_something_notes_nothing(
        self, world: World, recipients: Recipients
    ) -> None:
        answers = [self.get(token, method="HEAD") for token in (self.token, "forged")]
        assert answers[0] == answers[1]
        assert recipients.events == []

    def test_nobody_is_kept_from_a_file_because_it_can_not_be_noted(
        self, world: World, recipients: Recipients, capsys: pytest.CaptureFixture[str]
    ) -> None:
        recipients.reachable = False
        assert self.get(self.token)["statusCode"] == 302
        logged = capsys.readouterr().out
        assert '"event": "download_not_noted"' in logged
        assert self.token not in logged

    def test_a_link_of_a_test_message_says_so(self, world: World) -> None:
        answer = self.get("test", accept_language="ru")
        assert (answer["statusCode"], answer["headers"]["Content-Language"]) == (200, "ru")
        assert "Это тестовое письмо" in answer["body"]

    def test_a_fault_of_ours_asks_to_try_again(self, recipients: Recipients) -> None:
        def out_of_reach() -> None:
            raise OutOfReach("the secret host name")

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(wiring, "download_ports", out_of_reach)
            answer = self.get("1.x.y.c.1.1")
        assert (answer["statusCode"], answer["headers"]["Retry-After"]) == (503, "60")
        assert "secret" not in answer["body"]
