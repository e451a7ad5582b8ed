"""Suppression: an account's list of addresses that are not written to, and why."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from chalicelib.domain.contact import SUPPRESSED
from chalicelib.domain.delivery import Reason


class SuppressionReason(StrEnum):
    """Why an address is on the list."""

    UNSUBSCRIBED = "unsubscribed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    ADDED = "added"  # by a person, or by a list that was imported


@dataclass(frozen=True, slots=True)
class Suppression:
    """One address of the list. ``address`` is as it was written, ``key`` what it is found by
    (``domain/address.py``); ``campaign_id`` names the campaign whose mail led to it, if any.

    ``reason`` is the one that came first, at ``added_at`` (aware UTC); ``also`` holds the others.

    ``erased``: the person's data were erased, and of the address only a keyed hash is kept. Such an entry is
    found by the address and by nothing else; ``address`` is then the key it was asked for by.
    """

    key: str
    address: str
    reason: SuppressionReason
    added_at: datetime
    campaign_id: str | None = None
    also: frozenset[SuppressionReason] = frozenset()
    erased: bool = False

    @property
    def reasons(self) -> frozenset[SuppressionReason]:
        """All reasons, the first among them."""
        return self.also | {self.reason}


def merged(one: Suppression, other: Suppression) -> Suppression:
    """Two entries of one key as one: the earlier stays, and the reason of the later is kept beside it.

    Which came first is told by their times and never by their arrival, so any order gives the same entry.
    """
    first = min(one, other, key=_place)
    return replace(first, also=(one.reasons | other.reasons) - {first.reason})


_RANK = {reason: rank for rank, reason in enumerate(SuppressionReason)}


def _place(suppression: Suppression) -> tuple[datetime, int, str, str]:
    return (
        suppression.added_at,
        _RANK[suppression.reason],
        suppression.address,
        suppression.campaign_id or "",
    )


_WHY = {
    SuppressionReason.UNSUBSCRIBED: "The recipient unsubscribed",
    SuppressionReason.BOUNCED: "Mail to this address bounced for good",
    SuppressionReason.COMPLAINED: "The recipient reported mail as spam",
    SuppressionReason.ADDED: "The address was put on the suppression list",
}


ERASED = Reason(SUPPRESSED, "The recipient's personal data were erased: nothing was sent.")
"""Why a contact without an address was not written to."""


def why_not_sent(suppression: Suppression) -> Reason:
    """Why a contact with this address was not written to, in plain words; dates are in UTC."""
    if suppression.erased:
        return ERASED
    also = "".join(f", and is also {reason}" for reason in sorted(suppression.also))
    text = f"{_WHY[suppression.reason]} on {suppression.added_at.date()}{also}: nothing was sent."
    return Reason(SUPPRESSED, text)
