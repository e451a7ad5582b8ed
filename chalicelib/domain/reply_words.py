"""What a server says in words of its own: its reply without the addresses, links and hosts it quotes.

Servers quote the recipient. Read as words, ``<relay@example.com>: User unknown`` would speak of relaying, and
one address would take a whole line out of use. What a person may read is the reply as it came.
"""

import re

BLANK = "…"  # in place of each character: no word, and places in the text stay what they were

_ADDRESS = re.compile(r"[^\s<>()\[\],;:\"\\@]{1,128}@[^\s<>()\[\],;:\"\\@]{1,255}")
_URL = re.compile(r"\b(?:https?|ftp)://[^\s<>\"]{1,2000}", re.IGNORECASE)
_HOST = re.compile(r"(?<![\w.-])(?:[\w-]{1,63}\.){1,10}([^\W\d_]{2,63}|xn--[a-z\d-]{1,59})(?![\w-])")


def own_words(text: str, recipient: str = "") -> str:
    """The text with what it quotes blanked, as long as before. Of ``recipient`` parts are quoted, too.

    A name of the recipient's that is a word of the server's, too, is lost with it: then less is understood of
    this one reply, and nothing of a line's.
    """
    for pattern in (_URL, _ADDRESS):
        text = pattern.sub(_blank, text)
    text = _HOST.sub(lambda found: _blank(found) if _is_a_host(found[1]) else found[0], text)
    local, _, domain = recipient.rpartition("@")
    for name in filter(None, (domain, local, local.partition("+")[0])):
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", _blank, text, flags=re.IGNORECASE)
    return text


def _blank(found: re.Match[str]) -> str:
    return BLANK * len(found[0])


def _is_a_host(last: str) -> bool:
    """Whether the last label is one, and not the word that follows a full stop without a blank."""
    return last.islower() or last.isupper() or not last.isascii()
