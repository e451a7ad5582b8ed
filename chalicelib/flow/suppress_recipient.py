"""What an event that ends all mail to an address changes at once: the account's suppression list."""

from dataclasses import dataclass

from chalicelib.domain.address import Address, parse_address
from chalicelib.domain.delivery_event import DeliveryEvent
from chalicelib.domain.suppression import Suppression, SuppressionReason
from chalicelib.errors import NotFound
from chalicelib.ports import ContactStore, SuppressionStore


@dataclass(frozen=True, slots=True)
class SuppressPorts:
    """What is needed to suppress a recipient."""

    contacts: ContactStore
    suppressions: SuppressionStore


def suppress_recipient(event: DeliveryEvent, ports: SuppressPorts) -> bool:
    """Put the address of the event's contact on the list; False when nothing knows the address any more.

    Doing it again changes nothing. The senders look at the list just before they hand over, so it holds for
    campaigns in progress from the moment this returns.
    """
    if not event.suppress:
        return False
    address = parse_address(event.recipient or _address_of(event, ports.contacts))
    if not isinstance(address, Address):
        return False
    entry = Suppression(
        address.key, address.text, SuppressionReason.UNSUBSCRIBED, event.at, event.tags.campaign_id
    )
    ports.suppressions.add(event.tags.account_id, [entry])
    return True


def _address_of(event: DeliveryEvent, contacts: ContactStore) -> str:
    tags = event.tags
    try:
        return contacts.get(tags.account_id, tags.campaign_id, tags.contact_id).person.email
    except NotFound:
        return ""
