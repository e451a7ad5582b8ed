"""The text template that says the same as an HTML template, derived piece by piece.

The pieces are marked in the HTML before it is read, and found again in the text. So only what is a variable
in the HTML is one in the text, and a value in a link's address is encoded as it is there.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TypeVar

from chalicelib.domain.encoding import Medium, Place
from chalicelib.domain.personalization import (
    Condition,
    Link,
    Literal,
    Piece,
    Placed,
    Template,
    Value,
)
from chalicelib.domain.text_version import branch_mark, text_of, value_mark, without_marks

_MARK = re.compile("\x04([0-9.]+)(?:\x05([0-9]+))?\x06")
_Filled = TypeVar("_Filled", Value, Link)


class NotDerivedError(ValueError):
    """A condition of which the text has only a part: the other is in what nobody reads."""


def derived(html: Template) -> Template:
    """The text of an HTML template whose values are placed. Raises NotDerivedError."""
    marking = _Marking()
    marks = _Marks(_MARK.split(text_of(marking.marked(html)) + "\n"), marking)
    return tuple(marks.pieces(None))


@dataclass(slots=True)
class _Marking:
    pieces: list[Placed | Link] = field(default_factory=list)
    conditions: list[Condition] = field(default_factory=list)
    values: dict[Value | Link, int] = field(default_factory=dict)

    def marked(self, template: Template) -> str:
        return "".join([self._mark(piece) for piece in template])

    def _mark(self, piece: Piece) -> str:
        match piece:
            case Literal(text):
                return without_marks(text)
            case Condition(branches):
                number = len(self.conditions)
                self.conditions.append(piece)
                texts = [
                    branch_mark(number, place) + self.marked(chosen)
                    for place, (_, chosen) in enumerate(branches)
                ]
                return "".join(texts) + branch_mark(number, len(branches))
            case Placed(value) | (Link() as value):
                self.pieces.append(piece)
                return value_mark(self.values.setdefault(value, len(self.values)), len(self.pieces) - 1)
            case _:
                raise TypeError("a value of HTML has its place")


class _Marks:
    """What was found: texts, and between them the two numbers of each mark."""

    def __init__(self, found: list[str | None], marking: _Marking) -> None:
        self._found = iter(found)
        self._marking = marking

    def pieces(self, until: str | None) -> Iterator[Piece]:
        """The pieces up to the mark of a branch, or to the end."""
        while True:
            if text := next(self._found):
                yield Literal(text)
            mark, piece = next(self._found, None), next(self._found, None)
            if piece is not None:
                yield _of_text(self._marking.pieces[int(piece)])
            elif mark == until:
                return
            else:
                yield self._condition(mark)

    def _condition(self, mark: str | None) -> Condition:
        number, _, place = (mark or "").partition(".")
        if place != "0":
            raise NotDerivedError
        condition = self._marking.conditions[int(number)]
        branches = tuple(
            (holds, tuple(self.pieces(f"{number}.{after}")))
            for after, (holds, _) in enumerate(condition.branches, start=1)
        )
        return replace(condition, branches=branches)


def _of_text(piece: Placed | Link) -> Piece:
    """The piece as it is in text; the address of a mail or a telephone is shown there without its scheme."""
    if isinstance(piece, Link):
        return _with_words(piece)
    value = _with_words(piece.value)
    if piece.place in (Place.TEXT, Place.ADDRESS):
        return value
    return Placed(value, piece.place, Medium.PLAIN)


def _with_words(value: _Filled) -> _Filled:
    """The fallback was HTML."""
    return replace(value, fallback=text_of(value.fallback)) if value.fallback else value
