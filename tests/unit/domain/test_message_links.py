"""Links of a message: where its reader finds them, how they are encoded, and the fields of a list."""

import re
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.content import Content
from chalicelib.domain.delivery import MessageTags
from chalicelib.domain.email import compile_message
from chalicelib.domain.link_tokens import SigningKey, TokenKind, TokenRing
from chalicelib.domain.message_links import LinkUse, has_link, links_of, list_fields
from chalicelib.domain.personalization import NO_LINKS, Links, parse
from chalicelib.domain.quoted_printable import encode, encode_url
from tests.rfc5322 import ALWAYS, check, decoded
from tests.unit.domain.message_builders import (
    ANNA,
    CUSTOMS,
    MESSAGE_ID,
    NOW,
    ON_THE_WIRE,
    SENDER,
    compiled_if_it_can_be,
    rich_templates,
    unhurried,
)

TAGS = MessageTags("acc1", "camp1", "contact1", 1, 1)
RING = TokenRing([SigningKey(1, b"k" * 32)])
BOTH = LinkUse(unsubscribe=True, pixel=True)
LINKS, RETURNS = links_of(TAGS, BOTH, RING, "https://mail.shop.example")
URL, PICTURE, _ = LINKS
WITH_LIST = (*ALWAYS[:5], "List-Unsubscribe", "List-Unsubscribe-Post", *ALWAYS[5:])


def bodies(html: str, text: str | None = None, use: LinkUse = BOTH) -> tuple[str, str]:
    """The text and the HTML of a message with these links."""
    raw = compile_message(Content("Hi", html, text), SENDER, link_use=use).render(
        ANNA, MESSAGE_ID, NOW, LINKS
    )
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return decoded(message)


@unhurried
@given(rich_templates, st.none() | rich_templates)
def test_a_marketing_message_is_clean_and_has_its_links_whatever_its_author_wrote(
    html: str, text: str | None
) -> None:
    compiled = compiled_if_it_can_be(Content("Hi", html, text, variables=CUSTOMS), BOTH)
    raw = compiled.render(ANNA, MESSAGE_ID, NOW, LINKS)
    message = check(raw, recipient="anna@mail.example", subject="Hi", sender=ON_THE_WIRE, headers=WITH_LIST)
    words, marked_up = decoded(message)
    assert URL in words
    assert f'href="{URL}"' in marked_up
    assert f'<img src="{PICTURE}"' in marked_up
    assert message["List-Unsubscribe"] == f"<{URL}>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


class TestWhereTheLinkIs:
    def test_it_is_where_the_author_put_it_and_nowhere_else(self) -> None:
        text, html = bodies('<a href="[unsubscribe]">Bye</a><p>End</p>', "Bye: [ Unsubscribe ] End")
        assert text == f"Bye: {URL} End\n"
        assert html.startswith(f'<a href="{URL}">Bye</a><p>End</p>')
        assert html.count(URL) == 1

    def test_it_is_added_at_the_end_of_the_part_that_has_none(self) -> None:
        text, html = bodies('<a href="[unsubscribe]">Bye</a>', "Words only")
        assert html.count(URL) == 1
        assert text == f"Words only\n\nUnsubscribe · Отписаться: {URL}\n"

    def test_the_derived_text_has_the_link_of_the_html(self) -> None:
        text, _ = bodies('<p>Hi</p><a href="[unsubscribe]">Bye</a>')
        assert text == f"Hi\n\nBye ({URL})\n"

    def test_the_end_of_the_html_is_before_the_end_of_its_body(self) -> None:
        _, html = bodies("<html><body><p>Hi</p></BODY ></html>")
        head, added, tail = html.partition("<p>Hi</p>")[0], html.split("<p>Hi</p>")[1], "</BODY ></html>\n"
        assert head == "<html><body>"
        assert added.endswith(tail)
        assert added.index(URL) < added.index(PICTURE) < added.index(tail)

    def test_the_last_end_of_a_body_counts(self) -> None:
        _, html = bodies("<pre></body></pre><p>[firstName]</p></body>")
        assert html.index("Anna") < html.index(URL)

    @pytest.mark.parametrize(
        "hidden", ["<!-- [unsubscribe] -->", "<!-- [unsubscribe]", "<p>x</p><!-- a -- [unsubscribe] -->"]
    )
    def test_a_link_that_no_reader_sees_is_none(self, hidden: str) -> None:
        assert not has_link(parse(hidden))
        assert f'href="{URL}"' in bodies(hidden)[1] or hidden.endswith("[unsubscribe]")

    def test_a_variables_value_is_no_link(self) -> None:
        assert not has_link(parse("[firstName|unsubscribe] unsubscribe"))

    def test_without_a_use_nothing_is_added(self) -> None:
        assert bodies("<p>Hi</p>", "Hi", LinkUse()) == ("Hi\n", "<p>Hi</p>\n")
        assert PICTURE not in bodies("<p>Hi</p>", "Hi", LinkUse(unsubscribe=True))[1]
        assert URL not in bodies("<p>Hi</p>", "Hi", LinkUse(pixel=True))[1]


class TestLinks:
    def test_there_is_no_link_without_a_public_url(self) -> None:
        assert links_of(TAGS, BOTH, RING, "") == (NO_LINKS, RETURNS)

    def test_each_link_has_a_token_of_its_own_kind(self) -> None:
        page, picture = (url.rpartition("/")[2] for url in LINKS[:2])
        assert RING.read(TokenKind.UNSUBSCRIBE, page) == RING.read(TokenKind.OPEN, picture) == TAGS
        assert RING.read(TokenKind.OPEN, page) is RING.read(TokenKind.UNSUBSCRIBE, picture) is None

    def test_the_token_of_what_comes_back_is_made_with_them(self) -> None:
        assert RING.seal(TokenKind.RETURN, TAGS) == RETURNS

    def test_a_marketing_message_without_a_link_is_a_fault_and_never_leaves(self) -> None:
        compiled = compile_message(Content("Hi", "<p>Hi</p>"), SENDER, link_use=BOTH)
        with pytest.raises(ValueError, match="unsubscribe link"):
            compiled.render(ANNA, MESSAGE_ID, NOW)

    def test_the_lists_fields_are_as_rfc_8058_wants_them_each_on_a_line(self) -> None:
        longest = Links(f"https://{'a' * 60}.example/api/u/{'t' * 120}")
        fields = list_fields(longest).splitlines()
        assert fields == [
            f"List-Unsubscribe: <{longest.unsubscribe}>",
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        ]
        assert max(map(len, fields)) <= 998

    def test_a_preview_has_links_that_do_nothing(self) -> None:
        seen = compile_message(Content("Hi", "<p>Hi</p>"), SENDER, link_use=BOTH).preview(ANNA)
        assert re.findall(r'(?:href|src)="([^"]+)"', seen.html) == ["about:blank", "about:blank"]


@given(st.text("abcXYZ019-._~/:", max_size=300).filter(lambda url: not url.startswith(".")))
def test_a_url_is_encoded_as_any_text_is_but_faster(url: str) -> None:
    decode = policy.default
    whole = b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    assert _content(whole + encode_url(url), decode) == _content(whole + encode(url), decode) == url
    assert all(len(line) <= 76 and not line.startswith(b".") for line in encode_url(url).split(b"\r\n"))


def _content(raw: bytes, how: policy.EmailPolicy) -> str:
    message = message_from_bytes(raw, policy=how)
    assert isinstance(message, EmailMessage)
    content: bytes = message.get_payload(decode=True)
    return content.decode()
