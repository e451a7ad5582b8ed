"""The checks of `make demo-ses` find whatever doesn't agree, and nothing where all agrees."""

import io
import json
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from email.message import EmailMessage

import pytest
from openpyxl import Workbook

from local.demo_checks import STATUSES
from local.demo_list import ExpectedList, ExpectedMail
from local.demo_ses_checks import Evidence, judge
from local.demo_steps import Imported, Report, conclude
from local.maildir import Received
from local.ses_events import Happening
from local.ses_oracle import verdict
from local.ses_publishing import Published

H = Happening
WORDS = ExpectedMail("Hello", "Hello there", ("Hello",))
LINK = "https://shop.example/u/1"
STATUS = {"reader": "opened", "holder": "delivered", "gone": "error", "angry": "opened", "silent": "error"}
HAPPENED = {
    "reader": (H.OPEN, H.SEND, H.DELIVERY, H.OPEN),
    "holder": (H.SEND, H.DELIVERY, H.PREFETCH, H.OUT_OF_OFFICE),
    "gone": (H.SEND, H.BOUNCE),
    "angry": (H.SEND, H.DELIVERY, H.COMPLAINT, H.OPEN),
}


def address(name: str) -> str:
    return f"{name}@shop.example"


def mail(recipient: str) -> Received:
    message = EmailMessage()
    message["Subject"], message["To"], message["List-Unsubscribe"] = WORDS.subject, recipient, f"<{LINK}>"
    message.set_content(f"{WORDS.text}\n\nUnsubscribe · Отписаться: {LINK}\n")
    message.add_alternative("<p>Hello</p>", subtype="html")
    return Received("news@sender.example", (recipient,), bytes(message))


def published(happened: Mapping[str, Sequence[H]]) -> list[Published]:
    return [
        Published(f"id-{name}", address(name), one, {}) for name, all_ in happened.items() for one in all_
    ]


def totals(statuses: Mapping[str, str], unknown: int = 0) -> dict[str, int]:
    counted = Counter(statuses.values())
    return {
        "contacts": len(statuses),
        "outcome_unknown": unknown,
        "machine_opened": 1,
        **{status: counted[status] for status in STATUSES},
    }


def workbook(statuses: Mapping[str, str]) -> bytes:
    book = Workbook()
    book.remove(book.worksheets[0])
    contacts, summary = book.create_sheet("Contacts"), book.create_sheet("Summary")
    contacts.append(["Email", "Status"])
    for name, status in statuses.items():
        contacts.append([address(name), status.replace("_", " ").capitalize()])
    for name, count in totals(statuses).items():
        summary.append([name.replace("_", " ").capitalize(), count])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def report(statuses: Mapping[str, str]) -> Report:
    reasons = {"silent": {"code": "suppressed"}, "gone": {"code": "bounced"}}
    contacts = [
        {
            "email": address(name),
            "status": status,
            "reason": reasons.get(name),
            "machine_opened_at": "2026-03-02T12:00:00Z" if name == "holder" else None,
        }
        for name, status in statuses.items()
    ]
    return Report(totals(statuses), contacts, workbook(statuses))


def suppression(name: str, reason: str) -> dict[str, object]:
    return {"email": address(name), "reason": reason, "also": []}


def evidence() -> Evidence:
    written_to = [address(name) for name in HAPPENED]
    job = {"rows": 5, "added": 5, "duplicates": 0, "rejected": 0}
    return Evidence(
        expected=ExpectedList(5, 0, (), {address(name): WORDS for name in STATUS}),
        imported=Imported(job, []),
        report=report(STATUS),
        received=[mail(one) for one in written_to],
        accepted=written_to,
        ledger=published(HAPPENED),
        before=frozenset({address("silent")}),
        suppressions=[
            suppression("silent", "added"),
            suppression("gone", "bounced"),
            suppression("angry", "complained"),
        ],
        cut=1,
        unknown=1,
        stuck=0,
    )


@pytest.fixture(autouse=True)
def _terminated_as_before() -> Iterator[None]:
    handler = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, handler)


def test_where_all_agrees_the_numbers_are_the_last_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert conclude(lambda: judge(evidence())) == 0
    numbers = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert numbers.pop("seconds") >= 0
    assert numbers == {
        "contacts": 5,
        "sent": 0,
        "delivered": 1,
        "opened": 2,
        "errors": 1,
        "suppressed": 1,
        "duplicates": 0,
        "drift": 0,
    }


def a_wrong_status() -> Evidence:
    return replace(evidence(), report=report({**STATUS, "gone": "delivered"}))


def a_wrong_total() -> Evidence:
    right = report(STATUS)
    wrong = {**right.totals, "opened": 1, "delivered": 2}
    return replace(evidence(), report=replace(right, totals=wrong))


def a_workbook_of_its_own_mind() -> Evidence:
    return replace(
        evidence(),
        report=replace(
            report(STATUS), workbook=workbook({**STATUS, "reader": "delivered", "holder": "opened"})
        ),
    )


def a_second_message() -> Evidence:
    found = evidence()
    twice = address("holder")
    return replace(found, received=[*found.received, mail(twice)], accepted=[*found.accepted, twice])


def a_message_to_a_suppressed_one() -> Evidence:
    found = evidence()
    silent = address("silent")
    return replace(found, received=[*found.received, mail(silent)], accepted=[*found.accepted, silent])


