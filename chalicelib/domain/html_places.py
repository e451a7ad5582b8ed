"""Where each value of an HTML template stands, worked out once: a value is encoded for its place.

A condition leaves open where one stands, so all that is possible is followed; a value must stand in the same
kind of place whatever is chosen. Where no encoding makes a value harmless the template is refused.
"""

from collections.abc import Iterable
from dataclasses import replace

from chalicelib.domain.encoding import Medium, Place
from chalicelib.domain.html_reading import (
    ADDRESS,
    PART,
    SCRIPT,
    URLS,
    WORDS_ONLY,
    Spot,
    State,
    read,
    url_begun,
)
from chalicelib.domain.personalization import (
    Condition,
    Custom,
    Link,
    Literal,
    Piece,
    Placed,
    Template,
    Value,
)
from chalicelib.domain.template_error import TemplateSyntaxError

MOST_SPOTS = 8  # places that conditions may leave open at once; people need two or three

Spots = frozenset[Spot]

_WORDS = frozenset({State.DATA, State.COMMENT})
_QUOTED = frozenset({State.DOUBLE, State.SINGLE})
_NO_QUOTES = frozenset({State.BEFORE_VALUE, State.UNQUOTED})
_REASONS = {
    "variable_unquoted": 'Put quotes around the whole value of this attribute: href="[param1]".',
    "variable_in_tag": "A variable can't be the name of a tag or an attribute, or stand between attributes.",
    "variable_in_script": "A variable can't stand in a script, nor in an attribute that holds one.",
    "variable_in_style": (
        "A variable can't stand in a style. Attributes such as width, bgcolor and background can have it."
    ),
    "variable_place_unclear": (
        "The conditions before this decide in what kind of place it stands. Write the whole tag, or the"
        " whole value of the attribute, within the condition."
    ),
}


class _Refused(ValueError):
    """No value can stand in this place; the code says why."""


def placed(template: Template, source: str) -> Template:
    """The template with each value placed. Raises TemplateSyntaxError, with the place in the source."""
    return _Placing(source).pieces(template, frozenset({Spot()}))[0]


class _Placing:
    def __init__(self, source: str) -> None:
        self._source = source

    def pieces(self, template: Template, spots: Spots) -> tuple[Template, Spots]:
        """The pieces placed, and where one may stand after them."""
        done: list[Piece] = []
        for piece in template:
            match piece:
                case Literal(text):
                    spots = _read(spots, text)
                    done.append(piece)
                case Condition():
                    chosen, spots = self._condition(piece, spots)
                    done.append(chosen)
                case Link():
                    spots = _after_link(spots, piece.fallback)
                    done.append(piece)
                case Placed():
                    done.append(piece)
                case _:
                    done.append(self._value(piece, spots))
                    spots = _after(spots, piece.fallback)
            if len(spots) > MOST_SPOTS:
                raise self._refused("variable_place_unclear", getattr(piece, "at", 0))
        return tuple(done), spots

    def _condition(self, condition: Condition, spots: Spots) -> tuple[Condition, Spots]:
        branches = [(holds, *self.pieces(chosen, spots)) for holds, chosen in condition.branches]
        after = frozenset[Spot]() if condition.is_complete else spots
        for _, _, ends in branches:
            after |= ends
        return replace(condition, branches=tuple((holds, chosen) for holds, chosen, _ in branches)), after

    def _value(self, value: Value, spots: Spots) -> Placed:
        found = {_verdict(spot) for spot in spots}
        verdict = found.pop() if len(found) == 1 else "variable_place_unclear"
        if isinstance(verdict, str):
            raise self._refused(verdict, value.at)
        place, medium = verdict
        return Placed(_in_url(value) if place is Place.URL else value, place, medium)

    def _refused(self, code: str, at: int) -> TemplateSyntaxError:
        return TemplateSyntaxError(code, _REASONS[code], self._source, at)


def _verdict(spot: Spot) -> tuple[Place, Medium] | str:
    """The place, or the code of why no value can stand there."""
    try:
        return _place(spot)
    except _Refused as error:
        return str(error)


def _place(spot: Spot) -> tuple[Place, Medium]:
    medium = Medium.COMMENT if spot.in_comment or spot.state is State.COMMENT else Medium.HTML
    if spot.state in _WORDS or (spot.state is State.RAW and spot.tag in WORDS_ONLY):
        return Place.TEXT, medium
    if spot.state is State.RAW:
        raise _Refused("variable_in_style" if spot.tag == "style" else "variable_in_script")
    if spot.state in _QUOTED:
        return _place_in_value(spot), medium
    raise _Refused("variable_unquoted" if spot.state in _NO_QUOTES else "variable_in_tag")


def _place_in_value(spot: Spot) -> Place:
    name = spot.attribute.rpartition(":")[2]
    if name == "style":
        raise _Refused("variable_in_style")
    if name.startswith("on") or name == "srcdoc":
        raise _Refused("variable_in_script")
    return _place_in_url(spot.url) if name in URLS else Place.TEXT


def _place_in_url(url: str) -> Place:
    if url == SCRIPT:
        raise _Refused("variable_in_script")
    if url == ADDRESS:
        return Place.ADDRESS
    return Place.URL_PART if url else Place.URL


def _read(spots: Spots, text: str) -> Spots:
    return frozenset(read(spot, text) for spot in spots)


def _after(spots: Spots, fallback: str) -> Spots:
    """Where one may stand after a value or what stands in for it."""
    passed = frozenset(_passed(spot) for spot in spots)
    passed |= frozenset(spot._replace(tail="") for spot in passed)
    return passed | _read(spots, fallback) if fallback else passed


def _passed(spot: Spot) -> Spot:
    """A URL that began with a value goes on after it; no value says anything of what else is around it."""
    begun = not spot.url and spot.state in _QUOTED and spot.attribute.rpartition(":")[2] in URLS
    return spot._replace(url=PART) if begun else spot


def _after_link(spots: Spots, fallback: str) -> Spots:
    """A URL of ours may also stand without quotes."""
    bare = (
        spot._replace(state=State.UNQUOTED) if spot.state is State.BEFORE_VALUE else spot for spot in spots
    )
    return _after(frozenset(bare), fallback)


def _in_url(value: Value) -> Value:
    """An option may be a URL with values in it; they are encoded as those of any other are."""
    if not isinstance(value, Custom):
        return value
    return replace(value, options=tuple(tuple(_url_pieces(option)) for option in value.options))


def _url_pieces(option: Template) -> Iterable[Piece]:
    url = ""
    for piece in option:
        if isinstance(piece, Literal):
            url = url_begun(url, piece.text)
            yield piece
        elif isinstance(piece, Link | Condition | Placed):
            yield piece
        else:
            place = Place.ADDRESS if url == ADDRESS else Place.URL_PART if url else Place.TEXT
            yield Placed(piece, place, Medium.PLAIN)
            url = url or PART
