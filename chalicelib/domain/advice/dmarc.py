"""Advice on DMARC: the record, its policy, and whether From is aligned with what SPF and DKIM prove.

Whose domain is whose is found by the walk up the tree of names, as RFC 9989, after RFC 7489, does
it: that needs no list of public suffixes, which would be data to keep up to date.
"""

from dataclasses import dataclass

from chalicelib.domain.advice.finding import Finding, Level, Record, Subject, unchecked
from chalicelib.domain.dns_answers import DnsAnswers, RecordType
from chalicelib.domain.tag_list import read_tags

_MOST_LABELS = 8  # of a name that the walk looks at; longer ones go on with their last seven
_POLICIES = frozenset({"none", "quarantine", "reject"})
_MODES = frozenset({"r", "s"})

Tags = dict[str, str]


@dataclass(frozen=True, slots=True)
class DmarcWalk:
    """Records on the way up, the domain's own first; a name whose records can't be used is in ``faulty``."""

    domain: str
    found: tuple[tuple[str, Tags], ...]
    faulty: tuple[tuple[str, str], ...]  # name and code
    unchecked: bool

    @property
    def organization(self) -> str:
        """The organizational domain; the domain itself where no record tells."""
        last = self.domain
        for name, tags in self.found:
            if tags.get("psd") == "n":
                return name
            if tags.get("psd") == "y" and name != self.domain:
                labels = self.domain.split(".")
                return ".".join(labels[-(len(name.split(".")) + 1) :])
            last = name
        return last

    @property
    def policy(self) -> tuple[str, Tags] | None:
        """The record that applies: the domain's own, or the organizational domain's."""
        organization = self.organization
        return next((entry for entry in self.found if entry[0] in {self.domain, organization}), None)


def walk_dmarc(domain: str, answers: DnsAnswers) -> DmarcWalk:
    """Look for records from the domain up to the top, eight names at most."""
    found: list[tuple[str, Tags]] = []
    faulty: list[tuple[str, str]] = []
    failed = False
    for name in _names(domain):
        answer = answers.get(f"_dmarc.{name}", RecordType.TXT)
        failed = failed or answer.failed
        texts = [text for text in answer.values if text.lstrip().lower().startswith("v=dmarc1")]
        tags = _readable(texts[0]) if len(texts) == 1 else None
        if tags is not None:
            found.append((name, tags))
            if tags.get("psd") in {"y", "n"}:
                break
        elif texts:
            faulty.append((name, "dmarc_syntax" if len(texts) == 1 else "dmarc_several"))
    return DmarcWalk(domain, tuple(found), tuple(faulty), failed)


def aligned(one: str, other: str, mode: str, answers: DnsAnswers) -> bool:
    """Whether two domains are the same (``s``, strict), or of the same organization (``r``, relaxed)."""
    if one == other or mode == "s":
        return one == other
    return walk_dmarc(one, answers).organization == walk_dmarc(other, answers).organization


def advise_on_dmarc(subject: Subject, answers: DnsAnswers) -> list[Finding]:
    """The record and its policy, and then alignment."""
    walk = walk_dmarc(subject.from_domain, answers)
    return [*_on_record(walk), _on_alignment(subject, walk, answers)]


def _on_record(walk: DmarcWalk) -> list[Finding]:
    faults = [_fault(name, code) for name, code in walk.faulty if name in {walk.domain, walk.organization}]
    if faults:
        return faults
    policy = walk.policy
    if policy is None:
        return [unchecked("dmarc_unchecked", "DMARC")] if walk.unchecked else [_missing(walk.domain)]
    name, tags = policy
    applied = tags.get("p", "none") if name == walk.domain else tags.get("sp", tags.get("p", "none"))
    if applied == "none":
        text = (
            "DMARC is there with the policy none, which is enough for bulk mail. When reports show that all"
            " your mail passes, quarantine or reject keep others from writing in your name."
        )
        return [Finding("dmarc_policy_none", Level.INFO, text), _ok(name)]
    return [_ok(name)]


def _ok(name: str) -> Finding:
    return Finding("dmarc_ok", Level.OK, f"The DMARC record of {name} is in order.")


def _missing(domain: str) -> Finding:
    record = Record("TXT", f"_dmarc.{domain}", "v=DMARC1; p=none")
    text = (
        "There is no DMARC record. Gmail and Yahoo want one of everybody who sends 5,000 mails a day; add it."
    )
    return Finding("dmarc_missing", Level.MUST, text, record)


def _fault(name: str, code: str) -> Finding:
    if code == "dmarc_several":
        text = f"There are several DMARC records for {name}, which is as bad as none. Keep one."
    else:
        text = f"The DMARC record of {name} can't be read. Correct it; v=DMARC1; p=none is enough."
    return Finding(code, Level.MUST, text)


def _on_alignment(subject: Subject, walk: DmarcWalk, answers: DnsAnswers) -> Finding:
    """DMARC passes if one of the two proves a domain that is aligned with From's."""
    tags = walk.policy[1] if walk.policy else {}
    own_path = subject.provider is None or not subject.provider.own_return_path
    by_dkim = subject.own is not None and aligned(
        subject.own.domain, subject.from_domain, tags.get("adkim", "r"), answers
    )
    by_spf = own_path and aligned(subject.return_path, subject.from_domain, tags.get("aspf", "r"), answers)
    if subject.host is None:
        text = (
            "The provider signs; see the records of its identity for whether that is for the domain of From."
        )
        return Finding("alignment_by_provider", Level.INFO, text)
    if by_dkim:
        return Finding("alignment_ok", Level.OK, "DKIM signs for the domain of From, as DMARC wants it.")
    if by_spf:
        text = "Only SPF is for the domain of From, and forwarded mail loses it. Sign with DKIM as well."
        return Finding("alignment_spf_only", Level.SHOULD, text)
    text = "Neither SPF nor DKIM is for the domain of From, so DMARC fails. Sign for it: add the domain here."
    return Finding("alignment_missing", Level.MUST, text)


def _names(domain: str) -> list[str]:
    labels = domain.split(".")
    if len(labels) > _MOST_LABELS:
        labels = labels[-_MOST_LABELS + 1 :]
        return [domain, *(".".join(labels[start:]) for start in range(len(labels)))]
    return [".".join(labels[start:]) for start in range(len(labels))]


def _readable(text: str) -> Tags | None:
    tags = read_tags(text)
    if tags is None or next(iter(tags.items())) != ("v", "DMARC1"):
        return None
    policies = {tags.get("p", "none").lower(), tags.get("sp", "none").lower()}
    modes = {tags.get("adkim", "r").lower(), tags.get("aspf", "r").lower()}
    if not policies <= _POLICIES or not modes <= _MODES:
        return None
    return tags | {name: tags[name].lower() for name in ("p", "sp", "adkim", "aspf", "psd") if name in tags}
