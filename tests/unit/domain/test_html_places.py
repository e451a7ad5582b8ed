"""Whatever a contact's fields hold, the HTML has the tags, attributes and links that its author wrote."""

from collections.abc import Iterator
from email import message_from_bytes, policy
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.contact import Person
from chalicelib.domain.custom_variables import CustomVariable
from chalicelib.domain.email import Content, compile_message
from chalicelib.domain.header import CannotComposeError
from chalicelib.domain.html_places import placed
from chalicelib.domain.jinja_syntax import parse_jinja
from chalicelib.domain.personalization import Links, Vocabulary, parse, render
from chalicelib.domain.template_error import TemplateSyntaxError
from tests.unit.domain.message_builders import MESSAGE_ID, NOW, SENDER, odd_text, unhurried

COUPLE = Person(
    "ann+bob@mail.example", "Ann & Bob=1#2", p1="https://shop.example/x?a=1&b=2", p2="a b", p3="a-b"
)
ATTACKS = (
    "x onmouseover=alert(1)",
    "\" onmouseover='alert(1)",
    "' onmouseover=\"alert(1)",
    "><script>alert(1)</script>",
    "javascript:alert(1)",
    "JAVA\tSCRIPT:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "https://x.example/\" onclick='x'",
    'mailto:a@b.example?"><b>',
    "-->",
    "--!><img src=x onerror=alert(1)>",
    "-",
    "--",
    "]]>",
    "",
)
values = st.one_of(st.sampled_from(ATTACKS), odd_text, st.text("<>!-[]/='\"` &;#:x\n", max_size=20))


def shown(source: str, person: Person = COUPLE, vocabulary: Vocabulary | None = None) -> str:
    template = placed(parse_jinja(source, vocabulary or Vocabulary(), is_html=True), source)
    return render(template, person)


