"""Parts that several routes' models are made of."""

from datetime import UTC, datetime
from typing import Annotated, Self
from unicodedata import category

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from chalicelib.domain import delivery
from chalicelib.domain.access import Actor, ActorKind
from chalicelib.domain.address import Rejection, parse_address


class Input(BaseModel):
    """What a client sends: unknown fields are refused, so that a typo is never silently ignored."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class Output(BaseModel):
    """What a client gets. Times are ISO 8601 in UTC."""

    model_config = ConfigDict(extra="forbid")


def _utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("Use a time of the years 1 to 9999.") from error


Instant = Annotated[AwareDatetime, AfterValidator(_utc)]


class PageQuery(Input):
    """Where to go on in a list, and how much of it to return."""

    cursor: str | None = Field(
        None, description="next_cursor of the page before; leave out for the first page."
    )
    limit: int = Field(50, ge=1, le=200)


class Reason(Output):
    """Why something failed: in plain words, and what the server itself said."""

    code: str
    text: str
    stage: str | None
    reply_code: int | None
    enhanced: str | None
    reply_text: str | None

    @classmethod
    def of(cls, reason: delivery.Reason | None) -> Self | None:
        """The reason as it is shown; None stays None."""
        if reason is None:
            return None
        return cls(
            code=reason.code,
            text=reason.text,
            stage=reason.stage,
            reply_code=reason.reply_code,
            enhanced=reason.enhanced,
            reply_text=reason.reply_text,
        )


class ActorShown(Output):
    """Who acted; an operator of the service is named by the request."""

    kind: ActorKind
    id: str

    @classmethod
    def of(cls, actor: Actor) -> Self:
        """An actor as it is shown."""
        return cls(kind=actor.kind, id=actor.id)


class RecordShown(Output):
    """A DNS record. Strings of more than 255 characters are split by most DNS panels themselves."""

    type: str
    name: str
    value: str


class Upload(Output):
    """A form to upload a file: POST multipart/form-data to ``url``, all ``fields`` first, ``file`` last."""

    url: str
    fields: dict[str, str]
    max_bytes: int
    expires_at: datetime


def one_line(value: str) -> str:
    """A check for fields that become part of a header; raises ValueError."""
    if not value.isprintable():
        raise ValueError("Use one line of printable characters.")
    return value


OneLine = Annotated[str, AfterValidator(one_line)]


def _secret(value: str) -> str:
    if any(category(letter) == "Cc" for letter in value):
        raise ValueError("Use one line without control characters.")
    return value


Password = Annotated[
    str,
    StringConstraints(strip_whitespace=False, min_length=1, max_length=1_000),
    AfterValidator(_secret),
    Field(json_schema_extra={"writeOnly": True, "format": "password"}),
]
"""Taken as it is: a space at its beginning or end belongs to it."""


def _address(value: str) -> str:
    address = parse_address(value)
    if isinstance(address, Rejection):
        raise ValueError(address.text)  # noqa: TRY004  (pydantic takes a ValueError as a wrong field)
    return address.text


Address = Annotated[str, AfterValidator(_address), Field(max_length=320)]
