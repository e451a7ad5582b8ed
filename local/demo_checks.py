"""Whether what the demo was told is true: the mail, the rows, the workbook and the totals, side by side.

Each check yields the sentences of what it found wrong; nothing means that all agree.
"""

import email
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from email import policy
from email.message import EmailMessage
from io import BytesIO
from typing import Any

from python_calamine import CalamineWorkbook

from local.demo_list import ExpectedList, ExpectedMail, mailbox_key
from local.maildir import Received

STATUSES = ("not_sent", "pending", "sent", "delivered", "opened", "error")
_FOOTER = "\nUnsubscribe · Отписаться: "
_LEFT_US = ("sent", "delivered", "opened")

Row = tuple[str, str]
"""A contact's address and status."""


def check_import(job: Mapping[str, Any], rejected: Sequence[int], expected: ExpectedList) -> Iterator[str]:
    """The job's numbers and the lines in its list of rejected rows, against the file."""
    found = {name: job[name] for name in ("rows", "added", "duplicates", "rejected")}
    wanted = {
        "rows": expected.rows,
        "added": len(expected.mails),
        "duplicates": expected.duplicates,
        "rejected": len(expected.rejected),
    }
    if found != wanted:
        yield f"The import says {found}, the file has {wanted}."
    if tuple(rejected) != expected.rejected:
        yield f"Rejected are the lines {list(rejected)}, not {list(expected.rejected)}."


def check_rows(
    where: str, rows: Sequence[Row], totals: Mapping[str, int], expected: ExpectedList
) -> Iterator[str]:
    """The contacts listed somewhere: each expected one once, and as many of each status as the totals say."""
    keys = Counter(mailbox_key(address) for address, _ in rows)
    yield from _differences(f"{where}: rows", keys, expected.mails)
    by_status = Counter(status for _, status in rows)
    for status in STATUSES:
        if by_status[status] != totals[status]:
            yield f"{where}: {by_status[status]} are {status}, the totals say {totals[status]}."


def check_totals(totals: Mapping[str, int]) -> Iterator[str]:
    """Everybody is in one status, and nobody waits."""
    if totals["contacts"] != sum(totals[status] for status in STATUSES):
        yield f"The totals don't add up: {dict(totals)}."
    if totals["not_sent"] or totals["pending"]:
        yield "The campaign is finished, the totals say that contacts wait."


def check_workbook(workbook: bytes, totals: Mapping[str, int], expected: ExpectedList) -> Iterator[str]:
    """The Excel report: its rows, and the numbers in its summary."""
    yield from check_rows("Excel report", rows_of(workbook), totals, expected)
    book = CalamineWorkbook.from_filelike(BytesIO(workbook))
    summary = {line[0]: line[1] for line in book.get_sheet_by_name("Summary").to_python()}
    for name in ("contacts", *STATUSES):
        if summary.get(name.replace("_", " ").capitalize()) != totals[name]:
            yield f"Excel report: the summary's {name} is not {totals[name]}."


def rows_of(workbook: bytes) -> list[Row]:
    """The contacts in the Excel report."""
    book = CalamineWorkbook.from_filelike(BytesIO(workbook))
    header, *lines = book.get_sheet_by_name("Contacts").to_python()
    email_at, status_at = header.index("Email"), header.index("Status")
    return [(str(line[email_at]), _status(str(line[status_at]))) for line in lines]


def written_to(rows: Iterable[Row]) -> set[str]:
    """The contacts whose status says that a message left for them, by mailbox key."""
    return {mailbox_key(address) for address, status in rows if status in _LEFT_US}


def check_mail(
    received: Sequence[Received], receivers: Iterable[str], expected: ExpectedList
) -> Iterator[str]:
    """The mailbox: one message for each of the receivers, none for anybody else, and everyone's own words."""
    arrived = Counter(mailbox_key(one) for message in received for one in message.recipients)
    yield from _differences("Mailbox", arrived, receivers)
    for message in received:
        if len(message.recipients) != 1:
            yield f"Mailbox: one message has {len(message.recipients)} recipients."
        for recipient in message.recipients:
            if (words := expected.mails.get(mailbox_key(recipient))) is not None:
                yield from _wrong_words(recipient, message.content, words)


def duplicates_in(received: Sequence[Received]) -> int:
    """How many messages came to a mailbox that had one already."""
    arrived = Counter(mailbox_key(one) for message in received for one in message.recipients)
    return arrived.total() - len(arrived)


def _differences(where: str, found: Counter[str], wanted: Iterable[str]) -> Iterator[str]:
    wanted_keys = set(wanted)
    several = sorted(key for key, count in found.items() if count > 1)
    for what, keys in (
        ("missing", sorted(wanted_keys - found.keys())),
        ("nobody knows", sorted(found.keys() - wanted_keys)),
        ("more than once", several),
    ):
        if keys:
            yield f"{where}: {what}: {len(keys)}, such as {keys[0]}."


def _wrong_words(recipient: str, content: bytes, words: ExpectedMail) -> Iterator[str]:
    message = email.message_from_bytes(content, policy=policy.default)
    if message["Subject"] != words.subject:
        yield f"{recipient}: the subject is “{message['Subject']}”, not “{words.subject}”."
    if mailbox_key(message["To"].addresses[0].addr_spec) != mailbox_key(recipient):
        yield f"{recipient}: the message is addressed to {message['To']}."
    text, _, link = _part(message, "plain").strip().rpartition(_FOOTER)
    if text.strip() != words.text.strip():
        yield f"{recipient}: the text part is not as expected."
    if str(message["List-Unsubscribe"]) != f"<{link}>":
        yield f"{recipient}: the link to unsubscribe is not as expected."
    html = _part(message, "html")
    if not all(part in html for part in words.html_parts):
        yield f"{recipient}: the HTML part is not as expected."


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    text = part.get_content() if part else ""
    return str(text).replace("\r\n", "\n")


def _status(shown: str) -> str:
    return shown.lower().replace(" ", "_")
