"""The columns of a contact file: what each is used for, proposed from its header and from its data.

Headers name things in many ways and sometimes lie: which columns hold the addresses is told by names and data
together (``email_columns``). What is used for nothing else is kept as a variable by its own name.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from chalicelib.domain.email_columns import (
    choose_email_columns,
    holds_address,
    is_companys,
    promises_addresses,
)
from chalicelib.domain.file_profiles import GENERIC, Profile, recognise

SAMPLE = 500  # rows looked at to tell what a column holds
MAX_HEADER = 100  # characters of a column's name that are kept
_OWNER = re.compile(r"\s*\((контакт|компания|contact|company)\)\s*$", re.IGNORECASE)
_NOT_IN_NAMES = re.compile(r"[\[\]|{}\s]+")  # what a variable's name can't have; see personalization.py


class Use(StrEnum):
    """What a column is for."""

    EMAIL = "email"
    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    MIDDLE_NAME = "middle_name"
    FULL_NAME = "full_name"  # split into the three above where they are empty
    P1 = "p1"
    P2 = "p2"
    P3 = "p3"
    TAGS = "tags"  # of a dialog; only an import of dialogs has them, and the next
    LAST_MESSAGE = "last_message"
    EXPORT_FLAG = "export_flag"  # a person's word that this contact may leave the CRM
    KIND = "kind"  # tells companies from people
    VARIABLE = "variable"  # kept by its own name
    IGNORED = "ignored"


PARAMETERS = (Use.P1, Use.P2, Use.P3)
_SYNONYMS = {
    Use.FIRST_NAME: "firstname givenname forename имя vorname prénom",
    Use.LAST_NAME: "lastname familyname surname фамилия nachname",
    Use.MIDDLE_NAME: "middlename secondname patronymic отчество",
    Use.FULL_NAME: "fullname contactname полноеимя полноеимяконтакта фио имяконтакта имяклиента"
    " фиоклиента customername clientname имяифамилия фамилияимяотчество",
    Use.P1: "p1 param1 п1",
    Use.P2: "p2 param2 п2",
    Use.P3: "p3 param3 п3",
}
_NAMES = frozenset({Use.FIRST_NAME, Use.LAST_NAME, Use.MIDDLE_NAME, Use.FULL_NAME})
_MAY_BE_NAMES = frozenset("name contact client customer контакт клиент".split())  # noqa: SIM905
_USES_OF_DIALOGS = {
    Use.TAGS: "tags tag labels теги тег метки",
    Use.LAST_MESSAGE: "lastmessage lastmessageat lastmessagetime lastmessagedate последнеесообщение"
    " датапоследнегосообщения времяпоследнегосообщения",
}
OF_DIALOGS = {name: use for use, names in _USES_OF_DIALOGS.items() for name in names.split()}
"""What a file of dialogs has beside the columns of a contact file, by the headers they are known by."""

_USE_BY_NAME = {name: use for use, names in _SYNONYMS.items() for name in names.split()}


@dataclass(frozen=True, slots=True)
class Column:
    """One column. ``number`` is its place in the file from 1, ``header`` its name, as far as printable."""

    number: int
    header: str
    use: Use

    @property
    def variable(self) -> str:
        """The name its values are kept by: one that can stand in brackets."""
        return _NOT_IN_NAMES.sub(" ", self.header).strip()


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person changes about a proposal: other uses for columns, by number.

    Email columns are asked for an address in the order given, and before those that were proposed.
    """

    uses: tuple[tuple[int, Use], ...] = ()
    every_address: bool = False


@dataclass(frozen=True, slots=True)
class Columns:
    """What all columns of a file are used for.

    ``email_order`` holds the numbers of the email columns, the one to prefer first; ``found_by_data`` those
    of them whose headers promise no addresses, so that a person should look at them. With ``every_address``,
    each address of a row becomes a recipient, not just the first valid one. ``headless``: the first row is a
    contact already.
    """

    profile: Profile
    columns: tuple[Column, ...]
    email_order: tuple[int, ...]
    found_by_data: tuple[int, ...] = ()
    every_address: bool = False
    headless: bool = False

    def numbers(self, use: Use) -> tuple[int, ...]:
        """The columns of one use, in the order in which they are asked for a value."""
        if use is Use.EMAIL:
            return self.email_order
        return tuple(column.number for column in self.columns if column.use is use)

    @property
    def company_number(self) -> int:
        """The column that the profile has for the contact's company, as P1; 0 without such."""
        found = (c for c in self.columns if c.use is Use.P1)
        return next((c.number for c in found if self.profile.uses.get(bare(c.header)) == Use.P1), 0)

    def corrected(self, choice: "Choice") -> "Columns":
        """The same as a person wants it; a number that no column has changes nothing."""
        uses = dict(choice.uses)
        columns = tuple(replace(c, use=uses.get(c.number, c.use)) for c in self.columns)
        stays = [c.number for c in columns if c.use is Use.EMAIL]
        wished = [number for number, use in choice.uses if use is Use.EMAIL and number in stays]
        kept = [number for number in self.email_order if number in stays and number not in wished]
        return replace(
            self,
            columns=columns,
            email_order=(*wished, *kept),
            found_by_data=tuple(number for number in self.found_by_data if number in kept),
            every_address=choice.every_address,
        )


