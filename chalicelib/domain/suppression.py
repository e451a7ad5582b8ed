"""Suppression: an account's list of addresses that are not written to, and why."""

from dataclasses import dataclass
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
    """

    key: str
    address: str
    reason: SuppressionReason
    added_at: datetime
    campaign_id: str | None = None
