"""The audit trail: who did what, when, and with what outcome. It names ids, never addresses or texts."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from chalicelib.domain.access import Actor
from chalicelib.domain.api_call import CALL_IS_OVER

SERVICE = "service"
"""In place of an account's id: the trail of what operators did to no account. No account has this id."""
_ID = re.compile(r"[A-Za-z0-9_.:-]{1,253}").fullmatch  # ids and domains; an address has an @
_FOREIGN = frozenset({"remote_id"})  # what other people's servers wrote
_WORDS = frozenset({"domain", "selector", "plan", "role", "quota"})  # what says more of an act than its ids


class Outcome(StrEnum):
    """How an act ended: it was done; it was refused, and nothing was done; or nobody knows.

    ``begun`` is what an entry says until its outcome is written. Whoever reads it later reads ``unknown``.
    """

    BEGUN = "begun"
    DONE = "done"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One act. ``subject`` holds ids by what they name; ``at`` is when it began (aware UTC).

    ``code`` says why it was refused. Ids of later entries sort later.
    """

    entry_id: str
    actor: Actor
    action: str
    at: datetime
    subject: Mapping[str, str] = field(default_factory=dict)
    outcome: Outcome = Outcome.BEGUN
    code: str | None = None

    def seen_at(self, now: datetime) -> "AuditEntry":
        """The entry with the outcome that can be known at this time."""
        if self.outcome is Outcome.BEGUN and now > self.at + CALL_IS_OVER:
            return replace(self, outcome=Outcome.UNKNOWN)
        return self


def ids_among(named: Iterable[tuple[str, object]]) -> dict[str, str]:
    """Those of the named values that look like ids, and a few words, as plain texts; all else is left out."""
    return {
        name: str(value)
        for name, value in named
        if (name.endswith("_id") or name in _WORDS)
        and name not in _FOREIGN
        and isinstance(value, str)
        and _ID(value)
    }
