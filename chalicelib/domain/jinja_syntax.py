"""Templates with Jinja2 in them: ``{{ firstName|default("friend") }}``, ``{% if param1 %} … {% endif %}``.

What stands between the tags is a template of brackets like any other. ``{#`` is no comment here: minified CSS
is full of it.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from chalicelib.domain.contact import Person
from chalicelib.domain.custom_variables import Draw
from chalicelib.domain.jinja_expression import ExpressionError, Formula, compile_expression, holds, words_of
from chalicelib.domain.personalization import (
    Condition,
    Expression,
    Piece,
    Template,
    Vocabulary,
    always,
    parse,
)
from chalicelib.domain.references import unescape
from chalicelib.domain.template_error import TemplateSyntaxError

MAX_DEPTH = 10  # conditions within another

Test = Callable[[Person, Draw], bool]

_OPENING = re.compile(r"\{\{|\{%")
_INSIDE = {  # up to the end of the tag, over quoted texts
    "{{": re.compile(r"""(?>[^"'}]|"[^"]*"|'[^']*'|\}(?!\}))*+\}\}"""),
    "{%": re.compile(r"""(?>[^"'%]|"[^"]*"|'[^']*'|%(?!\}))*+%\}"""),
}
_STATEMENT = re.compile(r"\s*(\w*)\s*(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Text:
    """What stands between tags, and where."""

    start: int
    text: str


@dataclass(frozen=True, slots=True)
class _Tag:
    """``start`` is its place in the source; ``word`` and ``rest`` are a statement's, "" for an expression."""

    start: int
    inside: str
    word: str = ""
    rest: str = ""

    @property
    def is_expression(self) -> bool:
        return not self.word


def parse_jinja(source: str, vocabulary: Vocabulary, *, is_html: bool) -> Template:
    """Split a template into pieces. Raises TemplateSyntaxError.

    In HTML, what an editor made of quotes and signs in a tag (``&quot;``, ``&gt;``) is read as they are.
    """
    return _Parser(source, vocabulary, is_html=is_html).template()


class _Parser:
    def __init__(self, source: str, vocabulary: Vocabulary, *, is_html: bool) -> None:
        self._source = source
        self._vocabulary = vocabulary
        self._is_html = is_html
        self._items = self._split()

    def template(self) -> Template:
        pieces, ended_by = self._block(0)
        if ended_by is not None:
            raise self._error(
                "statement_unexpected", f"There is no if for this {ended_by.word}.", ended_by.start
            )
        return tuple(pieces)

    def _block(self, depth: int) -> tuple[list[Piece], _Tag | None]:
        """The pieces up to a tag that ends the block, and that tag; None at the end of the source."""
        pieces: list[Piece] = []
        for item in self._items:
            if isinstance(item, _Text):
                pieces += parse(item.text, self._vocabulary, item.start)
            elif item.is_expression:
                evaluate, inserts = self._compiled(item, item.inside)
                pieces.append(Expression(partial(words_of, evaluate), inserts=inserts, at=item.start))
            elif item.word == "if":
                pieces.append(self._condition(item, depth + 1))
            else:
                return pieces, item
        return pieces, None

    def _condition(self, opening: _Tag, depth: int) -> Condition:
        if depth > MAX_DEPTH:
            raise self._error("too_deep", f"At most {MAX_DEPTH} ifs within another.", opening.start)
        branches: list[tuple[Test, Template]] = []
        tag = opening
        while True:
            test = always if tag.word == "else" else partial(holds, self._compiled(tag, tag.rest).evaluate)
            pieces, ended_by = self._block(depth)
            branches.append((test, tuple(pieces)))
            if ended_by is None:
                raise self._error("if_unclosed", "This if has no {% endif %}.", opening.start)
            if ended_by.word == "endif":
                return Condition(tuple(branches), opening.start)
            if tag.word == "else":
                raise self._error("statement_unexpected", "After else comes {% endif %}.", ended_by.start)
            tag = ended_by

    def _compiled(self, tag: _Tag, expression: str) -> Formula:
        try:
            return compile_expression(expression, self._vocabulary)
        except ExpressionError as error:
            about = re.compile(rf"(?<!\w){re.escape(error.about)}(?!\w)").search(self._source, tag.start)
            place = about.start() if error.about and about else tag.start
            raise self._error(error.code, error.text, place) from error

    def _split(self) -> Iterator[_Text | _Tag]:
        end, trim = 0, False
        while opening := _OPENING.search(self._source, end):
            closing = _INSIDE[opening[0]].match(self._source, opening.end())
            if closing is None:
                text = f"This {opening[0]} is never closed by {'}}' if opening[0] == '{{' else '%}'}."
                raise self._error("tag_unclosed", text, opening.start())
            inside = closing[0][:-2]
            yield self._text(end, opening.start(), from_start=trim, to_end=inside.startswith("-"))
            trim = inside.endswith("-")
            yield self._tag(opening, inside.removeprefix("-").removesuffix("-"))
            end = closing.end()
        yield self._text(end, len(self._source), from_start=trim, to_end=False)

    def _text(self, start: int, end: int, *, from_start: bool, to_end: bool) -> _Text:
        """What stands between two tags, without the white space that they take away."""
        text = self._source[start:end]
        if from_start:
            text = text.lstrip()
            start = end - len(text)
        return _Text(start, text.rstrip() if to_end else text)

    def _tag(self, opening: re.Match[str], inside: str) -> _Tag:
        if self._is_html:
            inside = unescape(inside)
        inside = inside.replace("\u00a0", " ")
        if opening[0] == "{{":
            return _Tag(opening.start(), inside)
        found = _STATEMENT.fullmatch(inside)
        word, rest = (found[1], found[2].strip()) if found else ("", "")
        if word not in ("if", "elif", "else", "endif") or (bool(rest) is not (word in ("if", "elif"))):
            text = "Between {% and %} stand: if and what is asked, elif and what is asked, else, endif."
            raise self._error("statement_not_allowed", text, opening.start())
        return _Tag(opening.start(), inside, word, rest)

    def _error(self, code: str, text: str, place: int) -> TemplateSyntaxError:
        return TemplateSyntaxError(code, text, self._source, place)
