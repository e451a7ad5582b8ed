"""The bracket variables of a subject, an HTML body and a text: ``[firstName]``, ``[param1|as agreed]``.

A template is parsed once into pieces; rendering walks over them once. What a contact's field holds is data:
it is never looked at for variables again, and each context makes it harmless in its own way.

The names may be typed in any case and with spaces around them (``[ firstname ]``): whoever typed that meant
the variable, and a recipient should not have to read it. All else in brackets stays as typed.

``[unsubscribe]`` is the address of the message's own unsubscribe page, as a text or as the value of an
``href``. Other kinds of variables (options of a campaign, further columns) are further members of ``Piece``,
with a value of their own.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape
from typing import NamedTuple

from chalicelib.domain.contact import Person

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

UNSUBSCRIBE, OPEN = "unsubscribe", "open"
NAMES = (*FIELDS, UNSUBSCRIBE)
"""All that may be typed in brackets."""

_EXACT_NAME = {name.lower(): name for name in NAMES}
_VARIABLE = re.compile(
    rf"\[[ \u00a0]*({'|'.join(NAMES)})[ \u00a0]*(?:\|([^\[\]\r\n]*))?\]", re.IGNORECASE | re.ASCII
)
_LINE_BREAK = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f]")
_REORDERING = re.compile("[\u202a-\u202e\u2066-\u2069]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_BLANK = re.compile("[\t\n]+")


@dataclass(frozen=True, slots=True)
class Literal:
    """Text that every recipient gets as it was typed."""

    text: str


@dataclass(frozen=True, slots=True)
class Variable:
    """A place for a field of the recipient. ``fallback`` stands in for an empty field, as typed."""

    name: str
    fallback: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """A place for a URL of the message: the attribute of ``Links``, and what stands there without one."""

    name: str
    fallback: str = ""


class Links(NamedTuple):
    """The URLs of one message, ready for HTML, text and header: no character in them means anything there.

    ``unsubscribe`` is the page to unsubscribe at, ``open`` the picture that tells of an opening; "" is none.
    """

    unsubscribe: str = ""
    open: str = ""

    def url(self, link: Link) -> str:
        """The URL for this place."""
        found: str = getattr(self, link.name)
        return found or link.fallback


NO_LINKS = Links()

Piece = Literal | Variable | Link
Template = tuple[Piece, ...]
Context = Callable[[Variable, Person], str]
"""What a variable becomes for one person, in one place: ``text_value``, ``html_value``."""


def parse(source: str) -> Template:
    """Split what a person typed into pieces. Every input is a template: nothing in it can be an error."""
    return tuple(_pieces(source))


def _pieces(source: str) -> Iterator[Piece]:
    end = 0
    for found in _VARIABLE.finditer(source):
        if found.start() > end:
            yield Literal(source[end : found.start()])
        fallback = found[2] or ""
        name = _EXACT_NAME[found[1].lower()]
        yield (Link if name == UNSUBSCRIBE else Variable)(name, fallback.strip())
        end = found.end()
    if end < len(source):
        yield Literal(source[end:])


def text_value(variable: Variable, person: Person) -> str:
    """The field in plain text, or the fallback.

    Of the field, spaces around it and control characters go, and so do the characters that reorder their
    neighbours on the screen (bidi embeddings, overrides, isolates). Its line breaks of any kind become
    ``\\n``.
    """
    return _field(variable, person) or variable.fallback


def html_value(variable: Variable, person: Person) -> str:
    """As ``text_value``, with ``& < > " '`` of the field escaped. The fallback is HTML of the author."""
    return escape(_field(variable, person)) or variable.fallback


def _field(variable: Variable, person: Person) -> str:
    value: str = getattr(person, FIELDS[variable.name])
    if not value.isprintable():
        value = _REORDERING.sub("", plain(value))
    return value.strip()


def render(template: Template, person: Person, value: Context, links: Links = NO_LINKS) -> str:
    """Put one person's values and one message's links in their places."""
    return "".join(
        [
            piece.text
            if isinstance(piece, Literal)
            else value(piece, person)
            if isinstance(piece, Variable)
            else links.url(piece)
            for piece in template
        ]
    )


def render_text(template: Template, person: Person, links: Links = NO_LINKS) -> str:
    """The plain text this person gets."""
    return render(template, person, text_value, links)


def render_html(template: Template, person: Person, links: Links = NO_LINKS) -> str:
    """The HTML this person gets."""
    return render(template, person, html_value, links)


def render_subject(template: Template, person: Person) -> str:
    """The subject this person gets: one line, trimmed, without control or reordering characters."""
    return one_line(render(template, person, text_value))


def one_line(text: str) -> str:
    """Text fit for a header: line breaks and tabs become one space, controls go, ends are trimmed."""
    if not text.isprintable():
        text = _BLANK.sub(" ", _REORDERING.sub("", plain(text)))
    return text.strip()


def plain(text: str) -> str:
    """Text that UTF-8 and every reader can carry: breaks as ``\\n``, no controls, no lone surrogates."""
    text = _LINE_BREAK.sub("\n", text)
    return _SURROGATE.sub("\ufffd", _CONTROL.sub("", text))
