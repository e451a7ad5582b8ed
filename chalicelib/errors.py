"""The errors a request can end with. Each says what is wrong and what to do; the API makes problems of them.

PostlineError
├── NotFound          nothing of that id in this account (also: it belongs to another account)
├── Conflict          the state doesn't allow it; ``allowed`` says what it allows
│   ├── InProgress    the same request is being carried out right now
│   ├── QuotaReached  the account has as much as it may have
│   └── Outdated      somebody else changed it in between
├── Invalid           one or several fields are wrong; all of them at once
├── Unauthorized      no key, an unknown key or a revoked one
└── Forbidden         the caller is known and may not do this

SecretUnreadable stands apart: no caller can mend it by another request. A line whose password it is goes out
of use.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


class PostlineError(Exception):
    """The root of what a caller can mend. ``retry_after`` are the seconds after which to ask again."""

    retry_after: int | None = None


class NotFound(PostlineError):
    """Nothing of that id in this account, or another account's: existence never leaks."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"There is no {kind} with this id in your account.")
        self.kind = kind


def found(read: Callable[[], T]) -> T | None:
    """What was read; None when there is no such thing."""
    try:
        return read()
    except NotFound:
        return None


class Conflict(PostlineError):
    """The object's state doesn't allow it. ``code`` is stable, ``allowed`` names what is possible."""

    def __init__(self, code: str, text: str, allowed: Sequence[str] = ()) -> None:
        super().__init__(text)
        self.code = code
        self.allowed = tuple(allowed)


class InProgress(Conflict):
    """The same request is being carried out; ask again after so many seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(
            "in_progress",
            "A request with this Idempotency-Key is being carried out. Repeat it later for its answer.",
        )
        self.retry_after = retry_after


class QuotaReached(Conflict):
    """It would be more than the account may have: of what, and how much that is."""

    def __init__(self, quota: str, limit: int, text: str) -> None:
        super().__init__("quota_reached", text)
        self.quota = quota
        self.limit = limit


class Outdated(Conflict):
    """The object was changed by somebody else since the caller read it."""

    def __init__(self) -> None:
        super().__init__(
            "outdated", "It was changed in the meantime. Read it again and repeat your change on that."
        )


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong field: its path (``schedule.start_time``), a stable code, and what is allowed."""

    field: str
    code: str
    message: str


class Invalid(PostlineError):
    """One or several fields are wrong."""

    def __init__(self, *errors: FieldError) -> None:
        super().__init__("; ".join(f"{error.field}: {error.message}" for error in errors))
        self.errors = errors


class Unauthorized(PostlineError):
    """No API key, an unknown one, or a revoked one."""


class Forbidden(PostlineError):
    """The caller is known, and this is not theirs to do. ``code`` is stable."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class SecretUnreadable(Exception):
    """A stored secret is not what was encrypted for this place: a line, a domain, a key of the links."""
