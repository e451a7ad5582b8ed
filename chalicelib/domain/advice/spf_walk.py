"""What an SPF record asks of a receiver: its look-ups through all that it includes, and whom it lets send.

RFC 7208, 4.6.4: ten terms that ask DNS, and two answers without records, are the most; beyond them the
result is an error, as if there were no SPF.
"""

from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address

from chalicelib.domain.advice.spf_record import BadTerm, Network, SpfRecord, Term, is_spf, parse_spf
from chalicelib.domain.dns_answers import Answer, DnsAnswers, RecordType

MOST_LOOKUPS = 10
MOST_VOIDS = 2
MOST_MX = 10
_STOP = 40  # look-ups after which counting on tells nobody anything


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a receiver would end with an error: a code, and the term or domain it concerns."""

    code: str
    where: str


@dataclass(slots=True)
class SpfWalk:
    """What was found on the way. ``unchecked`` are names without a usable answer."""

    record: SpfRecord | None = None
    lookups: int = 0
    voids: int = 0
    included: set[str] = field(default_factory=set)
    networks: list[Network] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)
    uses_macros: bool = False
    uses_ptr: bool = False

    def allows(self, address: str) -> bool:
        """Whether a server of this IP address may send, as far as addresses tell."""
        return any(ip_address(address) in network for network in self.networks)


def walk_spf(domain: str, answers: DnsAnswers) -> SpfWalk:
    """Follow a domain's record. ``record`` stays None when there is none, or none that can be read."""
    walker = _Walker(answers)
    walker.walk.record = walker.visit(domain, (), "spf_missing")
    return walker.walk


class _Walker:
    def __init__(self, answers: DnsAnswers) -> None:
        self._answers = answers
        self.walk = SpfWalk()

    def visit(self, domain: str, path: tuple[str, ...], if_missing: str) -> SpfRecord | None:
        """Read a domain's record and follow its terms. ``path`` are the domains that led here."""
        record = self._record(domain, path, if_missing)
        if record is not None:
            for term in record.terms:
                if self.walk.lookups < _STOP and (term.name != "redirect" or term is record.redirect):
                    self._follow(term, domain, (*path, domain))
        return record

    def _record(self, domain: str, path: tuple[str, ...], if_missing: str) -> SpfRecord | None:
        answer = self._answers.get(domain, RecordType.TXT)
        if answer.failed:
            self.walk.unchecked.append(domain)
            return None
        if path:
            self._count_void(answer)
        texts = [text for text in answer.values if is_spf(text)]
        if len(texts) != 1:
            self._fault("spf_several" if texts else if_missing, domain)
            return None
        record = parse_spf(texts[0])
        if isinstance(record, BadTerm):
            self._fault("spf_syntax", f"{record.text} ({domain})")
            return None
        return record

    def _follow(self, term: Term, domain: str, path: tuple[str, ...]) -> None:
        if term.name in {"all", "exp"}:
            return
        if term.network is not None:
            self._allow(term, [term.network])
            return
        self.walk.lookups += 1
        if term.has_macro or term.name == "exists":
            self.walk.uses_macros = True
        elif term.name in {"include", "redirect"}:
            self._include(term, path)
        elif term.name == "ptr":
            self.walk.uses_ptr = True
        else:
            self._ask(term, term.target or domain)

    def _include(self, term: Term, path: tuple[str, ...]) -> None:
        if term.target in path:
            self._fault("spf_loop", term.target)
            return
        if term.qualifier == "+":
            self.walk.included.add(term.target)
        self.visit(term.target, path, "spf_include_missing")

    def _ask(self, term: Term, target: str) -> None:
        """``a`` and ``mx``: the addresses they stand for."""
        hosts = [target]
        if term.name == "mx":
            answer = self._answers.get(target, RecordType.MX)
            self._note(answer, target)
            hosts = [value.partition(" ")[2] for value in answer.values]
            if len(hosts) > MOST_MX:
                self._fault("spf_many_mx", target)
        for host in hosts[:MOST_MX]:
            answer = self._answers.addresses(host)
            self._note(answer, host)
            self._allow(term, [_network(address, term.prefixes) for address in answer.values])

    def _note(self, answer: Answer, name: str) -> None:
        if answer.failed:
            self.walk.unchecked.append(name)
        else:
            self._count_void(answer)

    def _count_void(self, answer: Answer) -> None:
        self.walk.voids += not answer.values

    def _allow(self, term: Term, networks: list[Network]) -> None:
        if term.qualifier == "+":
            self.walk.networks += networks

    def _fault(self, code: str, where: str) -> None:
        self.walk.faults.append(Fault(code, where))


def _network(address: str, prefixes: tuple[int, int]) -> Network:
    if ":" in address:
        return IPv6Network((address, prefixes[1]), strict=False)
    return IPv4Network((address, prefixes[0]), strict=False)
