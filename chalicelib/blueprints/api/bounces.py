"""The route that takes bounces in, for those who get them by ways of their own."""

from typing import Self

from chalice import Blueprint
from pydantic import Field

from chalicelib import wiring
from chalicelib.blueprints.api.models import Output, Reason
from chalicelib.blueprints.api.requests import Call, Nothing, RawMessage
from chalicelib.blueprints.api.routing import route
from chalicelib.domain.bounce import ReportKind
from chalicelib.domain.delivery_event import BounceType
from chalicelib.flow.take_bounce import TakenBounce, take_bounce

bounces = Blueprint(__name__)


class BounceShown(Output):
    """What a message was understood as, and the contact that it is about."""

    kind: ReportKind
    bounce_type: BounceType | None
    reason: Reason | None
    campaign_id: str | None = Field(
        description="Null when no message of yours is named; then nothing was changed."
    )
    contact_id: str | None

    @classmethod
    def of(cls, taken: TakenBounce) -> Self:
        """What was taken in."""
        verdict, tags = taken.report.verdict, taken.tags
        return cls(
            kind=taken.report.kind,
            bounce_type=verdict.bounce_type if verdict else None,
            reason=Reason.of(verdict.reason) if verdict else None,
            campaign_id=tags.campaign_id if tags else None,
            contact_id=tags.contact_id if tags else None,
        )


@route(bounces, "POST", "/bounces", RawMessage, Nothing, BounceShown)
def take_bounce_in(call: Call[RawMessage, Nothing]) -> BounceShown:
    """Take in a message that came back, as it is on the wire; sending it again changes nothing."""
    return BounceShown.of(take_bounce(call.body.content, call.account_id, wiring.bounce_ports()))
