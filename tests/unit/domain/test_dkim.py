"""DKIM signatures: an independent verifier (dkimpy) accepts them, and nothing but what was signed."""

import base64
import hashlib
import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache

import dkim
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.adapters.rsa import load_key, make_key
from chalicelib.domain.contact import Person
from chalicelib.domain.dkim import DkimKey, body_hash, signature_field, signed
from chalicelib.domain.dkim_record import record_value
from chalicelib.domain.email import Content, SenderIdentity, compile_message

AT = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
LISTS = (
    ("List-Unsubscribe", "<https://mail.example/u/0123456789>"),
    ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
)
MESSAGE = b"From: a@shop.example\r\nTo: b@mail.example\r\nSubject: Hi\r\n\r\nHello\r\n"


@cache
def key() -> tuple[DkimKey, str]:
    private, public = make_key()
    return DkimKey("shop.example", "pl1", load_key(private)), record_value(public)


def verifies(message: bytes) -> bool:
    record = key()[1].encode()

    def answer(name: bytes, timeout: int = 5) -> bytes | None:
        return record if name == b"pl1._domainkey.shop.example." else None

    return bool(dkim.verify(message, dnsfunc=answer))


def sign(message: bytes, unsigned: frozenset[str] = frozenset()) -> bytes:
    return bytes(signed(message, key()[0], AT, unsigned))


def composed(html: str = "<p>Hello [firstName]</p>", subject: str = "For [firstName]") -> bytes:
    identity = SenderIdentity("Zoë", "news@shop.example", "answers@shop.example")
    message = compile_message(Content(subject, html), identity, LISTS)
    return message.render(Person("b@mail.example", first_name="Анна"), "<1@shop.example>", AT)


def tags_of(message: bytes) -> dict[str, str]:
    field = message.partition(b":")[2].partition(b"\r\nDate")[0].decode()
    return {
        name.strip(): re.sub(r"\s", "", value)
        for name, _, value in (part.partition("=") for part in field.split(";"))
    }


def test_a_composed_message_verifies() -> None:
    assert verifies(sign(composed()))


def test_the_field_says_what_the_rfcs_want() -> None:
    tags = tags_of(sign(composed()))
    assert (tags["v"], tags["a"], tags["c"]) == ("1", "rsa-sha256", "relaxed/relaxed")
    assert (tags["d"], tags["s"], tags["t"]) == ("shop.example", "pl1", str(int(AT.timestamp())))
    assert "l" not in tags
    assert tags["h"].split(":") == [
        *("from", "to", "subject", "date", "message-id", "mime-version", "content-type", "reply-to"),
        *("list-unsubscribe", "list-unsubscribe-post", "from", "to", "subject", "date"),
    ]
    assert len(base64.b64decode(tags["b"])) == 2048 // 8


def test_it_stands_before_the_message_and_has_short_lines() -> None:
    message = composed()
    whole = sign(message)
    assert whole.endswith(message)
    field = whole[: -len(message)]
    assert field.endswith(b"\r\n")
    assert max(map(len, field.split(b"\r\n"))) <= 78
    assert b"\n" not in field.replace(b"\r\n", b"")


@pytest.mark.parametrize(
    "name",
    [
        *(b"From", b"To", b"Subject", b"Date", b"Message-ID", b"MIME-Version", b"Content-Type", b"Reply-To"),
        *(b"List-Unsubscribe", b"List-Unsubscribe-Post"),
    ],
)
def test_a_changed_field_breaks_it(name: bytes) -> None:
    message = sign(composed())
    at = message.index(b"\r\n" + name + b": ") + len(name) + 4
    assert not verifies(message[:at] + b"x" + message[at:])


def test_a_changed_body_and_one_that_goes_on_break_it() -> None:
    message = sign(composed())
    assert not verifies(message.replace(b"Hello", b"Jello"))
    assert not verifies(message + b"and more\r\n")


