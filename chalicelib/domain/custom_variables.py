"""Custom variables: a name, and several texts of which each recipient gets one.

Which one is worked out and never stored: HMAC-SHA256 over the campaign, the contact and the name (RFC 2104).
So preview, test, retry and resend show the same text, recipients meet the options evenly, and what one
variable picks says nothing about another.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass

MAX_VARIABLES = 20  # of a campaign
MAX_OPTIONS = 50  # of one variable
MAX_OPTION = 1_000  # characters
MAX_NAME = 64  # characters
MAX_OPTION_VARIABLES = 10  # bounds what long values can make of an option

Draw = Callable[[str, int], int]
"""Which option of a variable one recipient gets: its folded name, how many there are, a place from 0."""


@dataclass(frozen=True, slots=True)
class CustomVariable:
    """A variable of one campaign. Options are plain text with system variables and columns."""

    name: str
    options: tuple[str, ...]


def first_option(_name: str, _count: int) -> int:
    """The draw of a message that is for nobody in particular."""
    return 0


def draw_for(campaign_id: str, contact_id: str) -> Draw:
    """The draw of one contact of one campaign; an edited list of another length is drawn anew."""

    def draw(name: str, count: int) -> int:
        digest = hmac.digest(campaign_id.encode(), f"{contact_id}\0{name}".encode(), "sha256")
        return int.from_bytes(digest[:8], "big") % count

    return draw
