"""The HTML of a message as a document that a console can show: whatever is written in it, it runs nothing.

The policy stands before anything of the message, so that nothing of it is read without; a second policy in
the message can only forbid more (https://www.w3.org/TR/CSP3/#multiple-policies). It is the second of two
fences: the first is the sandbox of the frame it is shown in.
"""

from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from chalicelib.domain.attachment import with_image_urls

_POLICY = (
    "default-src 'none'; img-src {}; style-src 'unsafe-inline'; font-src https:;"
    " form-action 'none'; base-uri 'none'"
)


def policy(image_urls: Iterable[str] = ()) -> str:
    """What may be loaded: pictures by https, and from the file store also where that is reached by http."""
    origins = {f"{url.scheme}://{url.netloc}" for url in map(urlsplit, image_urls) if url.scheme != "https"}
    return _POLICY.format(" ".join(("https:", "data:", *sorted(origins))))


def framed(html: str, images: Mapping[str, str]) -> str:
    """The document, with the message's own images at these URLs by content id.

    A doctype or head of the message's own after ours changes nothing of it.
    """
    shown = with_image_urls(html, images)
    head = f'<!doctype html><meta http-equiv="Content-Security-Policy" content="{policy(images.values())}">'
    return f"{head}{shown}"
