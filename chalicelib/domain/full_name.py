"""A name in one cell, split into first, middle and last name as far as its words tell.

Guesses, made where they are mostly right: a patronymic marks a Russian name and the place of the others; two
Russian words are told apart by the endings of surnames; elsewhere the first word is the first name. What is
in doubt stays with the first name, which is what a mail addresses. A company's name is nobody's: see
``is_company``.
"""

import re

_CYRILLIC = re.compile(r"[\u0400-\u04ff]")
_PATRONYMIC = re.compile(r".{2,}(вич|вна|ична|ьич|оглы|кызы)$", re.IGNORECASE)
_SURNAME = re.compile(r".{2,}([оеё]ва?|ский|ская|цкий|цкая|ых|их|ко|чук|юк|дзе|швили)$", re.IGNORECASE)
_LIKE_A_SURNAME = re.compile(r".{2,}(ина?|ына?|ой|як|ян|ли)$", re.IGNORECASE)
_GIVEN = frozenset(
    """августин авдей агата агния адам аделина азат аида айгуль айдар алан алевтина александр александра
    алексей алена алина алиса алия алла альберт альбина альфия амалия амина анастасия анатолий ангелина
    андрей анжела анна антон антонина арина аркадий арсен арсений артем артур аслан ася ахмед богдан
    борис булат вадим валентин валентина валерий валерия варвара василий василина василиса вера вероника
    виктор виктория виталий влад владимир владислав владислава всеволод вячеслав гадир галина гаяне
    геннадий георгий герман глеб григорий гульнара давид дамир дамиян дана даниил данил данила данко
    дарина дарья демьян денис диана дина дмитрий ева евгений евгения егор екатерина елена елизавета
    емельян ефим жанна захар зина зинаида злата зоя иван игнат игорь ильдар ильнур илья ильяс инга инна
    иннокентий ира ирина камила карен карина каролина катерина кевин келли кирилл клавдия константин
    кристина ксения лариса лев леонид лидия лилия лина луиза лукьян любовь людмила магомед майя макар
    максим маргарита марианна марина мария марк марко мартин мартын марьян марьяна матвей мила милана
    михаил мурад мурат надежда назар натали наталия наталья наум нелли ника никита николай нина оксана
    олег олеся ольга павел паулина петр полина прохор раиса рамиль рамин регина ренат ринат рита роза
    роман ростислав руслан рустам сабина савелий салли самира светлана севастьян семен сергей снежана
    софия софья станислав степан таисия тамара тарас татьяна тимофей тимур тихон ульяна фаина фаррух
    федор филипп фируза халид хасан христина эвелина эдвин эдуард элеонора элина элли эльвира эльдар
    эльмира эльнур эмили эмилия эмиль юлиан юлия юрий яков ян яна янина янко ярослав ярослава""".split()  # noqa: SIM905
)
_TITLES = frozenset("dr prof mr mrs ms miss mx herr frau гн гжа господин госпожа др проф".split())  # noqa: SIM905
_FORMS = frozenset(
    """ооо зао оао пао нпо нко тоо одо фгуп гуп муп снт тсж llc ltd inc corp corporation gmbh plc llp kg
    ohg sarl srl""".split()  # noqa: SIM905
)
_FORMS_IN_CAPITALS = frozenset({"АО", "АНО"})  # there are people called Ао, and Ано
_IN_WORDS = re.compile(
    r"(публичное |закрытое |открытое )?(общество с огранич|акционерное общество)", re.IGNORECASE
)
_ENTREPRENEUR = re.compile(r"(ип|индивидуальный предприниматель)\s+", re.IGNORECASE)
_SIGNS = re.compile(r"[\W_]+")

Names = tuple[str, str, str]
"""First, middle and last name."""


def is_company(name: str) -> bool:
    """Whether it is the name of a company, by its legal form; a sole proprietor (ИП) is a person."""
    words = name.split()
    if len(words) < 2:  # noqa: PLR2004
        return False
    ends = (words[0], words[-1])
    plain = {_SIGNS.sub("", word) for word in ends}
    is_formed = any(word in _FORMS_IN_CAPITALS or word.casefold() in _FORMS for word in plain)
    return is_formed or _IN_WORDS.match(name) is not None


def split_full_name(name: str) -> Names:
    """First, middle and last name; what is missing is empty. Titles before the name belong to none."""
    words = _ENTREPRENEUR.sub("", name.replace("\u00a0", " ").strip(), count=1).split()
    untitled = _without_titles(words)
    if len(untitled) == 1 and untitled != words:  # Mr. Lee
        return "", "", untitled[0]
    if len(untitled) < 2:  # noqa: PLR2004
        return (untitled[0] if untitled else "", "", "")
    if _CYRILLIC.search(name):
        return _russian(untitled)
    return _western(untitled)


def _without_titles(words: list[str]) -> list[str]:
    """The words after the titles; at least one stays."""
    titles = 0
    while titles < len(words) - 1 and _SIGNS.sub("", words[titles]).casefold() in _TITLES:
        titles += 1
    return words[titles:]


def _russian(words: list[str]) -> Names:
    patronymic = next((at for at, word in enumerate(words) if at and _PATRONYMIC.fullmatch(word)), None)
    if patronymic == 1:  # Имя Отчество Фамилия
        return words[0], words[1], " ".join(words[2:])
    if patronymic is not None:  # Фамилия Имя Отчество
        return words[patronymic - 1], words[patronymic], " ".join(words[: patronymic - 1])
    first, *rest = words
    if _stands_first(first, rest[-1]):
        return " ".join(rest), "", first
    return first, "", " ".join(rest)


def _stands_first(surname: str, other: str) -> bool:
    """Whether the first of two words is the surname; first names may end like one (Янина Шульц)."""
    if _is_given(surname):
        return False
    if _SURNAME.fullmatch(surname):
        return _is_given(other) or not (_SURNAME.fullmatch(other) or _LIKE_A_SURNAME.fullmatch(other))
    return _LIKE_A_SURNAME.fullmatch(surname) is not None and _is_given(other)


def _is_given(word: str) -> bool:
    return word.casefold().replace("ё", "е") in _GIVEN


def _western(words: list[str]) -> Names:
    last, comma, first = " ".join(words).partition(",")
    if comma and first.strip() and last.strip():  # Last, First
        return " ".join(_without_titles(first.split())), "", last.strip()
    return words[0], "", " ".join(words[1:])
