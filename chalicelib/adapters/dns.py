"""Questions to DNS by dnspython, every one within its time.

https://dnspython.readthedocs.io/en/stable/resolver-class.html
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import dns.exception
import dns.name
import dns.rdatatype
import dns.resolver

from chalicelib.domain.dns_answers import UNANSWERED, Answer, AnswerStatus, RecordType, found

_MOST_RECORDS = 64  # of one answer that are looked at
_LONGEST_VALUE = 4_096  # characters of one record


@dataclass(frozen=True, slots=True)
class DnsTimes:
    """Seconds: for one try at one server, for one question with all its tries, for all of a check."""

    one_try: float = 2.0
    question: float = 5.0
    check: float = 60.0


class DnsClient:
    """Port ``Dns``. ``server`` is an address and port to ask in place of the system's resolver.

    UDP first; an answer that is cut short is asked for again by TCP (RFC 7766). Names are asked as they are:
    a search list would find names of the network the function runs in.
    """

    def __init__(self, server: str | None = None, times: DnsTimes | None = None) -> None:
        self._times = times or DnsTimes()
        self._resolver = dns.resolver.Resolver(configure=server is None)
        self._resolver.timeout = self._times.one_try
        self._resolver.lifetime = self._times.question
        self._resolver.use_edns(0, 0, 1232)
        if server is not None:
            address, _, port = server.rpartition(":")
            self._resolver.nameservers = [address]
            self._resolver.port = int(port)

    def session(self) -> Callable[[str, RecordType], Answer]:
        """Answers until the time of one check is over; after that nobody answers."""
        deadline = time.monotonic() + self._times.check

        def ask(name: str, kind: RecordType) -> Answer:
            left = min(self._times.question, deadline - time.monotonic())
            return self._ask(name, kind, left) if left > 0 else UNANSWERED

        return ask

    def _ask(self, name: str, kind: RecordType, seconds: float) -> Answer:
        try:
            asked = dns.name.from_text(name)
        except (dns.exception.DNSException, UnicodeError):
            return Answer(AnswerStatus.NO_NAME)  # a name that can't be one
        try:
            answer = self._resolver.resolve(
                asked, kind.value, search=False, lifetime=seconds, raise_on_no_answer=False
            )
        except dns.resolver.NXDOMAIN:
            return Answer(AnswerStatus.NO_NAME)
        except (dns.exception.DNSException, OSError):
            return UNANSWERED
        values = [_value(record) for record in list(answer.rrset or ())[:_MOST_RECORDS]]
        return found(*values) if values else Answer(AnswerStatus.NO_DATA)


def _value(record: Any) -> str:
    if record.rdtype == dns.rdatatype.TXT:
        return b"".join(record.strings)[:_LONGEST_VALUE].decode("ascii", "replace")
    if record.rdtype == dns.rdatatype.MX:
        return f"{record.preference} {_name(record.exchange)}"
    if record.rdtype == dns.rdatatype.PTR:
        return _name(record.target)
    return str(record.to_text())


def _name(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True).lower()
