"""Warm memory: what a sender's process remembers between two orders, and for how long it may believe it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from chalicelib.domain.campaign import Campaign
from chalicelib.domain.delivery import Reason
from chalicelib.domain.email import CompiledMessage
from chalicelib.domain.line import ConnectionState, Line
from chalicelib.errors import found
from chalicelib.flow.clearance import FRESH
from chalicelib.flow.compose import compile_for
from chalicelib.flow.lines import find_line
from chalicelib.flow.open_line import open_line
from chalicelib.ports import CampaignStore, Clock, IdentityStore, LineStore, SecretBox

REMEMBER_LINE = timedelta(seconds=30)
MOST_LOOKS = 200  # campaigns, and lines
MOST_MESSAGES = 20  # compiled ones: as many as a campaign may have lines, which take turns

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class OpenLine:
    """A line that may be used, and its password ("" for SES)."""

    line: Line
    password: str


class WarmMemory:
    """Not for several threads. ``public_url`` is what the links in a message begin with."""

    def __init__(
        self,
        campaigns: CampaignStore,
        lines: LineStore,
        identities: IdentityStore,
        secrets: SecretBox,
        clock: Clock,
        public_url: str,
    ) -> None:
        self._campaigns = campaigns
        self._lines = lines
        self._identities = identities
        self._secrets = secrets
        self._clock = clock
        self._public_url = public_url
        self._looks: dict[tuple[str, str], tuple[datetime, Campaign | None]] = {}
        self._opened: dict[tuple[str, str], tuple[datetime, OpenLine]] = {}
        self._messages: dict[tuple[str, str, int, tuple[str, ...], Line], CompiledMessage] = {}

    def campaign(self, account_id: str, campaign_id: str) -> Campaign | None:
        """The campaign as it was at most FRESH ago; None when it is gone."""
        key, now = (account_id, campaign_id), self._clock.now()
        seen = self._looks.get(key)
        if seen is None or now - seen[0] > FRESH:
            seen = _keep(self._looks, key, (now, found(lambda: self._campaigns.get(*key))), MOST_LOOKS)
        return seen[1]

    def line(self, account_id: str, line_id: str) -> OpenLine | Reason | None:
        """The line as it was at most REMEMBER_LINE ago. None when it was deleted, is braked or out of use;
        the reason when it must be taken out of use now, because it can't be opened."""
        key, now = (account_id, line_id), self._clock.now()
        seen = self._opened.get(key)
        if seen is not None and now - seen[0] <= REMEMBER_LINE:
            return seen[1]
        line = find_line(*key, self._lines)
        if line is None or line.connection.state is not ConnectionState.CONNECTED or line.brake:
            return None
        password = open_line(account_id, line, self._identities, self._secrets)
        if isinstance(password, Reason):
            return password
        return _keep(self._opened, key, (now, OpenLine(line, password)), MOST_LOOKS)[1]

    def forget_line(self, account_id: str, line_id: str) -> None:
        """Look at it anew the next time."""
        self._opened.pop((account_id, line_id), None)

    def message(self, account_id: str, campaign: Campaign, line: Line) -> CompiledMessage:
        """The message of this content version and line, compiled once. Raises CannotComposeError."""
        key = (account_id, campaign.campaign_id, campaign.content_version, campaign.columns, line)
        if key not in self._messages:
            content = self._campaigns.content(*key[:3])
            _keep(self._messages, key, compile_for(campaign, content, line, self._public_url), MOST_MESSAGES)
        return self._messages[key]


def _keep(memory: dict[K, V], key: K, value: V, most: int) -> V:
    """A few at a time are the rule, so all make room at once; the memory stays flat."""
    if key not in memory and len(memory) >= most:
        memory.clear()
    memory[key] = value
    return value
