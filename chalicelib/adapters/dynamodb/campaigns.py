"""Campaigns and their content versions in DynamoDB."""

import json
import zlib
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict
from datetime import datetime
from typing import Any

from pynamodb.exceptions import DoesNotExist
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from chalicelib.adapters.dynamodb.braking import lift, pull
from chalicelib.adapters.dynamodb.cursors import encode_cursor, page_start
from chalicelib.adapters.dynamodb.mapping import (
    brake_from,
    plain,
    reason_from,
    reason_item,
    timetable_from,
    timetable_item,
)
from chalicelib.adapters.dynamodb.tables import CampaignRow, ContentRow
from chalicelib.adapters.dynamodb.usage import put_counted, remove_counted
from chalicelib.adapters.dynamodb.writing import connection, transact_if, update_if
from chalicelib.domain.attachment import Attachment
from chalicelib.domain.brake import Brake
from chalicelib.domain.campaign import Campaign, CampaignStatus, Resend
from chalicelib.domain.content import Content, Exemption
from chalicelib.domain.custom_variables import CustomVariable
from chalicelib.domain.delivery import Reason
from chalicelib.domain.ids import end_of_its_moment
from chalicelib.domain.quota import NO_LIMIT, Quota
from chalicelib.errors import NotFound, Outdated
from chalicelib.ports import Page

_ACTIVE_SHARDS = 4  # partitions of the dispatcher's round
_ALIVE = CampaignRow.campaign_id.exists() & (CampaignRow.status != CampaignStatus.DELETING)


