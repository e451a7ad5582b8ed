"""Test messages in memory."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from chalicelib.domain.delivery import Reason
from chalicelib.domain.sample import ORDER_LIVES, Sample, SampleState
from chalicelib.errors import NotFound


class FakeSampleStore:
    """Port ``SampleStore``."""

    def __init__(self) -> None:
        self._samples: dict[tuple[str, str], Sample] = {}
        self._claims: dict[str, str] = {}
        self._asked: Counter[tuple[str, str]] = Counter()

    def count(self, account_id: str, now: datetime, limit: int) -> bool:
        key = account_id, f"{now:%Y-%m-%dT%H}"
        if self._asked[key] >= limit:
            return False
        self._asked[key] += 1
        return True

    def add(self, account_id: str, sample: Sample) -> None:
        self._samples.setdefault((account_id, sample.sample_id), sample)

    def get(self, account_id: str, sample_id: str) -> Sample:
        if (account_id, sample_id) not in self._samples:
            raise NotFound("test")
        return self._samples[account_id, sample_id]

    def claim(self, account_id: str, sample_id: str, token: str, now: datetime) -> bool:
        sample = self._samples.get((account_id, sample_id))
        if sample is not None and self._claims.get(sample_id) == token:
            return sample.state is SampleState.SENDING
        if sample is None or sample.state is not SampleState.QUEUED or sample.asked_at < now - ORDER_LIVES:
            return False
        self._samples[account_id, sample_id] = replace(sample, state=SampleState.SENDING, claimed_at=now)
        self._claims[sample_id] = token
        return True

    def settle(
        self,
        account_id: str,
        sample_id: str,
        state: SampleState,
        reason: Reason | None,
        remote_id: str | None,
        now: datetime,
    ) -> None:
        sample = self._samples.get((account_id, sample_id))
        if sample is not None and sample.state is SampleState.SENDING:
            self._samples[account_id, sample_id] = replace(
                sample, state=state, reason=reason, remote_id=remote_id, finished_at=now
            )

    def all(self, account_id: str) -> Iterator[Sample]:
        rows = [(key, sample) for key, sample in self._samples.items() if key[0] == account_id]
        return iter([sample for _, sample in sorted(rows, key=lambda row: row[0])])

    def remove(self, account_id: str, sample_id: str) -> None:
        self._samples.pop((account_id, sample_id), None)

    def purge(self, account_id: str, campaign_id: str) -> None:
        gone = [
            key
            for key, sample in self._samples.items()
            if key[0] == account_id and sample.campaign_id == campaign_id
        ]
        for key in gone:
            del self._samples[key]
