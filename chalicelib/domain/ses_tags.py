"""The tags that SES carries with a message and gives back with everything it tells of it.

Names and values may have letters, digits, ``_`` and ``-`` only, at most 256 of them; our ids have no others.
https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_MessageTag.html
"""

from chalicelib.domain.delivery import MessageTags


def tag_values(tags: MessageTags) -> dict[str, str]:
    """The tags by the names that SES knows them by."""
    return {
        "account": tags.account_id,
        "campaign": tags.campaign_id,
        "contact": tags.contact_id,
        "generation": str(tags.generation),
        "attempt": str(tags.attempt),
    }
