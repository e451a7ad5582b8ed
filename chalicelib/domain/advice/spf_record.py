"""SPF records as RFC 7208 writes them (sections 4.5, 4.6 and 12)."""

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Network, IPv6Network, NetmaskValueError

_TERM = re.compile(r"([-+~?]?)([A-Za-z][\w.-]*)([:=/]?)([!-~]*)", re.ASCII).fullmatch
_CIDR = re.compile(r"([^/]*)(?:/(\d{1,2}))?(?://(\d{1,3}))?").fullmatch
_WITH_TARGET = frozenset({"include", "exists"})
_WITH_ADDRESSES = frozenset({"a", "mx"})
_ONCE = frozenset({"redirect", "exp"})
_IPV4_BITS, _IPV6_BITS = 32, 128

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Term:
    """A mechanism, or the modifier ``redirect``. ``target`` is "" for the domain the record belongs to."""

    text: str
    name: str
    qualifier: str = "+"
    target: str = ""
    network: Network | None = None
    prefixes: tuple[int, int] = (_IPV4_BITS, _IPV6_BITS)

    @property
    def has_macro(self) -> bool:
        """Whether the target depends on the message that is checked (RFC 7208, 7)."""
        return "%" in self.target


@dataclass(frozen=True, slots=True)
class SpfRecord:
    """Its terms in their order."""

    text: str
    terms: tuple[Term, ...]

    @property
    def all(self) -> str | None:
        """The qualifier of ``all``; None when it has none."""
        return next((term.qualifier for term in self.terms if term.name == "all"), None)

    @property
    def redirect(self) -> Term | None:
        """Where it goes on. ``all`` makes that void (RFC 7208, 6.1)."""
        found = (term for term in self.terms if term.name == "redirect" and self.all is None)
        return next(found, None)


@dataclass(frozen=True, slots=True)
class BadTerm:
    """The term that a receiver's parser would stop at."""

    text: str


def is_spf(text: str) -> bool:
    """Whether a TXT record is an SPF record of version 1."""
    return text.lower() == "v=spf1" or text.lower().startswith("v=spf1 ")


def parse_spf(text: str) -> SpfRecord | BadTerm:
    """Read a record that ``is_spf``. Never raises, whatever the text is."""
    terms: list[Term] = []
    for part in filter(None, text.split(" ")[1:]):
        term = _term(part)
        if isinstance(term, BadTerm):
            return term
        if term is not None:
            if term.name in _ONCE and term.name in {other.name for other in terms}:
                return BadTerm(part)
            terms.append(term)
    return SpfRecord(text, tuple(terms))


def _term(part: str) -> Term | BadTerm | None:
    """One term; None for a modifier that isn't known, which is to be ignored (RFC 7208, 6)."""
    match = _TERM(part)
    if match is None:
        return BadTerm(part)
    qualifier, name, mark, value = match.groups()
    name = name.lower()
    if value and not mark:
        return BadTerm(part)
    if mark == "=":
        return _modifier(part, qualifier, name, value)
    return _mechanism(part, qualifier or "+", name, mark, value)


def _modifier(part: str, qualifier: str, name: str, value: str) -> Term | BadTerm | None:
    if qualifier or (name in _ONCE and not value):
        return BadTerm(part)
    return Term(part, name, target=_domain(value)) if name in _ONCE else None


def _mechanism(part: str, qualifier: str, name: str, mark: str, value: str) -> Term | BadTerm:
    if name in _WITH_TARGET and mark == ":" and value and "/" not in value:
        return Term(part, name, qualifier, _domain(value))
    if name in _WITH_ADDRESSES:
        return _with_addresses(part, qualifier, name, mark, value)
    if name in {"ip4", "ip6"} and mark == ":":
        network = _network(name, value)
        return BadTerm(part) if network is None else Term(part, name, qualifier, network=network)
    if (name == "all" and not mark) or (name == "ptr" and (not mark or (mark == ":" and value))):
        return Term(part, name, qualifier, _domain(value))
    return BadTerm(part)


def _with_addresses(part: str, qualifier: str, name: str, mark: str, value: str) -> Term | BadTerm:
    match = _CIDR(f"/{value}" if mark == "/" else value)
    if match is None or (mark == ":" and not match[1]) or (mark == "/" and not value):
        return BadTerm(part)
    prefixes = int(match[2] or _IPV4_BITS), int(match[3] or _IPV6_BITS)
    if prefixes[0] > _IPV4_BITS or prefixes[1] > _IPV6_BITS:
        return BadTerm(part)
    return Term(part, name, qualifier, _domain(match[1]), prefixes=prefixes)


def _network(name: str, value: str) -> Network | None:
    try:
        return IPv4Network(value, strict=False) if name == "ip4" else IPv6Network(value, strict=False)
    except (AddressValueError, NetmaskValueError, ValueError):
        return None


def _domain(value: str) -> str:
    return value.lower().rstrip(".")
