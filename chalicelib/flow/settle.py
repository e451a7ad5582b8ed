"""Settle: what a visit does about contacts that are stuck, about pauses, and about the end of a campaign."""

from datetime import UTC, datetime

from chalicelib.domain.campaign import Campaign, CampaignStatus
from chalicelib.domain.contact import OUTCOME_UNKNOWN, Contact, ContactStatus
from chalicelib.domain.delivery import Reason
from chalicelib.errors import NotFound, found
from chalicelib.ports import CampaignStore, ContactStore, ImportStore, SendOrder, Settlement

_AT_ONCE = 1_000  # contacts one visit settles; the next visit goes on


def settle_overdue(account_id: str, campaign_id: str, contacts: ContactStore, now: datetime) -> None:
    """Settle Pending contacts whose lease ran out by what is certain about them.

    Never claimed: certainly not handed over, so it waits for a new slot. Claimed: the sender may have died
    on either side of the hand-over, so the outcome is unknown and nobody sends it again by itself.
    """
    for contact in contacts.overdue(account_id, campaign_id, now, _AT_ONCE):
        order = _order(account_id, campaign_id, contact)
        contacts.settle(account_id, order, contact.claim, _overdue(contact, now))


def _overdue(contact: Contact, now: datetime) -> Settlement:
    if contact.claim is None:
        return Settlement(ContactStatus.NOT_SENT, now)
    text = "The sender stopped during the hand-over. The message may or may not have been delivered."
    return Settlement(ContactStatus.ERROR, now, Reason(OUTCOME_UNKNOWN, text))


def call_back(
    account_id: str, campaign_id: str, campaigns: CampaignStore, contacts: ContactStore, now: datetime
) -> bool:
    """Return queued contacts of a campaign that isn't running to Not sent; rest when none is in flight.

    True when there may be more of them than one visit returns.
    """
    queued = contacts.pending(account_id, campaign_id, _AT_ONCE)
    for contact in queued:
        order = _order(account_id, campaign_id, contact)
        contacts.settle(account_id, order, None, Settlement(ContactStatus.NOT_SENT, now))
    if contacts.totals(account_id, campaign_id).by_status[ContactStatus.PENDING] == 0:
        campaigns.rest(account_id, campaign_id)
    return len(queued) == _AT_ONCE


def finish_if_done(
    account_id: str,
    campaign_id: str,
    campaigns: CampaignStore,
    contacts: ContactStore,
    imports: ImportStore,
    now: datetime,
) -> bool:
    """Finished: every contact is settled, or no sending time is left and nothing is in flight.

    Not while a resend or an import is under way, which are looked at before the contacts are counted; the
    move asks the row again for those that began since.
    """
    try:
        campaign = campaigns.get(account_id, campaign_id)
    except NotFound:
        return True
    if campaign.resend or _is_added_to(account_id, campaign, campaigns, imports, now):
        return False
    totals = contacts.totals(account_id, campaign_id)
    over = totals.by_status[ContactStatus.PENDING] == 0 and campaign.timetable.next_open(now) is None
    if totals.unsettled and not over:
        return False
    running, finished = CampaignStatus.IN_PROGRESS, CampaignStatus.FINISHED
    if not campaigns.move(account_id, campaign_id, [running], finished, now):
        return True
    if not over and contacts.totals(account_id, campaign_id).unsettled:
        # Somebody was added between the look and the move, to a campaign that was still running.
        return not campaigns.move(account_id, campaign_id, [finished], running, now)
    campaigns.rest(account_id, campaign_id)
    return True


def _is_added_to(
    account_id: str, campaign: Campaign, campaigns: CampaignStore, imports: ImportStore, now: datetime
) -> bool:
    """Whether imports are under way; those that ended without a word are taken off the campaign."""
    over = [one for one in campaign.imports if not _is_under_way(account_id, one, imports, now)]
    if over:
        campaigns.end_imports(account_id, campaign.campaign_id, over)
    return len(over) < len(campaign.imports)


def _is_under_way(account_id: str, import_id: str, imports: ImportStore, now: datetime) -> bool:
    job = found(lambda: imports.get(account_id, import_id))
    return job is not None and job.is_under_way(now)


def _order(account_id: str, campaign_id: str, contact: Contact) -> SendOrder:
    """The order that this release of the contact was sent out with."""
    return SendOrder(
        account_id,
        campaign_id,
        contact.contact_id,
        contact.line_id or "",
        contact.generation,
        contact.attempt,
        contact.slot_at or datetime.min.replace(tzinfo=UTC),
    )
