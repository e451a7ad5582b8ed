"""Errors as problem documents (RFC 9457), the same shape for every route."""

from chalice.app import Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from chalicelib.errors import (
    Conflict,
    FieldError,
    Forbidden,
    Invalid,
    NotFound,
    Outdated,
    PostlineError,
    QuotaReached,
    Unauthorized,
)

CONTENT_TYPE = "application/problem+json"
_TITLES = {403: "Forbidden", 429: "Too many requests"}


class WrongField(BaseModel):
    """One wrong field."""

    field: str = Field(description="Path of the field, such as schedule.start_time or contacts[3].email.")
    code: str = Field(description="Stable identifier of the rule that was broken.")
    message: str = Field(description="What is wrong and what is allowed.")


class Problem(BaseModel):
    """A problem document, RFC 9457. ``code`` is stable and made for programs, ``detail`` for people."""

    model_config = ConfigDict(extra="forbid")

    type: str = "about:blank"
    title: str
    status: int
    code: str
    detail: str
    errors: list[WrongField] = []
    allowed: list[str] = []
    quota: str | None = Field(None, description="Of which there is as much as the account may have.")
    limit: int | None = Field(None, description="How much that is.")


class Unacceptable(PostlineError):
    """A request that isn't understood at all: its status and code, and what to send instead."""

    def __init__(self, status: int, code: str, text: str, retry_after: int | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.code = code
        self.retry_after = retry_after


def problem_of(error: PostlineError) -> Problem:
    """The problem document that tells an error."""
    match error:
        case Invalid(errors=errors):
            wrong = [WrongField(field=e.field, code=e.code, message=e.message) for e in errors]
            return _problem(422, "Unprocessable content", "invalid", "Some fields are wrong.", errors=wrong)
        case NotFound(kind=kind):
            return _problem(404, "Not found", f"{kind.replace(' ', '_')}_not_found", str(error))
        case Conflict():
            return _conflict(error)
        case Unauthorized():
            return _problem(401, "Unauthorized", "unauthorized", str(error))
        case Forbidden(code=code):
            return _problem(403, "Forbidden", code, str(error))
        case Unacceptable(status=status, code=code):
            title = _TITLES.get(status, "Request not understood")
            return _problem(status, title, code, str(error))
    raise AssertionError(f"{type(error).__name__} has no problem document")


def _conflict(error: Conflict) -> Problem:
    if isinstance(error, Outdated):
        return _problem(412, "Precondition failed", error.code, str(error))
    told = _problem(409, "Conflict", error.code, str(error), allowed=list(error.allowed))
    if isinstance(error, QuotaReached):
        return told.model_copy(update={"quota": error.quota, "limit": error.limit})
    return told


def unexpected() -> Problem:
    """For a fault of ours: says nothing of its cause."""
    text = "Something went wrong on our side. Nothing of your request may have been done; please try again."
    return _problem(500, "Internal server error", "internal", text)


def response(problem: Problem, retry_after: int | None = None) -> Response:
    """A problem document as the answer to a request, which may be repeated after so many seconds."""
    headers: dict[str, str | list[str]] = {"Content-Type": CONTENT_TYPE}
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    body = problem.model_dump_json(exclude_none=True)
    return Response(body=body, status_code=problem.status, headers=headers)


def invalid_from(error: ValidationError) -> Invalid:
    """All wrong fields of a model at once."""
    return Invalid(
        *(
            FieldError(_path(e["loc"]), e["type"], _sentence(e["msg"]))
            for e in error.errors(include_url=False)
        )
    )


def _path(location: tuple[int | str, ...]) -> str:
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}"
    return path.removeprefix(".") or "body"


def _sentence(message: str) -> str:
    text = message.removeprefix("Value error, ")
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def _problem(
    status: int,
    title: str,
    code: str,
    detail: str,
    errors: list[WrongField] | None = None,
    allowed: list[str] | None = None,
) -> Problem:
    return Problem(
        title=title, status=status, code=code, detail=detail, errors=errors or [], allowed=allowed or []
    )
