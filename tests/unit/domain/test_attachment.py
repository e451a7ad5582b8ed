"""Attachments: names that lead nowhere, types that keep their word, base64 that needs no second look."""

from base64 import b64decode
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.attachment import (
    INLINE_TOO_LARGE,
    MAX_FILE,
    MAX_INLINE,
    NAME_LIMIT,
    UPLOAD_IS_A_PROGRAM,
    UPLOAD_LIES,
    UPLOAD_TOO_LARGE,
    Attachment,
    AttachmentUpload,
    content_ids_in,
    divided,
    encoded,
    is_content_id,
    media_type,
    part_header,
    refusal_of,
    safe_name,
    shown_size,
    with_content_ids,
)
from chalicelib.domain.delivery import Reason
from tests.unit.domain.message_builders import unhurried

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
PNG = b"\x89PNG\r\n\x1a\n"


def file(size: int = 1000, name: str = "plan.pdf", content_id: str | None = None) -> Attachment:
    return Attachment(f"id-{name}", name, media_type(name), size, "d" * 64, content_id)


def refused(name: str, beginning: bytes, size: int = 1000, content_id: str | None = None) -> Reason | None:
    return refusal_of(AttachmentUpload("a", "c", name, content_id, AT), size, beginning)


class TestNames:
    @pytest.mark.parametrize(
        ("typed", "shown"),
        [
            ("../../x", "x"),
            ("..\\..\\windows\\plan.pdf", "plan.pdf"),
            ("/etc/passwd", "passwd"),
            ("C:\\plan.pdf", "plan.pdf"),
            ("a\r\nBcc: v@x.com.pdf", "a Bcc_ v@x.com.pdf"),
            ("exe\u202efdp.pdf", "exefdp.pdf"),
            ("Договор №5.pdf", "Договор №5.pdf"),
            ("e\u0301te\u0301.pdf", "été.pdf"),
            ('a"b<c>.pdf', "a_b_c_.pdf"),
            ("..", ""),
            ("a/", ""),
            (" . ", ""),
            ("\x00", ""),
            ("x" * 300 + ".pdf", "x" * (NAME_LIMIT - 4) + ".pdf"),
        ],
    )
    def test_of_a_path_only_the_last_part_is_left(self, typed: str, shown: str) -> None:
        assert safe_name(typed) == shown

    @unhurried
    @given(st.text(max_size=200))
    def test_any_name_is_safe_and_stays_as_it_is_the_second_time(self, typed: str) -> None:
        name = safe_name(typed)
        assert not set(name) & set('/\\<>:"|?*\r\n\0')
        assert len(name) <= NAME_LIMIT
        assert safe_name(name) == name or len(name) == NAME_LIMIT

    @unhurried
    @given(st.text(min_size=1, max_size=200).map(safe_name).filter(bool))
    def test_a_mail_reader_finds_the_name_whatever_its_letters(self, name: str) -> None:
        raw = part_header(file(name=name)) + b"QQ==\r\n"
        assert raw.isascii()
        assert all(len(line) <= 76 for line in raw.split(b"\r\n"))
        part = message_from_bytes(raw, policy=policy.default)
        assert isinstance(part, EmailMessage)
        assert part.get_filename() == name
        assert part.get_content_disposition() == "attachment"


