"""What is missing before a launch: variables that have no value for some of the contacts, and no fallback.

Counted is what a recipient would miss: a variable that stands in subject, HTML or text, in the option of a
custom variable that is drawn for this contact, or in an expression that comes to nothing. What stands within
``{% if %}``, or is asked for by an ``if`` of an expression, is left out: its author thought of both cases.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from chalicelib.domain.contact import Contact, Person
from chalicelib.domain.content import Content
from chalicelib.domain.custom_variables import Draw, draw_for
from chalicelib.domain.delivery import Reason
from chalicelib.domain.email import HTML, SUBJECT, TEXT, SenderIdentity, compile_message
from chalicelib.domain.job import JobState
from chalicelib.domain.personalization import (
    Column,
    Custom,
    Expression,
    Piece,
    Placed,
    Variable,
    Vocabulary,
    folded,
    render_subject,
)

MAX_MISSING = 100  # variables that are told, those that most contacts lack first
_LONGEST_SUBJECT = 300  # characters of an example
_ANYBODY = SenderIdentity("", "postmaster@example.com")


@dataclass(frozen=True, slots=True)
class Missing:
    """One variable: how many contacts lack it, in which fields, and what one would read as subject."""

    variable: str
    contacts: int
    fields: tuple[str, ...]
    contact_id: str
    subject: str


@dataclass(frozen=True, slots=True)
class Preflight:
    """One look at all contacts that are Not sent, for one version of the content. Instants are aware UTC."""

    preflight_id: str
    campaign_id: str
    content_version: int
    state: JobState
    asked_at: datetime
    checked: int = 0
    missing: tuple[Missing, ...] = ()
    reason: Reason | None = None
    finished_at: datetime | None = None


@dataclass(slots=True)
class _Lack:
    contact_id: str
    subject: str
    contacts: int = 0
    fields: set[str] = field(default_factory=set)


class MissingValues:
    """Looks at contacts one by one, and remembers no more of them than the counts and an example each."""

    def __init__(self, campaign_id: str, content: Content, columns: tuple[str, ...]) -> None:
        """Raises CannotComposeError for a content that can't be sent."""
        self._campaign_id = campaign_id
        message = compile_message(content, _ANYBODY, columns=columns)
        self._subject = message.subject
        self._places: dict[Piece, set[str]] = {}
        for name, template in ((SUBJECT, message.subject), (HTML, message.html), (TEXT, message.text)):
            for piece in template:
                self._places.setdefault(piece, set()).add(name)
        self._names = {folded(name): name for name in Vocabulary(content.variables, columns).names()}
        self._lacks: dict[str, _Lack] = {}

    def look_at(self, contact: Contact) -> None:
        """Count what this contact lacks."""
        draw = draw_for(self._campaign_id, contact.contact_id)
        found: dict[str, set[str]] = {}
        for piece, fields in self._places.items():
            for name in lacking(piece, contact.person, draw):
                found.setdefault(name, set()).update(fields)
        for name, fields in found.items():
            lack = self._lacks.get(name) or self._first(name, contact, draw)
            lack.contacts += 1
            lack.fields |= fields

    def found(self) -> tuple[Missing, ...]:
        """What was missing, what most contacts lack first."""
        order = sorted(self._lacks.items(), key=lambda item: (-item[1].contacts, item[0]))
        return tuple(
            Missing(
                self._names[name],
                lack.contacts,
                tuple(part for part in (SUBJECT, HTML, TEXT) if part in lack.fields),
                lack.contact_id,
                lack.subject,
            )
            for name, lack in order[:MAX_MISSING]
        )

    def _first(self, name: str, contact: Contact, draw: Draw) -> _Lack:
        subject = render_subject(self._subject, contact.person, draw)
        if len(subject) > _LONGEST_SUBJECT:
            subject = f"{subject[: _LONGEST_SUBJECT - 1]}…"
        return self._lacks.setdefault(name, _Lack(contact.contact_id, subject))


def lacking(piece: Piece, person: Person, draw: Draw) -> Iterator[str]:
    """The folded names of what this person lacks in one place; of a condition and of texts, nothing."""
    match piece:
        case Placed():
            yield from _lacking_in_place(piece, person, draw)
        case Variable() | Column():
            if not piece.fallback and not piece.words(person, draw):
                yield folded(piece.name)
        case Custom():
            if not piece.fallback or piece.words(person, draw):
                for within in piece.options[draw(piece.name, len(piece.options))]:
                    yield from lacking(within, person, draw)
        case Expression():
            yield from _lacking_in_expression(piece, person, draw)


def _lacking_in_place(placed: Placed, person: Person, draw: Draw) -> Iterator[str]:
    """What is no URL where one must be is as good as missing."""
    value = placed.value
    words = value.words(person, draw)
    if not words or placed.encode(words):
        yield from lacking(value, person, draw)
    elif not value.fallback:
        named = value.inserts if isinstance(value, Expression) else (value,)
        yield from (folded(one.name) for one in named)


def _lacking_in_expression(expression: Expression, person: Person, draw: Draw) -> Iterator[str]:
    """The first value with words is the one that is inserted; all are missed when it comes to nothing."""
    for value in expression.inserts:
        if value.words(person, draw):
            yield from lacking(value, person, draw)
            return
    if not expression.words(person, draw):
        for value in expression.inserts:
            yield from lacking(value, person, draw)
