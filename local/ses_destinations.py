"""Which SNS topics a configuration set publishes an event to, asked of the emulator now and then."""

import time
from threading import Lock
from typing import Any

from botocore.exceptions import ClientError

from local.ses_events import Happening, api_name

_FRESH = 5.0  # seconds
_MOST = 100  # configuration sets remembered


class Destinations:
    """The enabled event destinations of configuration sets, at most five seconds old."""

    def __init__(self, ses: Any) -> None:
        self._ses = ses
        self._known: dict[str, tuple[float, list[dict[str, Any]]]] = {}
        self._lock = Lock()

    def topics(self, configuration_set: str, happening: Happening) -> list[str]:
        """ARNs of the topics to tell; none for a configuration set that isn't there."""
        return [
            destination["SnsDestination"]["TopicArn"]
            for destination in self._of(configuration_set)
            if destination["Enabled"]
            and "SnsDestination" in destination
            and api_name(happening) in destination["MatchingEventTypes"]
        ]

    def _of(self, configuration_set: str) -> list[dict[str, Any]]:
        if not configuration_set:
            return []
        with self._lock:
            asked_at, known = self._known.get(configuration_set, (0.0, []))
            if not asked_at or time.monotonic() - asked_at > _FRESH:
                known = self._ask(configuration_set)
                if len(self._known) >= _MOST:
                    self._known.clear()
                self._known[configuration_set] = (time.monotonic(), known)
            return known

    def _ask(self, configuration_set: str) -> list[dict[str, Any]]:
        try:
            answer = self._ses.get_configuration_set_event_destinations(
                ConfigurationSetName=configuration_set
            )
        except ClientError:
            return []
        found: list[dict[str, Any]] = answer.get("EventDestinations", [])
        return found
