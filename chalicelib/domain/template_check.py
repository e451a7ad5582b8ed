"""What in a template looks like a variable and is none: warnings for the person who wrote it.

They are no errors: ``[firstNme]`` may be meant as typed, and then it goes out as typed.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from itertools import islice

from chalicelib.domain.personalization import SYSTEM, Literal, Vocabulary, folded, parse

BRACKETS_LOOKED_AT = 2000  # comparing words is slow; a template of nothing but brackets must not hold us up
LONGEST_LOOKED_AT = 200
CLOSE = 0.8  # difflib's ratio: one letter wrong in five still counts as the same word

_BRACKET = re.compile(rf"\[([^\[\]\r\n]{{0,{LONGEST_LOOKED_AT}}})(\]?)")
_TAG = re.compile(r"<[^<>]*>|&nbsp;")
_SEPARATOR = re.compile(r"[|:,;/=]")
_WORD = re.compile(r"\s*([^\W\d_]+[0-9]?)(?!\w)")
_FILLER = re.compile(r"[\s_.-]+")
_LINE_BREAK = re.compile(r"\r\n|\r|\n")


class ProblemKind(StrEnum):
    """What is wrong with the brackets."""

    MISSPELT = "misspelt"  # the name is close to one we know
    UNCLOSED = "unclosed"  # a name we know, and no closing bracket on the line
    FORMATTED = "formatted"  # a variable, but with tags between its letters


@dataclass(frozen=True, slots=True)
class Problem:
    """A place in a template. ``line`` and ``column`` count characters from 1; ``suggestion`` would work."""

    line: int
    column: int
    kind: ProblemKind
    found: str
    suggestion: str


def check(source: str, vocabulary: Vocabulary = SYSTEM) -> list[Problem]:
    """List what was probably meant as a variable and will be sent as typed, in the order of the text."""
    starts = [0, *(found.end() for found in _LINE_BREAK.finditer(source))]
    return list(_problems(source, starts, _Checker(vocabulary)))


def _problems(source: str, starts: list[int], checker: "_Checker") -> Iterator[Problem]:
    line = 0
    for found in islice(_BRACKET.finditer(source), BRACKETS_LOOKED_AT):
        while line + 1 < len(starts) and starts[line + 1] <= found.start():
            line += 1
        verdict = checker.verdict(found)
        if verdict is not None:
            yield Problem(line + 1, found.start() - starts[line] + 1, verdict[0], found[0], verdict[1])


class _Checker:
    """Knows the names of one campaign."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._names = {folded(name): name for name in vocabulary.names()}
        self._longest = max(map(len, self._names))

    def verdict(self, found: re.Match[str]) -> tuple[ProblemKind, str] | None:
        if not found[2]:
            return self._unclosed(found[1])
        if self._is_variable(found[0]):
            return None
        bare = _TAG.sub("", found[0])
        if bare != found[0] and self._is_variable(bare):
            return ProblemKind.FORMATTED, bare
        return self._misspelt(bare[1:-1])

    def _is_variable(self, source: str) -> bool:
        return not isinstance(parse(source, self._vocabulary)[0], Literal)

    def _unclosed(self, inside: str) -> tuple[ProblemKind, str] | None:
        word = _WORD.match(_TAG.sub("", inside))
        name = self._names.get(word[1].lower()) if word else None
        return (ProblemKind.UNCLOSED, f"[{name}]") if name else None

    def _misspelt(self, inside: str) -> tuple[ProblemKind, str] | None:
        typed, *rest = _SEPARATOR.split(inside, maxsplit=1)
        word = _FILLER.sub("", typed).lower()
        if not word or len(word) > 2 * self._longest:
            return None
        close = get_close_matches(word, self._names, n=1, cutoff=CLOSE)
        if not close:
            return None
        name, fallback = self._names[close[0]], rest[0].strip() if rest else ""
        return ProblemKind.MISSPELT, f"[{name}|{fallback}]" if fallback else f"[{name}]"
