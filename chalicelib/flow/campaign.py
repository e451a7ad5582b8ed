"""Campaigns: create, read, edit, launch, pause, delete. Every change is one conditional write."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from chalicelib.domain.attachment import Attachment
from chalicelib.domain.brake import Braked, Subject
from chalicelib.domain.campaign import (
    Campaign,
    CampaignAction,
    CampaignStatus,
    Obstacle,
    check_action,
    obstacles,
)
from chalicelib.domain.contact import Totals
from chalicelib.domain.content import DOWNLOADS_NEED_PUBLIC_URL, Content
from chalicelib.domain.content_check import ContentWarning, attachment_warnings, content_warnings
from chalicelib.domain.email import SenderIdentity, compile_message
from chalicelib.domain.header import CannotComposeError
from chalicelib.domain.ids import new_id
from chalicelib.domain.line import ConnectionState, Line
from chalicelib.domain.quota import Quota, reached, usual_limit
from chalicelib.domain.timetable import Timetable
from chalicelib.errors import Conflict, FieldError, Invalid, Outdated
from chalicelib.flow.attachments import resolve_attachments
from chalicelib.flow.compose import linked_files
from chalicelib.flow.lines import find_line
from chalicelib.flow.quotas import change_usage
from chalicelib.ports import (
    AttachmentStore,
    BrakeStore,
    CampaignStore,
    Clock,
    ContactStore,
    DialogStore,
    ExportStore,
    FileStore,
    ImportStore,
    JobQueue,
    LimitOf,
    LineStore,
    PaceStore,
    Page,
    PreflightStore,
    SampleStore,
    UsageStore,
)

MAX_CONTENT = 350_000  # bytes of UTF-8: one version is one item, and DynamoDB takes 400 KB


@dataclass(frozen=True, slots=True)
class CampaignPorts:
    """What the campaign steps need. ``public_url`` is where recipients reach us, "" for nowhere."""

    campaigns: CampaignStore
    contacts: ContactStore
    lines: LineStore
    dispatch_queue: JobQueue
    removal_queue: JobQueue
    clock: Clock
    attachments: AttachmentStore
    public_url: str = ""
    limit_of: LimitOf = usual_limit


@dataclass(frozen=True, slots=True)
class RemovalPorts:
    """What the removal of a deleted campaign, or line, needs."""

    campaigns: CampaignStore
    contacts: ContactStore
    lines: LineStore
    dialogs: DialogStore
    pace: PaceStore
    brakes: BrakeStore
    samples: SampleStore
    imports: ImportStore
    exports: ExportStore
    preflights: PreflightStore
    attachments: AttachmentStore
    usage: UsageStore
    files: FileStore


@dataclass(frozen=True, slots=True)
class CampaignSettings:
    """What a person decides about a campaign. ``attachment_ids`` None: those that the content has."""

    name: str
    line_ids: tuple[str, ...]
    timetable: Timetable
    content: Content
    attachment_ids: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class CampaignView:
    """A campaign as it is shown: with content, totals, and what still keeps it from being launched.

    ``linked`` are the files that a line can't carry, by the line's name.
    """

    campaign: Campaign
    content: Content
    totals: Totals
    obstacles: list[Obstacle]
    linked: tuple[tuple[str, Attachment], ...] = ()

    @property
    def warnings(self) -> list[ContentWarning]:
        """What in the content its author should look at again."""
        return [
            *content_warnings(self.content, self.campaign.columns),
            *attachment_warnings(self.content, self.linked),
        ]


def create_campaign(account_id: str, settings: CampaignSettings, ports: CampaignPorts) -> CampaignView:
    """Create a draft. Raises Invalid when a line doesn't exist or isn't connected, and QuotaReached."""
    _check(*_content_errors(settings.content, ()), *_line_errors(account_id, settings.line_ids, ports.lines))
    now = ports.clock.now()
    campaign = Campaign(
        campaign_id=new_id(now),
        name=settings.name,
        line_ids=settings.line_ids,
        timetable=settings.timetable,
        content_version=1,
        status=CampaignStatus.DRAFT,
        revision=1,
        created_at=now,
    )
    most = ports.limit_of(account_id, Quota.CAMPAIGNS)
    if not ports.campaigns.add(account_id, campaign, settings.content, most):
        raise reached(Quota.CAMPAIGNS, most)
    return view_campaign(account_id, campaign, ports)


def read_campaign(account_id: str, campaign_id: str, ports: CampaignPorts) -> CampaignView:
    """Read a campaign; raises NotFound."""
    return view_campaign(account_id, ports.campaigns.get(account_id, campaign_id), ports)


def list_campaigns(
    account_id: str, cursor: str | None, limit: int, ports: CampaignPorts
) -> Page[CampaignView]:
    """A page of campaigns with their totals, newest first."""
    page = ports.campaigns.page(account_id, cursor, limit)
    return Page([view_campaign(account_id, campaign, ports) for campaign in page.items], page.cursor)


def view_campaign(account_id: str, campaign: Campaign, ports: CampaignPorts) -> CampaignView:
    """Add what is shown with a campaign. A stored draft that lacks nothing is shown as ready."""
    content = ports.campaigns.content(account_id, campaign.campaign_id, campaign.content_version)
    totals = ports.contacts.totals(account_id, campaign.campaign_id)
    if campaign.status is CampaignStatus.IN_PROGRESS:
        return CampaignView(campaign, content, totals, [])
    lines = _existing_lines(account_id, campaign.line_ids, ports.lines)
    found = obstacles(campaign, content, lines, totals, ports.clock.now(), ports.public_url)
    linked = _linked(campaign, content, lines)
    if linked and not ports.public_url:
        found.append(Obstacle(DOWNLOADS_NEED_PUBLIC_URL.code, DOWNLOADS_NEED_PUBLIC_URL.text))
    if campaign.status is CampaignStatus.DRAFT and not found:
        campaign = replace(campaign, status=CampaignStatus.READY)
    return CampaignView(campaign, content, totals, found, linked)


def files_as_links(
    account_id: str, campaign_id: str, ports: CampaignPorts
) -> tuple[tuple[str, Attachment], ...]:
    """What the campaign's lines can't carry, by the lines' names; raises NotFound."""
    campaign = ports.campaigns.get(account_id, campaign_id)
    content = ports.campaigns.content(account_id, campaign_id, campaign.content_version)
    return _linked(campaign, content, _existing_lines(account_id, campaign.line_ids, ports.lines))


