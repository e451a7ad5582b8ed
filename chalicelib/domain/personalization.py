"""The bracket variables of a subject, an HTML body and a text: ``[firstName]``, ``[param1|as agreed]``.

A template is parsed once into pieces; rendering walks over them once. What a contact's field holds is data:
it is never looked at for variables again, and each context makes it harmless in its own way.

The names may be typed in any case and with spaces around them (``[ firstname ]``): whoever typed that meant
the variable, and a recipient should not have to read it. All else in brackets stays as typed. Which names
there are beside the system's is told by a ``Vocabulary``: the campaign's custom variables, then the further
columns of its contacts; where two have the same name, the one named first here is meant.

``[unsubscribe]`` is the address of the message's own unsubscribe page, as a text or as the value of an
``href``. Pieces of Jinja2 come from ``jinja_syntax.py``; where in the HTML a value stands, and how it is
encoded there, is told by ``html_places.py``.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from typing import NamedTuple

from chalicelib.domain.contact import Person
from chalicelib.domain.custom_variables import CustomVariable, Draw, first_option
from chalicelib.domain.encoding import Encode, Medium, Place, encoder

FIELDS = {
    "email": "email",
    "firstName": "first_name",
    "lastName": "last_name",
    "secondName": "middle_name",
    "param1": "p1",
    "param2": "p2",
    "param3": "p3",
}
"""The variables, and the attribute of ``Person`` each one reads."""

UNSUBSCRIBE, OPEN, DOWNLOAD = "unsubscribe", "open", "download"
NAMES = (*FIELDS, UNSUBSCRIBE)
"""All that may be typed in brackets."""

_LONGEST_NAME = 120  # characters in brackets that are looked up
_VARIABLE = re.compile(rf"\[([^\[\]|\r\n]{{1,{_LONGEST_NAME}}})(?:\|([^\[\]\r\n]*))?\]")
_LINE_BREAK = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f]")
_REORDERING = re.compile("[\u202a-\u202e\u2066-\u2069]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_BLANK = re.compile("[\t\n]+")


Words = Callable[[Person, Draw], str]
"""What finds the words of one value for one person."""


@dataclass(frozen=True, slots=True)
class Literal:
    """Text that every recipient gets as it was typed."""

    text: str


@dataclass(frozen=True, slots=True)
class Variable:
    """A place for a field of the recipient. ``fallback`` stands in for an empty field, as typed.

    ``at`` is where in the source it was written, and doesn't tell values apart; so it is with the others.
    """

    name: str
    fallback: str = ""
    at: int = field(default=0, compare=False)

    def words(self, person: Person, _draw: Draw) -> str:
        """The field's words, before any context; the sender asks for them for every message."""
        value: str = getattr(person, FIELDS[self.name])
        return value.strip() if value.isprintable() else _clean(value)


@dataclass(frozen=True, slots=True)
class Column:
    """A place for a further column of the recipient, by its folded name."""

    name: str
    fallback: str = ""
    at: int = field(default=0, compare=False)

    def words(self, person: Person, _draw: Draw) -> str:
        """The first cell of that name that has any."""
        cells = (_clean(cell) for column, cell in person.extra if folded(column) == self.name)
        return next(filter(None, cells), "")


@dataclass(frozen=True, slots=True)
class Custom:
    """A place for one of the options of a custom variable, by its folded name."""

    name: str
    options: tuple["Template", ...]
    fallback: str = ""
    at: int = field(default=0, compare=False)

    def words(self, person: Person, draw: Draw) -> str:
        """The option that is drawn for this person."""
        return render(self.options[draw(self.name, len(self.options))], person)


@dataclass(frozen=True, slots=True, eq=False)
class Expression:
    """A place for what an expression of Jinja2 comes to.

    ``inserts`` are the values of which it inserts the first that has words; none, where an ``if`` decides.
    """

    words: Words
    fallback: str = ""
    inserts: tuple[Variable | Column | Custom, ...] = ()
    at: int = 0


@dataclass(frozen=True, slots=True)
class Placed:
    """A value, and where in HTML or a URL it stands."""

    value: "Value"
    place: Place
    medium: Medium

    @property
    def encode(self) -> Encode:
        """What its words become there."""
        return encoder(self.place, self.medium)

    def text(self, person: Person, draw: Draw) -> str:
        """What a person's message has there: the encoded words, or the fallback as it was typed."""
        return self.encode(self.value.words(person, draw)) or self.value.fallback


def always(_person: Person, _draw: Draw) -> bool:
    """The test of ``{% else %}``."""
    return True


@dataclass(frozen=True, slots=True, eq=False)
class Condition:
    """Texts of which the first whose test holds is taken; none, if no test does."""

    branches: tuple[tuple[Callable[[Person, Draw], bool], "Template"], ...]
    at: int = 0

    @property
    def is_complete(self) -> bool:
        """Whether one of them is always taken."""
        return self.branches[-1][0] is always

    def chosen(self, person: Person, draw: Draw) -> "Template":
        """The text for one person."""
        return next((template for holds, template in self.branches if holds(person, draw)), ())


