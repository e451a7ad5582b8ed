"""The unsubscribe page: the browser's language, and a page that needs and tells nothing else."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.unsubscribe_page import Language, Step, language_for, page

ENGLISH, RUSSIAN = Language.ENGLISH, Language.RUSSIAN


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", ENGLISH),
        ("*", ENGLISH),
        ("de-DE,de;q=0.9", ENGLISH),
        ("ru", RUSSIAN),
        ("RU-ru", RUSSIAN),
        ("ru-RU,ru;q=0.9,en-US;q=0.8,en;q=0.7", RUSSIAN),
        ("en-US,en;q=0.9,ru;q=0.8", ENGLISH),
        ("en;q=0.3, ru ; q=0.4", RUSSIAN),
        ("ru;q=0.3,en;q=0.4", ENGLISH),
        ("de,ru;q=0.1", RUSSIAN),
        ("ru;q=0", ENGLISH),
        ("ru;q=0,en;q=0", ENGLISH),
        ("en,ru", ENGLISH),
        ("ru,en", RUSSIAN),
        ("ru;q=0.2,en;q=0.3,ru;q=0.9", RUSSIAN),
        ("ru;q=x", ENGLISH),
        ("ru;q=nan", ENGLISH),
        ("ru;q=7", ENGLISH),
        ("ru;level=1", ENGLISH),
        ("rum", ENGLISH),
        (";;,,ru", RUSSIAN),
    ],
)
def test_the_language_is_the_one_the_browser_likes_best(accepted: str, language: Language) -> None:
    assert language_for(accepted) is language


@given(st.text(" ,;=q.-*0189enruENRU\u00b2", max_size=80))
def test_no_header_is_a_fault(accepted: str) -> None:
    assert language_for(accepted) in Language


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
@pytest.mark.parametrize("step", Step)
def test_a_page_is_whole_and_asks_for_nothing_from_elsewhere(step: Step, language: Language) -> None:
    html = page(step, language)
    tags = Tags()
    tags.feed(html)
    assert sorted(tags.opened) == sorted([*tags.closed, "meta", "meta", "meta"])
    assert not re.search(r"https?:|src=|url\(|@import|<script|<link", html)
    assert f'<html lang="{language}">' in html
    assert ("<form" in html) is (step in {Step.ASK, Step.FAILED})
    assert (bool(re.search("[а-я]", html))) is (language is RUSSIAN)
