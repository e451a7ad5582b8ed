"""Advice on the line's own server: its name and addresses lead to each other, and the way is encrypted."""

from ipaddress import ip_address

from chalicelib.domain.advice.finding import Finding, Level, Subject, unchecked
from chalicelib.domain.dns_answers import DnsAnswers, RecordType
from chalicelib.domain.hosts import is_public
from chalicelib.domain.line import Security


def advise_on_tls(subject: Subject) -> list[Finding]:
    """Whether the connection to the server is encrypted."""
    if subject.security is None:
        return []
    if subject.security is Security.NONE:
        text = (
            "The connection to the server is in clear text: the password and every mail can be read on the"
            " way. Use starttls or tls."
        )
        return [Finding("tls_none", Level.MUST, text)]
    return [Finding("tls_ok", Level.OK, "The connection to the server is encrypted.")]


def advise_on_reverse_names(subject: Subject, answers: DnsAnswers) -> list[Finding]:
    """Forward-confirmed reverse DNS of the server's public addresses; a provider's are its own business."""
    if subject.host is None or subject.provider is not None:
        return []
    forward = answers.addresses(subject.host)
    if forward.failed:
        return [unchecked("ptr_unchecked", "The server's addresses")]
    public = [address for address in forward.values if is_public(address)]
    found = {_reverse(address, answers) for address in public}
    return sorted(found, key=lambda finding: finding.code)


def _reverse(address: str, answers: DnsAnswers) -> Finding:
    reverse = answers.get(ip_address(address).reverse_pointer, RecordType.PTR)
    if reverse.failed:
        return unchecked("ptr_unchecked", "The reverse name of the server's address")
    if not reverse.values:
        text = (
            "The server's address has no reverse name (PTR). If mail leaves from it, receivers want one: ask"
            " who runs the server."
        )
        return Finding("ptr_missing", Level.INFO, text)
    names = [answers.addresses(name) for name in reverse.values]
    if any(address in name.values for name in names):
        return Finding("ptr_ok", Level.OK, "The server's address has a reverse name that leads back to it.")
    if any(name.failed for name in names):
        return unchecked("ptr_unchecked", "The reverse name of the server's address")
    text = "The reverse name (PTR) of the server's address doesn't lead back to it. Ask who runs the server."
    return Finding("ptr_mismatch", Level.INFO, text)