class DynamoCampaignStore:
    """Port ``CampaignStore``."""

    def add(self, account_id: str, campaign: Campaign, content: Content, most: int = NO_LIMIT) -> bool:
        """Store a new campaign and the first version of its content, and count it."""

        def put(write: TransactWrite) -> None:
            write.save(_row(account_id, campaign), CampaignRow.campaign_id.does_not_exist())
            write.save(_content_row(account_id, campaign, content))

        return put_counted(put, 2, account_id, Quota.CAMPAIGNS, most)

    def get(self, account_id: str, campaign_id: str) -> Campaign:
        """Read a campaign; raises NotFound, also when it is being deleted."""
        campaign = _campaign(_read(account_id, campaign_id))
        if campaign.status is CampaignStatus.DELETING:
            raise NotFound("campaign")
        return campaign

    def page(self, account_id: str, cursor: str | None, limit: int) -> Page[Campaign]:
        """The account's campaigns, newest first."""
        start = page_start(account_id, "campaign_id", cursor)
        found = CampaignRow.query(
            account_id,
            filter_condition=CampaignRow.status != CampaignStatus.DELETING,
            limit=limit,
            scan_index_forward=False,
            last_evaluated_key=start,
            consistent_read=True,
        )
        campaigns = [_campaign(row) for row in found]
        last = found.last_evaluated_key
        return Page(campaigns, encode_cursor(last["campaign_id"]["S"]) if last else None)

    def content(self, account_id: str, campaign_id: str, version: int) -> Content:
        """Read one version of the content; raises NotFound."""
        try:
            row = ContentRow.get(f"{account_id}#{campaign_id}", version, consistent_read=True)
        except DoesNotExist as error:
            raise NotFound("content") from error
        return Content(
            row.subject,
            row.html,
            row.text,
            _exemption(row.exemption),
            row.track_opens,
            tuple(CustomVariable(name, tuple(options)) for name, *options in row.variables or ()),
            tuple(Attachment(**item) for item in json.loads(row.attachments or "[]")),
        )

    def save(self, account_id: str, campaign: Campaign, content: Content | None, seen_revision: int) -> None:
        """Replace the settings (never the status) if nobody else did; with ``content``, add that version."""
        changes: list[Action] = [
            CampaignRow.name.set(campaign.name),
            CampaignRow.line_ids.set(list(campaign.line_ids)),
            CampaignRow.timetable.set(timetable_item(campaign.timetable)),
            CampaignRow.content_version.set(campaign.content_version),
            CampaignRow.revision.set(campaign.revision),
        ]
        unchanged = (CampaignRow.revision == seen_revision) & (CampaignRow.status == campaign.status)

        def commit() -> None:
            with TransactWrite(connection=connection()) as write:
                if content is not None:
                    write.save(_content_row(account_id, campaign, content))
                write.update(CampaignRow(account_id, campaign.campaign_id), changes, unchanged)

        if transact_if(commit):
            raise Outdated

    def move(
        self,
        account_id: str,
        campaign_id: str,
        came_from: Sequence[CampaignStatus],
        to: CampaignStatus,
        at: datetime,
        reason: Reason | None = None,
        *,
        seen_revision: int | None = None,
        resend: Resend | None = None,
        act: str | None = None,
    ) -> bool:
        """Change the status in one conditional write."""
        actions = _move_actions(campaign_id, to, at, reason)
        if resend:
            actions.append(CampaignRow.resend.set(_resend_item(resend)))
        condition = CampaignRow.status.is_in(*came_from)
        if seen_revision is not None:
            condition &= CampaignRow.revision == seen_revision
        if act:
            actions.append(CampaignRow.last_act.set(act))
            condition &= _nothing_since(act)
        if to is CampaignStatus.FINISHED:
            condition &= CampaignRow.resend.does_not_exist() & CampaignRow.imports.does_not_exist()
        return _update(account_id, campaign_id, actions, condition)

    def go_on_resending(self, account_id: str, campaign_id: str, token: str, rest: Resend | None) -> bool:
        """Replace the wish that carries this token by what is left of it, while the campaign runs."""
        attribute = CampaignRow.resend
        action: Action = attribute.set(_resend_item(rest)) if rest else attribute.remove()
        running = CampaignRow.status == CampaignStatus.IN_PROGRESS
        return _update(account_id, campaign_id, [action], running & (Path(["resend", "token"]) == token))

    def drop_resend(self, account_id: str, campaign_id: str) -> None:
        """Remove the wish."""
        attribute = CampaignRow.resend
        _update(account_id, campaign_id, [attribute.remove()], attribute.exists())

    def begin_import(self, account_id: str, campaign_id: str, import_id: str) -> None:
        """Add to the set of imports; raises NotFound."""
        if not _update(account_id, campaign_id, [CampaignRow.imports.add({import_id})], _ALIVE):
            raise NotFound("campaign")

    def end_imports(self, account_id: str, campaign_id: str, import_ids: Sequence[str]) -> None:
        """Take them out of the set, which is gone with the last one."""
        ended = CampaignRow.imports.delete(set(import_ids))
        _update(account_id, campaign_id, [ended], CampaignRow.campaign_id.exists())

    def add_columns(self, account_id: str, campaign_id: str, names: AbstractSet[str]) -> None:
        """Add to the set of columns; raises NotFound."""
        if not _update(account_id, campaign_id, [CampaignRow.columns.add(set(names))], _ALIVE):
            raise NotFound("campaign")

    def active(self) -> Iterator[tuple[str, str]]:
        """(account, campaign) of all that carry the mark of the dispatcher's round."""
        for shard in range(_ACTIVE_SHARDS):
            for row in CampaignRow.active_campaigns.query(str(shard)):
                yield row.account_id, row.campaign_id

    def rest(self, account_id: str, campaign_id: str) -> None:
        """Take the mark off, unless the campaign went back to In progress in the meantime."""
        stays = CampaignRow.status.is_in(CampaignStatus.IN_PROGRESS, CampaignStatus.DELETING)
        resting = CampaignRow.campaign_id.exists() & ~stays
        _update(account_id, campaign_id, [CampaignRow.active.remove()], resting)

    def find(self, account_id: str, prefix: str) -> str | None:
        """The id of the account's one campaign whose id begins so; None for none and for several."""
        found = CampaignRow.query(
            account_id,
            CampaignRow.campaign_id.startswith(prefix),
            limit=2,
            attributes_to_get=["account_id", "campaign_id"],
            consistent_read=True,
        )
        ids = [row.campaign_id for row in found]
        return ids[0] if len(ids) == 1 else None

    def status(self, account_id: str, campaign_id: str) -> CampaignStatus | None:
        """The status right now; None when there is no row."""
        try:
            return CampaignStatus(_read(account_id, campaign_id).status)
        except NotFound:
            return None

    def pull_brake(self, account_id: str, campaign_id: str, brake: Brake, seen_lift: datetime | None) -> bool:
        """Store the brake unless there is one or it was lifted since; False then, and without campaign."""
        return pull(CampaignRow(account_id, campaign_id), CampaignRow.campaign_id.exists(), brake, seen_lift)

    def lift_brake(self, account_id: str, campaign_id: str, at: datetime) -> bool:
        """Take the brake off; False when there is none."""
        return lift(CampaignRow(account_id, campaign_id), at)

    def remove(self, account_id: str, campaign_id: str) -> None:
        """Remove all content versions, then the row."""
        for row in ContentRow.query(f"{account_id}#{campaign_id}", consistent_read=True):
            row.delete()
        last, there = CampaignRow(account_id, campaign_id), CampaignRow.campaign_id.exists()
        remove_counted(lambda write: write.delete(last, there), account_id, Quota.CAMPAIGNS)


