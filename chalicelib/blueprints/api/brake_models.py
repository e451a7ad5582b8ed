"""How a brake is shown, a line's or a campaign's."""

from datetime import datetime
from typing import Self

from pydantic import Field

from chalicelib.blueprints.api.models import Output
from chalicelib.domain.brake import BrakeLevel, BrakeState, Trouble


class BrakeShown(Output):
    """How mail of the last three days was received. Rates are from 0 to 1, null if nothing was sent."""

    state: BrakeLevel = Field(
        description="warning: a rate is high. pulled: nothing is sent until the operator lifts it."
    )
    accepted: int
    bounced: int = Field(description="Messages that bounced for good.")
    complained: int = Field(description="Messages that were reported as spam.")
    bounce_rate: float | None
    complaint_rate: float | None
    since: datetime | None = Field(description="When it was pulled.")
    text: str | None = Field(description="What is wrong, and what to do about it.")

    @classmethod
    def of(cls, state: BrakeState) -> Self:
        """A brake as it is shown."""
        counts = state.counts
        return cls(
            state=state.level,
            accepted=counts.accepted,
            bounced=counts.bounced,
            complained=counts.complained,
            bounce_rate=counts.rate(Trouble.BOUNCE),
            complaint_rate=counts.rate(Trouble.COMPLAINT),
            since=state.since,
            text=state.reason.text if state.reason else None,
        )
