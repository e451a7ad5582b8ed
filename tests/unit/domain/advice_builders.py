"""Zones and lines for the tests of the advice."""

from dataclasses import replace
from datetime import UTC, datetime

from chalicelib.domain.advice import advise
from chalicelib.domain.advice.finding import Finding, Level, Subject
from chalicelib.domain.dns_answers import Answer, DnsAnswers, RecordType, found
from chalicelib.domain.line import Security
from chalicelib.domain.sending_domain import DomainKey, SendingDomain

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
Zone = dict[tuple[str, str], Answer]

KEY = DomainKey("pl1", "QUJD", b"sealed", NOW)
OWN = SendingDomain("shop.example", (KEY,), NOW)
LINE = Subject("news@shop.example", "shop.example", None, "mail.shop.example", Security.STARTTLS, OWN)
GOOD: Zone = {
    ("shop.example", "TXT"): found("v=spf1 ip4:8.8.4.4 -all", "some-verification=1"),
    ("shop.example", "MX"): found("10 mail.shop.example"),
    ("mail.shop.example", "A"): found("8.8.4.4"),
    ("pl1._domainkey.shop.example", "TXT"): found("v=DKIM1; k=rsa; p=QUJD"),
    ("_dmarc.shop.example", "TXT"): found("v=DMARC1; p=reject"),
    ("4.4.8.8.in-addr.arpa", "PTR"): found("mail.shop.example"),
}


def answers(zone: Zone) -> DnsAnswers:
    """What is in the zone, and nothing else in the world."""
    return DnsAnswers.of({(name, RecordType(kind)): answer for (name, kind), answer in zone.items()})


def txt(**records: str) -> Zone:
    """TXT records by name; a double underscore is a dot, three of them ``._``."""
    return {
        (name.replace("___", "._").replace("__", "."), "TXT"): found(text) for name, text in records.items()
    }


def all_findings(changes: Zone | None = None, subject: Subject = LINE) -> list[Finding]:
    """What is said about a line whose zone is good but for the changes; a code may come several times."""
    return list(advise(subject, answers(GOOD | (changes or {}))))


def findings(changes: Zone | None = None, subject: Subject = LINE) -> dict[str, Finding]:
    """What is said about a line whose zone is good but for the changes, by code."""
    said = all_findings(changes, subject)
    by_code = {finding.code: finding for finding in said}
    assert len(by_code) == len(said), "no code comes twice here"
    return by_code


def without(subject: Subject = LINE, **changes: object) -> Subject:
    """The line with other fields."""
    return replace(subject, **changes)  # type: ignore[arg-type]


def problems(said: dict[str, Finding]) -> dict[str, Level]:
    """Codes of what isn't in order."""
    return {code: finding.level for code, finding in said.items() if finding.level is not Level.OK}
