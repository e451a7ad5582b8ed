"""The browser's language: the best of those we have, whatever the header says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.accept_language import Language, language_for

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
