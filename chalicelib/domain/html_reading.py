"""Reads HTML as a mail reader does, piece by piece, to know where it stands at the end of each.

The states are those of the HTML standard's tokenizer (html.spec.whatwg.org, 13.2.5), as far as they tell one
kind of place from another. What only Outlook reads (``<!--[if mso]> … <![endif]-->``) is HTML in a comment.
"""

import re
from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

from chalicelib.domain.references import unescape


class State(StrEnum):
    """Within what the next character stands."""

    DATA = "data"
    RAW = "raw"  # of an element that has no elements in it: style, title
    COMMENT = "comment"
    OPEN = "open"  # after "<"
    CLOSE = "close"  # after "</"
    MARKUP = "markup"  # after "<!"
    BOGUS = "bogus"  # of what is neither tag nor comment, up to the next ">"
    TAG = "tag"
    SPACE = "space"  # between a tag's name and its attributes
    ATTRIBUTE = "attribute"
    AFTER_ATTRIBUTE = "after_attribute"
    BEFORE_VALUE = "before_value"
    DOUBLE = "double"  # in a value between double quotes
    SINGLE = "single"
    UNQUOTED = "unquoted"


class Spot(NamedTuple):
    """Where one stands. ``tag`` has a ``/`` before it if it ends an element.

    ``url`` is what there is of a URL before: "" if it begins here, one of ``PART``, ``ADDRESS`` and
    ``SCRIPT`` once that is clear, and else its letters. ``tail`` is what may begin the end of a comment.
    """

    state: State = State.DATA
    tag: str = ""
    attribute: str = ""
    url: str = ""
    in_comment: bool = False
    tail: str = ""


PART, ADDRESS, SCRIPT = ":part", ":address", ":script"

WORDS_ONLY = frozenset({"title", "textarea"})
"""Elements with text in them, and no elements."""
_RAW = WORDS_ONLY | {"style", "script", "xmp", "iframe", "noembed", "noframes", "plaintext"}
URLS = frozenset(
    {
        *("href", "src", "action", "formaction", "background", "cite", "poster", "data", "longdesc", "ping"),
        *("srcset", "imagesrcset", "usemap", "codebase", "profile", "manifest", "icon", "dynsrc", "lowsrc"),
    }
)

_WHITE = " \t\n\f\r"
_CONDITION = re.compile(r"\s*\[if\b[^\]>]*\]>", re.IGNORECASE)
_COMMENT_ENDS = re.compile(r"--!?>")
_COMMENT_END = 4  # characters, at most
_TAIL = re.compile(r"(?:--!?|-)\Z")
_IN_TAG = re.compile(rf"[^{_WHITE}/>]*")
_BETWEEN = re.compile(rf"[{_WHITE}/]*")
_NAME = re.compile(rf"[^{_WHITE}/>=]*")
_BLANKS = re.compile(rf"[{_WHITE}]*")
_BARE = re.compile(rf"[^{_WHITE}>]*")
_RUNS = re.compile(r"(?:javascript|vbscript|data):")
_ADDRESSES = re.compile(r"(?:mailto|tel|sms):")
_MAY_BE_SCHEME = re.compile(r"[a-z][a-z0-9+.-]{0,10}")
_IGNORED = re.compile("[\x00-\x20]+")  # by whoever reads a URL: before it, and tabs and breaks within

Step = Callable[[Spot, str, int], tuple[Spot, int]]


def read(spot: Spot, text: str) -> Spot:
    """Where one stands after so much more HTML."""
    at = 0
    while at < len(text):
        in_comment = spot.in_comment or spot.state is State.COMMENT
        spot, at = (_read_comment if in_comment else _read_tags)(spot, text, at)
    return spot


def _read_comment(spot: Spot, text: str, at: int) -> tuple[Spot, int]:
    early = _COMMENT_ENDS.search(spot.tail + text[at : at + _COMMENT_END])
    if early is not None and early.start() < len(spot.tail):
        return Spot(), at + early.end() - len(spot.tail)
    end = _COMMENT_ENDS.search(text, at)
    if end is not None:
        return Spot(), end.end()
    rest = text[at:]
    if spot.state is not State.COMMENT:
        spot, _ = _read_tags(spot, rest, 0)
    tail = _TAIL.search((spot.tail + rest)[-_COMMENT_END:])
    return spot._replace(tail=tail[0] if tail else ""), len(text)


def _read_tags(spot: Spot, text: str, at: int) -> tuple[Spot, int]:
    """Up to the end of the text, or to where a comment begins."""
    inside = spot.in_comment
    while at < len(text):
        spot, at = _STEPS[spot.state](spot, text, at)
        if spot.state is State.COMMENT or spot.in_comment is not inside:
            break
    return spot, at


def _data(spot: Spot, text: str, at: int) -> tuple[Spot, int]:
    found = text.find("<", at)
    return (spot, len(text)) if found < 0 else (spot._replace(state=State.OPEN), found + 1)


def _raw(spot: Spot, text: str, at: int) -> tuple[Spot, int]:
    found = re.compile(rf"</{spot.tag}(?=[{_WHITE}/>])", re.IGNORECASE).search(text, at)
    if found is None:
        return spot, len(text)
    return spot._replace(state=State.SPACE, tag=f"/{spot.tag}"), found.end()


