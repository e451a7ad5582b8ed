"""Domain advice: what receivers of bulk mail will check, and the record to add where something is missing."""

from chalicelib.domain.advice.dkim import advise_on_dkim
from chalicelib.domain.advice.dmarc import advise_on_dmarc
from chalicelib.domain.advice.finding import Finding, Level, Subject
from chalicelib.domain.advice.mailboxes import advise_on_mailboxes
from chalicelib.domain.advice.server import advise_on_reverse_names, advise_on_tls
from chalicelib.domain.advice.spf import advise_on_spf
from chalicelib.domain.dns_answers import DnsAnswers
from chalicelib.domain.mail_providers import FREE_MAIL

_ORDER = (Level.MUST, Level.SHOULD, Level.UNKNOWN, Level.INFO, Level.OK)


def advise(subject: Subject, answers: DnsAnswers) -> tuple[Finding, ...]:
    """All findings about a line, the most pressing first."""
    found = [*_on_domain(subject, answers), *advise_on_tls(subject)]
    return tuple(sorted(found, key=lambda finding: _ORDER.index(finding.level)))


def _on_domain(subject: Subject, answers: DnsAnswers) -> list[Finding]:
    """A free-mail domain's records are its owner's: the customer can't add any, so none is advised."""
    if subject.from_domain in FREE_MAIL:
        return [_on_free_mail(subject)]
    return [
        *advise_on_spf(subject, answers),
        *advise_on_dkim(subject, answers),
        *advise_on_dmarc(subject, answers),
        *advise_on_mailboxes(subject, answers),
        *advise_on_reverse_names(subject, answers),
    ]


def _on_free_mail(subject: Subject) -> Finding:
    domain = subject.from_domain
    if subject.provider is not None and domain in subject.provider.mailboxes:
        text = (
            f"Mail from {domain} leaves through its own servers, which sign it. For campaigns use a domain of"
            " your own: mailboxes like this one are limited to few messages a day."
        )
        return Finding("free_mail", Level.SHOULD, text)
    text = (
        f"From is a {domain} address, and the line's server isn't one of {domain}: such mail fails DMARC and"
        " is refused or put into spam. Use an address of a domain of your own."
    )
    return Finding("free_mail_foreign_server", Level.MUST, text)
