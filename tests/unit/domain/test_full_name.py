import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.full_name import split_full_name


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("", ("", "", "")),
        ("Anna", ("Anna", "", "")),
        ("Anna Lee", ("Anna", "", "Lee")),
        ("Ludwig van Beethoven", ("Ludwig", "", "van Beethoven")),
        ("Lee, Anna Maria", ("Anna Maria", "", "Lee")),
        ("Lee,", ("Lee,", "", "")),
        ("Петрова Анна Сергеевна", ("Анна", "Сергеевна", "Петрова")),
        ("Анна Сергеевна Петрова", ("Анна", "Сергеевна", "Петрова")),
        ("Анна Сергеевна", ("Анна", "Сергеевна", "")),
        ("Алиев Рустам Ильяс-оглы", ("Рустам", "Ильяс-оглы", "Алиев")),
        ("Иванов Иван", ("Иван", "", "Иванов")),
        ("Иван Иванов", ("Иван", "", "Иванов")),
        ("Марина Ткач", ("Марина", "", "Ткач")),
        ("Шевченко\u00a0Тарас", ("Тарас", "", "Шевченко")),
    ],
)
def test_a_name_is_split_by_what_its_words_tell(name: str, parts: tuple[str, str, str]) -> None:
    assert split_full_name(name) == parts


@given(st.text(alphabet=st.sampled_from("Ания вична, -О'Lé\u00a0"), max_size=40))
def test_no_word_is_lost(name: str) -> None:
    words = sorted(name.replace("\u00a0", " ").replace(",", " ").split())
    assert sorted(" ".join(split_full_name(name)).replace(",", " ").split()) == words
