"""What the author of a mail should look at again before it is sent; none of it keeps the mail back."""

from collections.abc import Iterator
from dataclasses import dataclass

from chalicelib.domain.content import Content
from chalicelib.domain.personalization import Vocabulary
from chalicelib.domain.template_check import Problem, ProblemKind, check

GMAIL_SHOWS = 102 * 1024  # bytes of HTML, about; what is longer is cut off behind "view entire message"

_TEXTS = {
    ProblemKind.MISSPELT: "{found} is no variable, and is sent as typed. Did you mean {suggestion}?",
    ProblemKind.UNCLOSED: "The bracket of {suggestion} is not closed on its line, so it is sent as typed.",
    ProblemKind.FORMATTED: "There are tags within {suggestion}, so it is sent as typed.",
}


@dataclass(frozen=True, slots=True)
class ContentWarning:
    """One place. ``code`` is stable; ``line`` and ``column`` count characters of the field from 1."""

    field: str
    code: str
    text: str
    line: int | None = None
    column: int | None = None
    suggestion: str | None = None


def content_warnings(content: Content, columns: tuple[str, ...]) -> list[ContentWarning]:
    """All there is to say of subject, HTML and text; ``columns`` are those of the campaign's contacts."""
    vocabulary = Vocabulary(content.variables, columns)
    parts = {"subject": content.subject, "html": content.html, "text": content.text or ""}
    found = [
        _warning(field, problem) for field, source in parts.items() for problem in check(source, vocabulary)
    ]
    return [*found, *_clipped(content.html)]


def _warning(field: str, problem: Problem) -> ContentWarning:
    shown = problem.found if len(problem.found) <= 60 else f"{problem.found[:59]}…"  # noqa: PLR2004 - a line
    text = _TEXTS[problem.kind].format(found=shown, suggestion=problem.suggestion)
    return ContentWarning(
        field, f"variable_{problem.kind}", text, problem.line, problem.column, problem.suggestion
    )


def _clipped(html: str) -> Iterator[ContentWarning]:
    size = len(html.encode("utf-8", "replace"))
    if size > GMAIL_SHOWS:
        text = f"The HTML has {size:,} bytes: Gmail cuts off what comes after about {GMAIL_SHOWS:,}."
        yield ContentWarning("html", "clipped_by_gmail", text)
