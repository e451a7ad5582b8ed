"""The tags and the text of a page, in one pass and in flat memory, whatever a stranger put into it.

After HTML's rules (html.spec.whatwg.org, 13.2.5) as far as a table needs them, but for what would lose rows:
no tag and, within a table, no script reaches over a tag of the table; ``<anna@example.com>`` is text, and so
is a ``<`` that opens nothing. ``html.parser`` is not used: it takes quadratic time over a tag that never
closes, and raises AssertionError for ``<![1]>``.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from chalicelib.domain.contact_file import FileRejected
from chalicelib.domain.references import unescape

MAX_TAG = 1 << 16  # characters of a tag; what is longer is text
_MAX_REFERENCE = 40  # characters of ``&name;``, more than the longest has
_OF_TABLES = r"</?t(?:able|d|h|r)\b"
_NAME = re.compile(r"<(/?)([a-z][a-z0-9:-]{0,63})(?=[\s/>])", re.IGNORECASE)
_DECLARATION = re.compile(rf"<(?:![a-z\[]|\?[a-z])(?:[^<>]++|(?!{_OF_TABLES})<)*+", re.IGNORECASE)
_ATTRIBUTES = re.compile(
    rf"""(?: [^=<>]++
           | = \s*+ (?: "[^"<]*+ (?: (?!{_OF_TABLES})< [^"<]*+ )*+"
                      | '[^'<]*+ (?: (?!{_OF_TABLES})< [^'<]*+ )*+' )?
           | (?!{_OF_TABLES})<
         )*+""",
    re.IGNORECASE | re.VERBOSE,
)
_OPENS = re.compile(r"<(?=[a-z/!?])|<\Z", re.IGNORECASE)
_COMMENT = "<!--"
_COMMENT_END = re.compile(r"--!?>")
_LONGEST_MARK = 16  # characters: what ends a comment or a script may lie across two blocks
_RAW = frozenset({"script", "style", "template"})  # what is in them is no text and has no tags
_RAW_ENDS = {name: re.compile(rf"</{name}\b", re.IGNORECASE) for name in _RAW}
_RAW_ENDS_IN_TABLES = {name: re.compile(rf"</{name}\b|{_OF_TABLES}", re.IGNORECASE) for name in _RAW}


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag: its name in lower case, and what stands between the name and the ``>``."""

    name: str
    is_end: bool
    attributes: str


def unreadable_page(why: str) -> FileRejected:
    """The verdict on a page whose contacts can't be told."""
    text = f"This is a web page, whatever its name says, and {why}. Save the contacts as .xlsx or as CSV."
    return FileRejected("not_a_workbook", text)


class Markup:
    """The tokens of a page that comes in blocks. Iterate once.

    Text comes in pieces, with its character references resolved. Raises FileRejected when the page ends
    within a comment or a script, for nobody can tell what of the page they have swallowed.
    """

    def __init__(self, blocks: Iterator[str]) -> None:
        self._blocks = blocks
        self._text = ""
        self._at = 0
        self._is_all = False
        self._tables = 0

    def __iter__(self) -> Iterator[Tag | str]:
        while self._look_ahead():
            end = self._end_of_text()
            if end > self._at:
                yield self._take_text(end)
            elif self._text.startswith(_COMMENT, self._at):
                self._at += 2
                self._skip_to(_COMMENT_END, "a comment")
                self._at = self._text.index(">", self._at) + 1
            else:
                yield from self._markup()

    def _look_ahead(self) -> bool:
        """Have a whole tag in sight, or all that there is; False at the end."""
        while not self._is_all and len(self._text) - self._at < MAX_TAG:
            block = next(self._blocks, "")
            self._is_all = not block
            self._text = self._text[self._at :] + block
            self._at = 0
        return self._at < len(self._text)

    def _end_of_text(self) -> int:
        """Where markup may open next; before a reference that may go on in the next block."""
        opens = _OPENS.search(self._text, self._at)
        if opens is not None:
            return opens.start()
        end = len(self._text)
        reference = self._text.rfind("&", max(self._at + 1, end - _MAX_REFERENCE))
        return end if self._is_all or reference < 0 else reference

    def _take_text(self, end: int) -> str:
        text = self._text[self._at : end]
        self._at = end
        return unescape(text)

    def _markup(self) -> Iterator[Tag | str]:
        """What opens here: a tag, a declaration, which is passed over, or nothing."""
        text, most = self._text, self._at + MAX_TAG
        name = _NAME.match(text, self._at, most)
        inside = (
            _ATTRIBUTES.match(text, name.end(), most) if name else _DECLARATION.match(text, self._at, most)
        )
        if inside is None:
            yield self._take_text(self._at + 1)
        elif not text.startswith(">", inside.end()):
            yield self._take_text(inside.end())
        else:
            self._at = inside.end() + 1
            if name:
                yield from self._tag(Tag(name[2].lower(), bool(name[1]), inside[0]))

    def _tag(self, tag: Tag) -> Iterator[Tag]:
        if tag.name == "table":
            self._tables = max(0, self._tables + (-1 if tag.is_end else 1))
        yield tag
        if tag.name in _RAW and not tag.is_end:
            ends = _RAW_ENDS_IN_TABLES if self._tables else _RAW_ENDS
            self._skip_to(ends[tag.name], f"a <{tag.name}>")

    def _skip_to(self, mark: re.Pattern[str], what: str) -> None:
        while self._look_ahead():
            found = mark.search(self._text, self._at)
            if found is not None:
                self._at = found.start()
                return
            if self._is_all:
                break
            self._at = len(self._text) - _LONGEST_MARK
        raise unreadable_page(f"it has {what} that never ends")
