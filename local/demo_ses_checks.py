"""Whether the report and the suppression list agree with what SES did, contact by contact.

Each check yields the sentences of what it found wrong; nothing means that all agree.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from local import demo_checks as checks
from local.demo_list import ExpectedList, mailbox_key
from local.demo_steps import Imported, Report
from local.maildir import Received
from local.ses_events import Happening
from local.ses_oracle import Verdict, verdict
from local.ses_publishing import Published


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything there is to compare. ``accepted`` are the recipients SES took a message for, ``before`` the
    mailbox keys that were suppressed before the launch, ``suppressions`` the list in the end.

    ``cut`` is how many replies were cut off, ``unknown`` how many contacts were shown as unknown while nobody
    could know, ``stuck`` how many events came to a dead end.
    """

    expected: ExpectedList
    imported: Imported
    report: Report
    received: Sequence[Received]
    accepted: Sequence[str]
    ledger: Sequence[Published]
    before: frozenset[str]
    suppressions: Sequence[Mapping[str, Any]]
    cut: int
    unknown: int
    stuck: int


def judge(found: Evidence) -> tuple[dict[str, Any], list[str]]:
    """The demo's numbers, and the sentences of what doesn't agree."""
    implied = verdict(found.accepted, found.ledger, found.before)
    totals = found.report.totals
    faults = list(
        chain(
            checks.check_import(found.imported.job, found.imported.rejected_lines, found.expected),
            checks.check_totals(totals),
            checks.check_rows("API", found.report.rows, totals, found.expected),
            checks.check_workbook(found.report.workbook, totals, found.expected),
            checks.check_mail(found.received, found.expected.mails.keys() - found.before, found.expected),
            check_accepted(found.accepted, found.received),
            check_statuses("API", found.report.rows, implied),
            check_statuses("Excel report", checks.rows_of(found.report.workbook), implied),
            check_machines(found.report.contacts, totals, implied),
            check_reasons(found.report.contacts, found.before),
            check_suppressions(found.suppressions, implied),
            check_healing(found, totals["outcome_unknown"]),
            check_events(found.ledger, found.stuck),
        )
    )
    numbers = _numbers(found)
    parts = ("sent", "delivered", "opened", "errors", "suppressed")
    if numbers["contacts"] != sum(numbers[name] for name in parts):
        faults.append(f"Not every contact is in one status: {numbers}.")
    if numbers["drift"]:
        faults.append(f"Totals and rows differ by {numbers['drift']}.")
    return numbers, faults


def check_accepted(accepted: Iterable[str], received: Sequence[Received]) -> Iterator[str]:
    """What SES accepted is what arrived, one by one."""
    taken = Counter(accepted)
    arrived = Counter(one for message in received for one in message.recipients)
    if taken != arrived:
        yield f"SES accepted {taken.total()} messages, {arrived.total()} are in the mailbox."


def check_statuses(where: str, rows: Iterable[checks.Row], implied: Verdict) -> Iterator[str]:
    """Each contact is in the one status its events imply."""
    for address, status in rows:
        wanted = implied.statuses.get(mailbox_key(address), "not_sent")
        if status != wanted:
            yield f"{where}: {address} is {status}, its events say {wanted}."


def check_machines(
    contacts: Iterable[Mapping[str, Any]], totals: Mapping[str, int], implied: Verdict
) -> Iterator[str]:
    """Openings of machines are told apart from people's, contact by contact and in number."""
    said = {mailbox_key(one["email"]) for one in contacts if one["machine_opened_at"] is not None}
    for key in sorted(said ^ implied.by_machine):
        yield f"API: {key} {'was' if key in implied.by_machine else 'was not'} opened by a machine."
    if totals["machine_opened"] != len(implied.by_machine):
        yield f"{len(implied.by_machine)} were opened by a machine, totals say {totals['machine_opened']}."


def check_reasons(contacts: Iterable[Mapping[str, Any]], before: frozenset[str]) -> Iterator[str]:
    """Who was suppressed before the launch, and nobody else, is said not to have been written to for that."""
    said = {mailbox_key(one["email"]) for one in contacts if is_suppressed(one)}
    for key in sorted(said ^ before):
        yield f"API: {key} {'was' if key in before else 'was not'} suppressed before the launch."


def check_suppressions(suppressions: Iterable[Mapping[str, Any]], implied: Verdict) -> Iterator[str]:
    """The suppression list holds what the events put there and what was there before."""
    listed = {mailbox_key(one["email"]): {one["reason"], *one["also"]} for one in suppressions}
    for key in sorted(listed.keys() | implied.suppressed.keys()):
        found, wanted = listed.get(key, set()), implied.suppressed.get(key, frozenset())
        if found != wanted:
            yield f"Suppression list: {key} is there for {sorted(found)}, not for {sorted(wanted)}."


def check_healing(found: Evidence, unknown: int) -> Iterator[str]:
    """A cut reply is an unknown outcome until the events come, and not after."""
    if found.unknown != found.cut:
        yield f"{found.cut} replies were cut off, and {found.unknown} outcomes were shown as unknown."
    if unknown:
        yield f"{unknown} outcomes are still unknown though their events came."


def check_events(ledger: Sequence[Published], stuck: int) -> Iterator[str]:
    """Events came to their end, and in the disorder that was asked for: else little was shown."""
    if stuck:
        yield f"{stuck} events came to a dead end."
    if not repeated(ledger):
        yield "No event came twice."
    if not overtaken(ledger):
        yield "No event overtook another."


def is_suppressed(contact: Mapping[str, Any]) -> bool:
    """Whether a contact was not written to because of the suppression list."""
    return bool(contact["status"] == "error" and (contact["reason"] or {}).get("code") == "suppressed")


def repeated(ledger: Sequence[Published]) -> int:
    """How many events were published that had been published already."""
    return len(ledger) - len({(line.message_id, line.happening) for line in ledger})


def overtaken(ledger: Sequence[Published]) -> int:
    """How many messages had an event come before that of having been sent."""
    firsts: dict[str, Happening] = {}
    for line in ledger:
        firsts.setdefault(line.message_id, line.happening)
    return sum(first is not Happening.SEND for first in firsts.values())


def drift(report: Report) -> int:
    """By how much totals and rows differ: the API's and the workbook's, over all statuses."""
    return sum(
        abs(Counter(status for _, status in rows)[status] - report.totals[status])
        for rows in (report.rows, checks.rows_of(report.workbook))
        for status in checks.STATUSES
    )


def _numbers(found: Evidence) -> dict[str, Any]:
    totals = found.report.totals
    suppressed = sum(map(is_suppressed, found.report.contacts))
    return {
        "contacts": totals["contacts"],
        "sent": totals["sent"],
        "delivered": totals["delivered"],
        "opened": totals["opened"],
        "errors": totals["error"] - suppressed,
        "suppressed": suppressed,
        "duplicates": checks.duplicates_in(found.received),
        "drift": drift(found.report),
    }
