"""What a line may send and what of it has been given out, across all campaigns.

Buckets are fixed, not sliding: they start at whole multiples of their size since 1970-01-01 UTC, so a day is
a UTC day whatever the time zone of the campaign.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from chalicelib.domain.timetable import floor_second

BUCKETS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}  # size in seconds


@dataclass(frozen=True, slots=True)
class LineLimits:
    """The most messages a line may send in each second, minute, hour and day; None means no limit.

    Raises ValueError for a limit below 1: a line that may send nothing is a line out of use.
    """

    per_second: int | None = None
    per_minute: int | None = None
    per_hour: int | None = None
    per_day: int | None = None

    def __post_init__(self) -> None:
        if any(limit is not None and limit < 1 for limit in self.by_bucket().values()):
            raise ValueError("a limit must be at least 1; None means no limit")

    @property
    def is_paced(self) -> bool:
        """Whether a burst of some minutes could break a limit: one per second or minute is set."""
        return self.per_second is not None or self.per_minute is not None

    def by_bucket(self) -> dict[str, int | None]:
        return {
            "second": self.per_second,
            "minute": self.per_minute,
            "hour": self.per_hour,
            "day": self.per_day,
        }

    def within(self, other: "LineLimits") -> "LineLimits":
        """The stricter of both, limit by limit."""
        return LineLimits(
            _stricter(self.per_second, other.per_second),
            _stricter(self.per_minute, other.per_minute),
            _stricter(self.per_hour, other.per_hour),
            _stricter(self.per_day, other.per_day),
        )


@dataclass(frozen=True, slots=True)
class Ledger:
    """How many messages of a line have been given out, by bucket number (POSIX time // size of the bucket).

    All campaigns of a line share it, and they reserve into the near future, so every bucket that isn't over
    has its own count. All sizes are counted whatever the limits are, because limits can be edited.
    """

    second: Mapping[int, int] = field(default_factory=dict)
    minute: Mapping[int, int] = field(default_factory=dict)
    hour: Mapping[int, int] = field(default_factory=dict)
    day: Mapping[int, int] = field(default_factory=dict)

    def by_bucket(self) -> dict[str, Mapping[int, int]]:
        return {"second": self.second, "minute": self.minute, "hour": self.hour, "day": self.day}

    def pruned(self, now: datetime) -> Self:
        """The ledger without the buckets that are over at the aware instant `now`."""
        second = floor_second(now)
        return type(self)(
            **{name: _from(second // BUCKETS[name], counts) for name, counts in self.by_bucket().items()}
        )

    def to_dict(self) -> dict[str, dict[str, int]]:
        """Plain JSON types, for a stored row."""
        return {
            name: {str(bucket): count for bucket, count in counts.items()}
            for name, counts in self.by_bucket().items()
        }

    @classmethod
    def from_dict(cls, row: Mapping[str, Mapping[str, int]]) -> Self:
        """The ledger of a stored row. Counts may be any integral number type; a missing size is empty."""
        return cls(**{name: _parsed(row.get(name, {})) for name in BUCKETS})


def _stricter(one: int | None, other: int | None) -> int | None:
    if one is None or other is None:
        return one if other is None else other
    return min(one, other)


def _from(first: int, counts: Mapping[int, int]) -> dict[int, int]:
    return {bucket: count for bucket, count in counts.items() if bucket >= first}


def _parsed(stored: Mapping[str, int]) -> dict[int, int]:
    return {int(bucket): int(count) for bucket, count in stored.items()}
