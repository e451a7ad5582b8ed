"""The plain text that says the same as an HTML body, for readers who prefer it and filters that expect it.

Read with the standard library's tolerant parser. It takes quadratic time over a tag that never closes, so
a ``<`` that opens nothing is made text first.
"""

import re
from html.parser import HTMLParser

from chalicelib.domain.references import without_endless_numbers

_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)|<!\[[^<>]*>", re.DOTALL)  # also Outlook's <![if !mso]>
_STRAY = re.compile(r"<(?=[^<>]*(?:<|\Z))")
_FOLDED = re.compile("\\s[\\s\u00ad\u034f\u200b\u200c\ufeff]*")  # with the filler that follows preheaders
# Marks that live until white space is folded. None can come from outside: they are taken out of the source,
# and html.unescape drops references to them.
_LINE, _BULLET_END, _INDENT = "\x01", "\x02", "\x03"
_SPACE = f" \n{_LINE}"
_NO_MARKS = dict.fromkeys(range(4))
_NO_PIECES = dict.fromkeys(range(4, 7))
_BRANCH = re.compile("\x04[0-9]+\\.[0-9]+\x06")
_PIECE = re.compile("\x05[0-9]+(?=\x06)")

_SILENT = frozenset({"style", "script", "title", "template", "xml"})
_OF_HEAD = _SILENT | {"head", "meta", "link", "base", "noscript"}
_LINES = frozenset(
    {"div", "tr", "dt", "dd", "section", "article", "header", "footer", "center", "form", "hr"}
)
_PARAGRAPHS = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "table", "blockquote", "pre", "dl"})
_LISTS = frozenset({"ul", "ol"})
_CELLS = frozenset({"td", "th"})
_USEFUL_LINK = re.compile(r"https?://|mailto:|tel:|\x04", re.IGNORECASE)
_UNSPOKEN = re.compile(r"\A(?:https?://|mailto:|tel:)|/\Z", re.IGNORECASE)


def value_mark(value: int, piece: int) -> str:
    """What stands for a piece of a template in HTML and in its text; its value may be in other pieces too."""
    return f"\x04{value}\x05{piece}\x06"


def branch_mark(condition: int, branch: int) -> str:
    """What stands before each branch of a condition, and with the next number after the last."""
    return f"\x04{condition}.{branch}\x06"


def without_marks(text: str) -> str:
    """Text in which nothing can be taken for a mark."""
    return text.translate(_NO_PIECES)


def text_of(html: str) -> str:
    """Derive the text: paragraphs, lists, ``text (url)`` for links; lines are as long as they come.

    Marks are text like any other and survive, also those in the address of a link.
    """
    source = _COMMENT.sub("", without_endless_numbers(html.translate(_NO_MARKS)))
    reader = _Reader()
    reader.feed(_STRAY.sub("&lt;", source))
    reader.close()
    return reader.text()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._out: list[str] = []
        self._silent: str | None = None
        self._in_head = False
        self._preformatted = 0
        self._lists: list[int | None] = []  # the next number of each open list; None for bullets
        self._link: tuple[str, int] | None = None  # its address, and where in the output its text begins

    def text(self) -> str:
        self._end_link()
        text = re.sub(" +", " ", "".join(self._out))
        text = re.sub(f"{_BULLET_END}[ \n{_LINE}]*", " ", text)
        text = re.sub(f"(?: ?{_LINE} ?)+", _LINE, text)
        text = re.sub(f" ?\n ?{_LINE}?|{_LINE}", "\n", text)
        return re.sub("\n{3,}", "\n\n", text).strip("\n ").replace(_INDENT, "  ")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attrs, tag = [(tag, None), *attrs], _BRANCH.sub("", tag)
        if self._silent or self._starts_silence(tag):
            return
        self._break_before(tag)
        if tag == "br":
            self._out.append("\n")
        elif tag == "li":
            self._out.append(self._bullet())
        elif tag == "a":
            self._start_link(_address(attrs))
        elif tag == "img":
            self.handle_data(dict(attrs).get("alt") or "")
        elif tag in _LISTS:
            self._lists.append(1 if tag == "ol" else None)
        self._preformatted += tag == "pre"

    def handle_endtag(self, tag: str) -> None:
        if self._silent:
            self._silent = None if tag == self._silent else self._silent
            return
        if tag == "head":
            self._in_head = False
        elif tag == "a":
            self._end_link()
        elif tag in _LISTS and self._lists:
            self._lists.pop()
        self._preformatted -= tag == "pre" and self._preformatted > 0
        self._break_before(tag)

    def handle_data(self, data: str) -> None:
        if self._silent or self._in_head:
            return
        keep_lines = data.splitlines() if self._preformatted else [data]
        self._out.append("\n".join(_FOLDED.sub(" ", line) for line in keep_lines))

    def _starts_silence(self, tag: str) -> bool:
        self._in_head = tag == "head" or (self._in_head and tag in _OF_HEAD)
        if tag in _SILENT:
            self._silent = tag
        return self._silent is not None or self._in_head

    def _break_before(self, tag: str) -> None:
        if tag in _PARAGRAPHS or (tag in _LISTS and not self._lists):
            self._out.append("\n\n")
        elif tag in _LINES or tag in _LISTS:
            self._out.append(_LINE)
        elif tag in _CELLS:
            self._out.append(" ")

    def _bullet(self) -> str:
        depth = max(len(self._lists) - 1, 0)
        number = self._lists[-1] if self._lists else None
        if number is not None:
            self._lists[-1] = number + 1
        return f"{_LINE}{_INDENT * min(depth, 8)}{'-' if number is None else f'{number}.'}{_BULLET_END}"

    def _start_link(self, address: str) -> None:
        self._end_link()
        self._link = " ".join(address.split()), len(self._out)

    def _end_link(self) -> None:
        if self._link is None:
            return
        address, start = self._link
        self._link = None
        spoken = "".join(self._out[start:])
        words = spoken.strip(_SPACE)
        if not _is_useful(address) or _bare(words) == _bare(address):
            return
        shown = re.sub(r"\Amailto:|\Atel:", "", address, flags=re.IGNORECASE)
        # After the words, and before the breaks of a block that ends inside the link.
        after = spoken[len(spoken.rstrip(_SPACE)) :]
        self._out[start:] = [spoken.rstrip(_SPACE), f" ({shown})" if words else shown, after]


def _address(attrs: list[tuple[str, str | None]]) -> str:
    """Where a link leads, with the branches within which it, or any attribute beside it, stands.

    Of two addresses the first is meant, as for a mail reader; branches choose for themselves.
    """
    parts: list[str] = []
    for name, value in attrs:
        parts += _BRANCH.findall(name)
        if _BRANCH.sub("", name) != "href":
            parts += _BRANCH.findall(value or "")
        elif value and (not parts or _BRANCH.fullmatch(parts[-1])):
            parts.append(value)
    return "".join(parts)


def _is_useful(address: str) -> bool:
    return any(_USEFUL_LINK.match(branch) for branch in _BRANCH.split(address))


def _bare(address: str) -> str:
    return _UNSPOKEN.sub("", _PIECE.sub("", address)).lower()
