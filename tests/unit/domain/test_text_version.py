import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.contact import Person
from chalicelib.domain.derived_text import derived
from chalicelib.domain.html_places import placed
from chalicelib.domain.personalization import Variable, parse, render
from chalicelib.domain.text_version import text_of
from tests.unit.domain.message_builders import ANNA, templates, unhurried


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>One</p><p>Two</p>", "One\n\nTwo"),
        ("One<br>Two<br/>Three", "One\nTwo\nThree"),
        ("<div>One</div><div>Two</div>", "One\nTwo"),
        ("<div>One<br></div> <div><div>Two</div></div><br>Three<p>Four", "One\nTwo\n\nThree\n\nFour"),
        ("<p>many\n   spaces &nbsp; and\ttabs</p>", "many spaces and tabs"),
        ("<h1>Title</h1>text", "Title\n\ntext"),
        ("<b>bold</b>, <i>too</i>", "bold, too"),
        ("a &lt; b &amp;&amp; c &euro; &#8212; &copy", "a < b && c € — ©"),
        ("1 < 2 <p>I <3 you</p>", "1 < 2\n\nI <3 you"),
        ("<ul><li>one</li><li>two</li></ul>", "- one\n- two"),
        ("<p>x</p><ol><li>one<li><p>two</p></ol>y", "x\n\n1. one\n2. two\n\ny"),
        ("<ul><li>a<ul><li>b</li></ul></li><li>c</li></ul>", "- a\n  - b\n- c"),
        ("<table><tr><td>1</td><td>2</td></tr><tr><td>3</td></tr></table>", "1 2\n3"),
        ("<pre>a\n  b</pre>", "a\nb"),
        ("<img src=x alt='Our shop'><img src=pixel.gif>", "Our shop"),
    ],
)
def test_the_text_is_laid_out_like_the_html(html: str, text: str) -> None:
    assert text_of(html) == text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<a href='https://x.example/?a=1&amp;b=2'>Shop</a> now", "Shop (https://x.example/?a=1&b=2) now"),
        ("<a href='https://x.example/'>x.example</a>", "x.example"),
        ("<a href='mailto:a@x.example'>a@x.example</a>", "a@x.example"),
        ("<a href='mailto:a@x.example'>Write</a>", "Write (a@x.example)"),
        ("<a href='https://x.example'><img alt=Logo></a>", "Logo (https://x.example)"),
        ("<a href='https://x.example'><img></a>", "https://x.example"),
        ("<a href='https://x.example'><div>Go</div></a>on", "Go (https://x.example)\non"),
        ("<a href='https://x.example'>one<a href='https://y.example'>two", None),
        ("<a href='#top'>Top</a> <a href='javascript:x()'>Run</a> <a>None</a>", "Top Run None"),
    ],
)
def test_links_show_where_they_lead_once(html: str, text: str | None) -> None:
    assert text_of(html) == (text or "one (https://x.example)two (https://y.example)")


@pytest.mark.parametrize(
    "silent",
    [
        *("<style>p { color: red }</style>", "<script>if (a < b) { '</p>' }</script>", "<!-- a > b -->"),
        *("<!--[if mso]><p>Outlook</p><![endif]-->", "<head><title>T</title><meta x=y> stray</head>"),
        *(
            "<![if !mso]>",
            "<![foo[bar]>",
            "<?xml x?>",
            "<!doctype html>",
            "<template><p>x</p></template>",
            "\x00",
        ),
    ],
)
def test_what_nobody_sees_is_left_out(silent: str) -> None:
    assert text_of(f"before {silent}after") == "before after"


def test_what_only_others_than_outlook_see_is_text() -> None:
    assert text_of("<!--[if !mso]><!-->seen<!--<![endif]--> too") == "seen too"


def test_a_head_that_never_ends_hides_nothing() -> None:
    assert text_of("<head><style>p{}</style><p>Hello</p>") == "Hello"


def test_lines_are_not_wrapped() -> None:
    assert text_of("word " * 500) == ("word " * 500).strip()


def test_the_text_of_a_template_is_a_template() -> None:
    source = "<p>Dear <b>[firstName|you &amp; yours]</b>, [if mso] [param1|<i>a</i> &lt;b]</p>"
    text = derived(placed(parse(source), source))
    assert render(text, ANNA) == "Dear Anna, [if mso] a <b\n"
    assert render(text, Person("a@b.example")) == "Dear you & yours, [if mso] a <b\n"


@unhurried
@given(st.one_of(templates, st.text("<>!-[]/a='\" &;#1", max_size=80)))
def test_no_html_is_an_error(html: str) -> None:
    text = text_of(html)
    assert not set(text) & set("\x00\x01\x02\x03\r")
    assert text == text.strip("\n ")


@unhurried
@given(
    st.lists(st.sampled_from(["[firstName]", "[param1|x]", "<p>", "</p>", "<br>", "&amp;", "a"]), max_size=9)
)
def test_no_variable_is_lost(parts: list[str]) -> None:
    html = "".join(parts)
    text = derived(placed(parse(html), html))
    assert [piece for piece in text if isinstance(piece, Variable)] == [
        piece for piece in parse(html) if isinstance(piece, Variable)
    ]


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "piece",
    ["<a ", "<a b=", '<a href="', "</", "<!--", "<![", "<", "&", "<?", "<a>", "<ul><li>", " ", "\u200b"],
)
def test_html_made_to_be_slow_is_read_all_the_same(piece: str) -> None:
    """The parser alone takes minutes over 200 KB of some of these; the limit on a test is the assertion."""
    text_of(piece * (200_000 // len(piece)))
