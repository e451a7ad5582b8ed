"""Contacts: add by hand, list, find by address, edit, remove."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.domain.address import Rejection, contact_id, parse_address
from chalicelib.domain.campaign import Campaign, CampaignAction, CampaignStatus, check_action
from chalicelib.domain.contact import Contact, ContactStatus, Person
from chalicelib.domain.quota import Quota, reached, usual_limit
from chalicelib.errors import FieldError, Invalid, NotFound
from chalicelib.flow.clearance import suppressed_among
from chalicelib.flow.columns import TooManyColumnsError, note_columns
from chalicelib.ports import (
    CampaignStore,
    Clock,
    ContactStore,
    FileStore,
    GiveLeave,
    ImportStore,
    JobQueue,
    LimitOf,
    NewContact,
    Page,
    SuppressionStore,
)


@dataclass(frozen=True, slots=True)
class ContactPorts:
    """What the API's contact steps need."""

    campaigns: CampaignStore
    contacts: ContactStore
    suppressions: SuppressionStore
    imports: ImportStore
    files: FileStore
    import_queue: JobQueue
    dispatch_queue: JobQueue
    clock: Clock
    leave: GiveLeave
    limit_of: LimitOf = usual_limit


@dataclass(frozen=True, slots=True)
class Added:
    """What became of contacts added by hand. ``suppressed`` of them, duplicates too, won't be sent to."""

    contacts: list[Contact]
    added: int
    duplicates: int
    suppressed: int


def add_contacts(account_id: str, campaign_id: str, people: Sequence[Person], ports: ContactPorts) -> Added:
    """Add people by hand; wrong addresses raise Invalid, all at once, and then nobody is added."""
    campaign = ports.campaigns.get(account_id, campaign_id)
    check_action(campaign.status, CampaignAction.ADD_CONTACTS)
    new = _checked(campaign_id, people, ports.clock.now())
    check_room(account_id, campaign_id, len(new) - 1, ports.contacts, ports.limit_of)
    _note_columns(account_id, campaign, people, ports.campaigns)
    added = ports.contacts.add(account_id, campaign_id, new)
    if added and campaign.status is CampaignStatus.IN_PROGRESS:
        ports.dispatch_queue.put({"account_id": account_id, "campaign_id": campaign_id})
    ids = dict.fromkeys(contact.contact_id for contact in new)
    found = [ports.contacts.get(account_id, campaign_id, one) for one in ids]
    listed = suppressed_among(account_id, (contact.person.email for contact in found), ports.suppressions)
    return Added(found, added, len(people) - added, len(listed))


def check_room(
    account_id: str, campaign_id: str, besides: int, contacts: ContactStore, limit_of: LimitOf
) -> None:
    """Raise QuotaReached unless the campaign may have one contact more, besides so many others.

    It looks and then leaps: those who add at the same time may pass together, by a piece each.
    """
    most = limit_of(account_id, Quota.CONTACTS)
    if contacts.totals(account_id, campaign_id).contacts + besides >= most:
        raise reached(Quota.CONTACTS, most)


def _checked(campaign_id: str, people: Sequence[Person], now: datetime) -> list[NewContact]:
    new, errors = [], []
    for number, given in enumerate(people):
        address = parse_address(given.email)
        if isinstance(address, Rejection):
            errors.append(FieldError(f"contacts[{number}].email", address.code, address.text))
        else:
            person = replace(given, email=address.text)
            new.append(NewContact(contact_id(campaign_id, address.key), person, now, number))
    if errors:
        raise Invalid(*errors)
    return new


def list_contacts(
    account_id: str,
    campaign_id: str,
    cursor: str | None,
    limit: int,
    status: ContactStatus | None,
    ports: ContactPorts,
) -> Page[Contact]:
    """A page of a campaign's contacts; raises NotFound."""
    ports.campaigns.get(account_id, campaign_id)
    return ports.contacts.page(account_id, campaign_id, cursor, limit, status)


def read_contact(account_id: str, campaign_id: str, contact: str, ports: ContactPorts) -> Contact:
    """One contact of a campaign; raises NotFound."""
    ports.campaigns.get(account_id, campaign_id)
    return ports.contacts.get(account_id, campaign_id, contact)


def edit_contact(
    account_id: str,
    campaign_id: str,
    contact: str,
    change: Callable[[Person], Person],
    ports: ContactPorts,
) -> Contact:
    """Change the fields of a contact that has not been sent to; raises NotFound or Conflict."""
    campaign = ports.campaigns.get(account_id, campaign_id)
    check_action(campaign.status, CampaignAction.EDIT)
    person = change(ports.contacts.get(account_id, campaign_id, contact).person)
    _note_columns(account_id, campaign, [person], ports.campaigns)
    return ports.contacts.edit(account_id, campaign_id, contact, person)


def find_contact(account_id: str, campaign_id: str, email: str, ports: ContactPorts) -> Page[Contact]:
    """The contact with this address, however it is written, as a page of one or none; raises Invalid."""
    ports.campaigns.get(account_id, campaign_id)
    address = parse_address(email)
    if isinstance(address, Rejection):
        raise Invalid(FieldError("email", address.code, address.text))
    try:
        identity = contact_id(campaign_id, address.key)
        return Page([ports.contacts.get(account_id, campaign_id, identity)], None)
    except NotFound:
        return Page([], None)


def remove_contact(account_id: str, campaign_id: str, contact: str, ports: ContactPorts) -> None:
    """Remove a contact that has not been sent to; raises NotFound or Conflict."""
    check_action(ports.campaigns.get(account_id, campaign_id).status, CampaignAction.REMOVE_CONTACTS)
    ports.contacts.remove(account_id, campaign_id, contact)


def _note_columns(
    account_id: str, campaign: Campaign, people: Sequence[Person], campaigns: CampaignStore
) -> None:
    try:
        note_columns(account_id, campaign.campaign_id, set(campaign.columns), people, campaigns)
    except TooManyColumnsError as error:
        raise Invalid(FieldError("extra", "too_many_columns", str(error))) from error
