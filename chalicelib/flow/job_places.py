"""Places for jobs: an account has so many at once, and a line or a domain is looked at by one at a time.

Jobs end in other functions, in many ways, and some never do. So no job gives its place back: when all places
are taken, or one for the very same, who asks looks which jobs are over. A place is taken in one conditional
write before the job is made, so that of two which come at once one sees the other.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.domain.api_call import CALL_IS_OVER
from chalicelib.domain.job import JobState
from chalicelib.domain.job_place import JobPlace, PlaceKind
from chalicelib.domain.line import ConnectionState
from chalicelib.domain.quota import Quota, reached
from chalicelib.domain.usage import Usage
from chalicelib.errors import NotFound
from chalicelib.flow.quotas import change_usage
from chalicelib.ports import (
    AdviceStore,
    Clock,
    DomainStore,
    ExportStore,
    LimitOf,
    LineStore,
    PersonalDataStore,
    PreflightStore,
    UsageStore,
)

_OVER = (JobState.DONE, JobState.FAILED)


@dataclass(frozen=True, slots=True)
class Places:
    """Port ``JobPlaces``. The stores tell which jobs are over."""

    usage: UsageStore
    exports: ExportStore
    preflights: PreflightStore
    personal_data: PersonalDataStore
    lines: LineStore
    advice: AdviceStore
    domains: DomainStore
    limit_of: LimitOf
    clock: Clock

    @contextmanager
    def hold(self, account_id: str, place: JobPlace) -> Iterator[bool]:
        """Take a place for the job that is begun within; if that raises, the place is given back.

        False when a job for the same holds one. Raises QuotaReached, and Outdated when many others were
        faster.
        """
        held = change_usage(account_id, self.usage, lambda usage: self._with(account_id, usage, place))
        mine = place in held.places
        try:
            yield mine
        except BaseException:
            if mine:
                change_usage(account_id, self.usage, lambda usage: usage.without_place(place))
            raise

    def _with(self, account_id: str, usage: Usage, place: JobPlace) -> Usage:
        """The use with this place too; the same when it has it, or one for the same work."""
        if place in usage.places:
            return usage
        now, quota = self.clock.now(), place.kind.quota
        for other in usage.places:
            if other.is_for_the_same(place):
                if not self._is_over(account_id, other, now):
                    return usage
                usage = usage.without_place(other)
        most = self.limit_of(account_id, quota)
        if usage.taken(quota) >= most:
            usage = self._without_those_over(account_id, usage, quota, now)
        if usage.taken(quota) >= most:
            raise reached(quota, most)
        return replace(usage, places=(*usage.places, place))

    def _without_those_over(self, account_id: str, usage: Usage, quota: Quota, now: datetime) -> Usage:
        held = (one for one in usage.places if one.kind.quota is quota)
        over = {one for one in held if self._is_over(account_id, one, now)}
        return replace(usage, places=tuple(one for one in usage.places if one not in over))

    def _is_over(self, account_id: str, place: JobPlace, now: datetime) -> bool:
        """Whether nobody works on it; one that isn't there (yet) holds its place for its call."""
        if place.since <= now - place.kind.lost_after:
            return True
        begins = place.since > now - CALL_IS_OVER
        try:
            if place.kind.quota is Quota.JOBS:
                return self._job_has_ended(account_id, place, begins=begins)
            return self._check_has_ended(account_id, place, begins=begins)
        except NotFound:
            return not begins

    def _job_has_ended(self, account_id: str, place: JobPlace, *, begins: bool) -> bool:
        if place.kind is PlaceKind.PREFLIGHT:
            last = self.preflights.get(account_id, place.subject.split(" ")[0])
            return last.state in _OVER if last.preflight_id == place.place_id else not begins
        store = self.exports if place.kind is PlaceKind.EXPORT else self.personal_data
        return store.get(account_id, place.subject).state in _OVER

    def _check_has_ended(self, account_id: str, place: JobPlace, *, begins: bool) -> bool:
        if place.kind is PlaceKind.ADVICE:
            return _is_since(self.advice.get(account_id, place.subject).checked_at, place)
        if place.kind is PlaceKind.DOMAIN:
            keys = self.domains.get(account_id, place.subject).keys
            return any(_is_since(key.checked_at, place) for key in keys)
        proof = self.lines.get(account_id, place.subject).connection
        if proof.state is ConnectionState.CONNECTING:
            return False
        return _is_since(proof.checked_at, place) or not begins


def _is_since(checked_at: datetime | None, place: JobPlace) -> bool:
    return checked_at is not None and checked_at >= place.since
