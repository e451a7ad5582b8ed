"""What makes a value harmless where it stands: in text, in HTML, as a URL and within one.

A URL's value is encoded by RFC 3986: within a URL nothing of it means anything, and all of a URL is taken
only where the URL begins with the value, and only with a scheme that shows or writes and runs nothing.
"""

import re
from collections.abc import Callable
from enum import StrEnum
from functools import partial
from html import escape
from urllib.parse import quote

Encode = Callable[[str], str]
"""What a value's words become; "" where they can't stand there at all, which is as if there were none."""


class Place(StrEnum):
    """Where a value stands, as far as it matters to the encoding."""

    TEXT = "text"  # words, also as the value of an attribute
    URL = "url"  # where a URL begins
    URL_PART = "url_part"  # anywhere else in one
    ADDRESS = "address"  # in a URL of mailto or tel: "@" and "+" belong to addresses and numbers


class Medium(StrEnum):
    """What is around the place."""

    PLAIN = "plain"
    HTML = "html"
    COMMENT = "comment"  # of HTML: also what only Outlook reads stands in one


_FOLLOWED = re.compile(r"(?:https?://|mailto:|tel:)\S", re.IGNORECASE)


def web_address(words: str) -> str:
    """The words if they are a URL that may be followed, else ""; a space in it doesn't end it."""
    return "%20".join(words.split()) if _FOLLOWED.match(words.lstrip()) else ""


def url_part(words: str) -> str:
    """Letters, digits and ``-._~`` stay, all else is percent-encoded: it needs no escaping in HTML."""
    return quote(words, safe="")


def address_part(words: str) -> str:
    """As ``url_part``, with an address still one (RFC 6068) and a telephone number too (RFC 3966)."""
    return quote(words, safe="@+")


def html_url(words: str) -> str:
    """``web_address`` in an attribute."""
    return escape(web_address(words))


def _in_comment(encode: Encode, words: str) -> str:
    """A comment ends with dashes, so none of a value's may stand there."""
    return encode(words).replace("-", "&#45;")


_PLAIN: dict[Place, Encode] = {
    Place.TEXT: str,
    Place.URL: web_address,
    Place.URL_PART: url_part,
    Place.ADDRESS: address_part,
}
_HTML = {**_PLAIN, Place.TEXT: escape, Place.URL: html_url}
_ENCODERS: dict[Medium, dict[Place, Encode]] = {
    Medium.PLAIN: _PLAIN,
    Medium.HTML: _HTML,
    Medium.COMMENT: {place: partial(_in_comment, encode) for place, encode in _HTML.items()},
}


def encoder(place: Place, medium: Medium) -> Encode:
    """The encoding for a place; it can be pickled."""
    return _ENCODERS[medium][place]
