"""The HTML of a message as a document that a console can show: whatever is written in it, it runs nothing.

The policy stands before anything of the message, so that nothing of it is read without; a second policy in
the message can only forbid more (https://www.w3.org/TR/CSP3/#multiple-policies). It is the second of two
fences: the first is the sandbox of the frame it is shown in.
"""

POLICY = (
    "default-src 'none'; img-src https: data:; style-src 'unsafe-inline'; font-src https:;"
    " form-action 'none'; base-uri 'none'"
)


def framed(html: str) -> str:
    """The document; a doctype or head of the message's own after ours changes nothing of it."""
    return f'<!doctype html><meta http-equiv="Content-Security-Policy" content="{POLICY}">{html}'
