"""Suppression: an account's list of addresses that are not written to, and why."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum


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
    """

    key: str
    address: str
    reason: SuppressionReason
    added_at: datetime
    campaign_id: str | None = None
    also: frozenset[SuppressionReason] = frozenset()

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


def _place(suppression: Suppression) -> tuple[datetime, str, str, str]:
    return (
        suppression.added_at,
        suppression.reason,
        suppression.address,
        suppression.campaign_id or "",
    )
