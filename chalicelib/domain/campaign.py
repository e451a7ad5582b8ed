"""A campaign: its settings, its content versions, its status, and what each status allows."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from chalicelib.domain.brake import Brake
from chalicelib.domain.contact import Totals
from chalicelib.domain.content import NO_PUBLIC_URL, Content, needs_public_url
from chalicelib.domain.delivery import Reason
from chalicelib.domain.line import DEMO_CONTACTS, ConnectionState, Line, LinePlan
from chalicelib.domain.timetable import Timetable
from chalicelib.errors import Conflict


class CampaignStatus(StrEnum):
    """Where a campaign stands. Ready is a draft that lacks nothing; it is worked out, not stored."""

    DRAFT = "draft"
    READY = "ready"
    IN_PROGRESS = "in_progress"
    PAUSED = "paused"
    FINISHED = "finished"
    DELETING = "deleting"  # gone for everybody who asks; its rows and files are being removed


class CampaignAction(StrEnum):
    """What a person can ask of a campaign."""

    EDIT = "edit"
    ADD_CONTACTS = "add_contacts"
    REMOVE_CONTACTS = "remove_contacts"
    LAUNCH = "launch"
    RESEND = "resend"
    PAUSE = "pause"
    DELETE = "delete"


_ALWAYS = frozenset(
    {
        CampaignAction.EDIT,
        CampaignAction.ADD_CONTACTS,
        CampaignAction.REMOVE_CONTACTS,
        CampaignAction.DELETE,
    }
)

# The one table of what a person may ask in which status; anything else is a 409 that names what is allowed.
# Launching a paused or finished campaign sends to its Not sent contacts and to nobody else; a paused one also
# goes on with a resend that the pause broke off, which it shows.
ALLOWED: dict[CampaignStatus, frozenset[CampaignAction]] = {
    CampaignStatus.DRAFT: _ALWAYS,
    CampaignStatus.READY: _ALWAYS | {CampaignAction.LAUNCH},
    CampaignStatus.IN_PROGRESS: _ALWAYS | {CampaignAction.PAUSE},
    CampaignStatus.PAUSED: _ALWAYS | {CampaignAction.LAUNCH, CampaignAction.RESEND},
    CampaignStatus.FINISHED: _ALWAYS | {CampaignAction.LAUNCH, CampaignAction.RESEND},
    CampaignStatus.DELETING: frozenset(),
}


def check_action(status: CampaignStatus, action: CampaignAction) -> None:
    """Raise Conflict, with what is possible, when a campaign of this status doesn't allow the action."""
    allowed = ALLOWED[status]
    if action not in allowed:
        raise Conflict(
            "wrong_status", f"The campaign is {status}: {action} isn't possible then.", sorted(allowed)
        )


@dataclass(frozen=True, slots=True)
class Resend:
    """A person's wish to write again to contacts in Error, and how far it was carried out.

    A pause keeps it, and a campaign that has one doesn't finish: so none is ever found long after.
    ``token`` stamps every contact that was reopened for it; ``cursor`` is the page to go on with.
    """

    token: str
    include_unknown: bool
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Campaign:
    """One campaign's settings and state. ``revision`` grows with every change a person makes (its ETag).

    ``content_version`` names the content that goes out from now on. ``columns`` are the further columns that
    its contacts were ever given, sorted. Instants are aware UTC. ``brake`` is set while it must not run; what
    was sent before ``brake_lifted_at`` is forgiven. ``imports`` are adding contacts to it right now.
    ``last_act`` names the last launch, pause or resend that a person asked for, by an id of when they did.
    """

    campaign_id: str
    name: str
    line_ids: tuple[str, ...]
    timetable: Timetable
    content_version: int
    status: CampaignStatus
    revision: int
    created_at: datetime
    launched_at: datetime | None = None
    finished_at: datetime | None = None
    paused_because: Reason | None = None
    resend: Resend | None = None
    brake: Brake | None = None
    brake_lifted_at: datetime | None = None
    columns: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()
    last_act: str | None = None

    @property
    def seed(self) -> bytes:
        """What the random gaps are drawn from: the same for the plan and for the dispatcher."""
        return self.campaign_id.encode()


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One thing that keeps a campaign from being launched; ``code`` is stable, ``text`` says what to do."""

    code: str
    text: str


def obstacles(
    campaign: Campaign, content: Content, lines: list[Line], totals: Totals, now: datetime, public_url: str
) -> list[Obstacle]:
    """Everything that keeps the campaign from being launched now, all at once; empty means ready.

    ``public_url`` is where recipients reach us, "" for nowhere.
    """
    found = [
        *_content_obstacles(content),
        *_line_obstacles(campaign, lines, totals.contacts),
        *_brake_obstacles(campaign, lines),
    ]
    if not public_url and needs_public_url(content):
        found.append(Obstacle(NO_PUBLIC_URL.code, NO_PUBLIC_URL.text))
    if totals.unsettled == 0 and campaign.resend is None:
        found.append(Obstacle("no_contacts", "Add contacts: none is waiting to be sent to."))
    if campaign.timetable.next_open(now) is None:
        found.append(
            Obstacle("no_sending_time", "No sending time is left: move the end date or add a working day.")
        )
    return found


def _content_obstacles(content: Content) -> list[Obstacle]:
    found = []
    if not content.subject.strip():
        found.append(Obstacle("no_subject", "Write a subject."))
    if not content.html.strip():
        found.append(Obstacle("no_body", "Write the body of the mail."))
    return found


def _line_obstacles(campaign: Campaign, lines: list[Line], contacts: int) -> list[Obstacle]:
    missing = set(campaign.line_ids) - {line.line_id for line in lines}
    found = [
        Obstacle("line_missing", f"Line {line_id} was deleted: choose another.")
        for line_id in sorted(missing)
    ]
    for line in lines:
        if line.connection.state is not ConnectionState.CONNECTED:
            found.append(Obstacle("line_not_connected", f"Connect line “{line.name}” first."))
        if line.plan is LinePlan.DEMO and contacts > DEMO_CONTACTS:
            found.append(
                Obstacle(
                    "demo_limit",
                    f"“{line.name}” is a demo line: at most {DEMO_CONTACTS} contacts, you have {contacts}.",
                )
            )
    return found


def _brake_obstacles(campaign: Campaign, lines: list[Line]) -> list[Obstacle]:
    """Its own brake, or those of all its lines: while one is free, that one carries the campaign."""
    if campaign.brake:
        return [Obstacle("braked", campaign.brake.reason.text)]
    brakes = [line.brake for line in lines if line.brake]
    if not brakes or len(brakes) < len(lines):
        return []
    text = f"Every line of the campaign is braked. {brakes[0].reason.text}"
    return [Obstacle("braked", text)]
