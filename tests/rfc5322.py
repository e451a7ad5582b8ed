"""The one place that says what a correct message of ours is (RFC 5322, 2045, 2046, 2047).

It reads the bytes twice: as lines, by the letter of the RFCs, and with the standard library's parser, which
is not the code that wrote them.
"""

import re
from collections.abc import Sequence
from email import message_from_string, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr

ALWAYS = ("Date", "From", "To", "Subject", "Message-ID", "MIME-Version", "Content-Type")
WITH_REPLY_TO = ("Date", "From", "Reply-To", "To", "Subject", "Message-ID", "MIME-Version", "Content-Type")
PARTS = ("text/plain", "text/html")
FIELD = re.compile(rb"([!-9;-~]+):[ ]?")


def check(
    raw: bytes,
    *,
    recipient: str,
    subject: str,
    sender: tuple[str, str],
    headers: Sequence[str] = ALWAYS,
    utf8_header: bool = False,
) -> EmailMessage:
    """Assert that ``raw`` is clean and says just this; return it parsed.

    ``headers`` are all the names, in order; ``sender`` the display name and the address as on the wire.
    """
    head, _ = check_bytes(raw, utf8_header=utf8_header)
    assert _names(head) == list(headers)
    # The bytes parser takes no UTF-8 header for text, whatever its policy.
    message = message_from_string(raw.decode(), policy=policy.SMTPUTF8)
    assert isinstance(message, EmailMessage)
    assert message.keys() == list(headers)
    _check_header(message, recipient, subject, sender)
    # To: the library counts a local part beyond ASCII as a defect; RFC 6532 is what utf8_header allows.
    for name in ("Date", "From", "Subject", *(() if utf8_header else ("To",))):
        assert message[name].defects == ()
    _check_parts(message)
    return message


def check_bytes(raw: bytes, *, utf8_header: bool = False) -> tuple[bytes, bytes]:
    """Assert that the lines of a message are clean; return its header and its body."""
    head, _, body = raw.partition(b"\r\n\r\n")
    _check_bytes(head, body, utf8_header=utf8_header)
    return head, body


def decoded(message: EmailMessage) -> tuple[str, str]:
    """The text and the HTML, with ``\\n`` for CRLF."""
    text, html = (part.get_content().replace("\r\n", "\n") for part in message.iter_parts())
    return text, html


def _check_bytes(head: bytes, body: bytes, *, utf8_header: bool) -> None:
    assert utf8_header or head.isascii()
    assert body.isascii()
    assert b"\0" not in head + body
    for line in (*head.split(b"\r\n"), *body.split(b"\r\n")):
        assert b"\r" not in line, "bare CR"
        assert b"\n" not in line, "bare LF"
        assert len(line) <= 998
    assert body.endswith(b"\r\n")
    assert all(len(line) <= 76 for line in body.split(b"\r\n")), "quoted-printable is at most 76 wide"
    assert not re.search(rb"(?m)^(\.|From )|[ \t]\r$", body), "a relay could change this line"


def _names(head: bytes) -> list[str]:
    """The field names as RFC 5322 unfolds them, each line being a field or a non-blank continuation."""
    names: list[str] = []
    for line in head.split(b"\r\n"):
        if line[:1] in b" \t":
            assert line.strip(), "a blank continuation line is obsolete syntax"
            assert names, "the header begins with a continuation"
            continue
        field = FIELD.match(line)
        assert field, line
        names.append(field[1].decode())
    return names


def _check_header(message: EmailMessage, recipient: str, subject: str, sender: tuple[str, str]) -> None:
    assert str(message["Subject"]) == subject
    (to,) = message["To"].addresses
    assert (to.display_name, to.addr_spec) == ("", recipient)
    (author,) = message["From"].addresses
    assert author.addr_spec == sender[1]
    assert _display_name(message) == sender[0]
    assert message["Date"].datetime.utcoffset() is not None
    assert re.fullmatch(r"<[^<>@\s]+@[^<>@\s]+>", message["Message-ID"])


def _display_name(message: EmailMessage) -> str:
    """The library's older decoder: its newer one puts a space between two encoded words of a name."""
    phrase, _ = parseaddr(dict(message.raw_items())["From"].replace("\r\n", ""))
    return str(make_header(decode_header(phrase)))


def _check_parts(message: EmailMessage) -> None:
    assert message.defects == []
    assert message.get_content_type() == "multipart/alternative"
    assert message.preamble is None
    assert not message.epilogue
    parts = list(message.iter_parts())
    assert tuple(part.get_content_type() for part in parts) == PARTS
    for part in parts:
        assert part.keys() == ["Content-Type", "Content-Transfer-Encoding"]
        assert part.get_content_charset() == "utf-8"
        assert part["Content-Transfer-Encoding"] == "quoted-printable"
        assert part.defects == []
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        assert not set(content.replace(b"\r\n", b"")) & set(b"\r\n"), "text breaks lines with CRLF"
