"""Which columns of a file hold the contacts' addresses, and which of them are asked first.

A header promises addresses or it doesn't. A promise is kept, also by a column that is empty so far: only
cells with something else in them are a lie. The data choose beside that, where no promised column has
addresses, and then with care: a CRM's file also names who looks after a contact, and the mail isn't for them.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.domain.address import Address, parse_address
from chalicelib.domain.address_cell import split_addresses

_MOSTLY = 0.5  # of a column's filled cells hold an address, or of those addresses are different

_WORDS = 3  # beside each address of a cell, as in "Lee, Anna" <…>: with more it is a note

_KIND = (
    "work|home|private|personal|other|primary|secondary|main|business|company|corporate|newsletters?|contacts?"
    "|customers?|clients?|subscribers?|recipients?|alternat(?:e|ive)|additional|billing|first|second|third"
)
_WHICH = (
    "(?:рабоч|частн|личн|друг|основн|дополнительн|домашн|корпоративн|контактн|резервн|перв|втор)"
    "(?:ый|ий|ой|ая|яя)"
)
_MAIL = "(?:[eеэ]?mail|[eеэ]м[ае][ий]л|име[ий]л|(?:эл|электронная|[eеэ])?почта|электронный(?:почтовый)?адрес)"
_MAIL_OF = r"адрес\d*(?:[eе]?mail|(?:эл|электронной)?почты)"
_FOR_WHOM = "(?:клиента|контакта|компании|получателя|подписчика|(?:для)?рассыл(?:ки|ок))"
_PROMISE = re.compile(
    rf"(?:{_KIND})?e?mails?(?:id|address(?:es)?)?\d*(?:id|address|value)?(?:{_KIND})?"
    rf"|(?:{_WHICH})?(?:{_MAIL}|{_MAIL_OF})\d*(?:адрес)?(?:{_FOR_WHOM})?"
)
_COMPANYS = re.compile("компани|company|реквизит", re.IGNORECASE)
_OF_A_USER = re.compile(
    "ответствен|менеджер|куратор|сотрудник|исполнител|владелец|создател|автор|помощник"
    "|кем(?:создан|измен|редакт|добавлен)|responsib|manager|owner|assigned|assignee|assistant|author|creator"
    "|(?:created|modified|updated|edited|added|changed)by|salesrep|accountexec|employee"
)


@dataclass(frozen=True, slots=True)
class EmailColumns:
    """Places of columns from 0, in the order in which they are asked; some were found by data alone."""

    order: tuple[int, ...]
    found_by_data: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class _Told:
    """What the looked-at rows tell of one column."""

    filled: int
    with_address: int
    different: int

    @property
    def is_mostly_addresses(self) -> bool:
        return self.filled > 0 and self.with_address >= _MOSTLY * self.filled

    @property
    def is_varied(self) -> bool:
        return self.different >= _MOSTLY * self.with_address


def promises_addresses(bare_name: str) -> bool:
    """Whether a column of this bare name is where anybody would look for a contact's address."""
    return _PROMISE.fullmatch(bare_name) is not None


def is_companys(header: str) -> bool:
    """Whether a column is about the company and not about the person, by its whole header."""
    return _COMPANYS.search(header) is not None


def choose_email_columns(
    names: Sequence[str], promised: Sequence[int], sample: Sequence[Sequence[str]]
) -> EmailColumns:
    """Choose by bare ``names``, what they promise (places, the one to prefer first), and the sampled rows."""
    told = [_told(sample, at) for at in range(len(names))]
    kept = [at for at in promised if not _lies(told[at], len(sample))]
    if any(told[at].is_mostly_addresses for at in promised):
        return EmailColumns(tuple(promised))
    by_data = [at for at in _by_data(names, told, careful=bool(promised)) if at not in promised]
    if by_data:
        return EmailColumns((*kept, *by_data), tuple(by_data))
    return EmailColumns(tuple(promised))


def holds_address(cell: str) -> bool:
    """Whether the cell is there for an address, or for several."""
    return _key(cell) is not None


def _key(cell: str) -> str | None:
    """The first address of a cell, in its form for comparing; None where there is none, or much beside."""
    addresses = cell.count("@")
    if not addresses or sum("@" not in word for word in cell.split()) > _WORDS * addresses:
        return None
    found = (parse_address(part) for part in split_addresses(cell))
    return next((address.key for address in found if isinstance(address, Address)), None)


def _told(sample: Sequence[Sequence[str]], at: int) -> _Told:
    filled = [row[at] for row in sample if at < len(row) and row[at].strip()]
    keys = [key for key in map(_key, filled) if key is not None]
    return _Told(len(filled), len(keys), len(set(keys)))


def _lies(told: _Told, rows: int) -> bool:
    """Whether a column is mostly filled, and with no address at all; a dash here and there is no lie."""
    return not told.with_address and told.filled > 0 and told.filled >= _MOSTLY * rows


def _by_data(names: Sequence[str], told: Sequence[_Told], *, careful: bool) -> list[int]:
    """Columns of addresses that are nobody's of the CRM's users, the one with most addresses first.

    One that repeats a few addresses is such a user's, too, whatever its name: it is chosen only where no
    header promised anything and there is no other.
    """
    found = [
        at for at, name in enumerate(names) if told[at].is_mostly_addresses and not _OF_A_USER.search(name)
    ]
    found.sort(key=lambda at: -told[at].with_address)
    varied = [at for at in found if told[at].is_varied]
    return varied if varied or careful else found[:1]
