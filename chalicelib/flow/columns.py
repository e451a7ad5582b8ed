"""Further columns of a campaign's contacts, noted before the contacts come, so that variables know them."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from chalicelib.domain.contact import Person
from chalicelib.ports import CampaignStore

MAX_CAMPAIGN_COLUMNS = 500  # some kilobytes of the campaign's row


class TooManyColumnsError(ValueError):
    """A campaign would have more columns than its row can carry."""

    def __init__(self) -> None:
        super().__init__(f"All contacts of a campaign have at most {MAX_CAMPAIGN_COLUMNS} further columns.")


def note_columns(
    account_id: str,
    campaign_id: str,
    known: AbstractSet[str],
    people: Iterable[Person],
    campaigns: CampaignStore,
) -> AbstractSet[str]:
    """Note the columns of these people that the campaign doesn't know yet; returns all it knows then.

    Noting one twice changes nothing. Raises TooManyColumnsError, and NotFound without campaign.
    """
    new = {name for person in people for name, _ in person.extra} - known
    if not new:
        return known
    if len(known | new) > MAX_CAMPAIGN_COLUMNS:
        raise TooManyColumnsError
    campaigns.add_columns(account_id, campaign_id, new)
    return known | new
