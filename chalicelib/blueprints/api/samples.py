"""Routes of test messages."""

from datetime import datetime
from typing import Self

from chalice import Blueprint
from pydantic import Field, model_validator

from chalicelib import wiring
from chalicelib.blueprints.api.contacts import ContactInput
from chalicelib.blueprints.api.models import Address, Input, Output, Reason
from chalicelib.blueprints.api.requests import Call, Nothing
from chalicelib.blueprints.api.routing import route
from chalicelib.domain.access import Scope
from chalicelib.domain.sample import Sample, SampleState
from chalicelib.flow.samples import Wish, ask_for_sample, read_sample

samples = Blueprint(__name__)


class SampleInput(Input):
    """Where a test message goes, and whose message it is: the first contact's if nothing is said."""

    to: Address
    contact_id: str | None = Field(None, min_length=1, max_length=64)
    person: ContactInput | None = None
    line_id: str | None = Field(
        None, min_length=1, max_length=64, description="Leave out for the campaign's first line."
    )

    @model_validator(mode="after")
    def one_model(self) -> Self:
        """Refuse two people at once."""
        if self.contact_id is not None and self.person is not None:
            raise ValueError("Give contact_id or person, not both.")
        return self


class SampleShown(Output):
    """A test message and how it went."""

    test_id: str
    campaign_id: str
    to: str
    line_id: str
    content_version: int
    state: SampleState
    reason: Reason | None
    remote_id: str | None = Field(description="What the server that took the message calls it.")
    asked_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, sample: Sample) -> Self:
        """A test message as it is shown."""
        return cls(
            test_id=sample.sample_id,
            campaign_id=sample.campaign_id,
            to=sample.recipient,
            line_id=sample.line_id,
            content_version=sample.content_version,
            state=sample.state,
            reason=Reason.of(sample.reason),
            remote_id=sample.remote_id,
            asked_at=sample.asked_at,
            finished_at=sample.finished_at,
        )


@route(
    samples,
    "POST",
    "/campaigns/{campaign_id}/tests",
    SampleInput,
    Nothing,
    SampleShown,
    status=202,
    problems=(409,),
    scope=Scope.SEND,
    audit="test_sent",
)
def send_test(call: Call[SampleInput, Nothing], campaign_id: str) -> SampleShown:
    """Send a test message, also before launch: what a contact would get, marked, to an address of yours."""
    body = call.body
    person = None if body.person is None else body.person.person()
    wish = Wish(body.to, body.contact_id, person, body.line_id)
    return SampleShown.of(ask_for_sample(call.account_id, campaign_id, wish, wiring.ask_ports()))


@route(samples, "GET", "/tests/{test_id}", Nothing, Nothing, SampleShown)
def read_test(call: Call[Nothing, Nothing], test_id: str) -> SampleShown:
    """Read how a test message went."""
    return SampleShown.of(read_sample(call.account_id, test_id, wiring.samples(), wiring.clock))