def a_message_lost_on_the_way() -> Evidence:
    return replace(evidence(), received=evidence().received[1:])


def a_bounce_that_suppresses_nobody() -> Evidence:
    return replace(
        evidence(), suppressions=[suppression("silent", "added"), suppression("angry", "complained")]
    )


def a_complaint_taken_for_a_bounce() -> Evidence:
    found = [one for one in evidence().suppressions if one["email"] != address("angry")]
    return replace(evidence(), suppressions=[*found, suppression("angry", "bounced")])


def a_doubt_that_was_not_shown() -> Evidence:
    return replace(evidence(), unknown=0)


def a_doubt_that_did_not_heal() -> Evidence:
    right = report(STATUS)
    return replace(evidence(), report=replace(right, totals={**right.totals, "outcome_unknown": 1}))


def an_event_in_a_dead_end() -> Evidence:
    return replace(evidence(), stuck=1)


def an_event_the_ledger_lacks() -> Evidence:
    return replace(evidence(), ledger=published({**HAPPENED, "holder": (H.SEND,)}))


def events_in_good_order() -> Evidence:
    return replace(evidence(), ledger=published({**HAPPENED, "reader": (H.SEND, H.DELIVERY, H.OPEN, H.OPEN)}))


def events_that_come_once() -> Evidence:
    return replace(evidence(), ledger=published({**HAPPENED, "reader": (H.OPEN, H.SEND, H.DELIVERY)}))


def a_machine_taken_for_nobody() -> Evidence:
    found = report(STATUS)
    contacts = [{**one, "machine_opened_at": None} for one in found.contacts]
    return replace(evidence(), report=replace(found, contacts=contacts))


def machines_counted_wrongly() -> Evidence:
    right = report(STATUS)
    return replace(evidence(), report=replace(right, totals={**right.totals, "machine_opened": 2}))


def an_error_without_its_reason() -> Evidence:
    found = report(STATUS)
    contacts = [{**one, "reason": None} for one in found.contacts]
    return replace(evidence(), report=replace(found, contacts=contacts))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (a_wrong_status, "API: gone@shop.example is delivered, its events say error."),
        (a_wrong_total, "API: 2 are opened, the totals say 1."),
        (
            a_workbook_of_its_own_mind,
            "Excel report: reader@shop.example is delivered, its events say opened.",
        ),
        (a_second_message, "Mailbox: more than once: 1, such as holder@shop.example."),
        (a_message_to_a_suppressed_one, "Mailbox: nobody knows: 1, such as silent@shop.example."),
        (a_message_lost_on_the_way, "SES accepted 4 messages, 3 are in the mailbox."),
        (
            a_bounce_that_suppresses_nobody,
            "Suppression list: gone@shop.example is there for [], not for ['bounced'].",
        ),
        (
            a_complaint_taken_for_a_bounce,
            "Suppression list: angry@shop.example is there for ['bounced'], not for ['complained'].",
        ),
        (a_doubt_that_was_not_shown, "1 replies were cut off, and 0 outcomes were shown as unknown."),
        (a_doubt_that_did_not_heal, "1 outcomes are still unknown"),
        (an_event_in_a_dead_end, "1 events came to a dead end."),
        (an_event_the_ledger_lacks, "API: holder@shop.example is delivered, its events say sent."),
        (events_in_good_order, "No event overtook another."),
        (events_that_come_once, "No event came twice."),
        (a_machine_taken_for_nobody, "API: holder@shop.example was opened by a machine."),
        (machines_counted_wrongly, "1 were opened by a machine, totals say 2."),
        (an_error_without_its_reason, "API: silent@shop.example was suppressed before the launch."),
    ],
)
def test_what_does_not_agree_is_found(
    wrong: Callable[[], Evidence], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert conclude(lambda: judge(wrong())) == 1
    shown = capsys.readouterr()
    assert f"WRONG  {said}" in shown.err
    assert json.loads(shown.out.splitlines()[-1])["contacts"] == 5


def test_totals_and_rows_that_differ_are_the_drift() -> None:
    numbers, _ = judge(a_wrong_total())
    assert numbers["drift"] == 4  # opened and delivered are each one off, in the API and in the workbook


@pytest.mark.parametrize(
    ("happened", "status", "reasons"),
    [
        ((), "sent", set()),
        ((H.SEND,), "sent", set()),
        ((H.DELIVERY, H.SEND), "delivered", set()),
        ((H.PREFETCH, H.DELIVERY), "delivered", set()),
        ((H.BOUNCE, H.OPEN), "opened", {"bounced"}),
        ((H.DELIVERY, H.BOUNCE), "error", {"bounced"}),
        ((H.SEND, H.ON_SUPPRESSION_LIST), "error", set()),
        ((H.OUT_OF_OFFICE, H.DELIVERY), "delivered", set()),
        ((H.SEND, H.MAILBOX_FULL), "error", set()),
        ((H.SEND, H.DELIVERY_DELAY), "sent", set()),
        ((H.DELIVERY, H.COMPLAINT), "delivered", {"complained"}),
        ((H.REJECT, H.SEND), "error", set()),
    ],
)
def test_the_oracle_knows_the_rules(happened: Sequence[H], status: str, reasons: set[str]) -> None:
    found = verdict([address("reader")], published({"reader": happened}), frozenset())
    assert found.statuses == {address("reader"): status}
    assert found.suppressed == ({address("reader"): reasons} if reasons else {})
