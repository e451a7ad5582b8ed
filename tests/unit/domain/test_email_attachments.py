"""Messages with files: the structure that readers expect, and the same bytes for everybody at the end."""

from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.attachment import Attachment, encoded, media_type
from chalicelib.domain.content import Content
from chalicelib.domain.delivery import LongMessage
from chalicelib.domain.dkim import signed
from chalicelib.domain.email import CompiledMessage, compile_message
from chalicelib.domain.personalization import Links
from tests.rfc5322 import ALWAYS, check_bytes
from tests.unit.domain.message_builders import (
    ANNA,
    CUSTOMS,
    MESSAGE_ID,
    NOW,
    SENDER,
    compiled_if_it_can_be,
    rich_templates,
    unhurried,
)
from tests.unit.domain.test_dkim import key, verifies

BYTES = {
    "plan.pdf": b"%PDF-1.7 \x00 plan",
    "Договор.docx": b"PK\x03\x04" + b"\xff" * 5000,
    "logo.png": b"png",
}
LINKS = Links("https://mail.example/u/t.1", "https://mail.example/o/t.1", "https://mail.example/d/t.1/")


class End:
    """The files as a sender has them at hand."""

    def __init__(self, pieces: tuple[bytes | Attachment, ...]) -> None:
        self.bytes = [
            piece if isinstance(piece, bytes) else b"".join(encoded([BYTES[piece.file_name]]))
            for piece in pieces
        ]

    def __len__(self) -> int:
        return sum(map(len, self.bytes))

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.bytes)


def file(name: str, content_id: str | None = None, size: int | None = None) -> Attachment:
    raw = len(BYTES[name]) if size is None else size
    return Attachment(f"id{len(name)}", name, media_type(name), raw, "d" * 64, content_id)


PLAN, CONTRACT, LOGO = file("plan.pdf"), file("Договор.docx"), file("logo.png", "logo")
HTML = '<p>Dear [firstName],</p><img src="cid:logo">'


def compiled(*files: Attachment, html: str = HTML, capacity: int = 1_000_000) -> CompiledMessage:
    content = Content("Hello [firstName]", html, attachments=files)
    return compile_message(content, SENDER, capacity=capacity)


def whole(message: CompiledMessage) -> bytes:
    own = message.render(ANNA, MESSAGE_ID, NOW, LINKS)
    return bytes(LongMessage(own, End(message.end))) if message.end else own


def parsed(raw: bytes) -> EmailMessage:
    check_bytes(raw)
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    assert message.keys() == list(ALWAYS)
    assert all(part.defects == [] for part in message.walk())
    return message


def shape(part: EmailMessage) -> object:
    if not part.is_multipart():
        return part.get_content_type()
    return part.get_content_type().removeprefix("multipart/"), *(shape(one) for one in part.iter_parts())


TEXTS = ("alternative", "text/plain", "text/html")
WITH_LOGO = ("alternative", "text/plain", ("related", "text/html", "image/png"))


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ((), TEXTS),
        ((PLAN,), ("mixed", TEXTS, "application/pdf")),
        ((PLAN, CONTRACT), ("mixed", TEXTS, "application/pdf", CONTRACT.media_type)),
        ((LOGO,), WITH_LOGO),
        ((CONTRACT, LOGO, PLAN), ("mixed", WITH_LOGO, CONTRACT.media_type, "application/pdf")),
    ],
)
def test_the_structure_is_the_one_that_readers_expect(
    files: tuple[Attachment, ...], expected: object
) -> None:
    message = compiled(*files)
    found = parsed(whole(message))
    assert shape(found) == expected
    assert message.linked == ()
    bytes_found = {
        part.get_filename(): part.get_payload(decode=True) for part in found.walk() if part.get_filename()
    }
    assert bytes_found == {one.file_name: BYTES[one.file_name] for one in files}


def test_an_image_is_found_by_the_name_that_the_html_calls_it() -> None:
    message = parsed(whole(compiled(LOGO)))
    html = next(part for part in message.walk() if part.get_content_type() == "text/html").get_content()
    image = next(part for part in message.walk() if part.get_content_type() == "image/png")
    assert f'src="cid:{image["Content-ID"].strip("<>")}"' in html
    assert image.get_content_disposition() == "inline"


def test_an_image_that_the_html_does_not_show_is_a_file_like_others() -> None:
    message = parsed(whole(compiled(LOGO, html="<p>Hi</p>")))
    assert shape(message) == ("mixed", TEXTS, "image/png")
    image = next(part for part in message.walk() if part.get_content_type() == "image/png")
    assert (image.get_content_disposition(), image["Content-ID"]) == ("attachment", None)


@unhurried
@given(rich_templates, st.sampled_from([(PLAN,), (LOGO, CONTRACT)]))
def test_whatever_the_author_wrote_the_message_stays_whole(html: str, files: tuple[Attachment, ...]) -> None:
    content = Content("Hi", html + '<img src="cid:logo">', variables=CUSTOMS, attachments=files)
    message = compiled_if_it_can_be(content)
    names = [part.get_filename() for part in parsed(whole(message)).walk() if part.get_filename()]
    assert names == [one.file_name for one in files]


class TestWhatDoesNotFit:
    def test_it_becomes_a_link_in_both_texts(self) -> None:
        large = replace(PLAN, size=60_000_000)
        message = compiled(CONTRACT, large, capacity=40_000_000)
        assert message.linked == (large,)
        found = parsed(whole(message))
        assert shape(found) == ("mixed", TEXTS, CONTRACT.media_type)
        texts = [part.get_content() for part in found.walk() if part.get_content_maintype() == "text"]
        text, html = (one.replace("\r\n", "\n") for one in texts)
        url = f"{LINKS.download}{large.attachment_id}"
        assert f"plan.pdf (60.0 MB, 30 days · 30 дней): {url}\n" in text
        assert f'<a style="color:#1a5fb4" href="{url}">plan.pdf</a>' in html

    def test_a_name_stays_a_name_in_the_card(self) -> None:
        hostile = replace(PLAN, file_name="a&b'[firstName].pdf", size=60_000_000)
        found = parsed(whole(compiled(hostile, capacity=40_000_000)))
        html = next(part for part in found.walk() if part.get_content_type() == "text/html").get_content()
        assert ">a&amp;b&#x27;[firstName].pdf</a>" in html

    def test_a_message_that_must_have_a_link_is_never_made_without(self) -> None:
        message = compiled(replace(PLAN, size=60_000_000), capacity=40_000_000)
        with pytest.raises(ValueError, match="download link"):
            message.render(ANNA, MESSAGE_ID, NOW)


def test_the_size_is_known_before() -> None:
    message = compiled(PLAN, CONTRACT)
    assert 0 < len(whole(message)) - message.estimate_size() < 1000


def test_its_signature_holds_and_is_over_the_files_too() -> None:
    message = compiled(PLAN, CONTRACT)
    own = message.render(ANNA, MESSAGE_ID, NOW)
    end = End(message.end)
    raw = bytes(signed(LongMessage(own, end), key()[0], NOW))
    assert verifies(raw)
    assert raw == signed(own + b"".join(end), key()[0], NOW)
    broken = raw.replace(b"/////", b"/////A", 1)
    assert broken != raw
    assert not verifies(broken)
