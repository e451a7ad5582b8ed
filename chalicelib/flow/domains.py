"""Domains: add one with its DKIM key, rotate the key, look whether its record is in DNS, remove it.

Nothing here can open a private key: it is sealed the moment it is made.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from chalicelib.domain.dkim_record import compare
from chalicelib.domain.dns_answers import DnsAnswers, RecordType
from chalicelib.domain.ids import new_id
from chalicelib.domain.job_place import JobPlace, PlaceKind
from chalicelib.domain.quota import Quota, reached, usual_limit
from chalicelib.domain.sending_domain import DomainKey, SendingDomain
from chalicelib.errors import NotFound, Outdated
from chalicelib.ports import Clock, Dns, DomainStore, JobPlaces, JobQueue, KeyMaker, LimitOf, SecretBox

_SELECTOR_START = "pl"
_SELECTOR_LENGTH = 14  # characters of an id: nine of time, five of chance
_TRIES = 5


@dataclass(frozen=True, slots=True)
class DomainPorts:
    """What the API's domain steps need. ``secrets`` is bound to domains and only sealed with here."""

    domains: DomainStore
    secrets: SecretBox
    make_key: KeyMaker
    check_queue: JobQueue
    clock: Clock
    places: JobPlaces
    limit_of: LimitOf = usual_limit


@dataclass(frozen=True, slots=True)
class DomainCheckPorts:
    """What the look at DNS needs."""

    domains: DomainStore
    dns: Dns
    clock: Clock


def add_domain(account_id: str, name: str, ports: DomainPorts) -> SendingDomain:
    """Store a domain with a new key, whose record is to be published; raises Conflict when it is there.

    Raises QuotaReached, too.
    """
    key = _new_key(account_id, name, ports)
    domain = SendingDomain(name, (key,), key.created_at)
    most = ports.limit_of(account_id, Quota.DOMAINS)
    if not ports.domains.add(account_id, domain, most):
        raise reached(Quota.DOMAINS, most)
    return domain


def add_key(account_id: str, name: str, ports: DomainPorts) -> SendingDomain:
    """A second key: it signs as soon as its record is published, the old one until then."""
    ports.domains.get(account_id, name)
    key = _new_key(account_id, name, ports)
    return _changed(account_id, name, lambda domain: domain.with_key(key), ports.domains)


def remove_key(account_id: str, name: str, selector: str, ports: DomainPorts) -> SendingDomain:
    """Remove a key, even the one that signs: whoever lost it must be able to."""
    return _changed(account_id, name, lambda domain: domain.without_key(selector), ports.domains)


def _changed(
    account_id: str,
    name: str,
    change: Callable[[SendingDomain], SendingDomain],
    domains: DomainStore,
) -> SendingDomain:
    """The domain as it is now, changed: a look at DNS may write down meanwhile what it found."""
    for _ in range(_TRIES):
        try:
            return domains.save(account_id, change(domains.get(account_id, name)))
        except Outdated:
            continue
    raise Outdated


def ask_for_check(account_id: str, name: str, ports: DomainPorts) -> SendingDomain:
    """Queue a look at DNS, which may take longer than a request may; one that is under way is waited for.

    Raises NotFound and QuotaReached.
    """
    domain = ports.domains.get(account_id, name)
    place = JobPlace(PlaceKind.DOMAIN, name, new_id(ports.clock.now()))
    with ports.places.hold(account_id, place) as first:
        if first:
            ports.check_queue.put({"account_id": account_id, "domain": name})
    return domain


def ask_for_all_checks(domains: DomainStore, check_queue: JobQueue) -> int:
    """Queue a look at the records of every domain; returns how many."""
    count = 0
    for account_id, name in domains.everybodys():
        check_queue.put({"account_id": account_id, "domain": name})
        count += 1
    return count


def check_domain(account_id: str, name: str, ports: DomainCheckPorts) -> SendingDomain | None:
    """Write down which keys' records are in DNS; None when the domain is gone.

    A key that is added or removed meanwhile makes it look at the row again, and never gets lost.
    """
    answers = DnsAnswers(ports.dns.session())
    for _ in range(_TRIES):
        try:
            return _look(account_id, name, answers, ports)
        except NotFound:
            return None
        except Outdated:
            continue
    raise Outdated


def _look(account_id: str, name: str, answers: DnsAnswers, ports: DomainCheckPorts) -> SendingDomain:
    domain, now = ports.domains.get(account_id, name), ports.clock.now()
    keys = tuple(
        key.seen(compare(answers.get(domain.record(key)[0], RecordType.TXT), key.public_key), now)
        for key in domain.keys
    )
    return ports.domains.save(account_id, replace(domain, keys=keys))


def _new_key(account_id: str, name: str, ports: DomainPorts) -> DomainKey:
    now = ports.clock.now()
    private, public = ports.make_key()
    selector = _SELECTOR_START + new_id(now)[:_SELECTOR_LENGTH]
    return DomainKey(selector, public, ports.secrets.seal(account_id, name, private), now)


def find_domain(account_id: str, name: str, domains: DomainStore) -> SendingDomain | None:
    """The domain, or None when the account has none of this name."""
    try:
        return domains.get(account_id, name)
    except NotFound:
        return None