def _read(account_id: str, campaign_id: str) -> CampaignRow:
    try:
        return CampaignRow.get(account_id, campaign_id, consistent_read=True)
    except DoesNotExist as error:
        raise NotFound("campaign") from error


def _update(account_id: str, campaign_id: str, actions: list[Action], condition: Condition) -> bool:
    return update_if(CampaignRow(account_id, campaign_id), actions, condition)


def _nothing_since(act: str) -> Condition:
    """Nothing was asked for after this act, and it isn't done yet."""
    last = CampaignRow.last_act
    earlier = (last < end_of_its_moment(act)) & (last != act)
    return last.does_not_exist() | earlier


def _move_actions(campaign_id: str, to: CampaignStatus, at: datetime, reason: Reason | None) -> list[Action]:
    actions: list[Action] = [
        CampaignRow.status.set(to),
        CampaignRow.revision.set(CampaignRow.revision + 1),
        _because(reason),
    ]
    if to is CampaignStatus.IN_PROGRESS:
        actions.append(CampaignRow.launched_at.set(CampaignRow.launched_at | at))
    if to in (CampaignStatus.IN_PROGRESS, CampaignStatus.DELETING):
        actions.append(CampaignRow.active.set(_active_shard(campaign_id)))
    if to is CampaignStatus.FINISHED:
        actions.append(CampaignRow.finished_at.set(at))
    return actions


def _because(reason: Reason | None) -> Action:
    attribute = CampaignRow.paused_because
    return attribute.set(reason_item(reason)) if reason else attribute.remove()


def _resend_item(resend: Resend) -> dict[str, Any]:
    item = {"token": resend.token, "include_unknown": resend.include_unknown}
    return item | ({"cursor": resend.cursor} if resend.cursor else {})


def _resend(item: Any) -> Resend | None:
    if item is None:
        return None
    values = plain(item)
    return Resend(values["token"], values["include_unknown"], values.get("cursor"))


def _active_shard(campaign_id: str) -> str:
    return str(zlib.crc32(campaign_id.encode()) % _ACTIVE_SHARDS)


def _row(account_id: str, campaign: Campaign) -> CampaignRow:
    return CampaignRow(
        account_id,
        campaign.campaign_id,
        name=campaign.name,
        line_ids=list(campaign.line_ids),
        timetable=timetable_item(campaign.timetable),
        content_version=campaign.content_version,
        status=campaign.status,
        revision=campaign.revision,
        created_at=campaign.created_at,
    )


def _content_row(account_id: str, campaign: Campaign, content: Content) -> ContentRow:
    return ContentRow(
        f"{account_id}#{campaign.campaign_id}",
        campaign.content_version,
        subject=content.subject,
        html=content.html,
        text=content.text,
        exemption=_exemption_item(content.exemption),
        track_opens=content.track_opens,
        variables=[[variable.name, *variable.options] for variable in content.variables] or None,
        attachments=json.dumps([asdict(file) for file in content.attachments])
        if content.attachments
        else None,
    )


def _exemption_item(exemption: Exemption | None) -> dict[str, str] | None:
    if exemption is None:
        return None
    return {"reason": exemption.reason, "by": exemption.by, "at": exemption.at.isoformat()}


def _exemption(item: Any) -> Exemption | None:
    if item is None:
        return None
    values = plain(item)
    return Exemption(values["reason"], values["by"], datetime.fromisoformat(values["at"]))


def _campaign(row: CampaignRow) -> Campaign:
    return Campaign(
        campaign_id=row.campaign_id,
        name=row.name,
        line_ids=tuple(row.line_ids),
        timetable=timetable_from(row.timetable),
        content_version=int(row.content_version),
        status=CampaignStatus(row.status),
        revision=int(row.revision),
        created_at=row.created_at,
        launched_at=row.launched_at,
        finished_at=row.finished_at,
        paused_because=reason_from(row.paused_because),
        resend=_resend(row.resend),
        brake=brake_from(row.brake),
        brake_lifted_at=row.brake_lifted_at,
        columns=tuple(sorted(row.columns or ())),
        imports=tuple(sorted(row.imports or ())),
        last_act=row.last_act,
    )
