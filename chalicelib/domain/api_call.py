"""A call of the API, as those who come after it know it."""

from datetime import timedelta

CALL_IS_OVER = timedelta(seconds=60)
"""After so long a call has ended, one way or the other: its function runs for at most half of that."""