@dataclass(frozen=True, slots=True)
class Link:
    """A place for a URL of the message: the attribute of ``Links``, and what stands there without one."""

    name: str
    fallback: str = ""
    at: int = field(default=0, compare=False)


class Links(NamedTuple):
    """The URLs of one message, ready for HTML, text and header: no character in them means anything there.

    ``unsubscribe`` is the page to unsubscribe at, ``open`` the picture that tells of an opening, ``download``
    what a file's address begins with; "" is none.
    """

    unsubscribe: str = ""
    open: str = ""
    download: str = ""

    def url(self, link: Link) -> str:
        """The URL for this place."""
        found: str = getattr(self, link.name)
        return found or link.fallback


NO_LINKS = Links()

Value = Variable | Column | Custom | Expression
Piece = Literal | Value | Placed | Link | Condition
Template = tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The names of one campaign: its custom variables, and the further columns of its contacts."""

    customs: tuple[CustomVariable, ...] = ()
    columns: tuple[str, ...] = ()

    def make(self, name: str, fallback: str = "") -> Value | Link | None:
        """The piece that a name stands for; None for a name there isn't."""
        maker = _makers(self).get(folded(name))
        return maker(fallback) if maker else None

    def names(self) -> tuple[str, ...]:
        """All names, as they are best written."""
        return (*NAMES, *(custom.name for custom in self.customs), *self.columns)


SYSTEM = Vocabulary()


@lru_cache(maxsize=4_096)
def folded(name: str) -> str:
    """A name as it is found by: in small letters, without spaces around it, with single ones within."""
    return " ".join(part for part in name.replace("\u00a0", " ").split(" ") if part).lower()


@lru_cache(maxsize=32)
def _makers(vocabulary: Vocabulary) -> dict[str, Callable[[str], Value | Link]]:
    found: dict[str, Callable[[str], Value | Link]] = {}
    for column in vocabulary.columns:
        found[folded(column)] = partial(Column, folded(column))
    within = Vocabulary(columns=vocabulary.columns)
    for custom in vocabulary.customs:
        options = tuple(parse(option, within) for option in custom.options)
        found[folded(custom.name)] = partial(Custom, folded(custom.name), options)
    for name in FIELDS:
        found[name.lower()] = partial(Variable, name)
    found[UNSUBSCRIBE] = partial(Link, UNSUBSCRIBE)
    return found


def parse(source: str, vocabulary: Vocabulary = SYSTEM, at: int = 0) -> Template:
    """Split what a person typed into pieces. Every input is a template: nothing in it can be an error.

    ``at`` is the place of the source within a greater one.
    """
    return tuple(_pieces(source, vocabulary, at))


def _pieces(source: str, vocabulary: Vocabulary, at: int) -> Iterator[Piece]:
    end = 0
    for found in _VARIABLE.finditer(source):
        piece = vocabulary.make(found[1], (found[2] or "").strip())
        if piece is None:
            continue
        if found.start() > end:
            yield Literal(source[end : found.start()])
        yield replace(piece, at=at + found.start())
        end = found.end()
    if end < len(source):
        yield Literal(source[end:])


def pieces_of(template: Template) -> Iterator[Piece]:
    """All pieces, also those that only some recipients get."""
    for piece in template:
        yield piece
        if isinstance(piece, Condition):
            for _, chosen in piece.branches:
                yield from pieces_of(chosen)


def text_value(value: Value, person: Person, draw: Draw = first_option) -> str:
    """The value in plain text, or the fallback.

    Of a field, spaces around it and control characters go, and so do the characters that reorder their
    neighbours on the screen (bidi embeddings, overrides, isolates). Its line breaks of any kind become
    ``\\n``.
    """
    return value.words(person, draw) or value.fallback


def _clean(value: str) -> str:
    return _REORDERING.sub("", plain(value)).strip()


def render(template: Template, person: Person, links: Links = NO_LINKS, draw: Draw = first_option) -> str:
    """Put one person's values and one message's links in their places."""
    return "".join([_filled(piece, person, links, draw) for piece in template])


def _filled(piece: Piece, person: Person, links: Links, draw: Draw) -> str:
    if isinstance(piece, Literal):
        return piece.text
    if isinstance(piece, Placed):
        return piece.text(person, draw)
    if isinstance(piece, Link):
        return links.url(piece)
    if isinstance(piece, Condition):
        return render(piece.chosen(person, draw), person, links, draw)
    return text_value(piece, person, draw)


def render_subject(template: Template, person: Person, draw: Draw = first_option) -> str:
    """The subject this person gets: one line, trimmed, without control or reordering characters."""
    return one_line(render(template, person, draw=draw))


def one_line(text: str) -> str:
    """Text fit for a header: line breaks and tabs become one space, controls go, ends are trimmed."""
    if not text.isprintable():
        text = _BLANK.sub(" ", _REORDERING.sub("", plain(text)))
    return text.strip()


def plain(text: str) -> str:
    """Text that UTF-8 and every reader can carry: breaks as ``\\n``, no controls, no lone surrogates."""
    text = _LINE_BREAK.sub("\n", text)
    return _SURROGATE.sub("\ufffd", _CONTROL.sub("", text))
