"""Routes of the look at all contacts before a launch."""

from datetime import datetime
from typing import Self

from chalice import Blueprint
from pydantic import Field

from chalicelib import wiring
from chalicelib.blueprints.api.models import Output, Reason
from chalicelib.blueprints.api.requests import Call, Nothing
from chalicelib.blueprints.api.routing import route
from chalicelib.domain.job import JobState
from chalicelib.domain.preflight import MAX_MISSING, Missing, Preflight
from chalicelib.flow.preflight import read_preflight, start_preflight

preflights = Blueprint(__name__)


class ExampleShown(Output):
    """The first contact found that lacks the value, and the subject as that one would read it."""

    contact_id: str
    subject: str


class MissingShown(Output):
    """A variable without a fallback that is empty for some contacts."""

    variable: str
    contacts: int = Field(description="How many lack it.")
    fields: list[str] = Field(description="Where it stands: subject, html, text.")
    text: str
    example: ExampleShown

    @classmethod
    def of(cls, missing: Missing) -> Self:
        """One finding as it is shown."""
        lack = "1 contact lacks" if missing.contacts == 1 else f"{missing.contacts:,} contacts lack"
        return cls(
            variable=missing.variable,
            contacts=missing.contacts,
            fields=list(missing.fields),
            text=f"{lack} {missing.variable}; the subject would read “{missing.subject}”.",
            example=ExampleShown(contact_id=missing.contact_id, subject=missing.subject),
        )


class PreflightShown(Output):
    """What the contacts that are not sent yet lack, for one version of the content."""

    campaign_id: str
    state: JobState
    content_version: int
    stale: bool = Field(description="The content was changed since: ask for another preflight.")
    checked: int = Field(description="How many contacts were looked at so far.")
    missing: list[MissingShown] = Field(
        description=f"What most contacts lack first, at most {MAX_MISSING}; empty until it is done."
    )
    reason: Reason | None
    asked_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, preflight: Preflight, *, stale: bool) -> Self:
        """A preflight as it is shown."""
        return cls(
            campaign_id=preflight.campaign_id,
            state=preflight.state,
            content_version=preflight.content_version,
            stale=stale,
            checked=preflight.checked,
            missing=[MissingShown.of(missing) for missing in preflight.missing],
            reason=Reason.of(preflight.reason),
            asked_at=preflight.asked_at,
            finished_at=preflight.finished_at,
        )


@route(preflights, "POST", "/campaigns/{campaign_id}/preflight", Nothing, Nothing, PreflightShown, status=202)
def create_preflight(call: Call[Nothing, Nothing], campaign_id: str) -> PreflightShown:
    """Look for values that the contacts lack; a job does it, read the preflight until it is done."""
    asked = start_preflight(call.account_id, campaign_id, wiring.preflight_ports())
    return PreflightShown.of(asked, stale=False)


@route(preflights, "GET", "/campaigns/{campaign_id}/preflight", Nothing, Nothing, PreflightShown)
def read_last_preflight(call: Call[Nothing, Nothing], campaign_id: str) -> PreflightShown:
    """Read the last preflight of a campaign, done or not."""
    last, stale = read_preflight(call.account_id, campaign_id, wiring.preflight_ports())
    return PreflightShown.of(last, stale=stale)
