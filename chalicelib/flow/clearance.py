"""Clearance: whether an address may be written to, as the account's suppression list says it right now."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from chalicelib.domain.address import Address, Rejection, parse_address
from chalicelib.domain.contact import Contact
from chalicelib.domain.delivery import Reason
from chalicelib.domain.suppression import ERASED, why_not_sent
from chalicelib.ports import Clock, SuppressionStore


class Clearance:
    """The word of the list about one claimed contact. Who can't be read about is not written to either.

    ``refusal`` says why it doesn't hold because of the list; when the read failed there is no refusal, and
    the failure is kept until the contact was given back.
    """

    def __init__(
        self,
        account_id: str,
        contact: Contact,
        suppressions: SuppressionStore,
        clock: Clock,
        fresh: timedelta,
    ) -> None:
        self._account_id = account_id
        self._email = contact.person.email
        self._suppressions = suppressions
        self._clock = clock
        self._fresh = fresh
        self._read_at: datetime | None = None
        self._failure: Exception | None = None
        self.refusal: Reason | None = None

    def holds(self) -> bool:
        """Whether a message may leave, by a read that is at most ``fresh`` old; else it is read again."""
        now = self._clock.now()
        if self._read_at is None or now - self._read_at > self._fresh:
            self._read_at = now
            self._read()
        return self.refusal is None and self._failure is None

    def raise_failure(self) -> None:
        """Raise what kept the list from being read, if anything did."""
        if self._failure is not None:
            raise self._failure

    def _read(self) -> None:
        if not self._email:
            self.refusal = ERASED
            return
        address = parse_address(self._email)
        if isinstance(address, Rejection):
            self.refusal = Reason(address.code, address.text)
            return
        try:
            found = self._suppressions.find(self._account_id, [address.key])
        except Exception as error:  # noqa: BLE001  (whatever it was, we can't tell, and nothing may leave)
            self._failure = error
            return
        if address.key in found:
            self.refusal = why_not_sent(found[address.key])


def suppressed_among(account_id: str, emails: Iterable[str], suppressions: SuppressionStore) -> set[str]:
    """Those of the addresses that are on the list right now; and "" for an erased one."""
    parsed = {email: parse_address(email) for email in emails}
    keys = {email: address.key for email, address in parsed.items() if isinstance(address, Address)}
    found = suppressions.find(account_id, keys.values())
    return {email for email in parsed if not email or keys.get(email) in found}
