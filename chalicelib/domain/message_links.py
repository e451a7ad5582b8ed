"""The links that a message has without its author's doing: the way to unsubscribe, the opening picture, and
the files that are too large for it.

A marketing message tells mail readers how to unsubscribe with one click (RFC 2369, 3.2; RFC 8058, 3.1) and
shows its reader a link. An author who writes ``[unsubscribe]`` decides where it stands and what it says.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape

from chalicelib.domain.attachment import AVAILABLE, Attachment, shown_size
from chalicelib.domain.delivery import MessageTags
from chalicelib.domain.link_tokens import TokenKind, TokenRing
from chalicelib.domain.personalization import (
    DOWNLOAD,
    NO_LINKS,
    OPEN,
    UNSUBSCRIBE,
    Link,
    Links,
    Literal,
    Piece,
    Template,
)

UNSUBSCRIBE_PATH, OPEN_PATH, DOWNLOAD_PATH = "/u/", "/o/", "/d/"
OF_A_TEST = "test"
"""What stands for the token in the links of a test message. No token reads like this: they do nothing."""

_KINDS = (TokenKind.UNSUBSCRIBE, TokenKind.OPEN, TokenKind.RETURN, TokenKind.DOWNLOAD)

# In both languages of the page it leads to: nothing tells which of them a recipient reads.
_WORDS = "Unsubscribe · Отписаться"
_HTML_FOOTER = (
    Literal(
        '<p style="margin:24px 0 8px;text-align:center;font-family:sans-serif;font-size:12px;color:#666666">'
        '<a style="color:#666666" href="'
    ),
    Link(UNSUBSCRIBE),
    Literal(f'">{_WORDS}</a></p>\n'),
)
_TEXT_FOOTER = (Literal(f"\n{_WORDS}: "), Link(UNSUBSCRIBE), Literal("\n"))
_PIXEL = (
    Literal('<img src="'),
    Link(OPEN),
    Literal('" alt="" width="1" height="1" style="border:0;width:1px;height:1px">\n'),
)
_DAYS = f"{AVAILABLE.days} days · {AVAILABLE.days} дней"
_CARD = (
    '<table role="presentation" cellpadding="0" cellspacing="0" style="margin:16px 0;border:1px solid #d0d0d0'
    ';border-radius:6px;font-family:sans-serif;font-size:14px"><tr><td style="padding:12px 16px">'
    '<a style="color:#1a5fb4" href="'
)
_END_OF_BODY = re.compile(r"</body\s*>", re.IGNORECASE)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class LinkUse:
    """Which links a message must have: ``unsubscribe`` in parts and header, ``pixel`` in the HTML,
    ``download`` in both texts."""

    unsubscribe: bool = False
    pixel: bool = False
    download: bool = False


def links_of(tags: MessageTags, use: LinkUse, ring: TokenRing, public_url: str) -> tuple[Links, str]:
    """The URLs of one message, and its token of kind RETURN, which costs nothing beside those of the URLs.

    No URLs without a public one. The page's is there for whoever writes it.
    """
    page, picture, returns, files = ring.seal_all(_KINDS, tags)
    if not public_url:
        return NO_LINKS, returns
    links = Links(
        f"{public_url}{UNSUBSCRIBE_PATH}{page}",
        f"{public_url}{OPEN_PATH}{picture}" if use.pixel else "",
        f"{public_url}{DOWNLOAD_PATH}{files}/" if use.download else "",
    )
    return links, returns


def list_fields(links: Links) -> str:
    """The two fields of RFC 8058, each on one line as it wants them, CRLF-terminated.

    Raises ValueError without a link: a marketing message never leaves without one.
    """
    if not links.unsubscribe:
        raise ValueError("a marketing message needs its unsubscribe link")
    return f"List-Unsubscribe: <{links.unsubscribe}>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"


def has_link(template: Template) -> bool:
    """Whether its reader can see an unsubscribe link; in a comment of the HTML nobody does."""
    link = "\0"
    return link in _COMMENT.sub("", "".join(_words(piece, link) for piece in template))


def _words(piece: Piece, link: str) -> str:
    """A link that only some recipients get is none: what stands in a condition doesn't count."""
    if isinstance(piece, Literal):
        return piece.text.replace(link, "")
    return link if isinstance(piece, Link) and piece.name == UNSUBSCRIBE else ""


def with_footer(text: Template, html: Template) -> tuple[Template, Template]:
    """Text and HTML with a link at the end of each that has none."""
    return (
        text if has_link(text) else (*text, *_TEXT_FOOTER),
        html if has_link(html) else _at_end(html, _HTML_FOOTER),
    )


def with_downloads(text: Template, html: Template, files: Iterable[Attachment]) -> tuple[Template, Template]:
    """Text and HTML with a link to each file, and what it is, before anything else at their end."""
    for file in files:
        text = (*text, *_text_link(file))
        html = _at_end(html, tuple(_card(file)))
    return text, html


def _text_link(file: Attachment) -> tuple[Piece, ...]:
    return (
        Literal(f"\n{file.file_name} ({shown_size(file.size)}, {_DAYS}): "),
        Link(DOWNLOAD),
        Literal(f"{file.attachment_id}\n"),
    )


def _card(file: Attachment) -> Iterator[Piece]:
    yield Literal(_CARD)
    yield Link(DOWNLOAD)
    yield Literal(
        f'{file.attachment_id}">{escape(file.file_name)}</a>'
        f'<br><span style="color:#666666;font-size:12px">{shown_size(file.size)} · {_DAYS}</span>'
        "</td></tr></table>\n"
    )


def with_pixel(html: Template) -> Template:
    """The HTML with the opening picture as the last thing in it."""
    return _at_end(html, _PIXEL)


def _at_end(html: Template, more: tuple[Piece, ...]) -> Template:
    """Before the last ``</body>`` where there is one, so that it is shown; else at the end."""
    for place in range(len(html) - 1, -1, -1):
        piece = html[place]
        ends = list(_END_OF_BODY.finditer(piece.text)) if isinstance(piece, Literal) else []
        if isinstance(piece, Literal) and ends:
            cut = ends[-1].start()
            before = (Literal(piece.text[:cut]),) if cut else ()
            return (*html[:place], *before, *more, Literal(piece.text[cut:]), *html[place + 1 :])
    return (*html, *more)
