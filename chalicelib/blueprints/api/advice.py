"""Routes of the advice on a line's domain."""

from datetime import datetime
from enum import StrEnum
from typing import Self

from chalice import Blueprint
from pydantic import Field

from chalicelib import wiring
from chalicelib.blueprints.api.models import Output, Reason, RecordShown
from chalicelib.blueprints.api.requests import Call, Nothing
from chalicelib.blueprints.api.routing import route
from chalicelib.domain.advice import finding
from chalicelib.flow.advice import ask_for_advice
from chalicelib.ports import Advice

advice = Blueprint(__name__)


class AdviceState(StrEnum):
    """How far the last wish for advice is."""

    CHECKING = "checking"
    DONE = "done"
    FAILED = "failed"


class FindingShown(Output):
    """One finding, the most pressing first."""

    code: str = Field(description="Stable, made for programs.")
    level: finding.Level = Field(description="unknown: it couldn't be checked, which says nothing about it.")
    text: str
    record: RecordShown | None = Field(description="The record to add, or to replace the present one by.")

    @classmethod
    def of(cls, found: finding.Finding) -> Self:
        """A finding as it is shown."""
        record = found.record
        return cls(
            code=found.code,
            level=found.level,
            text=found.text,
            record=RecordShown(type=record.type, name=record.name, value=record.value) if record else None,
        )


class AdviceShown(Output):
    """What receivers will check about a line: SPF, DKIM, DMARC, mail servers, TLS."""

    state: AdviceState
    asked_at: datetime
    checked_at: datetime | None = Field(description="When DNS was asked for the findings that are shown.")
    findings: list[FindingShown]
    reason: Reason | None

    @classmethod
    def of(cls, given: Advice) -> Self:
        """Advice as it is shown."""
        return cls(
            state=_state(given),
            asked_at=given.asked_at,
            checked_at=given.checked_at,
            findings=[FindingShown.of(found) for found in given.findings],
            reason=Reason.of(given.reason),
        )


def _state(given: Advice) -> AdviceState:
    if given.checked_at is None or given.checked_at < given.asked_at:
        return AdviceState.CHECKING
    return AdviceState.FAILED if given.reason else AdviceState.DONE


@route(advice, "POST", "/lines/{line_id}/advice", Nothing, Nothing, AdviceShown, status=202)
def start_advice(call: Call[Nothing, Nothing], line_id: str) -> AdviceShown:
    """Check the domain of a line's From address in DNS; a job does it, read the advice until it is done."""
    return AdviceShown.of(ask_for_advice(call.account_id, line_id, wiring.advice_ports()))


@route(advice, "GET", "/lines/{line_id}/advice", Nothing, Nothing, AdviceShown)
def read_advice(call: Call[Nothing, Nothing], line_id: str) -> AdviceShown:
    """Read the last advice on a line, with the records to add."""
    return AdviceShown.of(wiring.advice().get(call.account_id, line_id))
