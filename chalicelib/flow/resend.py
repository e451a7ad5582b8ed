"""Resend: the only way a contact is ever written to again, because a person asked for it.

Contacts in Error start a new generation. Those whose outcome is unknown are left out unless the person says
so; those whose address is on the suppression list now always are: they would end in Error again, and what
the server once said of them would be lost. The wish is kept with the campaign until all its pages are done;
each row is stamped with the wish's token, so that pages done twice, or by two visits at once, reopen nobody
twice. A pause breaks it off where it is: the campaign shows it, a launch goes on with it, and who changed
their mind takes it back.
"""

from dataclasses import replace
from datetime import timedelta

from chalicelib.domain.campaign import Campaign, CampaignAction, CampaignStatus, Resend, check_action
from chalicelib.domain.contact import ContactStatus
from chalicelib.domain.ids import new_id
from chalicelib.errors import Conflict, Outdated
from chalicelib.flow.campaign import CampaignPorts, CampaignView, read_campaign
from chalicelib.flow.clearance import suppressed_among
from chalicelib.ports import CampaignStore, Clock, ContactStore, SuppressionStore

_PAGE = 900
_TIME = timedelta(seconds=60)  # what one visit spends on it; the next visit goes on


def resend_errors(
    account_id: str, campaign_id: str, include_unknown: bool, if_revision: int | None, ports: CampaignPorts
) -> CampaignView:
    """Send again to contacts in Error; raises Conflict when none qualifies or the campaign can't run.

    Also while contacts wait that were never sent to: a running campaign sends to them too, and a resend is
    for contacts in Error and for nobody else.

    With ``include_unknown`` also to those who may have got the message already. Raises Outdated, and is
    repeated, as a launch.
    """
    wish = Resend(new_id(ports.clock.now()), include_unknown)
    seen = read_campaign(account_id, campaign_id, ports)
    if seen.campaign.last_act != wish.token:
        _check_resend(seen, include_unknown)
        _move(account_id, campaign_id, wish, if_revision, ports)
    ports.dispatch_queue.put({"account_id": account_id, "campaign_id": campaign_id})
    return read_campaign(account_id, campaign_id, ports)


def _check_resend(seen: CampaignView, include_unknown: bool) -> None:
    check_action(seen.campaign.status, CampaignAction.RESEND)
    errors = seen.totals.by_status[ContactStatus.ERROR] - (0 if include_unknown else seen.totals.unknown)
    missing = [obstacle for obstacle in seen.obstacles if obstacle.code != "no_contacts"]
    if missing:
        text = " ".join(obstacle.text for obstacle in missing)
        raise Conflict("not_ready", text, [obstacle.code for obstacle in missing])
    if waiting := seen.totals.unsettled:
        text = f"{waiting} contacts are not sent to yet: launch the campaign for them first, or remove them."
        raise Conflict("not_sent_waiting", text)
    if errors == 0:
        raise Conflict("no_errors", "No contact is in Error with a known outcome.")


def _move(
    account_id: str, campaign_id: str, wish: Resend, if_revision: int | None, ports: CampaignPorts
) -> None:
    came_from = [CampaignStatus.PAUSED, CampaignStatus.FINISHED]
    moved = ports.campaigns.move(
        account_id,
        campaign_id,
        came_from,
        CampaignStatus.IN_PROGRESS,
        ports.clock.now(),
        seen_revision=if_revision,
        resend=wish,
        act=wish.token,
    )
    if moved:
        return
    campaign = ports.campaigns.get(account_id, campaign_id)
    if campaign.last_act != wish.token:  # else only the reply was lost
        check_action(campaign.status, CampaignAction.RESEND)
        raise Outdated


def drop_resend(account_id: str, campaign_id: str, ports: CampaignPorts) -> None:
    """Take back what is left of a resend. Who was made ready by then stays Not sent. Raises NotFound."""
    ports.campaigns.get(account_id, campaign_id)
    ports.campaigns.drop_resend(account_id, campaign_id)


def reopen_errors(
    account_id: str,
    campaign: Campaign,
    campaigns: CampaignStore,
    contacts: ContactStore,
    suppressions: SuppressionStore,
    clock: Clock,
) -> None:
    """Reopen the pages of a wish, from where the last visit stopped, and forget it at the end.

    Each write needs the campaign In progress with this wish: when it was paused, or the wish was taken back,
    the page it came to is the one to go on with.
    """
    wish, stop_at = campaign.resend, clock.now() + _TIME
    while wish and clock.now() < stop_at:
        page = contacts.page(account_id, campaign.campaign_id, wish.cursor, _PAGE, ContactStatus.ERROR)
        listed = suppressed_among(account_id, (c.person.email for c in page.items), suppressions)
        chosen = [
            contact
            for contact in page.items
            if contact.person.email not in listed and (wish.include_unknown or not contact.outcome_unknown)
        ]
        if contacts.reopen(account_id, campaign.campaign_id, chosen, wish.token, clock.now()) is None:
            return
        rest = replace(wish, cursor=page.cursor) if page.cursor else None
        if not campaigns.go_on_resending(account_id, campaign.campaign_id, wish.token, rest):
            return
        wish = rest
