"""The models of campaigns: what a client sends and what it gets."""

from collections.abc import Iterable
from datetime import date, datetime, time
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, ValidationInfo, WithJsonSchema, field_validator

from chalicelib.blueprints.api.attachment_models import AttachedShown
from chalicelib.blueprints.api.brake_models import BrakeShown
from chalicelib.blueprints.api.mail_kind_models import (
    KIND,
    WHY,
    Decider,
    Tracking,
    TransactionalShown,
    Why,
    exemption_for,
)
from chalicelib.blueprints.api.models import Input, Output, Reason
from chalicelib.blueprints.api.variable_models import Variable, Variables, WarningShown, customs
from chalicelib.domain.attachment import MOST_IN_A_MESSAGE, Attachment
from chalicelib.domain.campaign import CampaignStatus, Resend
from chalicelib.domain.contact import ContactStatus, Totals
from chalicelib.domain.content import Content, MailKind
from chalicelib.domain.plan import Plan
from chalicelib.domain.timetable import Timetable, Weekday, is_time_zone
from chalicelib.flow.campaign import CampaignSettings, CampaignView
from chalicelib.flow.suppressed import SuppressedCount

MAX_HTML = 300_000  # characters: with the subject and the text it has to fit into one item of 400 KB
MAX_LINES = 20
LONGEST_INTERVAL = 86_400  # seconds
FIRST_YEAR, LAST_YEAR = 2000, 2100

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: dict[Day, Weekday] = dict(zip(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), Weekday, strict=True))
NAMES = {weekday: day for day, weekday in DAYS.items()}


def _zone(value: str) -> str:
    if not is_time_zone(value):
        raise ValueError("Use the name of an IANA time zone, such as Europe/Berlin.")
    return value


def _whole_minute(value: time) -> time:
    if value.tzinfo is not None or value.second or value.microsecond:
        raise ValueError("Use hours and minutes, such as 09:30; the time zone has a field of its own.")
    return value


def _year(value: date) -> date:
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise ValueError(f"Use a date between the years {FIRST_YEAR} and {LAST_YEAR}.")
    return value


MINUTE = {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9](:00)?$", "examples": ["09:30"]}
"""JSON Schema's own format "time" wants a zone (RFC 3339)."""

Minute = Annotated[time, AfterValidator(_whole_minute), WithJsonSchema(MINUTE)]
Date = Annotated[date, AfterValidator(_year)]


class Interval(Input):
    """Least and most seconds between two messages, drawn at random. 0 and 0: as fast as possible."""

    min_seconds: int = Field(0, ge=0, le=LONGEST_INTERVAL)
    max_seconds: int = Field(0, ge=0, le=LONGEST_INTERVAL)

    @field_validator("max_seconds")
    @classmethod
    def _not_below_least(cls, value: int, info: ValidationInfo) -> int:
        if value < info.data.get("min_seconds", 0):
            raise ValueError("The most can't be less than the least (min_seconds).")
        return value


class Schedule(Input):
    """When messages may leave. A window whose end is not after its start goes on into the next day."""

    working_days: list[Day] = Field(min_length=1, max_length=7)
    start_date: Date
    end_date: Date
    start_time: Minute
    end_time: Minute
    time_zone: Annotated[str, AfterValidator(_zone)]
    interval: Interval = Field(default_factory=Interval)

    @field_validator("end_date")
    @classmethod
    def _not_before_start(cls, value: date, info: ValidationInfo) -> date:
        start = info.data.get("start_date")
        if start is not None and value < start:
            raise ValueError("The end date can't be before the start date.")
        return value

    def timetable(self) -> Timetable:
        """The schedule as the domain has it."""
        return Timetable(
            working_days=frozenset(DAYS[day] for day in self.working_days),
            start_date=self.start_date,
            end_date=self.end_date,
            start_time=self.start_time,
            end_time=self.end_time,
            time_zone=self.time_zone,
            gap_min=self.interval.min_seconds,
            gap_max=self.interval.max_seconds,
        )

    @classmethod
    def of(cls, timetable: Timetable) -> Self:
        """A timetable as it is shown."""
        return cls(
            working_days=[NAMES[day] for day in sorted(timetable.working_days)],
            start_date=timetable.start_date,
            end_date=timetable.end_date,
            start_time=timetable.start_time,
            end_time=timetable.end_time,
            time_zone=timetable.time_zone,
            interval=Interval(min_seconds=timetable.gap_min, max_seconds=timetable.gap_max),
        )


def _distinct(value: list[str]) -> list[str]:
    if len(set(value)) != len(value):
        raise ValueError("Name each line once.")
    return value


def _each_once(value: list[str]) -> list[str]:
    if len(set(value)) != len(value):
        raise ValueError("Name each attachment once.")
    return value