def edit_campaign(
    account_id: str,
    campaign_id: str,
    change: Callable[[CampaignSettings], CampaignSettings],
    if_revision: int | None,
    ports: CampaignPorts,
) -> CampaignView:
    """Change settings or content; contacts not yet sent to get the new version.

    ``if_revision`` is the revision the caller has seen (If-Match); raises Outdated when it isn't current.
    Without it, the change is applied to whatever is current.
    """
    for last_try in (False, False, True):
        try:
            return _edit(account_id, campaign_id, change, if_revision, ports)
        except Outdated:
            if last_try or if_revision is not None:
                raise
    raise AssertionError("the last try either returns or raises")


def _edit(
    account_id: str,
    campaign_id: str,
    change: Callable[[CampaignSettings], CampaignSettings],
    if_revision: int | None,
    ports: CampaignPorts,
) -> CampaignView:
    campaign = _seen(account_id, campaign_id, if_revision, ports.campaigns)
    check_action(campaign.status, CampaignAction.EDIT)
    content = ports.campaigns.content(account_id, campaign_id, campaign.content_version)
    wished = change(CampaignSettings(campaign.name, campaign.line_ids, campaign.timetable, content))
    wished = _with_attachments(account_id, campaign_id, wished, ports.attachments)
    new_lines = wished.line_ids if wished.line_ids != campaign.line_ids else ()
    _check(
        *_content_errors(wished.content, campaign.columns), *_line_errors(account_id, new_lines, ports.lines)
    )
    new_content = wished.content if wished.content != content else None
    edited = replace(
        campaign,
        name=wished.name,
        line_ids=wished.line_ids,
        timetable=wished.timetable,
        content_version=campaign.content_version + (new_content is not None),
        revision=campaign.revision + 1,
    )
    ports.campaigns.save(account_id, edited, new_content, campaign.revision)
    return view_campaign(account_id, edited, ports)


