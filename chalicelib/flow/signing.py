"""Signing: which key a message is signed with, remembered between messages.

A key signs as soon as its record was seen in DNS, and no longer than that: a signature that nobody can verify
is worth less than none. What is never done is to leave out a signature that could have been made.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.domain.delivery import Reason
from chalicelib.domain.dkim import DkimKey
from chalicelib.domain.sending_domain import DomainKey
from chalicelib.errors import NotFound
from chalicelib.ports import Clock, DomainStore, KeyLoader, SecretBox

REFRESH = timedelta(seconds=30)  # how long a new key, or one that is gone, may go unnoticed
_MOST = 64  # domains that are remembered

KEY_UNREADABLE = Reason(
    "dkim_key_unreadable",
    "The DKIM key of this line's domain can't be read, and mail that is to be signed doesn't leave unsigned."
    " Delete the domain and add it again, then connect the line.",
)


@dataclass(frozen=True, slots=True)
class SigningPorts:
    """What signing needs: it may open keys. ``secrets`` is bound to domains."""

    domains: DomainStore
    secrets: SecretBox
    load_key: KeyLoader
    clock: Clock


@dataclass(frozen=True, slots=True)
class _Known:
    looked_at: datetime
    source: DomainKey | None
    key: DkimKey | None


class Signing:
    """Port ``DkimSigner``."""

    def __init__(self, ports: SigningPorts) -> None:
        self._ports = ports
        self._known: dict[tuple[str, str], _Known] = {}

    def key(self, account_id: str, domain: str) -> DkimKey | None:
        """The key as it was at most REFRESH ago; opened anew only if it is another one."""
        now = self._ports.clock.now()
        known = self._known.get((account_id, domain))
        if known is None or now - known.looked_at > REFRESH:
            known = self._look(account_id, domain, now, known)
            while len(self._known) >= _MOST:
                del self._known[next(iter(self._known))]
            self._known[account_id, domain] = known
        return known.key

    def _look(self, account_id: str, domain: str, now: datetime, known: _Known | None) -> _Known:
        try:
            source = self._ports.domains.get(account_id, domain).signing_key
        except NotFound:
            source = None
        if source is None:
            return _Known(now, None, None)
        if known is not None and known.source is not None and known.source.private_key == source.private_key:
            return _Known(now, source, known.key)
        return _Known(now, source, DkimKey(domain, source.selector, self._open(account_id, domain, source)))

    def _open(self, account_id: str, domain: str, source: DomainKey) -> Callable[[bytes], bytes]:
        return self._ports.load_key(self._ports.secrets.open(account_id, domain, source.private_key))
