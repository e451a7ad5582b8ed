"""A POST under an Idempotency-Key: carried out once, and answered the same for a day however often it comes.

    first:  begun ── carried out ── settled ── answered
    again:     in progress (409)        └── the stored answer
    begun and never settled: from the end of the lease on, whoever comes next takes it over

Taken over, it is carried out again with the same seed, so that the ids which it makes are those of the first
time. https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from chalicelib.domain.api_call import CALL_IS_OVER

KEPT = timedelta(hours=24)
LEASE = CALL_IS_OVER  # two never work on one request
LONGEST_KEY = 255  # characters
LARGEST = 300_000  # bytes of a stored body, compressed: an item of DynamoDB has at most 400 KB


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What a request was answered."""

    status: int
    headers: Mapping[str, str]
    body: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Repeat:
    """A request under a key. ``fingerprint`` tells the same one, ``token`` who works on it, and until when.

    ``done`` without an answer: it was carried out, and its answer was one that is not kept. Both the
    fingerprint and the answer are as `repeat_seal` makes them.
    """

    fingerprint: str
    seed: bytes = field(repr=False)
    begun_at: datetime
    token: str
    lease_until: datetime
    done: bool = False
    answer: bytes | None = field(default=None, repr=False)

    @property
    def expires_at(self) -> datetime:
        """From then on the key is as good as new."""
        return self.begun_at + KEPT