def _open(spot: Spot, text: str, at: int) -> tuple[Spot, int]:
    letter = text[at]
    if letter.isascii() and letter.isalpha():
        return spot._replace(state=State.TAG, tag=""), at
    state = {"/": State.CLOSE, "!": State.MARKUP, "?": State.BOGUS}.get(letter)
    return (spot._replace(state=State.DATA), at) if state is None else (spot._replace(state=state), at + 1)


def _close(spot: Spot, text: str, at: int) -> tuple[Spot, int]:
    letter = text[at]
    if letter.isascii() and letter.isalpha():
        return spot._replace(state=State.TAG, tag="/"), at
    return (spot._replace(state=State.DATA), at + 1) if letter == ">" else _bogus(spot, text, at)


def _markup(spot: Spot, text: str, at: int) -> tuple[Spot, int]:
    if spot.in_comment or not text.startswith("--", at):
        return _bogus(spot, text, at)
    condition = _CONDITION.match(text, at + 2)
    if condition:
        return Spot(in_comment=True), condition.end()
    return Spot(State.COMMENT, tail="--"), at + 2


def _bogus(spot: Spot, text: str, at: int) -> tuple[Spot, int]:
    found = text.find(">", at)
    if found < 0:
        return spot._replace(state=State.BOGUS), len(text)
    return spot._replace(state=State.DATA), found + 1


def _tag(spot: Spot, text: str, at: int) -> tuple[Spot, int]:
    end = _end_of(_IN_TAG, text, at)
    spot = spot._replace(tag=spot.tag + text[at:end].lower())
    return (spot if end == len(text) else spot._replace(state=State.SPACE)), end


def _space(spot: Spot, text: str, at: int) -> tuple[Spot, int]:
    at = _end_of(_BETWEEN, text, at)
    if at == len(text):
        return spot, at
    if text[at] == ">":
        return _after_tag(spot), at + 1
    return spot._replace(state=State.ATTRIBUTE, attribute=text[at].lower(), url=""), at + 1


def _after_tag(spot: Spot) -> Spot:
    if spot.tag in _RAW:
        return Spot(State.RAW, spot.tag, in_comment=spot.in_comment)
    return Spot(in_comment=spot.in_comment)


def _attribute(spot: Spot, text: str, at: int) -> tuple[Spot, int]:
    end = _end_of(_NAME, text, at)
    spot = spot._replace(attribute=spot.attribute + text[at:end].lower())
    return (spot if end == len(text) else spot._replace(state=State.AFTER_ATTRIBUTE)), end


def _after_attribute(spot: Spot, text: str, at: int) -> tuple[Spot, int]:
    at = _end_of(_BLANKS, text, at)
    if at == len(text):
        return spot, at
    if text[at] == "=":
        return spot._replace(state=State.BEFORE_VALUE), at + 1
    return spot._replace(state=State.SPACE, attribute=""), at


def _before_value(spot: Spot, text: str, at: int) -> tuple[Spot, int]:
    at = _end_of(_BLANKS, text, at)
    if at == len(text):
        return spot, at
    if text[at] == ">":
        return _after_tag(spot), at + 1
    state = {'"': State.DOUBLE, "'": State.SINGLE}.get(text[at])
    return (
        (spot._replace(state=State.UNQUOTED), at) if state is None else (spot._replace(state=state), at + 1)
    )


def _quoted(quote: str) -> Step:
    def step(spot: Spot, text: str, at: int) -> tuple[Spot, int]:
        found = text.find(quote, at)
        if found >= 0:
            return spot._replace(state=State.SPACE, attribute="", url=""), found + 1
        return spot._replace(url=_begun(spot, text[at:])), len(text)

    return step


def _unquoted(spot: Spot, text: str, at: int) -> tuple[Spot, int]:
    end = _end_of(_BARE, text, at)
    return (spot if end == len(text) else spot._replace(state=State.SPACE, attribute="")), end


def _begun(spot: Spot, more: str) -> str:
    return url_begun(spot.url, more) if spot.attribute.rpartition(":")[2] in URLS else ""


def url_begun(url: str, more: str) -> str:
    """What ``Spot.url`` is after more of the URL, as it stands in the HTML."""
    if url in (PART, ADDRESS, SCRIPT):
        return url
    letters = url + _IGNORED.sub("", unescape(more)).lower()
    if not letters or _MAY_BE_SCHEME.fullmatch(letters):
        return letters
    if _RUNS.match(letters):
        return SCRIPT
    return ADDRESS if _ADDRESSES.match(letters) else PART


def _end_of(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


_STEPS: dict[State, Step] = {
    State.DATA: _data,
    State.RAW: _raw,
    State.OPEN: _open,
    State.CLOSE: _close,
    State.MARKUP: _markup,
    State.BOGUS: _bogus,
    State.TAG: _tag,
    State.SPACE: _space,
    State.ATTRIBUTE: _attribute,
    State.AFTER_ATTRIBUTE: _after_attribute,
    State.BEFORE_VALUE: _before_value,
    State.DOUBLE: _quoted('"'),
    State.SINGLE: _quoted("'"),
    State.UNQUOTED: _unquoted,
}
