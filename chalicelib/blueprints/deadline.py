"""How long the running function may still work."""

from datetime import datetime, timedelta
from typing import Any

from chalicelib.wiring import clock

_MARGIN = timedelta(seconds=5)  # for writing down what became of it


def stop_at(context: Any) -> datetime:
    """When the function must be done: a little before Lambda ends it."""
    remaining = timedelta(milliseconds=context.get_remaining_time_in_millis())
    return clock.now() + remaining - _MARGIN
