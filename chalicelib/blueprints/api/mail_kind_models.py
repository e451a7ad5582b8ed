"""The part of a campaign's models that says whether it is marketing, and what it finds out about people."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from chalicelib.blueprints.api.models import Input, Output
from chalicelib.domain.content import Exemption, MailKind
from chalicelib.errors import FieldError, Invalid

KIND = "transactional is mail that its recipient asked for: it needs a reason and no unsubscribe link."
WHY = "Why this is no marketing, required for kind transactional; kept with who says so and the time."

Why = Annotated[str, Field(min_length=1, max_length=500)]


@dataclass(frozen=True, slots=True)
class Decider:
    """Who decides something that is kept: the id of the actor, and when (aware UTC)."""

    actor_id: str
    at: datetime


class Tracking(Input):
    """What is found out about recipients."""

    opens: bool = Field(
        True, strict=True, description="Whether a picture at the end of the HTML tells of openings."
    )


class TransactionalShown(Output):
    """Why the mail is no marketing: the reason that was given, by whom, and when."""

    reason: str
    decided_by: str = Field(description="The id of the API key or the member.")
    decided_at: datetime

    @classmethod
    def of(cls, exemption: Exemption | None) -> Self | None:
        """An exemption as it is shown; None stays None."""
        if exemption is None:
            return None
        return cls(reason=exemption.reason, decided_by=exemption.by, decided_at=exemption.at)


def exemption_for(kind: MailKind, reason: str | None, old: Exemption | None, by: Decider) -> Exemption | None:
    """What is kept of the decision; one that says nothing new leaves the old one as it was.

    Raises Invalid when kind and reason don't go together.
    """
    if kind is MailKind.MARKETING:
        _check(reason is None, "not_transactional", "Give a reason only with kind transactional.")
        return None
    if old is not None and reason in (None, old.reason):
        return old
    why = "Say why this is no marketing: it will have no unsubscribe link of ours."
    _check(reason is not None, "missing", why)
    return Exemption(reason or "", by.actor_id, by.at)


def _check(fine: bool, code: str, message: str) -> None:
    if not fine:
        raise Invalid(FieldError("transactional_reason", code, message))