Name = Annotated[str, Field(min_length=1, max_length=200)]
LineId = Annotated[str, Field(min_length=1, max_length=64)]
LineIds = Annotated[list[LineId], Field(min_length=1, max_length=MAX_LINES), AfterValidator(_distinct)]
AttachmentIds = Annotated[list[str], Field(max_length=MOST_IN_A_MESSAGE), AfterValidator(_each_once)]
Subject = Annotated[str, Field(max_length=500)]
Html = Annotated[str, Field(max_length=MAX_HTML)]


class CampaignInput(Input):
    """A new campaign. Messages leave through the lines strictly in turn."""

    name: Name
    line_ids: LineIds
    schedule: Schedule
    subject: Subject = ""
    html: Html = ""
    text: Html | None = Field(None, description="The plain-text part; derived from the HTML when left out.")
    kind: MailKind = Field(MailKind.MARKETING, description=KIND)
    transactional_reason: Why | None = Field(None, description=WHY)
    tracking: Tracking = Field(default_factory=Tracking)
    variables: Variables = Field(default_factory=list)

    def settings(self, by: Decider) -> CampaignSettings:
        """What the steps take. Raises Invalid when kind and reason don't go together."""
        exemption = exemption_for(self.kind, self.transactional_reason, None, by)
        content = Content(
            self.subject, self.html, self.text, exemption, self.tracking.opens, customs(self.variables)
        )
        return CampaignSettings(self.name, tuple(self.line_ids), self.schedule.timetable(), content)


class CampaignPatch(Input):
    """Changes to a campaign: the fields that are given replace the old ones (RFC 7396)."""

    name: Name | None = None
    line_ids: LineIds | None = None
    schedule: Schedule | None = None
    subject: Subject | None = None
    html: Html | None = None
    text: Html | None = None
    kind: MailKind | None = Field(None, description=KIND)
    transactional_reason: Why | None = Field(None, description=WHY)
    tracking: Tracking | None = None
    variables: Variables | None = None
    attachments: AttachmentIds | None = Field(
        None,
        description="Uploaded files (POST /campaigns/{campaign_id}/attachments) in the order of the mail.",
    )

    def apply(self, old: CampaignSettings, by: Decider) -> CampaignSettings:
        """The settings with the given fields replaced; text alone may be set to null.

        Raises Invalid when kind and reason don't go together.
        """
        kind = self.kind or old.content.kind
        content = Content(
            old.content.subject if self.subject is None else self.subject,
            old.content.html if self.html is None else self.html,
            self.text if "text" in self.model_fields_set else old.content.text,
            exemption_for(kind, self.transactional_reason, old.content.exemption, by),
            self.tracking.opens if self.tracking else old.content.track_opens,
            old.content.variables if self.variables is None else customs(self.variables),
            old.content.attachments,
        )
        return CampaignSettings(
            self.name or old.name,
            tuple(self.line_ids) if self.line_ids else old.line_ids,
            self.schedule.timetable() if self.schedule else old.timetable,
            content,
            None if self.attachments is None else tuple(self.attachments),
        )


class TotalsShown(Output):
    """How many contacts are in each status. ``outcome_unknown`` and ``suppressed`` are parts of
    ``error``.

    The last four cut across the statuses: who complained may have opened the message, and who opened it may
    have had a machine open it first.
    """

    contacts: int
    not_sent: int
    pending: int
    sent: int
    delivered: int
    opened: int
    error: int
    outcome_unknown: int
    suppressed: int = Field(description="Not sent to because their address is on the suppression list.")
    machine_opened: int = Field(description="Opened by a machine, whether a person opened it too or not.")
    bounced: int = Field(description="Came back for good.")
    complained: int = Field(description="Reported as unwanted by the recipient.")
    unsubscribed: int = Field(description="Unsubscribed by a link or the header of this campaign's message.")

    @classmethod
    def of(cls, totals: Totals) -> Self:
        """Totals as they are shown."""
        counts = {status.value: totals.by_status[status] for status in ContactStatus}
        return cls(
            contacts=totals.contacts,
            outcome_unknown=totals.unknown,
            suppressed=totals.suppressed,
            machine_opened=totals.machine_opened,
            bounced=totals.bounced,
            complained=totals.complained,
            unsubscribed=totals.unsubscribed,
            **counts,
        )


class ObstacleShown(Output):
    """One thing that keeps the campaign from being launched."""

    code: str
    text: str


class ResendShown(Output):
    """A resend that isn't carried out yet: contacts in Error are still to be made ready."""

    include_unknown: bool

    @classmethod
    def of(cls, resend: Resend | None) -> Self | None:
        """A resend as it is shown."""
        return cls(include_unknown=resend.include_unknown) if resend else None


