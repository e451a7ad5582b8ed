"""Advice on DKIM (RFC 6376): a key of the account's own for the domain of From, and its record in DNS."""

from chalicelib.domain.advice.finding import Finding, Level, Record, Subject, unchecked
from chalicelib.domain.dkim_record import Published, compare, is_testing, key_bits
from chalicelib.domain.dns_answers import Answer, DnsAnswers, RecordType
from chalicelib.domain.sending_domain import DomainKey, SendingDomain

SHORTEST_KEY = 1024  # bits; verifiers ignore shorter ones (RFC 8301, 3.2)
GOOD_KEY = 2048


def advise_on_dkim(subject: Subject, answers: DnsAnswers) -> list[Finding]:
    """A finding for each key of the domain; one when there is none."""
    if subject.host is None:
        return []  # the provider signs, and shows its own records
    if subject.own is None:
        return [_no_key(subject)]
    return [_of_key(subject.own, key, answers) for key in subject.own.keys]


def _no_key(subject: Subject) -> Finding:
    if subject.provider is not None:
        text = (
            f"This account has no DKIM key for {subject.from_domain}. {subject.provider.name} may sign with"
            " one of its own; whether that is set up can't be seen from here. To sign here, add the domain."
        )
        return Finding("dkim_no_key", Level.SHOULD, text)
    text = (
        f"This account has no DKIM key for {subject.from_domain}. Add the domain (POST /domains) and publish"
        " the record it shows, unless the line's server signs already."
    )
    return Finding("dkim_no_key", Level.MUST, text)


def _of_key(domain: SendingDomain, key: DomainKey, answers: DnsAnswers) -> Finding:
    name, value = domain.record(key)
    answer = answers.get(name, RecordType.TXT)
    published = compare(answer, key.public_key)
    record = Record("TXT", name, value)
    if published is Published.UNCHECKED:
        return unchecked("dkim_unchecked", f"The DKIM record of the selector {key.selector}")
    if published is Published.NO:
        text = "The DKIM key's record is not in DNS, so mail isn't signed with it. Add it."
        return Finding("dkim_record_missing", Level.MUST, text, record)
    if published is Published.DIFFERENT:
        return Finding("dkim_record_different", Level.MUST, _different(answer), record)
    if is_testing(answer):
        text = "The DKIM record says t=y, for testing: receivers may treat the mail as unsigned. Replace it."
        return Finding("dkim_testing", Level.SHOULD, text, record)
    return Finding(
        "dkim_ok", Level.OK, f"The DKIM record of the selector {key.selector} is published and ours."
    )


def _different(answer: Answer) -> str:
    text = "The record of the DKIM selector isn't the key's own. Replace it; there must be one only."
    bits = key_bits(answer)
    if bits is None or bits >= GOOD_KEY:
        return text
    weak = "too short to count" if bits < SHORTEST_KEY else f"shorter than the {GOOD_KEY} that are advised"
    return f"{text} The key in it has {bits} bits, {weak}."
