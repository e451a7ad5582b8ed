"""Advice on SPF (RFC 7208): exactly one readable record, within its limits, that lets the line's server send.

Checked for the domain of the return path: that is what receivers check. Bulk-sender rules of Gmail and Yahoo:
https://support.google.com/a/answer/81126, https://senders.yahooinc.com/best-practices/
"""

from chalicelib.domain.advice.finding import Finding, Level, Record, Subject, unchecked
from chalicelib.domain.advice.spf_walk import MOST_LOOKUPS, MOST_VOIDS, Fault, SpfWalk, walk_spf
from chalicelib.domain.dns_answers import DnsAnswers
from chalicelib.domain.hosts import is_public

_FAULTS = {
    "spf_missing": "There is no SPF record for {}. Add one.",
    "spf_several": "There are several SPF records for {}, which is as bad as none. Keep one.",
    "spf_syntax": "The SPF record can't be read at: {}. Receivers stop there and treat it as an error.",
    "spf_loop": "The SPF record includes itself by way of {}. Take that include out.",
    "spf_include_missing": "The SPF record includes {}, which has none: an error for receivers. Take it out.",
    "spf_many_mx": "The SPF record names the mail servers of {}, more than ten: an error for receivers.",
}


def advise_on_spf(subject: Subject, answers: DnsAnswers) -> list[Finding]:
    """All that is to say about SPF; one finding of level ok when nothing is wrong."""
    provider = subject.provider
    if provider is not None and provider.own_return_path:
        text = (
            f"{provider.name} puts a bounce address of its own on the mail, so SPF is checked there and not"
            f" for {subject.return_path}. For DMARC it is the DKIM signature that counts."
        )
        return [Finding("spf_of_provider", Level.INFO, text)]
    walk = walk_spf(subject.return_path, answers)
    allowed = _wanted(subject, answers)
    problems = [
        *_faults(subject, walk, allowed),
        *_limits(walk),
        *_all(walk),
        *_server(subject, walk, allowed),
    ]
    if walk.unchecked:
        problems.append(unchecked("spf_unchecked", "SPF, or a part of it,"))
    if not any(finding.level in {Level.MUST, Level.UNKNOWN} for finding in problems):
        text = f"SPF is in order: {walk.lookups} of {MOST_LOOKUPS} look-ups are used."
        problems.append(Finding("spf_ok", Level.OK, text))
    return problems


def _wanted(subject: Subject, answers: DnsAnswers) -> list[str]:
    """The terms that let the line's server send; none where that can't be known."""
    if subject.provider is not None:
        return [f"include:{subject.provider.spf}"]
    if subject.host is None:
        return []
    addresses = answers.addresses(subject.host).values
    return [f"ip{6 if ':' in address else 4}:{address}" for address in addresses if is_public(address)]


def _faults(subject: Subject, walk: SpfWalk, allowed: list[str]) -> list[Finding]:
    return [_fault(subject, fault, allowed) for fault in dict.fromkeys(walk.faults)]  # each said once


def _fault(subject: Subject, fault: Fault, allowed: list[str]) -> Finding:
    record = None
    if fault.code == "spf_missing" and allowed:
        record = Record("TXT", subject.return_path, " ".join(["v=spf1", *allowed, "~all"]))
    return Finding(fault.code, Level.MUST, _FAULTS[fault.code].format(fault.where), record)


def _limits(walk: SpfWalk) -> list[Finding]:
    found = []
    if walk.lookups > MOST_LOOKUPS:
        text = (
            f"SPF needs {walk.lookups} DNS look-ups and may need {MOST_LOOKUPS}: receivers give up with an"
            " error. Take out includes that nothing is sent through any more."
        )
        found.append(Finding("spf_too_many_lookups", Level.MUST, text))
    if walk.voids > MOST_VOIDS:
        text = (
            f"{walk.voids} names in the SPF record lead nowhere and {MOST_VOIDS} may: an error for receivers."
            " Take out those that are no longer there."
        )
        found.append(Finding("spf_void_lookups", Level.MUST, text))
    if walk.uses_ptr:
        text = "The SPF record uses ptr, which is slow and ignored by many. Name the servers instead."
        found.append(Finding("spf_ptr", Level.INFO, text))
    return found


def _all(walk: SpfWalk) -> list[Finding]:
    if walk.record is None or walk.record.redirect is not None or walk.record.all in {"-", "~"}:
        return []
    if walk.record.all == "+":
        text = (
            "The SPF record ends with +all: anybody may send in this domain's name. End it with ~all or -all."
        )
        return [Finding("spf_pass_all", Level.MUST, text)]
    text = "The SPF record leaves open what to do with other servers' mail. End it with ~all or -all."
    return [Finding("spf_neutral", Level.SHOULD, text)]


def _server(subject: Subject, walk: SpfWalk, allowed: list[str]) -> list[Finding]:
    """Whether the line's server may send. Not said where a part is unknown that could allow it."""
    missing = [term for term in allowed if not _covers(walk, term)]
    if walk.record is None or walk.unchecked or walk.uses_macros or not missing:
        return []
    record = Record("TXT", subject.return_path, _with_terms(walk.record.text, missing))
    if subject.provider is not None:
        text = f"The SPF record doesn't let {subject.provider.name} send. Replace it by the one shown."
        return [Finding("spf_provider_missing", Level.MUST, text, record)]
    text = (
        "The SPF record doesn't name the line's server. If mail leaves from its address, replace the record"
        " by the one shown; if it goes on through other servers, name those."
    )
    return [Finding("spf_server_missing", Level.SHOULD, text, record)]


def _covers(walk: SpfWalk, term: str) -> bool:
    kind, _, value = term.partition(":")
    return value in walk.included if kind == "include" else walk.allows(value)


def _with_terms(text: str, terms: list[str]) -> str:
    version, _, rest = text.partition(" ")
    return " ".join(filter(None, [version, *terms, rest.strip()]))