class Reader(HTMLParser):
    """What a mail reader finds: tags with the names of their attributes, and where links lead."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[object] = []
        self.addresses: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, [name for name, _ in attrs]))
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src")]

    def handle_endtag(self, tag: str) -> None:
        self.tags.append(f"/{tag}")

    def handle_comment(self, data: str) -> None:
        self.tags.append("comment")


@pytest.mark.parametrize(
    ("source", "html"),
    [
        ('<p title="[firstName]">', '<p title="Ann &amp; Bob=1#2">'),
        ('<a href="[param1]">', '<a href="https://shop.example/x?a=1&amp;b=2">'),
        ('<a href=" &#9;[param1]">', '<a href=" &#9;https://shop.example/x?a=1&amp;b=2">'),
        ("<a HREF = '{{ param1 }}/path'>", "<a HREF = 'https://shop.example/x?a=1&amp;b=2/path'>"),
        (
            '<a href="https://x/?n=[firstName]&amp;e=[email]">',
            '<a href="https://x/?n=Ann%20%26%20Bob%3D1%232&amp;e=ann%2Bbob%40mail.example">',
        ),
        ('<img src="https://x/{{ param2|upper }}.png">', '<img src="https://x/A%20B.png">'),
        ('<a href="[param1]?n=[param2]">', '<a href="https://shop.example/x?a=1&amp;b=2?n=a%20b">'),
        (
            '<a href="mailto:[email]?subject=[param2]">',
            '<a href="mailto:ann+bob@mail.example?subject=a%20b">',
        ),
        ('<a href="[firstName]">', '<a href="">'),
        ('<a href="[firstName|https://x.example/]">', '<a href="https://x.example/">'),
        ("<title>[firstName]</title>", "<title>Ann &amp; Bob=1#2</title>"),
        ("1 < 2, [param2] </> [param2] <3 [param2]", None),
        ("<!-- [param2]--x --><!-->[param2]<!---->[param2]", "<!-- a b--x --><!-->a b<!---->a b"),
        ("<!-->[param3]<!--->[param3]<!-- [param3]", "<!-->a-b<!--->a-b<!-- a&#45;b"),
        (
            '<a href="{% if param1 %}https://a.example/{% else %}https://b.example/{% endif %}[param2]">',
            '<a href="https://a.example/a%20b">',
        ),
        (
            '<!--[if mso]><v:rect href="[param1]">[param2]</v:rect><![endif]-->',
            '<!--[if mso]><v:rect href="https://shop.example/x?a=1&amp;b=2">a b</v:rect><![endif]-->',
        ),
        ('<!--[if !mso]><!--><a href="[param1]"><!--<![endif]-->', None),
        ("<style>a{}</style><p>[param2]</p><br/>[param2]<!doctype html>[param2]", None),
        ('<td{% if param1 %} class="x"{% endif %} title="[param2]">', '<td class="x" title="a b">'),
        (
            '<a href="{% if param1 %}https://a.example{% else %}https://b.example/{% endif %}?n=[param2]">',
            '<a href="https://a.example?n=a%20b">',
        ),
    ],
)
def test_a_value_is_encoded_for_its_place(source: str, html: str | None) -> None:
    expected = source.replace("[param2]", "a b").replace("[param1]", COUPLE.p1.replace("&", "&amp;"))
    assert shown(source) == (html or expected)


@pytest.mark.parametrize(
    ("source", "code", "line", "column"),
    [
        ("<a href=[param1]>", "variable_unquoted", 1, 9),
        ("<a\nhref=https://x/?n=[param1]>", "variable_unquoted", 2, 19),
        ("<p>\n <[param1]>", "variable_in_tag", 2, 3),
        ("<h[param1]>", "variable_in_tag", 1, 3),
        ("</[param1]>", "variable_in_tag", 1, 3),
        ("<a [param1]>", "variable_in_tag", 1, 4),
        ("<a x[param1]=y>", "variable_in_tag", 1, 5),
        ("<a title='x' [param1]>", "variable_in_tag", 1, 14),
        ("<![param1]>", "variable_in_tag", 1, 3),
        ("<script>f('[param1]')</script>", "variable_in_script", 1, 12),
        ("<SCRIPT\n>{{ param1 }}</SCRIPT>", "variable_in_script", 2, 2),
        ("<a onclick=\"f('[firstName]')\">", "variable_in_script", 1, 16),
        ('<iframe srcdoc="[param1]">', "variable_in_script", 1, 17),
        ("<a href=\"javascript:f('[param1]')\">", "variable_in_script", 1, 24),
        ("<a href=\" java\tscript&#58;f('[param1]')\">", "variable_in_script", 1, 30),
        ('<img src="data:text/html,[param1]">', "variable_in_script", 1, 26),
        ("<style>p{color:[param1]}</style>", "variable_in_style", 1, 16),
        ('<p style="color:[param1]">', "variable_in_style", 1, 17),
        ("<!--[if mso]><style>[param1]</style><![endif]-->", "variable_in_style", 1, 21),
        ("{% if param1 %}<style>{% endif %}[param1]", "variable_place_unclear", 1, 34),
        ('<a href="{% if param2 %}https://x/{% endif %}[param1]">', "variable_place_unclear", 1, 46),
        ("[param1|<b ][param2]", "variable_place_unclear", 1, 13),
        ("<!-- -[param1]->[param2]", "variable_place_unclear", 1, 17),
        ("</ [param1]>", "variable_in_tag", 1, 4),
        ("x{% if param1 -%}  <a [param2]>{% endif %}", "variable_in_tag", 1, 23),
    ],
)
def test_a_value_that_nothing_makes_harmless_is_refused_with_its_place(
    source: str, code: str, line: int, column: int
) -> None:
    with pytest.raises(TemplateSyntaxError) as refused:
        shown(source)
    assert (refused.value.code, refused.value.line, refused.value.column) == (code, line, column)


def test_conditions_that_leave_too_much_open_are_refused() -> None:
    source = "<p " + "".join(f"{{% if param1 %}}{letter}{{% endif %}}" for letter in "abcdefgh") + "=''>"
    with pytest.raises(TemplateSyntaxError) as refused:
        shown(source)
    assert refused.value.code == "variable_place_unclear"


def test_a_mail_says_that_its_html_is_wrong_and_where() -> None:
    with pytest.raises(CannotComposeError) as refused:
        compile_message(Content("s", "<p>\r\n<a href=[param1]>"), SENDER)
    assert refused.value.reason.code == "html_variable_unquoted"
    assert refused.value.reason.text.startswith("Line 2, column 9: Put quotes")


@pytest.mark.parametrize(
    "template",
    [
        '<a href=[unsubscribe] title="[param2]">x</a>',
        '<a href="[unsubscribe]">x</a>',
        "<a href='[unsubscribe]#[param2]'>x</a>",
    ],
)
def test_our_own_links_stay_as_they_are(template: str) -> None:
    links = Links("https://mail.example/u/1")
    html = render(placed(parse(template), template), COUPLE, links)
    assert html == template.replace("[unsubscribe]", links.unsubscribe).replace(
        "[param2]", "a%20b" if "#" in template else "a b"
    )


def test_an_option_may_be_a_url_with_values_in_it() -> None:
    shop = CustomVariable("shop", ("https://x.example/?n=[firstName]&e=[email]", "x"))
    html = shown('<a href="[shop]" title="[shop]">', vocabulary=Vocabulary((shop,)))
    (address,) = Reader(html).addresses
    assert parse_qs(urlsplit(address).query) == {"n": [COUPLE.first_name], "e": [COUPLE.email]}
    write = CustomVariable("write", ("mailto:[email]",))
    assert shown('<a href="[write]">', vocabulary=Vocabulary((write,))) == f'<a href="mailto:{COUPLE.email}">'
    own = CustomVariable("own", ("[param1]?n=[param2]",))
    assert '?n=a%20b"' in shown('<a href="[own]">', vocabulary=Vocabulary((own,)))


@pytest.mark.parametrize(
    "template",
    [
        "<p title=\"{}\">{}</p><b id='{}'>{}</b><textarea>{}</textarea>",
        '<a href="{}">{}</a><img alt="" src=\'{}\'>',
        '<a href="{}/{}?a={}&b={}">x</a><img src="https://x.example/{}.png">',
        '<a href="mailto:{}?subject={}">x</a><form action="{}"><input value="{}"></form>',
        "<!-- {} --><b>{}</b><!-- -{}-{}> --><i>{}</i>",
        "<!--[if mso]><v:rect href=\"{}\" alt='{}'>{}></v:rect>{}<![endif]--><b>{}</b>",
        '<td{% if param1 %} class="x"{% endif %} title="{}"><a href="https://{}">{}</a>',
    ],
)
@unhurried
@given(value=values)
def test_no_value_changes_tags_attributes_or_comments(template: str, value: str) -> None:
    source = template.replace("{}", "[param2]")
    person = Person("a@b.example", p1="x", p2=value)
    found, innocent = Reader(shown(source, person)), Reader(shown(source, Person("", p1="x", p2="word")))
    assert found.tags == innocent.tags
    for address in found.addresses:
        assert not address.strip() or address.lower().startswith(
            ("http://", "https://", "mailto:", "tel:", "/")
        )


@unhurried
@given(value=values)
def test_preview_and_message_agree_and_a_query_keeps_its_values(value: str) -> None:
    person = Person("a@b.example", p2=value)
    html = '<a href="https://x.example/?a=[param2]&amp;b=[param2]">Go</a><a href="[param2]">Own</a>'
    message = compile_message(Content("s", html), SENDER)
    preview = message.preview(person)
    words = render(parse("[param2]"), person)
    (first, second) = Reader(preview.html).addresses
    assert parse_qs(urlsplit(first).query, keep_blank_values=True) == {"a": [words], "b": [words]}
    assert f"Go ({first})" in preview.text
    assert f"Own ({second})" in preview.text
    assert list(_bodies(message.render(person, MESSAGE_ID, NOW))) == [preview.text, preview.html]


def _bodies(raw: bytes) -> Iterator[str]:
    for part in message_from_bytes(raw, policy=policy.SMTP).walk():
        if not part.is_multipart():
            yield part.get_content().replace("\r\n", "\n")


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "piece", ["<a ", "<a b='c'>", "<!--", "<!---->", "<!--[if x", "<style>", "</", "<![", "<p a"]
)
def test_html_made_to_be_slow_is_placed_all_the_same(piece: str) -> None:
    source = piece * (1_000_000 // len(piece))
    placed(parse(source), source)
