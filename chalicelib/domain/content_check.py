"""What the author of a mail should look at again before it is sent; none of it keeps the mail back."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from chalicelib.domain.attachment import AVAILABLE, Attachment, content_ids_in, shown_size
from chalicelib.domain.content import Content
from chalicelib.domain.personalization import Vocabulary
from chalicelib.domain.template_check import Problem, ProblemKind, check

GMAIL_SHOWS = 102 * 1024  # bytes of HTML, about; what is longer is cut off behind "view entire message"
MAILBOXES_TAKE = 25_000_000  # bytes of a message, the commonest limit of the large providers

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


def attachment_warnings(
    content: Content, linked: Iterable[tuple[str, Attachment]]
) -> Iterator[ContentWarning]:
    """What is to be said of files; ``linked`` are those that a line can't carry, by its name."""
    known = {file.content_id for file in content.attachments if file.content_id}
    shown = content_ids_in(content.html)
    for name in shown:
        if name not in known:
            text = f"The HTML shows cid:{name}, and no attachment has this content_id: nobody will see it."
            yield ContentWarning("html", "inline_image_missing", text)
    for file in content.attachments:
        if file.content_id and file.content_id not in shown:
            text = f"The HTML doesn't show cid:{file.content_id}: “{file.file_name}” is attached as a file."
            yield ContentWarning("attachments", "inline_image_unused", text)
    size = sum(file.encoded_size for file in content.attachments)
    if size > MAILBOXES_TAKE:
        text = (
            f"Encoded, the attachments have {shown_size(size)}: many mailboxes refuse messages of more than"
            f" {shown_size(MAILBOXES_TAKE)}."
        )
        yield ContentWarning("attachments", "attachments_large", text)
    for line, file in linked:
        text = (
            f"“{file.file_name}” ({shown_size(file.size)}) is too large for line “{line}”: its recipients get"
            f" a download link instead, for {AVAILABLE.days} days."
        )
        yield ContentWarning("attachments", "attachment_linked", text)


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
