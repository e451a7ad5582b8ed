"""The counts that brakes are judged by, in memory."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from chalicelib.domain.brake import Counts, HourCounts, Subject, Trouble

_ONE = {Trouble.BOUNCE: Counts(bounced=1), Trouble.COMPLAINT: Counts(complained=1)}


class FakeBrakeStore:
    """Port ``BrakeStore``."""

    def __init__(self) -> None:
        self._hours: defaultdict[tuple[str, Subject], dict[datetime, Counts]] = defaultdict(dict)

    def count_accepted(self, account_id: str, subject: Subject, hour: datetime, accepted: int) -> None:
        self._add(account_id, subject, hour, Counts(accepted=accepted))

    def count_trouble(
        self, account_id: str, subjects: Sequence[Subject], hour: datetime, trouble: Trouble
    ) -> None:
        for subject in subjects:
            self._add(account_id, subject, hour, _ONE[trouble])

    def hours(self, account_id: str, subject: Subject, since: datetime) -> list[HourCounts]:
        kept = self._hours[account_id, subject]
        return [HourCounts(hour, kept[hour]) for hour in sorted(kept) if hour >= since]

    def forget(self, account_id: str, subject: Subject) -> None:
        self._hours.pop((account_id, subject), None)

    def _add(self, account_id: str, subject: Subject, hour: datetime, counts: Counts) -> None:
        kept = self._hours[account_id, subject]
        kept[hour] = kept.get(hour, Counts()) + counts