class CampaignShown(Output):
    """A campaign. ``revision`` is its ETag: send it as If-Match to change only what you have seen."""

    campaign_id: str
    name: str
    status: CampaignStatus
    line_ids: list[str]
    schedule: Schedule
    subject: str
    html: str
    text: str | None
    kind: MailKind
    transactional: TransactionalShown | None
    tracking: Tracking
    variables: list[Variable]
    attachments: list[AttachedShown]
    columns: list[str] = Field(description="Further columns of its contacts: variables by their own names.")
    warnings: list[WarningShown] = Field(description="What in the content should be looked at again.")
    content_version: int
    totals: TotalsShown
    obstacles: list[ObstacleShown]
    paused_because: Reason | None
    resend: ResendShown | None = Field(
        description="A resend under way, or broken off by a pause: a launch goes on, DELETE takes it back."
    )
    created_at: datetime
    launched_at: datetime | None
    finished_at: datetime | None
    revision: int

    @classmethod
    def of(cls, view: CampaignView) -> Self:
        """A campaign as it is shown."""
        campaign, content = view.campaign, view.content
        return cls(
            campaign_id=campaign.campaign_id,
            name=campaign.name,
            status=campaign.status,
            line_ids=list(campaign.line_ids),
            schedule=Schedule.of(campaign.timetable),
            subject=content.subject,
            html=content.html,
            text=content.text,
            kind=content.kind,
            transactional=TransactionalShown.of(content.exemption),
            tracking=Tracking(opens=content.track_opens),
            variables=[Variable.of(variable) for variable in content.variables],
            attachments=[AttachedShown.of(file) for file in content.attachments],
            columns=list(campaign.columns),
            warnings=[WarningShown.of(warning) for warning in view.warnings],
            content_version=campaign.content_version,
            totals=TotalsShown.of(view.totals),
            obstacles=[ObstacleShown(code=o.code, text=o.text) for o in view.obstacles],
            paused_because=Reason.of(campaign.paused_because),
            resend=ResendShown.of(campaign.resend),
            created_at=campaign.created_at,
            launched_at=campaign.launched_at,
            finished_at=campaign.finished_at,
            revision=campaign.revision,
        )


class CampaignListed(Output):
    """A campaign in the list: without its content."""

    campaign_id: str
    name: str
    status: CampaignStatus
    totals: TotalsShown
    created_at: datetime
    launched_at: datetime | None
    finished_at: datetime | None


class CampaignPage(Output):
    """A page of campaigns, newest first."""

    items: list[CampaignListed]
    next_cursor: str | None


class ResendInput(Input):
    """Whom to write to again."""

    include_unknown: bool = Field(
        False,
        strict=True,
        description="Also those whose outcome is unknown: some of them may get the mail twice.",
    )


class LinkedFile(Output):
    """A file that a line can't carry: its recipients get a link to it."""

    line: str = Field(description="The line's name.")
    attachment_id: str


class PlanDay(Output):
    """How many messages leave through one line on one day of the schedule's time zone."""

    day: date
    line_id: str
    messages: int


class SuppressedShown(Output):
    """Contacts not sent to yet that are on the suppression list now: nothing will be sent to them."""

    contacts: int
    complete: bool = Field(
        description="False: the list and the campaign are too large to compare, and this is what was found."
    )

    @classmethod
    def of(cls, count: SuppressedCount) -> Self:
        """A count as it is shown."""
        return cls(contacts=count.contacts, complete=count.complete)


class CampaignLaunched(CampaignShown):
    """A campaign that was launched, and how many of its contacts were on the suppression list just before."""

    suppressed: SuppressedShown


class PlanShown(Output):
    """When the messages not sent yet will leave, if all goes well; the same function gives out the slots.

    Suppressed contacts have slots too, in which nothing leaves.
    """

    messages: int
    first_at: datetime | None
    last_at: datetime | None
    days: list[PlanDay]
    not_fitting: int = Field(description="Contacts for whom no slot is left before the end date.")
    suppressed: SuppressedShown
    linked: list[LinkedFile] = Field(
        description="Attachments that are too large for a line: its recipients get download links."
    )

    @classmethod
    def of(cls, plan: Plan, suppressed: SuppressedCount, linked: Iterable[tuple[str, Attachment]]) -> Self:
        """A plan as it is shown."""
        return cls(
            messages=plan.total,
            first_at=plan.first,
            last_at=plan.last,
            days=[PlanDay(day=d.day, line_id=d.line_id, messages=d.count) for d in plan.days],
            not_fitting=plan.not_fitting,
            suppressed=SuppressedShown.of(suppressed),
            linked=[LinkedFile(line=line, attachment_id=file.attachment_id) for line, file in linked],
        )


class ReportShown(Output):
    """A campaign's progress in numbers, which always equal the rows."""

    campaign_id: str
    status: CampaignStatus
    totals: TotalsShown
    settled: int = Field(description="Contacts of which nothing more is to be sent.")
    note: str | None = Field(description="Why a finished campaign has contacts that were not sent to.")
    paused_because: Reason | None
    brake: BrakeShown
    launched_at: datetime | None
    finished_at: datetime | None
