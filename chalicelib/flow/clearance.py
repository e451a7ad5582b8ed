"""Clearance: whether an address may be written to, as the account's suppression list says it right now."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from chalicelib.domain.address import Address, Rejection, parse_address
from chalicelib.domain.contact import Contact
from chalicelib.domain.delivery import Reason
from chalicelib.domain.suppression import ERASED, why_not_sent
from chalicelib.ports import Clock, SuppressionStore

FRESH = timedelta(seconds=2)  # how old any look may be when a message is handed over


class Clearance:
    """The word of the list about one claimed contact; ``refusal`` says why it doesn't hold."""

    def __init__(
        self,
        account_id: str,
        contact: Contact,
        suppressions: SuppressionStore,
        clock: Clock,
    ) -> None:
        self._account_id = account_id
        self._email = contact.person.email
        self._suppressions = suppressions
        self._clock = clock
        self._read_at: datetime | None = None
        self.refusal: Reason | None = None

    def holds(self) -> bool:
        """Whether a message may leave, by a read that is at most FRESH old; else it is read again.

        Raises what the read does: who can't be read about is not written to either.
        """
        now = self._clock.now()
        if self._read_at is None or now - self._read_at > FRESH:
            self.refusal = self._read()
            self._read_at = now
        return self.refusal is None

    def _read(self) -> Reason | None:
        if not self._email:
            return ERASED
        address = parse_address(self._email)
        if isinstance(address, Rejection):
            return Reason(address.code, address.text)
        found = self._suppressions.find(self._account_id, [address.key])
        return why_not_sent(found[address.key]) if address.key in found else None


def suppressed_among(account_id: str, emails: Iterable[str], suppressions: SuppressionStore) -> set[str]:
    """Those of the addresses that are on the list right now; and "" for an erased one."""
    parsed = {email: parse_address(email) for email in emails}
    keys = {email: address.key for email, address in parsed.items() if isinstance(address, Address)}
    found = suppressions.find(account_id, keys.values())
    return {email for email in parsed if not email or keys.get(email) in found}
