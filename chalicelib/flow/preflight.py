"""Preflight: before a launch, a job looks at all contacts for values that the mail would miss."""

from collections.abc import Iterator
from dataclasses import dataclass

from chalicelib.domain.contact import Contact, ContactStatus
from chalicelib.domain.header import CannotComposeError
from chalicelib.domain.ids import new_id
from chalicelib.domain.job import JobState
from chalicelib.domain.job_place import preflight_place
from chalicelib.domain.preflight import MissingValues, Preflight
from chalicelib.errors import NotFound
from chalicelib.ports import (
    CampaignStore,
    Clock,
    ContactStore,
    JobPlaces,
    JobQueue,
    PreflightStore,
    all_items,
)

_READ_AT_ONCE = 1_000
_PROGRESS_EVERY = 10_000


@dataclass(frozen=True, slots=True)
class PreflightPorts:
    """What the API's preflight steps need. Who works on exports does preflights too."""

    campaigns: CampaignStore
    preflights: PreflightStore
    export_queue: JobQueue
    clock: Clock
    places: JobPlaces


@dataclass(frozen=True, slots=True)
class CheckingPorts:
    """What the job needs."""

    campaigns: CampaignStore
    contacts: ContactStore
    preflights: PreflightStore
    clock: Clock


def start_preflight(account_id: str, campaign_id: str, ports: PreflightPorts) -> Preflight:
    """Ask for a preflight of the current content, in place of an earlier one.

    Raises NotFound and QuotaReached.
    """
    campaign = ports.campaigns.get(account_id, campaign_id)
    now = ports.clock.now()
    asked = Preflight(new_id(now), campaign_id, campaign.content_version, JobState.QUEUED, now)
    message = {"account_id": account_id, "campaign_id": campaign_id, "preflight_id": asked.preflight_id}
    with ports.places.hold(account_id, preflight_place(campaign_id, asked.preflight_id)):
        ports.preflights.ask(account_id, asked)
        ports.export_queue.put(message)
    return asked


def read_preflight(account_id: str, campaign_id: str, ports: PreflightPorts) -> tuple[Preflight, bool]:
    """The last preflight, and whether the content is another one by now; raises NotFound."""
    campaign = ports.campaigns.get(account_id, campaign_id)
    last = ports.preflights.get(account_id, campaign_id)
    return last, last.content_version != campaign.content_version


def check_contacts(account_id: str, campaign_id: str, preflight_id: str, ports: CheckingPorts) -> None:
    """Look at the contacts that are Not sent. Done twice, it counts from the start again.

    It ends without a result when another preflight was asked for, or when the campaign is gone.
    """
    if not ports.preflights.progress(account_id, campaign_id, preflight_id, 0):
        return
    try:
        values = _missing_values(account_id, campaign_id, ports)
    except NotFound:
        ports.preflights.remove(account_id, campaign_id)
        return
    except CannotComposeError as error:
        ports.preflights.fail(account_id, campaign_id, preflight_id, error.reason, ports.clock.now())
        return
    checked = 0
    for checked, contact in enumerate(_not_sent(account_id, campaign_id, ports.contacts), start=1):
        values.look_at(contact)
        if checked % _PROGRESS_EVERY == 0 and not ports.preflights.progress(
            account_id, campaign_id, preflight_id, checked
        ):
            return
    found, now = values.found(), ports.clock.now()
    ports.preflights.finish(account_id, campaign_id, preflight_id, checked, found, now)


def _missing_values(account_id: str, campaign_id: str, ports: CheckingPorts) -> MissingValues:
    campaign = ports.campaigns.get(account_id, campaign_id)
    version = ports.preflights.get(account_id, campaign_id).content_version
    content = ports.campaigns.content(account_id, campaign_id, version)
    return MissingValues(campaign_id, content, campaign.columns)


def _not_sent(account_id: str, campaign_id: str, contacts: ContactStore) -> Iterator[Contact]:
    return all_items(
        lambda cursor: contacts.page(account_id, campaign_id, cursor, _READ_AT_ONCE, ContactStatus.NOT_SENT)
    )
