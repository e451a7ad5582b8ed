from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.contact import Person
from chalicelib.domain.delivery import Scope
from chalicelib.domain.email import (
    Content,
    SenderIdentity,
    compile_message,
)
from chalicelib.domain.header import date_text, message_id_for, needs_smtputf8
from chalicelib.domain.personalization import one_line
from tests.rfc5322 import ALWAYS, check
from tests.unit.domain.message_builders import (
    ANNA,
    CONTENT,
    MESSAGE_ID,
    NOW,
    ON_THE_WIRE,
    SENDER,
    compose,
    odd_text,
    reason_for,
    unhurried,
)


@unhurried
@given(st.one_of(odd_text, st.text('ab \\"(),.<>@é=?', max_size=80)))
def test_a_sender_has_the_name_that_was_typed_or_is_refused(name: str) -> None:
    sender = SenderIdentity(name, "news@bücher.example")
    if one_line(name) != name:
        assert reason_for(sender=sender) == ("from_name_invalid", Scope.LINE)
        return
    raw = compose(sender=sender)
    assert all(len(line) <= 78 for line in raw.split(b"\r\n"))
    wire = (name, "news@xn--bcher-kva.example")
    check(raw, recipient="anna@mail.example", subject="Hello Anna", sender=wire)


@pytest.mark.parametrize(
    "name", ["Oak\r\nBcc: v@x.com", "a\x00", "\u202eOak", "Oak\u2028", " Oak", "\ud800", "x" * 256]
)
def test_a_name_with_characters_that_no_name_has_is_refused(name: str) -> None:
    assert reason_for(sender=SenderIdentity(name, "a@b.example")) == ("from_name_invalid", Scope.LINE)


NO_ADDRESSES = [
    *("", "a", "@", "a@", "@b.example", "a@b@c.example", "a,c@b.example", "a@b.example, c@d.example"),
    *(
        "a b@c.example",
        '"a b"@c.example',
        "a@b.example\r\nBcc: c@d.example",
        "a@b.example\n",
        "a\x00@b.example",
    ),
    *("<a@b.example>", "a@b..example", "a..b@c.example", ".a@b.example", "a@[127.0.0.1]", "a@-b.example"),
    *("a@b_c.example", "=?utf-8?q?a?=@b.example", f"{'a' * 65}@b.example", f"a@{'b.' * 130}example"),
    *(
        "a\u2028@b.example",
        "\u202ea@b.example",
        "\ud800@b.example",
        "a@\u2028.example",
        "a@b.example\u3002\u3002",
    ),
    *("\u202ea@bücher.example", "a@bücher.example.", "a(x)@b.example", "a:b;@c.example"),
]


@pytest.mark.parametrize("address", NO_ADDRESSES)
def test_what_is_not_one_address_is_never_written(address: str) -> None:
    assert reason_for(person=Person(address)) == ("address_invalid", Scope.CONTACT)


@pytest.mark.parametrize("address", NO_ADDRESSES)
def test_nor_as_the_address_of_a_sender(address: str) -> None:
    codes = {("address_invalid", Scope.LINE), ("sender_address_not_ascii", Scope.LINE)}
    assert reason_for(sender=SenderIdentity("", address)) in codes
    assert reason_for(sender=SenderIdentity("", "a@b.example", address)) in codes


def test_a_sender_has_an_address_that_every_server_takes() -> None:
    for sender in (SenderIdentity("", "анна@b.example"), SenderIdentity("", "a@b.example", "анна@b.example")):
        assert reason_for(sender=sender) == ("sender_address_not_ascii", Scope.LINE)


@pytest.mark.parametrize(
    ("typed", "wire"),
    [
        ("a@bücher.example", "a@xn--bcher-kva.example"),
        ("a@BÜCHER.example", "a@xn--bcher-kva.example"),
        ("a@почта.рф", "a@xn--80a1acny.xn--p1ai"),
        ("a@faß.example", "a@xn--fa-hia.example"),
        ("O'Neil+x=1/{~}@Mail.Example", "O'Neil+x=1/{~}@Mail.Example"),
    ],
)
def test_international_domains_are_written_in_ascii(typed: str, wire: str) -> None:
    check(compose(person=Person(typed)), recipient=wire, subject="Hello friend", sender=ON_THE_WIRE)


