"""What an account has of what is limited: counts, and the imports, files and jobs it has leave for."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from chalicelib.domain.job_place import JobPlace
from chalicelib.domain.quota import Quota

STORED_DAYS = 7  # as long as the bucket keeps uploads


@dataclass(frozen=True, slots=True)
class Usage:
    """One account's use. ``attachments`` are bytes, ``uploads`` bytes by day (UTC).

    ``imports`` are ids of those that were begun last, ``places`` are what other jobs took.

    ``revision`` is that of these three; counts change in the writes of what they count.
    """

    campaigns: int = 0
    lines: int = 0
    api_keys: int = 0
    domains: int = 0
    attachments: int = 0
    uploads: Mapping[str, int] = field(default_factory=dict)
    imports: tuple[str, ...] = ()
    places: tuple[JobPlace, ...] = ()
    revision: int = 0

    def stored(self, now: datetime) -> int:
        """Bytes that files may have which the bucket still keeps."""
        first = _day(now - timedelta(days=STORED_DAYS))
        return sum(size for day, size in self.uploads.items() if day >= first)

    def taken(self, quota: Quota) -> int:
        """How many of the places that this quota limits are taken, by jobs that may be over."""
        return sum(place.kind.quota is quota for place in self.places)

    def without_place(self, place: JobPlace) -> "Usage":
        """With one place less."""
        return replace(self, places=tuple(one for one in self.places if one != place))

    def without_places_of(self, campaign_id: str) -> "Usage":
        """Without those that name this campaign; the same where there are none."""
        left = tuple(one for one in self.places if not one.is_of_campaign(campaign_id))
        return self if left == self.places else replace(self, places=left)

    def with_import(self, import_id: str, size: int, now: datetime) -> "Usage":
        """One import more, with a file of so many bytes (0: no file)."""
        return replace(self.with_file(size, now), imports=(*self.imports, import_id))

    def with_file(self, size: int, now: datetime) -> "Usage":
        """One file more of so many bytes; days that are over are forgotten."""
        first, today = _day(now - timedelta(days=STORED_DAYS)), _day(now)
        uploads = {day: bytes_ for day, bytes_ in self.uploads.items() if day >= first}
        if size:
            uploads[today] = uploads.get(today, 0) + size
        return replace(self, uploads=uploads)


def _day(at: datetime) -> str:
    return date.isoformat(at.date())
