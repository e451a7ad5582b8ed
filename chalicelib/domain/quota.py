"""Quotas: how much an account may have. The deployment sets the usual limits, the operator one's own."""

from collections.abc import Mapping
from enum import StrEnum

from chalicelib.errors import QuotaReached

NO_LIMIT = 1 << 53  # more than anybody can have


class Quota(StrEnum):
    """What is limited."""

    CAMPAIGNS = "campaigns"
    CONTACTS = "contacts"  # of one campaign
    LINES = "lines"
    API_KEYS = "api_keys"  # in force
    DOMAINS = "domains"
    STORAGE = "storage"  # bytes that upload forms were given out for, in seven days
    ATTACHMENTS = "attachments"  # bytes of files that campaigns keep
    IMPORTS = "imports"  # at once
    JOBS = "jobs"  # at once: exports, preflights, requests about personal data
    CHECKS = "checks"  # at once: of lines and domains
    TESTS_PER_HOUR = "tests_per_hour"
    REQUESTS_PER_MINUTE = "requests_per_minute"


USUAL: Mapping[Quota, int] = {
    Quota.CAMPAIGNS: 10_000,
    Quota.CONTACTS: 1_000_000,
    Quota.LINES: 1_000,
    Quota.API_KEYS: 100,
    Quota.DOMAINS: 100,
    Quota.STORAGE: 50_000_000_000,
    Quota.ATTACHMENTS: 20_000_000_000,
    Quota.IMPORTS: 50,
    Quota.JOBS: 20,
    Quota.CHECKS: 20,
    Quota.TESTS_PER_HOUR: 60,  # enough for trying, too few for writing to people
    Quota.REQUESTS_PER_MINUTE: 6_000,
}
"""What is limited to how much where nobody says otherwise."""

_TEXTS = {
    Quota.CAMPAIGNS: "Your account may have {:,} campaigns. Delete some that are over.",
    Quota.CONTACTS: "A campaign of your account may have {:,} contacts. Make another one for the rest.",
    Quota.LINES: "Your account may have {:,} lines. Delete some that you don't use.",
    Quota.API_KEYS: "Your account may have {:,} API keys in force. Revoke some that you don't use.",
    Quota.DOMAINS: "Your account may have {:,} domains. Delete some that you don't send from.",
    Quota.STORAGE: (
        "Files of your account may have {:,} bytes together in seven days, and each form counts with its"
        " file_size, or with the most it takes. Tell file_size, or wait for a day."
    ),
    Quota.ATTACHMENTS: (
        "Attachments of your account may have {:,} bytes together, as long as they are kept, and a form"
        " counts with its file_size or the most it takes. Tell file_size, or delete campaigns that are over."
    ),
    Quota.IMPORTS: "Your account may have {:,} imports at once. Wait until some of them are done.",
    Quota.JOBS: (
        "Your account may have {:,} exports, preflights and requests about personal data at once."
        " Wait until some of them are done."
    ),
    Quota.CHECKS: (
        "Your account may have {:,} lines and domains connected or checked at once."
        " Wait until some of them are done: a minute or two."
    ),
    Quota.TESTS_PER_HOUR: "Your account may send {:,} test messages an hour. Try again in the next one.",
    Quota.REQUESTS_PER_MINUTE: "Your account may make {:,} requests a minute. Wait for the next one.",
}
_OPERATOR = " The operator of the service can raise the limit."


def reached(quota: Quota, limit: int) -> QuotaReached:
    """The refusal of what would be one more than the limit."""
    return QuotaReached(quota, limit, _TEXTS[quota].format(limit) + _OPERATOR)


def usual_limit(account_id: str, quota: Quota) -> int:  # noqa: ARG001
    """The limit of every account that has none of its own."""
    return USUAL[quota]


def read_limits(text: str) -> dict[Quota, int]:
    """Limits as a setting names them: ``campaigns=100,lines=5``; the others are the usual ones.

    Raises ValueError for anything else.
    """
    limits = dict(USUAL)
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, number = part.partition("=")
        limits[Quota(name.strip())] = int(number)
    return limits
