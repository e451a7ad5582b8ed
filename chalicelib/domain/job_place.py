"""Places of an account for work that outlives a request: there are so many at once, by the kind of work."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from chalicelib.domain.ids import time_of
from chalicelib.domain.quota import Quota

_NEVER = datetime.min.replace(tzinfo=UTC)


class PlaceKind(StrEnum):
    """What a place is for: a job that reads all of something, or a look at one line or domain."""

    EXPORT = "export"
    PREFLIGHT = "preflight"
    PERSONAL_DATA = "personal_data"
    CONNECTION = "connection"
    ADVICE = "advice"
    DOMAIN = "domain"

    @property
    def quota(self) -> Quota:
        """Which places it takes one of."""
        return Quota.JOBS if self in _JOBS else Quota.CHECKS

    @property
    def lost_after(self) -> timedelta:
        """Work that has not ended by then holds its place no longer: perhaps nobody is at it."""
        return timedelta(days=1) if self in _JOBS else timedelta(minutes=5)


_JOBS = (PlaceKind.EXPORT, PlaceKind.PREFLIGHT, PlaceKind.PERSONAL_DATA)


@dataclass(frozen=True, slots=True)
class JobPlace:
    """A place that is taken. ``subject`` is what one at a time works on: a line, a domain, or the job."""

    kind: PlaceKind
    subject: str
    place_id: str

    @property
    def since(self) -> datetime:
        """When it was taken (aware UTC, to the millisecond)."""
        return time_of(self.place_id) or _NEVER

    def is_for_the_same(self, other: "JobPlace") -> bool:
        """Whether both are for work of one kind on one subject."""
        return (self.kind, self.subject) == (other.kind, other.subject)

    def is_of_campaign(self, campaign_id: str) -> bool:
        """Whether it names this campaign, which takes its name along when it is deleted."""
        return self.kind is PlaceKind.PREFLIGHT and self.subject.split(" ")[0] == campaign_id

    @property
    def text(self) -> str:
        """The place as it is stored."""
        return f"{self.kind} {self.place_id} {self.subject}"


def read_place(text: str) -> JobPlace:
    """The place with this text."""
    kind, place_id, subject = text.split(" ", 2)
    return JobPlace(PlaceKind(kind), subject, place_id)


def export_place(export_id: str) -> JobPlace:
    """The place of an export, of a report or of the suppression list."""
    return JobPlace(PlaceKind.EXPORT, export_id, export_id)


def preflight_place(campaign_id: str, preflight_id: str) -> JobPlace:
    """The place of a preflight: another one of the same campaign takes another place."""
    return JobPlace(PlaceKind.PREFLIGHT, f"{campaign_id} {preflight_id}", preflight_id)


def personal_data_place(job_id: str) -> JobPlace:
    """The place of a request about one person's data."""
    return JobPlace(PlaceKind.PERSONAL_DATA, job_id, job_id)
