"""Character references of HTML (``&amp;``, ``&#8217;``), resolved whatever a stranger wrote.

``html.unescape`` raises ValueError for a number of more than 4,300 digits, as Python does for any such text.
"""

import html
import re

_ENDLESS_NUMBER = re.compile(r"&#(?:x[0-9a-f]{8,}|[0-9]{8,});?", re.IGNORECASE)


def without_endless_numbers(text: str) -> str:
    """The text with references to what is no character, by far, as the sign for that."""
    return _ENDLESS_NUMBER.sub("\ufffd", text) if "&#" in text else text


def unescape(text: str) -> str:
    """The text with its character references resolved; never raises."""
    return html.unescape(without_endless_numbers(text)) if "&" in text else text