def bare(name: str) -> str:
    """A header without case, accents of ё, anything that is no letter or digit, and whose it is."""
    folded = unicodedata.normalize("NFKC", _OWNER.sub("", name)).casefold().replace("ё", "е")
    return re.sub(r"[\W_]+", "", folded)


def propose(
    header: Sequence[str], sample: Sequence[Sequence[str]], special: Mapping[str, Use] | None = None
) -> Columns:
    """What the columns are for, as far as their names and the rows of ``sample`` tell.

    ``special`` holds uses of headers that this kind of file has beside those of a contact file. A first row
    with an address in it is no header: its columns are named by their numbers then.
    """
    if any(map(holds_address, header)):
        names = [f"Column {number}" for number in range(1, len(header) + 1)]
        return replace(_proposed(names, [header, *sample], GENERIC, {}), headless=True)
    return _proposed(header, sample, recognise([bare(name) for name in header]), special or {})


def _proposed(
    header: Sequence[str], sample: Sequence[Sequence[str]], profile: Profile, special: Mapping[str, Use]
) -> Columns:
    names = [bare(name) for name in header]
    uses = _with_names(names, [special.get(bare(name)) or _use(name, profile) for name in header])
    promised = sorted(
        (at for at, use in enumerate(uses) if use is Use.EMAIL),
        key=lambda at: (is_companys(header[at]), _rank(names[at], profile.email_order)),
    )
    emails = choose_email_columns(names, promised, sample)
    columns = [
        Column(number, _shown(name), _settled(use, is_email=number - 1 in emails.order))
        for number, (name, use) in enumerate(zip(header, uses, strict=True), start=1)
    ]
    order, by_data = _numbers(emails.order), _numbers(emails.found_by_data)
    return Columns(profile, tuple(_with_parameters(columns)), order, by_data)


def _numbers(places: Iterable[int]) -> tuple[int, ...]:
    return tuple(at + 1 for at in places)


def _use(name: str, profile: Profile) -> Use:
    known = bare(name)
    if not known:
        return Use.IGNORED
    by_profile = profile.uses.get(known)
    if by_profile is None and promises_addresses(known):
        return Use.EMAIL
    use = Use(by_profile) if by_profile else _USE_BY_NAME.get(known, Use.VARIABLE)
    return Use.VARIABLE if use in _NAMES and is_companys(name) else use


def _with_names(names: Sequence[str], uses: Sequence[Use]) -> list[Use]:
    """A column called just *Name* has the contact's where no other does; beside surnames, the first one."""
    if Use.FIRST_NAME in uses or Use.FULL_NAME in uses:
        return list(uses)
    found = Use.FULL_NAME if Use.LAST_NAME not in uses else Use.FIRST_NAME
    free = [use is Use.VARIABLE and name in _MAY_BE_NAMES for name, use in zip(names, uses, strict=True)]
    return [found if is_name else use for is_name, use in zip(free, uses, strict=True)]


def _settled(use: Use, *, is_email: bool) -> Use:
    """What the data made of a header's promise: a column without addresses is just a variable."""
    if is_email:
        return Use.EMAIL
    return Use.VARIABLE if use is Use.EMAIL else use


def _rank(name: str, order: Sequence[str]) -> int:
    return order.index(name) if name in order else len(order)


def _shown(name: str) -> str:
    printable = "".join(sign if sign.isprintable() else " " for sign in name)
    return " ".join(printable.split())[:MAX_HEADER]


def _with_parameters(columns: Iterable[Column]) -> list[Column]:
    """P1 to P3 for the first columns that are used for nothing else, unless the file names them itself.

    Such a column stays a variable by its own name, too (``contact_file``).
    """
    found = list(columns)
    if any(column.use in PARAMETERS for column in found):
        return found
    free = iter(PARAMETERS)
    return [
        replace(column, use=next(free, Use.VARIABLE)) if column.use is Use.VARIABLE else column
        for column in found
    ]
