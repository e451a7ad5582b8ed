"""Which of our languages a browser likes best."""

from enum import StrEnum


class Language(StrEnum):
    """The languages there are, by their RFC 5646 tags."""

    ENGLISH = "en"
    RUSSIAN = "ru"


_TAGS = frozenset(language.value for language in Language)


def language_for(accepted: str) -> Language:
    """The language a browser likes best of those there are, by its Accept-Language (RFC 9110, 12.5.4).

    The first of those it likes the same; English when it likes none, or says what can't be understood.
    """
    best, chosen = 0.0, Language.ENGLISH
    for item in accepted.split(",")[:50]:
        tag, _, parameter = item.partition(";")
        primary, weight = tag.strip().lower().partition("-")[0], _weight(parameter)
        if primary in _TAGS and weight > best:
            best, chosen = weight, Language(primary)
    return chosen


def _weight(parameter: str) -> float:
    """The value of ``q=0.8``, 1 when there is none, 0 for anything else."""
    name, _, value = parameter.strip().lower().partition("=")
    if not name:
        return 1.0
    try:
        weight = float(value) if name.strip() == "q" else 0.0
    except ValueError:
        return 0.0
    return weight if 0.0 <= weight <= 1.0 else 0.0
