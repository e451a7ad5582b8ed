"""Advice: what receivers will check about a line's domain, found by a job that may ask DNS for a minute."""

from dataclasses import dataclass

from chalicelib.domain.advice import advise
from chalicelib.domain.advice.finding import Subject
from chalicelib.domain.delivery import Reason
from chalicelib.domain.dns_answers import DnsAnswers
from chalicelib.domain.ids import new_id
from chalicelib.domain.job_place import JobPlace, PlaceKind
from chalicelib.domain.line import Line, SmtpChannel
from chalicelib.domain.sending_domain import SendingDomain, domain_of
from chalicelib.errors import NotFound
from chalicelib.flow.domains import find_domain
from chalicelib.ports import Advice, AdviceStore, Clock, Dns, DomainStore, JobPlaces, JobQueue, LineStore


@dataclass(frozen=True, slots=True)
class AdvicePorts:
    """What the API's advice steps need."""

    lines: LineStore
    advice: AdviceStore
    check_queue: JobQueue
    clock: Clock
    places: JobPlaces


@dataclass(frozen=True, slots=True)
class AdvisingPorts:
    """What the job needs."""

    lines: LineStore
    domains: DomainStore
    advice: AdviceStore
    dns: Dns
    clock: Clock


def ask_for_advice(account_id: str, line_id: str, ports: AdvicePorts) -> Advice:
    """Note the wish and queue the job, or wait with whoever asked for it; raises NotFound, QuotaReached."""
    ports.lines.get(account_id, line_id)
    now = ports.clock.now()
    with ports.places.hold(account_id, JobPlace(PlaceKind.ADVICE, line_id, new_id(now))) as first:
        if not first:
            return ports.advice.get(account_id, line_id)
        advice = ports.advice.ask(account_id, line_id, now)
        ports.check_queue.put({"account_id": account_id, "advice_for": line_id})
    return advice


def advise_on_line(account_id: str, line_id: str, ports: AdvisingPorts) -> int:
    """Ask DNS and store the findings; returns how many, 0 when the line is gone.

    It is stamped with when the asking began: advice that was wished for later than that is still to come.
    """
    began = ports.clock.now()
    try:
        line = ports.lines.get(account_id, line_id)
    except NotFound:
        return 0
    own = find_domain(account_id, domain_of(line.from_address), ports.domains)
    findings = advise(subject_of(line, own), DnsAnswers(ports.dns.session()))
    ports.advice.give(account_id, line_id, began, findings)
    return len(findings)


def give_up_advising(
    account_id: str, line_id: str, reason: Reason, advice: AdviceStore, clock: Clock
) -> None:
    """The last word on a job that never came to an end."""
    advice.fail(account_id, line_id, reason, clock.now())


def subject_of(line: Line, own: SendingDomain | None) -> Subject:
    """A line as receivers see it."""
    smtp = line.channel if isinstance(line.channel, SmtpChannel) else None
    return Subject(
        from_address=line.from_address,
        from_domain=domain_of(line.from_address),
        reply_to_domain=domain_of(line.reply_to) if line.reply_to else None,
        host=smtp.host if smtp else None,
        security=smtp.security if smtp else None,
        own=own,
    )