def _with_attachments(
    account_id: str, campaign_id: str, wished: CampaignSettings, attachments: AttachmentStore
) -> CampaignSettings:
    """The settings with the files that were named; those that the content has already are not asked for."""
    if wished.attachment_ids is None:
        return wished
    if wished.attachment_ids == tuple(file.attachment_id for file in wished.content.attachments):
        return wished
    files = resolve_attachments(account_id, campaign_id, wished.attachment_ids, attachments)
    return replace(wished, content=replace(wished.content, attachments=files))


def launch_campaign(
    account_id: str, campaign_id: str, if_revision: int | None, ports: CampaignPorts
) -> CampaignView:
    """Start, resume with a resend that a pause broke off, or go on with the Not sent of a finished campaign.

    Raises Conflict with every obstacle at once, or when its status doesn't allow it, and Outdated when
    somebody asked for something else since. Repeated after it broke off, it goes on behind the move.
    """
    act = new_id(ports.clock.now())
    seen = read_campaign(account_id, campaign_id, ports)
    if seen.campaign.last_act != act:
        _check_ready(seen)
        came_from = [CampaignStatus.DRAFT, CampaignStatus.PAUSED, CampaignStatus.FINISHED]
        to = CampaignStatus.IN_PROGRESS
        _move(account_id, campaign_id, came_from, to, CampaignAction.LAUNCH, act, if_revision, ports)
    ports.dispatch_queue.put({"account_id": account_id, "campaign_id": campaign_id})
    return read_campaign(account_id, campaign_id, ports)


def pause_campaign(
    account_id: str, campaign_id: str, if_revision: int | None, ports: CampaignPorts
) -> CampaignView:
    """Stop: senders look at the status just before they hand over, and a visit calls the queued ones back.

    Raises Conflict and Outdated, and is repeated, as a launch.
    """
    act = new_id(ports.clock.now())
    campaign = ports.campaigns.get(account_id, campaign_id)
    if campaign.last_act != act:
        check_action(campaign.status, CampaignAction.PAUSE)
        came_from, to = [CampaignStatus.IN_PROGRESS], CampaignStatus.PAUSED
        _move(account_id, campaign_id, came_from, to, CampaignAction.PAUSE, act, if_revision, ports)
    ports.dispatch_queue.put({"account_id": account_id, "campaign_id": campaign_id})
    return read_campaign(account_id, campaign_id, ports)


def delete_campaign(account_id: str, campaign_id: str, if_revision: int | None, ports: CampaignPorts) -> None:
    """Make it vanish at once; a job then removes its rows and files. Raises NotFound and Outdated."""
    _seen(account_id, campaign_id, if_revision, ports.campaigns)
    everything = [status for status in CampaignStatus if status is not CampaignStatus.DELETING]
    now = ports.clock.now()
    moved = ports.campaigns.move(
        account_id, campaign_id, everything, CampaignStatus.DELETING, now, seen_revision=if_revision
    )
    if not moved:
        _seen(account_id, campaign_id, if_revision, ports.campaigns)
    ports.removal_queue.put({"account_id": account_id, "campaign_id": campaign_id})


def purge_campaign(account_id: str, campaign_id: str, ports: RemovalPorts) -> None:
    """Remove everything of a campaign that is being deleted, its own row last, so that it can be repeated."""
    if ports.campaigns.status(account_id, campaign_id) is not CampaignStatus.DELETING:
        return
    ports.contacts.purge(account_id, campaign_id)
    ports.samples.purge(account_id, campaign_id)
    ports.imports.purge(account_id, campaign_id)
    ports.exports.purge(account_id, campaign_id)
    ports.preflights.remove(account_id, campaign_id)
    change_usage(account_id, ports.usage, lambda usage: usage.without_places_of(campaign_id))
    ports.attachments.purge(account_id, campaign_id)
    for kind in (
        "uploads",
        "attachment-uploads",
        "attachments",
        "results",
    ):  # after the jobs: who puts a file looks then whether its job is there
        ports.files.purge(f"{kind}/{account_id}/{campaign_id}/")
    ports.pace.forget(account_id, campaign_id)
    ports.brakes.forget(account_id, Subject(Braked.CAMPAIGN, campaign_id))
    ports.campaigns.remove(account_id, campaign_id)


