"""What stands between the cells of a text file: the delimiter that makes a table with addresses of it."""

import re
from collections import Counter
from collections.abc import Sequence

_USUAL = ",;\t|"
_BLANK_DELIMITERS = "\t\x1c\x1d\x1e\x1f"
_NEVER = frozenset("\"'@._-+()<>/")  # stand in names and addresses
_MOST_OTHERS = 16  # characters that are tried
_QUOTED = re.compile(r'(?<![\w"])"(?:[^"]|"")*+"(?!\w)')
_NOT_IN_ADDRESSES = re.compile(r"[^\w@.+-]")
_ONE = r"[\w.+'-]+@[\w.-]+"
_ADDRESSES = re.compile(rf"(?:[\w .'-]*+<)?{_ONE}>?(?:[\s,;:]+{_ONE})*")


def sniff_delimiter(sample: Sequence[str]) -> str:
    """The delimiter of a file that begins with these lines, blank ones left out; comma if there is none.

    The one that gives most rows an address and as many cells as the header has, outside quotes; of several,
    one that the header has, and the usual ones before others. A character that is none of comma, semicolon,
    tab and bar has to fit half of the rows.
    """
    lines = [line for line in re.split(r"[\r\n]+", _without_quotes("".join(sample))) if line.strip(" ")]
    return max(_candidates(lines), key=lambda delimiter: _merit(delimiter, lines), default=",")


def holds_addresses(cell: str) -> bool:
    """Whether a cell is an address, or some, and nothing else."""
    return "@" in cell and _ADDRESSES.fullmatch(cell.strip('" \t\r\n')) is not None


def split_roughly(line: str, delimiter: str) -> list[str]:
    """The cells of a line of which nobody knows whether a quote is open; values in quotes are changed."""
    return _without_quotes(line).split(delimiter)


def may_delimit(sign: str) -> bool:
    """Whether a character can be a delimiter at all."""
    return sign in _BLANK_DELIMITERS or not (sign.isalnum() or sign.isspace() or sign in _NEVER)


def _without_quotes(text: str) -> str:
    """The text without pairs of quotes, and nothing between them that could be a delimiter."""
    return _QUOTED.sub(lambda quoted: _NOT_IN_ADDRESSES.sub("_", quoted[0][1:-1]), text)


def _candidates(lines: Sequence[str]) -> list[str]:
    signs = Counter(sign for line in lines[:2] for sign in line if may_delimit(sign) and sign not in _USUAL)
    half = len(lines) // 2
    others = [sign for sign, _ in signs.most_common(_MOST_OTHERS) if 0 < half <= _merit(sign, lines)[2]]
    return [*_USUAL, *others]


def _merit(delimiter: str, lines: Sequence[str]) -> tuple[int, bool, int, bool, int]:
    widths = [line.count(delimiter) + 1 for line in lines] or [1]
    header, rows = widths[0], Counter(widths[1:])
    width = header if header > 1 or not rows else rows.most_common(1)[0][0]
    fitting = [line for line, its in zip(lines[1:], widths[1:], strict=False) if its == width > 1]
    people = sum(any(map(holds_addresses, line.split(delimiter))) for line in fitting)
    return people, header > 1, len(fitting), delimiter in _USUAL, header
