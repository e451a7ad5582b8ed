"""Between rows and words: how values of the domain are kept in items and read back."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any

from chalicelib.domain.brake import Brake
from chalicelib.domain.delivery import Reason, Stage
from chalicelib.domain.timetable import Timetable, Weekday


def reason_item(reason: Reason) -> dict[str, Any]:
    """A reason as a map without empty values. PynamoDB takes plain types only: an enum raises ValueError."""
    names = ("code", "text", "reply_code", "enhanced", "reply_text")
    values = {name: getattr(reason, name) for name in names}
    values["stage"] = reason.stage.value if reason.stage else None
    return {name: value for name, value in values.items() if value is not None}


def reason_from(item: Any) -> Reason | None:
    """Read back what ``reason_item`` made."""
    if item is None:
        return None
    values = plain(item)
    stage = values.get("stage")
    reply_code = values.get("reply_code")
    return Reason(
        code=values["code"],
        text=values["text"],
        stage=Stage(stage) if stage else None,
        reply_code=int(reply_code) if reply_code is not None else None,
        enhanced=values.get("enhanced"),
        reply_text=values.get("reply_text"),
    )


def brake_item(brake: Brake) -> dict[str, Any]:
    """A brake as a map: its reason, and when it was pulled."""
    return {**reason_item(brake.reason), "at": sortable(brake.at)}


def brake_from(item: Any) -> Brake | None:
    """Read back what ``brake_item`` made."""
    reason = reason_from(item)
    return Brake(reason, instant_from(plain(item)["at"])) if reason else None


def timetable_item(timetable: Timetable) -> dict[str, Any]:
    """A timetable with its dates and times in ISO 8601, in its own time zone."""
    return {
        "working_days": sorted(int(day) for day in timetable.working_days),
        "start_date": timetable.start_date.isoformat(),
        "end_date": timetable.end_date.isoformat(),
        "start_time": timetable.start_time.isoformat(),
        "end_time": timetable.end_time.isoformat(),
        "time_zone": timetable.time_zone,
        "gap_min": timetable.gap_min,
        "gap_max": timetable.gap_max,
    }


def timetable_from(item: Any) -> Timetable:
    """Read back what ``timetable_item`` made."""
    values = plain(item)
    return Timetable(
        working_days=frozenset(Weekday(int(day)) for day in values["working_days"]),
        start_date=date.fromisoformat(values["start_date"]),
        end_date=date.fromisoformat(values["end_date"]),
        start_time=time.fromisoformat(values["start_time"]),
        end_time=time.fromisoformat(values["end_time"]),
        time_zone=values["time_zone"],
        gap_min=int(values["gap_min"]),
        gap_max=int(values["gap_max"]),
    )


def plain(item: Any) -> dict[str, Any]:
    """A map attribute as a dict; PynamoDB hands out its own type for untyped maps."""
    return dict(item) if isinstance(item, Mapping) else dict(item.as_dict())


def sortable(instant: datetime) -> str:
    """An instant as text that sorts by time: UTC, ISO 8601, milliseconds."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def instant_from(text: str) -> datetime:
    """Read back the instant at the start of a sortable text."""
    return datetime.fromisoformat(text.partition("#")[0])


def whole(number: float | None) -> int | None:
    """DynamoDB's number as an int, None kept."""
    return None if number is None else int(number)
