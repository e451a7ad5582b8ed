"""The pages behind links: each is whole, and needs nothing from elsewhere."""

import re
from html.parser import HTMLParser

import pytest

from chalicelib.domain.accept_language import Language
from chalicelib.domain.link_pages import LinkPage, page


class Tags(HTMLParser):
    """The tags of a page, opened and closed."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[str] = []
        self.closed: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.opened.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self.closed.append(tag)


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("which", LinkPage)
def test_a_page_is_whole_and_asks_for_nothing_from_elsewhere(which: LinkPage, language: Language) -> None:
    html = page(which, language)
    tags = Tags()
    tags.feed(html)
    assert sorted(tags.opened) == sorted([*tags.closed, "meta", "meta", "meta"])
    assert not re.search(r"https?:|src=|url\(|@import|<script|<link", html)
    assert f'<html lang="{language}">' in html
    assert ("<form" in html) is (which in {LinkPage.ASK_TO_UNSUBSCRIBE, LinkPage.UNSUBSCRIBE_FAILED})
    assert (bool(re.search("[а-я]", html))) is (language is Language.RUSSIAN)
