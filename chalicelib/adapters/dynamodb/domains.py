"""Domains and their DKIM keys in DynamoDB."""

from collections.abc import Iterator
from dataclasses import replace

from pynamodb.exceptions import DoesNotExist
from pynamodb.expressions.update import Action

from chalicelib.adapters.dynamodb.cursors import encode_cursor, page_start
from chalicelib.adapters.dynamodb.mapping import reason_from, reason_item
from chalicelib.adapters.dynamodb.tables import DomainKeyMap, DomainRow
from chalicelib.adapters.dynamodb.usage import remove_counted, write_counted
from chalicelib.adapters.dynamodb.writing import update_if
from chalicelib.domain.quota import NO_LIMIT, Quota
from chalicelib.domain.sending_domain import DomainKey, KeyState, SendingDomain
from chalicelib.errors import Conflict, NotFound, Outdated
from chalicelib.ports import Page

_WATCHED = "watched"


class DynamoDomainStore:
    """Port ``DomainStore``."""

    def add(self, account_id: str, domain: SendingDomain, most: int = NO_LIMIT) -> bool:
        """Store a new domain, and count it; raises Conflict when the account has it."""
        row = DomainRow(
            account_id,
            domain.domain,
            keys=[_key_map(key) for key in domain.keys],
            created_at=domain.created_at,
            revision=domain.revision,
            watch=_WATCHED,
        )
        new = DomainRow.domain.does_not_exist()
        failed = write_counted(lambda write: write.save(row, new), account_id, Quota.DOMAINS, 1, most)
        if 0 in failed:
            raise Conflict("domain_exists", "Your account has this domain already.")
        return not failed

    def get(self, account_id: str, name: str) -> SendingDomain:
        """Read a domain; raises NotFound."""
        try:
            return _domain(DomainRow.get(account_id, name, consistent_read=True))
        except DoesNotExist as error:
            raise NotFound("domain") from error

    def page(self, account_id: str, cursor: str | None, limit: int) -> Page[SendingDomain]:
        """The account's domains, by name."""
        start = page_start(account_id, "domain", cursor)
        found = DomainRow.query(account_id, limit=limit, last_evaluated_key=start, consistent_read=True)
        domains = [_domain(row) for row in found]
        last = found.last_evaluated_key
        return Page(domains, encode_cursor(last["domain"]["S"]) if last else None)

    def save(self, account_id: str, domain: SendingDomain) -> SendingDomain:
        """Replace the keys if the revision is as seen; raises Outdated or NotFound."""
        stored = replace(domain, revision=domain.revision + 1)
        actions: list[Action] = [
            DomainRow.keys.set([_key_map(key) for key in domain.keys]),
            DomainRow.revision.set(stored.revision),
        ]
        row = DomainRow(account_id, domain.domain)
        if not update_if(row, actions, DomainRow.revision == domain.revision):
            self.get(account_id, domain.domain)
            raise Outdated
        return stored

    def remove(self, account_id: str, name: str) -> None:
        """Remove the domain and its keys; raises NotFound."""
        row, there = DomainRow(account_id, name), DomainRow.domain.exists()
        if not remove_counted(lambda write: write.delete(row, there), account_id, Quota.DOMAINS):
            raise NotFound("domain")

    def everybodys(self) -> Iterator[tuple[str, str]]:
        """(account, name) of all domains, as far as the index knows them by now."""
        for row in DomainRow.domains_to_check.query(_WATCHED):
            yield row.account_id, row.domain


def _key_map(key: DomainKey) -> DomainKeyMap:
    return DomainKeyMap(
        selector=key.selector,
        public_key=key.public_key,
        private_key=key.private_key,
        created_at=key.created_at,
        state=key.state,
        checked_at=key.checked_at,
        reason=key.reason and reason_item(key.reason),
    )


def _domain(row: DomainRow) -> SendingDomain:
    return SendingDomain(
        domain=row.domain,
        keys=tuple(_key(item) for item in row.keys),
        created_at=row.created_at,
        revision=int(row.revision),
    )


def _key(item: DomainKeyMap) -> DomainKey:
    return DomainKey(
        selector=item.selector,
        public_key=item.public_key,
        private_key=item.private_key,
        created_at=item.created_at,
        state=KeyState(item.state),
        checked_at=item.checked_at,
        reason=reason_from(item.reason),
    )
