"""Character references, also of a number that Python refuses to read."""

import pytest

from chalicelib.domain.content import Content
from chalicelib.domain.email import SenderIdentity, compile_message
from chalicelib.domain.references import unescape
from chalicelib.domain.text_version import text_of

ENDLESS = "&#" + "9" * 5_000 + ";"


@pytest.mark.parametrize(
    ("text", "resolved"),
    [
        ("a & b", "a & b"),
        ("&lt;&amp;&#8217;&#x2019;&nbsp;", "<&\u2019\u2019\xa0"),
        (f"a{ENDLESS}b", "a\ufffdb"),
        (ENDLESS[:-1], "\ufffd"),
        ("&#x" + "f" * 5_000 + ";", "\ufffd"),
    ],
)
def test_references_are_resolved_and_nothing_is_raised(text: str, resolved: str) -> None:
    assert unescape(text) == resolved


@pytest.mark.parametrize(
    "html", [f"<p>{ENDLESS}</p>", f'<a href="{ENDLESS}">x</a>', f'<a href="{ENDLESS}[p1]">x</a>']
)
def test_a_mail_with_such_a_number_can_be_saved(html: str) -> None:
    assert isinstance(text_of(html), str)
    compile_message(Content("x", html), SenderIdentity("Shop", "news@shop.example"))
