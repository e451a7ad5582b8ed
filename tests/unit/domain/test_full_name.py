import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.full_name import is_company, split_full_name


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
        ("Савина Ольга", ("Ольга", "", "Савина")),
        ("Толстой Лев", ("Лев", "", "Толстой")),
        ("Натали Ким", ("Натали", "", "Ким")),
        ("Каролина Шмидт", ("Каролина", "", "Шмидт")),
        ("Янина Шульц", ("Янина", "", "Шульц")),
        ("Розалина Шварц", ("Розалина", "", "Шварц")),
        ("Лукьян Ким", ("Лукьян", "", "Ким")),
        ("Яков Цой", ("Яков", "", "Цой")),
        ("Dr. Anna Lee", ("Anna", "", "Lee")),
        ("Prof. Dr. Anna Lee", ("Anna", "", "Lee")),
        ("Lee, Dr. Anna", ("Anna", "", "Lee")),
        ("Mr. Lee", ("", "", "Lee")),
        ("Dr.", ("Dr.", "", "")),
        ("Г-н Иванов Иван", ("Иван", "", "Иванов")),
        ("ИП Иванов Иван Иванович", ("Иван", "Иванович", "Иванов")),
        ("Индивидуальный предприниматель Иванов Иван", ("Иван", "", "Иванов")),
    ],
)
def test_a_name_is_split_by_what_its_words_tell(name: str, parts: tuple[str, str, str]) -> None:
    assert split_full_name(name) == parts


@pytest.mark.parametrize(
    "name",
    [
        "ООО Ромашка",
        "ооо «Ромашка»",
        "Ромашка, ООО",
        "АО Дуб",
        "ПАО «Дуб»",
        "Общество с ограниченной ответственностью Дуб",
        *("Oak LLC", "Oak & Linen, Inc.", "Eiche GmbH", "Oak Ltd.", "Roble S.R.L."),
    ],
)
def test_a_name_with_a_legal_form_is_a_companys(name: str) -> None:
    assert is_company(name)


@pytest.mark.parametrize(
    "name",
    ["", "ООО", "Анна Ли", "ИП Иванов Иван Иванович", "Ао Ли", "Anna Lee", "Ино Коо"],
)
def test_a_person_is_no_company(name: str) -> None:
    assert not is_company(name)


@given(st.text(alphabet=st.sampled_from("Ания вична, -О'Lé\u00a0"), max_size=40))
def test_no_word_is_lost(name: str) -> None:
    words = sorted(name.replace("\u00a0", " ").replace(",", " ").split())
    assert sorted(" ".join(split_full_name(name)).replace(",", " ").split()) == words
