"""Domains in memory."""

from collections.abc import Iterator
from dataclasses import replace

from chalicelib.domain.sending_domain import SendingDomain
from chalicelib.errors import Conflict, NotFound, Outdated
from chalicelib.ports import Page
from tests.fakes.paging import page_of


class FakeDomainStore:
    """Port ``DomainStore``."""

    def __init__(self) -> None:
        self._domains: dict[tuple[str, str], SendingDomain] = {}

    def add(self, account_id: str, domain: SendingDomain) -> None:
        if (account_id, domain.domain) in self._domains:
            raise Conflict("domain_exists", "Your account has this domain already.")
        self._domains[account_id, domain.domain] = domain

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

    def everybodys(self) -> Iterator[tuple[str, str]]:
        return iter(list(self._domains))