class TestWhatAFileIs:
    @pytest.mark.parametrize(
        ("name", "beginning"),
        [
            ("a.pdf", b"%PDF-1.7"),
            ("a.pdf", b"\n\n%PDF-1.4"),
            ("a.png", PNG),
            ("a.JPG", b"\xff\xd8\xff\xe0"),
            ("a.docx", b"PK\x03\x04"),
            ("a.txt", b"MZ is how this text begins"),
            ("a.doc", b"{\\rtf1"),
            ("a.xyz", b"\0\1\2"),
            ("noending", b"anything"),
        ],
    )
    def test_good_files_pass(self, name: str, beginning: bytes) -> None:
        assert refused(name, beginning) is None

    @pytest.mark.parametrize(
        ("name", "beginning", "reason"),
        [
            ("a.pdf", b"<html>", UPLOAD_LIES),
            ("a.png", b"GIF89a", UPLOAD_LIES),
            ("a.docx", b"%PDF-1.7", UPLOAD_LIES),
            ("a.pdf", b"MZ\x90\0\3", UPLOAD_IS_A_PROGRAM),
            ("a.txt", b"\x7fELF\2\1\1\0", UPLOAD_IS_A_PROGRAM),
            ("noending", b"MZ\x90\0", UPLOAD_IS_A_PROGRAM),
        ],
    )
    def test_a_type_that_lies_and_a_program_are_refused(
        self, name: str, beginning: bytes, reason: Reason
    ) -> None:
        assert refused(name, beginning) == reason

    def test_sizes_have_a_limit(self) -> None:
        assert refused("a.pdf", b"%PDF-", MAX_FILE) is None
        assert refused("a.pdf", b"%PDF-", MAX_FILE + 1) == UPLOAD_TOO_LARGE
        assert refused("a.png", PNG, MAX_INLINE, "logo") is None
        assert refused("a.png", PNG, MAX_INLINE + 1, "logo") == INLINE_TOO_LARGE

    def test_what_is_declared_follows_from_the_name(self) -> None:
        assert media_type("a.b.PDF") == "application/pdf"
        assert media_type("mail.eml") == "application/octet-stream"  # message/rfc822 mustn't be base64

    def test_sizes_are_shown_in_short(self) -> None:
        assert [shown_size(size) for size in (1, 12_345, 60_000_000)] == ["1 KB", "12 KB", "60.0 MB"]


class TestEncoding:
    @unhurried
    @given(st.lists(st.binary(max_size=300), max_size=8))
    def test_it_decodes_to_the_file_however_it_is_cut(self, blocks: list[bytes]) -> None:
        raw = b"".join(blocks)
        made = b"".join(encoded(blocks))
        assert b64decode(made) == raw
        assert len(made) == file(len(raw)).encoded_size
        assert all(len(line) <= 76 and not line.startswith(b".") for line in made.split(b"\r\n"))
        assert not made or made.endswith(b"\r\n")

    def test_a_large_file_comes_in_whole_lines(self) -> None:
        pieces = list(encoded([b"\xff" * 200_001]))
        assert len(pieces) > 1
        assert all(piece.endswith(b"\r\n") for piece in pieces)
        assert b64decode(b"".join(pieces)) == b"\xff" * 200_001


class TestImagesWithinTheText:
    @pytest.mark.parametrize("name", ["logo", "a", "header.image-1_x", "x" * 60])
    def test_names_that_html_can_call(self, name: str) -> None:
        assert is_content_id(name)

    @pytest.mark.parametrize("name", ["", "x" * 61, "a b", "a@b", ".a", "a\r\nX: y", "лого", "a>"])
    def test_names_that_it_can_not(self, name: str) -> None:
        assert not is_content_id(name)

    def test_only_our_images_get_a_domain(self) -> None:
        html = '<img src="cid:logo"><img src="CID:logo"><img src="cid:logo2"> acid:logo'
        made = with_content_ids(html, [file(name="a.png", content_id="logo")])
        assert made.count("logo@inline.postline") == 2
        assert "cid:logo2" in made
        assert content_ids_in(html) == ["logo", "logo2"]


class TestDivision:
    def test_files_travel_in_their_order_as_far_as_there_is_room(self) -> None:
        first, second, third = file(100_000, "1.pdf"), file(500_000, "2.pdf"), file(50_000, "3.pdf")
        assert divided([first, second, third], 300_000) == ((first, third), (second,))
        assert divided([first, second, third], 10_000_000) == ((first, second, third), ())
        assert divided([first], 0) == ((), (first,))

    def test_images_within_the_text_always_travel_and_take_their_room(self) -> None:
        image, other = file(200_000, "1.png", "logo"), file(100_000, "2.pdf")
        assert divided([other, image], 300_000) == ((image,), (other,))
        assert divided([image], 0) == ((image,), ())
