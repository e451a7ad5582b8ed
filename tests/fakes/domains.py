"""Domains in memory."""

from collections.abc import Iterator
from dataclasses import replace

from chalicelib.domain.quota import NO_LIMIT, Quota
from chalicelib.domain.sending_domain import SendingDomain
from chalicelib.errors import Conflict, NotFound, Outdated
from chalicelib.ports import Page
from tests.fakes.paging import page_of
from tests.fakes.usage import FakeUsageStore


class FakeDomainStore:
    """Port ``DomainStore``."""

    def __init__(self, usage: FakeUsageStore | None = None) -> None:
        self._usage = usage or FakeUsageStore()
        self._domains: dict[tuple[str, str], SendingDomain] = {}

    def add(self, account_id: str, domain: SendingDomain, most: int = NO_LIMIT) -> bool:
        if (account_id, domain.domain) in self._domains:
            raise Conflict("domain_exists", "Your account has this domain already.")
        if not self._usage.count(account_id, Quota.DOMAINS, most):
            return False
        self._domains[account_id, domain.domain] = domain
        return True

    def get(self, account_id: str, name: str) -> SendingDomain:
        if (account_id, name) not in self._domains:
            raise NotFound("domain")
        return self._domains[account_id, name]

    def page(self, account_id: str, cursor: str | None, limit: int) -> Page[SendingDomain]:
        own = [domain for (owner, _), domain in sorted(self._domains.items()) if owner == account_id]
        return page_of(own, cursor, limit)

    def save(self, account_id: str, domain: SendingDomain) -> SendingDomain:
        stored = self.get(account_id, domain.domain)
        if stored.revision != domain.revision:
            raise Outdated
        saved = replace(stored, keys=domain.keys, revision=domain.revision + 1)
        self._domains[account_id, domain.domain] = saved
        return saved

    def remove(self, account_id: str, name: str) -> None:
        self.get(account_id, name)
        del self._domains[account_id, name]
        self._usage.uncount(account_id, Quota.DOMAINS)

    def everybodys(self) -> Iterator[tuple[str, str]]:
        return iter(list(self._domains))