def test_a_local_part_beyond_ascii_needs_a_server_that_takes_it() -> None:
    person = Person("анна@почта.рф", first_name="Анна")
    assert needs_smtputf8(person.email)
    assert reason_for(person=person) == ("smtputf8_needed", Scope.CONTACT)
    raw = compile_message(CONTENT, SENDER).render(person, MESSAGE_ID, NOW, smtputf8=True)
    wire = "анна@xn--80a1acny.xn--p1ai"
    check(raw, recipient=wire, subject="Hello Анна", sender=ON_THE_WIRE, utf8_header=True)


@pytest.mark.parametrize("subject", ["x" * 998, "é" * 998, "word " * 199 + "x", "", "a  b" * 40, "😀" * 499])
def test_long_and_empty_subjects_are_folded(subject: str) -> None:
    raw = compose(Content(subject, "x"))
    check(raw, recipient="anna@mail.example", subject=subject, sender=ON_THE_WIRE)
    assert all(len(line) <= 78 for line in raw.split(b"\r\n"))


def test_further_headers_are_those_we_know() -> None:
    fixed = (("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),)
    own = (("List-Unsubscribe", f"<https://x.example/u?{'t' * 200}>, <mailto:u@x.example>"),)
    raw = compile_message(CONTENT, SENDER, fixed).render(ANNA, MESSAGE_ID, NOW, extra_headers=own)
    names = (*ALWAYS[:5], "List-Unsubscribe-Post", "List-Unsubscribe", *ALWAYS[5:])
    message = check(
        raw, recipient="anna@mail.example", subject="Hello Anna", sender=ON_THE_WIRE, headers=names
    )
    assert message["List-Unsubscribe"] == own[0][1]


@pytest.mark.parametrize(
    "headers",
    [
        *(
            (("Bcc", "v@x.com"),),
            (("X-SES-CONFIGURATION-SET", "x"),),
            (("subject", "x"),),
            (("Feedbac\u212a-ID", "x"),),
        ),
        *((("List-Id\r\nBcc", "x"),), (("List-Id", "x\r\nBcc: v@x.com"),), (("List-Id", "=?utf-8?q?x?="),)),
        *((("List-Id", ""),), (("List-Id", " x"),), (("List-Id", "é"),), (("List-Id", "x" * 998),)),
        (("List-Id", "x"), ("list-id", "y")),
    ],
)
def test_any_other_header_is_a_fault_of_ours(headers: tuple[tuple[str, str], ...]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        compile_message(CONTENT, SENDER, headers)
    with pytest.raises(ValueError, match=r"\w"):
        compile_message(CONTENT, SENDER).render(ANNA, MESSAGE_ID, NOW, extra_headers=headers)


def test_a_header_is_not_given_twice_by_two_callers() -> None:
    once = (("List-Id", "<x.example>"),)
    with pytest.raises(ValueError, match="twice"):
        compile_message(CONTENT, SENDER, once).render(ANNA, MESSAGE_ID, NOW, extra_headers=once)


@pytest.mark.parametrize(
    "message_id", ["", "1@x", "<1@x>\r\nBcc: v@x", "<1 @x>", "<=?utf-8?q?x?=@x>", "<é@x>"]
)
def test_a_message_id_of_another_form_is_a_fault_of_ours(message_id: str) -> None:
    with pytest.raises(ValueError, match="Message-ID"):
        compile_message(CONTENT, SENDER).render(ANNA, message_id, NOW)


def test_a_message_id_is_the_same_for_a_generation_and_no_other() -> None:
    ids = {
        message_id_for(campaign, contact, generation, "bücher.example")
        for campaign, contact, generation in [("a", "b", 1), ("a", "b", 2), ("ab", "", 1), ("a", "c", 1)]
    }
    assert len(ids) == 4
    assert message_id_for("a", "b", 1, "bücher.example") in ids
    assert all(one.endswith("@xn--bcher-kva.example>") and one.isascii() for one in ids)


@unhurried
@given(st.datetimes(datetime(1970, 1, 1), timezones=st.just(UTC)), st.integers(-840, 840))  # noqa: DTZ001
def test_a_date_is_written_in_utc(at: datetime, minutes: int) -> None:
    at = min(max(at, datetime(1970, 1, 3, tzinfo=UTC)), datetime(9999, 12, 29, tzinfo=UTC))
    assert date_text(at) == format_datetime(at)
    assert date_text(at.astimezone(timezone(timedelta(minutes=minutes)))) == format_datetime(at)


def test_a_date_without_a_zone_is_a_fault_of_ours() -> None:
    with pytest.raises(ValueError, match="aware"):
        date_text(datetime(2025, 3, 3))  # noqa: DTZ001
