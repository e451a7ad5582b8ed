import pickle
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.contact import Person
from chalicelib.domain.delivery import Scope
from chalicelib.domain.email import (
    BODY_LIMIT,
    VARIABLES_LIMIT,
    Content,
    Rendered,
    SenderIdentity,
    compile_message,
)
from tests.rfc5322 import WITH_REPLY_TO, check, decoded
from tests.unit.domain.message_builders import (
    ANNA,
    CONTENT,
    CUSTOMS,
    HOSTILE,
    MESSAGE_ID,
    NOW,
    ON_THE_WIRE,
    SENDER,
    compiled_if_it_can_be,
    compose,
    odd_people,
    reason_for,
    rich_subjects,
    rich_templates,
    unhurried,
)


def the_usual_way(rendered: Rendered) -> EmailMessage:
    """The standard library's message of the same texts, written for SMTP and read again."""
    message = EmailMessage(policy=policy.SMTP)
    message["Subject"] = rendered.subject
    message.set_content(rendered.text, cte="quoted-printable")
    message.add_alternative(rendered.html, subtype="html", cte="quoted-printable")
    parsed = message_from_bytes(message.as_bytes(), policy=policy.SMTP)
    assert isinstance(parsed, EmailMessage)
    return parsed


def test_a_message_for_one_person() -> None:
    sender = SenderIdentity("Oak & Linen", "news@shop.example", "hello@shop.example")
    message = check(
        compose(sender=sender),
        recipient="anna@mail.example",
        subject="Hello Anna",
        sender=ON_THE_WIRE,
        headers=WITH_REPLY_TO,
    )
    assert decoded(message) == ("Dear Anna,\n", "<p>Dear Anna,</p>\n")
    assert message["Date"].datetime == NOW
    assert message["Message-ID"] == MESSAGE_ID
    assert message["Reply-To"] == "hello@shop.example"


def test_the_text_is_derived_when_none_is_given() -> None:
    raw = compose(Content("Hi", "<p>Dear [firstName|<i>you</i>]</p><a href='https://x.example'>Go</a>"))
    message = check(raw, recipient="anna@mail.example", subject="Hi", sender=ON_THE_WIRE)
    assert decoded(message)[0] == "Dear Anna\n\nGo (https://x.example)\n"


@unhurried
@given(rich_subjects, rich_templates, st.none() | rich_templates, odd_people, st.integers(0, 2))
def test_every_message_is_clean_and_reads_as_the_standard_librarys(
    subject: str, html: str, text: str | None, person: Person, place: int
) -> None:
    """Equal to the last character: both sides take CRLF and CR of a template for a line break, and end a text
    with one. The subject is compared with what was rendered, as the library refuses or alters some of them.
    """
    compiled = compiled_if_it_can_be(Content(subject, html, text, variables=CUSTOMS))
    rendered = compiled.preview(person, draw=lambda _name, _count: place)
    message = check(
        compiled.render(person, MESSAGE_ID, NOW, draw=lambda _name, _count: place),
        recipient=person.email.replace("bücher", "xn--bcher-kva"),
        subject=rendered.subject,
        sender=ON_THE_WIRE,
    )
    assert decoded(message) == decoded(the_usual_way(rendered))
    assert decoded(message) == (rendered.text, rendered.html)


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_value_changes_nothing_but_its_own_words(value: str) -> None:
    person = Person("anna@mail.example", value, value, value, value, value, value)
    content = Content("Hello [param1]", "<p>[firstName]</p><p>[param2]</p>", "[lastName]\n[param3]")
    raw = compose(content, person)
    subject = compile_message(content, SENDER).preview(person).subject
    message = check(raw, recipient="anna@mail.example", subject=subject, sender=ON_THE_WIRE)
    text, html = decoded(message)
    assert html.count("<") == 4
    assert text.count("\n") == 2 * (text.count("\n") // 2)


def test_an_encoded_word_in_a_value_is_only_its_letters() -> None:
    hostile = "Hi =?utf-8?q?a=0D=0ABcc:_v@x.com?="
    raw = compose(Content("[param1]", "x"), Person("anna@mail.example", p1=hostile))
    check(raw, recipient="anna@mail.example", subject=hostile, sender=ON_THE_WIRE)
    assert b"Bcc" not in raw


def test_what_is_too_long_says_whom_it_concerns() -> None:
    long = "x" * 991
    assert reason_for(Content("[param1] is here", "x"), Person("a@b.example", p1=long)) == (
        "subject_too_long",
        Scope.CONTACT,
    )
    assert reason_for(Content("x" * 999, "x")) == ("subject_too_long", Scope.CONTENT)
    assert reason_for(Content("x", "x" * (BODY_LIMIT + 1))) == ("body_too_long", Scope.CONTENT)
    assert reason_for(Content("x", "x", "x" * (BODY_LIMIT + 1))) == ("body_too_long", Scope.CONTENT)
    assert reason_for(Content("x", "[email]" * (VARIABLES_LIMIT + 1))) == (
        "too_many_variables",
        Scope.CONTENT,
    )


def test_a_compiled_message_can_be_kept_and_knows_its_least_size() -> None:
    compiled = compile_message(CONTENT, SENDER)
    kept = pickle.loads(pickle.dumps(compiled))
    raw = kept.render(ANNA, MESSAGE_ID, NOW)
    assert raw == compiled.render(ANNA, MESSAGE_ID, NOW)
    assert 200 < compiled.estimate_size() < len(raw)