def _seen(account_id: str, campaign_id: str, if_revision: int | None, campaigns: CampaignStore) -> Campaign:
    campaign = campaigns.get(account_id, campaign_id)
    if if_revision is not None and campaign.revision != if_revision:
        raise Outdated
    return campaign


def _move(
    account_id: str,
    campaign_id: str,
    came_from: Sequence[CampaignStatus],
    to: CampaignStatus,
    action: CampaignAction,
    act: str,
    if_revision: int | None,
    ports: CampaignPorts,
) -> None:
    now = ports.clock.now()
    if ports.campaigns.move(account_id, campaign_id, came_from, to, now, seen_revision=if_revision, act=act):
        return
    if ports.campaigns.get(account_id, campaign_id).last_act == act:  # only the reply was lost
        return
    campaign = _seen(account_id, campaign_id, if_revision, ports.campaigns)
    if campaign.status is not to:  # somebody else asked for the same at the same time: then it is as wished
        check_action(campaign.status, action)
        raise Outdated


def _check_ready(seen: CampaignView) -> None:
    if seen.obstacles:
        reasons = " ".join(obstacle.text for obstacle in seen.obstacles)
        raise Conflict("not_ready", reasons, [obstacle.code for obstacle in seen.obstacles])
    check_action(seen.campaign.status, CampaignAction.LAUNCH)


def _check(*errors: FieldError) -> None:
    """Raise Invalid with all that is wrong at once, if anything is."""
    if errors:
        raise Invalid(*errors)


def _content_errors(content: Content, columns: tuple[str, ...]) -> list[FieldError]:
    """What is wrong with the content; better told when it is saved than when it is sent."""
    options = "".join(option for variable in content.variables for option in variable.options)
    written = f"{content.subject}{content.html}{content.text or ''}{options}"
    size = len(written.encode("utf-8", "replace"))
    if size > MAX_CONTENT:
        text = f"Subject, HTML, text and options have {size:,} bytes in UTF-8; {MAX_CONTENT:,} is the most."
        return [FieldError("html", "too_large", text)]
    try:
        compile_message(content, SenderIdentity("", "postmaster@example.com"), columns=columns)
    except CannotComposeError as error:
        field = error.reason.code.partition("_")[0]
        field = field if field in ("subject", "text") else "html"
        return [FieldError(field, error.reason.code, error.reason.text)]
    return []


def _linked(
    campaign: Campaign, content: Content, lines: Sequence[Line]
) -> tuple[tuple[str, Attachment], ...]:
    """What becomes a link where; nothing for a content that can't be composed, which is said elsewhere."""
    try:
        return tuple(
            (line.name, file) for line in lines for file in linked_files(content, line, campaign.columns)
        )
    except CannotComposeError:
        return ()


def _line_errors(account_id: str, line_ids: Sequence[str], lines: LineStore) -> list[FieldError]:
    errors = []
    for position, line_id in enumerate(line_ids):
        line = find_line(account_id, line_id, lines)
        if line is None:
            errors.append(
                FieldError(f"line_ids[{position}]", "line_missing", "You have no line with this id.")
            )
        elif line.connection.state is not ConnectionState.CONNECTED:
            text = f"Line “{line.name}” isn't connected: connect it first."
            errors.append(FieldError(f"line_ids[{position}]", "line_not_connected", text))
    return errors


def _existing_lines(account_id: str, line_ids: tuple[str, ...], lines: LineStore) -> list[Line]:
    found = (find_line(account_id, line_id, lines) for line_id in line_ids)
    return [line for line in found if line is not None]
