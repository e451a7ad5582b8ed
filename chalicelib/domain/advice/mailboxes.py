"""Advice on where mail goes back to: bounces to the return path, answers to From or Reply-To."""

import re

from chalicelib.domain.advice.finding import Finding, Level, Subject, unchecked
from chalicelib.domain.dns_answers import DnsAnswers, RecordType

_NO_REPLY = re.compile(r"(?:no|do[-_.]?not)[-_.]?reply", re.IGNORECASE).match


def advise_on_mailboxes(subject: Subject, answers: DnsAnswers) -> list[Finding]:
    """Return path first, then where answers go if that is another domain, then addresses nobody reads."""
    own_path = subject.provider is None or not subject.provider.own_return_path
    found = [_mail_servers("return_path", subject.return_path, answers)] if own_path else []
    answers_to = subject.reply_to_domain or subject.from_domain
    if not own_path or answers_to != subject.return_path:
        found.append(_mail_servers("reply", answers_to, answers))
    if subject.reply_to_domain is None and _NO_REPLY(subject.from_address):
        text = (
            "Answers to this From address are read by nobody. Give the line a Reply-To that somebody reads."
        )
        found.append(Finding("from_noreply", Level.SHOULD, text))
    return found


def _mail_servers(role: str, domain: str, answers: DnsAnswers) -> Finding:
    """Whether mail to the domain has somewhere to go (RFC 5321, 5.1; null MX: RFC 7505)."""
    level = Level.MUST if role == "return_path" else Level.SHOULD
    what = "Bounces" if role == "return_path" else "Answers"
    answer = answers.get(domain, RecordType.MX)
    targets = [value.partition(" ")[2] for value in answer.values]
    if answer.failed:
        return unchecked(f"{role}_mx_unchecked", f"The mail servers of {domain}")
    if targets and not any(target.strip(".") for target in targets):
        text = f"{what} can't arrive: {domain} says that it takes no mail (a null MX). Publish an MX record."
        return Finding(f"{role}_null_mx", level, text)
    reachable = [answers.addresses(target) for target in targets or [domain]]
    if any(address.values for address in reachable):
        if targets:
            return Finding(f"{role}_mx_ok", Level.OK, f"{domain} has mail servers.")
        text = (
            f"{domain} has no MX record; mail goes to the server of that name. An MX record says so plainly."
        )
        return Finding(f"{role}_mx_implicit", Level.INFO, text)
    if any(address.failed for address in reachable):
        return unchecked(f"{role}_mx_unchecked", f"The mail servers of {domain}")
    text = f"{what} can't arrive: {domain} has no mail server that can be found. Publish an MX record."
    return Finding(f"{role}_mx_missing", level, text)
