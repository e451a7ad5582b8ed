"""Campaigns and their content versions in memory."""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import datetime

from chalicelib.domain.brake import Brake
from chalicelib.domain.campaign import Campaign, CampaignStatus, Resend
from chalicelib.domain.content import Content
from chalicelib.domain.delivery import Reason
from chalicelib.domain.ids import end_of_its_moment
from chalicelib.domain.quota import NO_LIMIT, Quota
from chalicelib.errors import NotFound, Outdated
from chalicelib.ports import Page
from tests.fakes.paging import page_of
from tests.fakes.usage import FakeUsageStore

_ON_THE_ROUND = (CampaignStatus.IN_PROGRESS, CampaignStatus.DELETING)


class FakeCampaignStore:
    """Port ``CampaignStore``."""

    def __init__(self, usage: FakeUsageStore | None = None) -> None:
        self._usage = usage or FakeUsageStore()
        self._campaigns: dict[tuple[str, str], Campaign] = {}
        self._contents: dict[tuple[str, str, int], Content] = {}
        self._active: set[tuple[str, str]] = set()

    def add(self, account_id: str, campaign: Campaign, content: Content, most: int = NO_LIMIT) -> bool:
        if (account_id, campaign.campaign_id) in self._campaigns:
            return True
        if not self._usage.count(account_id, Quota.CAMPAIGNS, most):
            return False
        self._campaigns[account_id, campaign.campaign_id] = campaign
        self._contents[account_id, campaign.campaign_id, campaign.content_version] = content
        return True

    def get(self, account_id: str, campaign_id: str) -> Campaign:
        campaign = self._campaigns.get((account_id, campaign_id))
        if campaign is None or campaign.status is CampaignStatus.DELETING:
            raise NotFound("campaign")
        return campaign

    def page(self, account_id: str, cursor: str | None, limit: int) -> Page[Campaign]:
        own = [campaign for (owner, _), campaign in sorted(self._campaigns.items()) if owner == account_id]
        alive = [campaign for campaign in own if campaign.status is not CampaignStatus.DELETING]
        return page_of(alive[::-1], cursor, limit)

    def content(self, account_id: str, campaign_id: str, version: int) -> Content:
        if (account_id, campaign_id, version) not in self._contents:
            raise NotFound("content")
        return self._contents[account_id, campaign_id, version]

    def save(self, account_id: str, campaign: Campaign, content: Content | None, seen_revision: int) -> None:
        key = (account_id, campaign.campaign_id)
        stored = self._campaigns.get(key)
        if stored is None or (stored.revision, stored.status) != (seen_revision, campaign.status):
            raise Outdated
        self._campaigns[key] = replace(
            stored,
            name=campaign.name,
            line_ids=campaign.line_ids,
            timetable=campaign.timetable,
            content_version=campaign.content_version,
            revision=campaign.revision,
        )
        if content is not None:
            self._contents[(*key, campaign.content_version)] = content

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
        key = (account_id, campaign_id)
        stored = self._campaigns.get(key)
        if stored is None or stored.status not in came_from or seen_revision not in (None, stored.revision):
            return False
        if to is CampaignStatus.FINISHED and (stored.resend or stored.imports):
            return False
        last = stored.last_act
        if act and last and (last == act or last >= end_of_its_moment(act)):
            return False
        moved = replace(
            stored, status=to, last_act=act or last, revision=stored.revision + 1, paused_because=reason
        )
        if to is CampaignStatus.IN_PROGRESS:
            moved = replace(moved, launched_at=stored.launched_at or at)
        if to is CampaignStatus.FINISHED:
            moved = replace(moved, finished_at=at)
        self._campaigns[key] = replace(moved, resend=resend or stored.resend)
        self._active |= {key} if to in _ON_THE_ROUND else set()
        return True

    def go_on_resending(self, account_id: str, campaign_id: str, token: str, rest: Resend | None) -> bool:
        if not self.resends(account_id, campaign_id, token):
            return False
        self._campaigns[account_id, campaign_id] = replace(self.get(account_id, campaign_id), resend=rest)
        return True

    def drop_resend(self, account_id: str, campaign_id: str) -> None:
        if stored := self._campaigns.get((account_id, campaign_id)):
            self._campaigns[account_id, campaign_id] = replace(stored, resend=None)

    def resends(self, account_id: str, campaign_id: str, token: str) -> bool:
        """Whether it is In progress with the wish of this token; for the contacts' write."""
        stored = self._campaigns.get((account_id, campaign_id))
        running = stored is not None and stored.status is CampaignStatus.IN_PROGRESS
        return bool(running and stored and stored.resend and stored.resend.token == token)

    def begin_import(self, account_id: str, campaign_id: str, import_id: str) -> None:
        stored = self.get(account_id, campaign_id)
        imports = tuple(sorted({*stored.imports, import_id}))
        self._campaigns[account_id, campaign_id] = replace(stored, imports=imports)

    def end_imports(self, account_id: str, campaign_id: str, import_ids: Sequence[str]) -> None:
        if stored := self._campaigns.get((account_id, campaign_id)):
            left = tuple(one for one in stored.imports if one not in import_ids)
            self._campaigns[account_id, campaign_id] = replace(stored, imports=left)

    def add_columns(self, account_id: str, campaign_id: str, names: AbstractSet[str]) -> None:
        stored = self.get(account_id, campaign_id)
        columns = tuple(sorted({*stored.columns, *names}))
        self._campaigns[account_id, campaign_id] = replace(stored, columns=columns)

    def active(self) -> Iterator[tuple[str, str]]:
        yield from sorted(self._active)

    def rest(self, account_id: str, campaign_id: str) -> None:
        if self.status(account_id, campaign_id) not in _ON_THE_ROUND:
            self._active.discard((account_id, campaign_id))

    def find(self, account_id: str, prefix: str) -> str | None:
        ids = [own for owner, own in self._campaigns if owner == account_id and own.startswith(prefix)]
        return ids[0] if len(ids) == 1 else None

    def status(self, account_id: str, campaign_id: str) -> CampaignStatus | None:
        stored = self._campaigns.get((account_id, campaign_id))
        return stored.status if stored else None

    def pull_brake(self, account_id: str, campaign_id: str, brake: Brake, seen_lift: datetime | None) -> bool:
        stored = self._campaigns.get((account_id, campaign_id))
        if stored is None or stored.brake or stored.brake_lifted_at != seen_lift:
            return False
        self._campaigns[account_id, campaign_id] = replace(stored, brake=brake)
        return True

    def lift_brake(self, account_id: str, campaign_id: str, at: datetime) -> bool:
        stored = self._campaigns.get((account_id, campaign_id))
        if stored is None or stored.brake is None:
            return False
        self._campaigns[account_id, campaign_id] = replace(stored, brake=None, brake_lifted_at=at)
        return True

    def remove(self, account_id: str, campaign_id: str) -> None:
        if self._campaigns.pop((account_id, campaign_id), None):
            self._usage.uncount(account_id, Quota.CAMPAIGNS)
        self._active.discard((account_id, campaign_id))
        for key in [key for key in self._contents if key[:2] == (account_id, campaign_id)]:
            del self._contents[key]
