"""The derived text says what the HTML shows: the same values, and the same links."""

import pytest

from chalicelib.domain.contact import Person
from chalicelib.domain.email import Content, compile_message
from chalicelib.domain.header import CannotComposeError
from tests.unit.domain.message_builders import SENDER

URL = "https://shop.example/x?a=1&b=2"
COUPLE = Person("ann+bob@mail.example", "Ann & Bob=1#2", p1=URL)


def text(html: str, person: Person = COUPLE) -> str:
    return compile_message(Content("s", html), SENDER).preview(person).text.removesuffix("\n")


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ('<a href="[param1]">go</a>', f"go ({URL})"),
        ('<a href="{{ param1 }}">go</a>', f"go ({URL})"),
        ("<a href='{% if param2 %}https://a.example{% else %}[param1]{% endif %}'>go</a>", f"go ({URL})"),
        ("<a {% if param1 %}href='https://a.example'{% endif %}>go</a>", "go (https://a.example)"),
        ("<a {% if param2 %}href='https://a'{% else %}href='https://b'{% endif %}>go</a>", "go (https://b)"),
        ("<a{% if param1 %} class='x'{% endif %} href='https://a.example'>go</a>", "go (https://a.example)"),
        ("<a{% if param1 %} class=x{% endif %} href='https://a.example'>go</a>", "go (https://a.example)"),
        ("<a{% if param1 %} class='x'{% endif %} href='#top'>go</a>", "go"),
        ("<a href='https://a.example' href='https://b.example'>go</a>", "go (https://a.example)"),
        (
            '<a href="https://x/?n=[firstName]&amp;e=[email]">go</a>',
            "go (https://x/?n=Ann%20%26%20Bob%3D1%232&e=ann%2Bbob%40mail.example)",
        ),
        ('<a href="mailto:[email]">write</a>', "write (ann+bob@mail.example)"),
        ('<a href="mailto:[email]">[email]</a>', "ann+bob@mail.example"),
        ('<a href="[param1]">[param1]</a>', URL),
        ('<a href="[firstName|https://a.example/?x=1&amp;y=2]">go</a>', "go (https://a.example/?x=1&y=2)"),
        ("<p>{% if param1 %}One [firstName]{% endif %}</p><p>Two</p>", "One Ann & Bob=1#2\n\nTwo"),
        ("{% if param2 %}One{% elif param1 %}{% if email %}Two{% endif %}{% endif %}", "Two"),
        ("<!-- {% if param1 %}x{% endif %} --><b>Hi</b>", "Hi"),
    ],
)
def test_values_and_links_are_those_of_the_html(html: str, expected: str) -> None:
    assert text(html) == expected


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("&#91;firstName&#93; &lbrack;firstName&rsqb;", "[firstName] [firstName]"),
        ("&#123;&#123; name }} &#x7b;% if", "{{ name }} {% if"),
        ("[f&#105;rstName] [first<b>Name</b>] [firstName&#124;x]", "[firstName] [firstName] [firstName|x]"),
        ("\x040\x050\x06 &#4;0.0&#6; [firstName]", "00 0.0 Ann & Bob=1#2"),
    ],
)
def test_what_is_no_variable_in_the_html_is_none_in_the_text(html: str, expected: str) -> None:
    assert text(html) == expected


@pytest.mark.parametrize(
    "html",
    [
        "<style>{% if param1 %}</style>x{% endif %}",
        "{% if param1 %}x<!-- {% else %} -->y{% endif %}",
        "{% if param1 %}x<style>{% endif %}</style>",
    ],
)
def test_half_a_condition_is_no_text(html: str) -> None:
    with pytest.raises(CannotComposeError) as refused:
        text(html)
    assert refused.value.reason.code == "text_not_derived"