@pytest.mark.parametrize(
    "added", [b"To: all@else.example", b"Subject: Pay now", b"Date: Mon, 2 Mar 2026 09:00:00 +0000"]
)
def test_a_second_of_what_readers_are_shown_breaks_it(added: bytes) -> None:
    assert not verifies(added + b"\r\n" + sign(composed()))


def test_a_second_from_breaks_it() -> None:
    assert not verifies(b"From: other@shop.example\r\n" + sign(composed()))


def test_what_relays_do_to_blanks_and_folding_does_not_break_it() -> None:
    message = sign(composed())
    refolded = message.replace(b"Subject: ", b"SUBJECT:\r\n \t ").replace(b"Reply-To: ", b"reply-to:")
    assert refolded != message
    assert verifies(refolded)
    assert verifies(message.replace(b"; t=", b";\r\n\tt=") + b"\r\n\r\n")


def test_what_the_server_replaces_is_not_covered() -> None:
    message = sign(composed(), frozenset({"message-id", "date"}))
    assert {"date", "message-id"}.isdisjoint(tags_of(message)["h"].split(":"))
    replaced = message.replace(b"<1@shop.example>", b"<2@amazonses.com>").replace(b"Date: ", b"Date: x")
    assert replaced != message
    assert verifies(replaced)


def test_of_several_fields_of_a_name_each_is_signed() -> None:
    message = sign(b"To: first@mail.example\r\n" + MESSAGE)
    assert verifies(message)
    assert not verifies(message.replace(b"first@", b"third@"))


@given(st.binary(max_size=400), st.binary(max_size=60))
@settings(max_examples=150, deadline=None)
def test_any_body_verifies(body: bytes, end: bytes) -> None:
    text = re.sub(rb"\r(?!\n)|(?<!\r)\n", b"\r\n", body + b" \t\r\n" + end)
    assert verifies(sign(b"From: a@shop.example\r\nSubject: x \t y\r\n\r\n" + text + b"\r\n"))


@given(st.text(max_size=200), st.text("ab \t\n\r<>=.", max_size=300))
@settings(max_examples=60, deadline=None)
def test_whatever_is_composed_verifies(subject: str, html: str) -> None:
    assert verifies(sign(composed(html, subject)))


BODIES = st.lists(
    st.sampled_from([b" ", b"\t", b"\r\n", b"\r", b"\n", b"a", b"  ", b"word", b" \r\n"]), max_size=40
)


@given(BODIES, st.data())
def test_the_hash_does_not_depend_on_where_the_body_is_cut(parts: list[bytes], data: st.DataObject) -> None:
    body = b"".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=6)))
    pieces = [body[start:end] for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    assert body_hash(pieces) == body_hash([body])


@pytest.mark.parametrize(
    ("body", "relaxed"),
    [
        (b" C \r\nD \t E\r\n\r\n\r\n", b" C\r\nD E\r\n"),  # RFC 6376, 3.4.5
        (b"", b""),
        (b"\r\n\r\n", b""),
        (b" \t\r\n", b""),
        (b"no end", b"no end\r\n"),
        (b"a\r\n\r\n b\t\r\n", b"a\r\n\r\n b\r\n"),
        (b"\ta\r\n", b" a\r\n"),
    ],
)
def test_the_body_is_hashed_in_relaxed_form(body: bytes, relaxed: bytes) -> None:
    assert body_hash([body]) == hashlib.sha256(relaxed).digest()


def test_a_body_in_pieces_is_signed_like_a_whole_one() -> None:
    head, _, body = composed().partition(b"\r\n\r\n")
    pieces = (body[at : at + 7] for at in range(0, len(body), 7))
    field = signature_field(head + b"\r\n", pieces, key()[0], AT)
    assert verifies(field + head + b"\r\n\r\n" + body)


def test_the_key_is_not_shown() -> None:
    shown: Callable[[DkimKey], str] = repr
    assert shown(key()[0]) == "DkimKey(domain='shop.example', selector='pl1')"
