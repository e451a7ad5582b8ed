"""Lists of tags as DKIM and DMARC records write them: ``v=DKIM1; k=rsa; p=…`` (RFC 6376, 3.2)."""

import re

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*").fullmatch


def read_tags(text: str) -> dict[str, str] | None:
    """Names and values in their order, both without the blanks around them; None when it is no such list.

    A tag that is there twice makes the whole list invalid; names are compared as they are written.
    """
    tags: dict[str, str] = {}
    for part in text.strip().removesuffix(";").split(";"):
        name, equals, value = part.partition("=")
        name = name.strip()
        if not equals or not _NAME(name) or name in tags:
            return None
        tags[name] = value.strip()
    return tags
