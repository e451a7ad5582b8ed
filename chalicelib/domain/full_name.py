"""A name in one cell, split into first, middle and last name as far as its words tell.

Guesses, made where they are mostly right: a patronymic marks a Russian name and the place of the others; two
Russian words are told apart by the endings of surnames; elsewhere the first word is the first name. What is
in doubt stays with the first name, which is what a mail addresses.
"""

import re

_CYRILLIC = re.compile(r"[\u0400-\u04ff]")
_PATRONYMIC = re.compile(r".{2,}(вич|вна|ична|ьич|оглы|кызы)$", re.IGNORECASE)
_RUSSIAN_SURNAME = re.compile(
    r".{2,}([ое]в|[ое]ва|[ёе]в|[ёе]ва|ин|ина|ын|ына|ский|ская|цкий|цкая|ой|ых|их|ко|чук|юк|як|ян|дзе|швили|ли)$",
    re.IGNORECASE,
)
_FIRST_NAMES_LIKE_SURNAMES = frozenset(
    """марина ирина екатерина полина алина карина галина нина зина арина регина кристина ангелина сабина
    валентина константин валентин мартин августин лев яков""".split()  # noqa: SIM905
)

Names = tuple[str, str, str]
"""First, middle and last name."""


def split_full_name(name: str) -> Names:
    """First, middle and last name; what is missing is empty."""
    words = name.replace("\u00a0", " ").split()
    if len(words) < 2:  # noqa: PLR2004
        return (words[0] if words else "", "", "")
    if _CYRILLIC.search(name):
        return _russian(words)
    return _western(name, words)


def _russian(words: list[str]) -> Names:
    patronymic = next((at for at, word in enumerate(words) if at and _PATRONYMIC.fullmatch(word)), None)
    if patronymic == 1:  # Имя Отчество Фамилия
        return words[0], words[1], " ".join(words[2:])
    if patronymic is not None:  # Фамилия Имя Отчество
        return words[patronymic - 1], words[patronymic], " ".join(words[: patronymic - 1])
    first, *rest = words
    if _is_surname(first) and not _is_surname(rest[-1]):
        return " ".join(rest), "", first
    return first, "", " ".join(rest)


def _is_surname(word: str) -> bool:
    return _RUSSIAN_SURNAME.fullmatch(word) is not None and word.casefold() not in _FIRST_NAMES_LIKE_SURNAMES


def _western(name: str, words: list[str]) -> Names:
    last, comma, first = name.partition(",")
    if comma and first.strip() and last.strip():  # Last, First
        return " ".join(first.split()), "", " ".join(last.split())
    return words[0], "", " ".join(words[1:])
