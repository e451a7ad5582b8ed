"""Bounces of many servers, and what must never pass for one: the messages of ``tests/bounces``."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.address import contact_id
from chalicelib.domain.bounce import Report, ReportKind, read_report
from chalicelib.domain.delivery import MessageTags
from chalicelib.domain.link_tokens import SigningKey, TokenKind, TokenRing
from chalicelib.domain.mime_reading import SIZE_LIMIT
from chalicelib.domain.return_path import mark, read_mark

FOLDER = Path(__file__).parents[2] / "bounces"
EXPECTED: dict[str, dict[str, Any]] = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))
CORPUS = {file.stem: file.read_bytes() for file in sorted(FOLDER.glob("*.eml"))}
ACCOUNT, CAMPAIGN = "01hx5k9zz0123456789abc", "01hx5m0000zyxwvtsrqpnm"
TAGS = MessageTags(ACCOUNT, CAMPAIGN, contact_id(CAMPAIGN, "anna@receiver.example"), 1, 2)
RING = TokenRing([SigningKey(1, bytes([7]) * 32)])
TOKEN = RING.seal(TokenKind.RETURN, TAGS)
MARK = mark(TAGS, TOKEN)
MUST_NOT_COUNT = {ReportKind.AUTO_REPLY, ReportKind.NOTHING}
SLOW = 2.0  # seconds of CPU: a thousand times what any message takes


def told(report: Report) -> dict[str, Any]:
    """A report as the table has it."""
    if report.kind in MUST_NOT_COUNT:
        return {"kind": report.kind}
    reason = report.verdict.reason if report.verdict else None
    return {
        "kind": report.kind,
        "type": report.verdict.bounce_type if report.verdict else None,
        "reason": reason.code if reason else None,
        "enhanced": reason.enhanced if reason else None,
        "suppress": report.verdict.suppress if report.verdict else False,
        "recipient": report.recipient,
        "found": "token" if TOKEN in report.tokens else "mark" if MARK in report.marks else None,
    }


def test_the_table_tells_of_every_message() -> None:
    assert EXPECTED.keys() == CORPUS.keys()
    assert len(CORPUS) >= 40
    assert sum(entry["kind"] in MUST_NOT_COUNT for entry in EXPECTED.values()) >= 12


@pytest.mark.parametrize("name", CORPUS)
def test_each_message_is_understood_as_the_table_says(name: str) -> None:
    assert told(read_report(CORPUS[name])) == EXPECTED[name]


@pytest.mark.parametrize("name", CORPUS)
def test_line_ends_decide_nothing(name: str) -> None:
    with_crlf = CORPUS[name].replace(b"\n", b"\r\n")
    assert told(read_report(with_crlf)) == EXPECTED[name]


def test_what_counts_names_its_message() -> None:
    for name, entry in EXPECTED.items():
        report = read_report(CORPUS[name])
        read = {RING.read(TokenKind.RETURN, token) for token in report.tokens}
        read |= {read_mark(RING, text, ACCOUNT, CAMPAIGN) for text in report.marks}
        assert (read - {None} == {TAGS}) is ("found" in entry), name


def test_the_servers_own_text_is_kept() -> None:
    verdict = read_report(CORPUS["gmail-dsn"]).verdict
    assert verdict is not None
    assert verdict.reason.reply_code == 550
    assert verdict.reason.reply_text == (
        "550-5.1.1 The email account that you tried to reach does not exist. Please try double-checking the "
        "recipient's email address for typos or unnecessary spaces. Learn more at "
        "https://support.receiver.example/NoSuchUser - gsmtp"
    )


@pytest.mark.parametrize(
    ("name", "said", "quoted"),
    [
        (
            "postfix-user-unknown",
            b"550 5.1.1 <anna@receiver.example>: Recipient address\n    rejected: User unknown",
            b"550 dmarc is refused",
        ),
        ("exim-failed-recipients", b"550 5.1.1 No such user here", b"550 Refused: dmarc"),
    ],
)
def test_the_recipients_name_is_no_word_of_the_server(name: str, said: bytes, quoted: bytes) -> None:
    assert said in CORPUS[name]
    raw = CORPUS[name].replace(said, quoted).replace(b"5.1.1", b"5.0.0").replace(b"anna@", b"dmarc@")
    report = read_report(raw)
    assert report.recipient == "dmarc@receiver.example"
    assert report.verdict is not None
    assert (report.verdict.reason.code, report.verdict.bounce_type) == ("message_refused", "permanent")


def test_what_is_said_of_one_recipient_of_many_is_the_failure() -> None:
    raw = CORPUS["postfix-success"].replace(
        b"Final-Recipient", b"Final-Recipient: rfc822; a@b.example\nAction: failed\n\nFinal-Recipient"
    )
    assert read_report(raw).kind is ReportKind.FAILURE


@given(st.binary(max_size=3_000))
def test_any_bytes_have_an_answer(raw: bytes) -> None:
    assert read_report(raw).kind in MUST_NOT_COUNT


@given(st.sampled_from(sorted(CORPUS)), st.data())
def test_a_damaged_message_has_an_answer(name: str, data: st.DataObject) -> None:
    raw = CORPUS[name]
    start = data.draw(st.integers(0, len(raw)))
    end = data.draw(st.integers(start, min(len(raw), start + 400)))
    inserted = data.draw(st.one_of(st.binary(max_size=60), st.sampled_from(sorted(CORPUS.values()))))
    report = read_report(raw[:start] + inserted + raw[end:])
    assert report.kind in ReportKind
    assert len(report.tokens) + len(report.marks) + len(report.sent_to) <= 15


@given(st.sampled_from([n for n, e in EXPECTED.items() if "found" not in e]), st.integers(0, 200))
def test_what_is_none_stays_none_when_cut_off(name: str, lines: int) -> None:
    """No beginning of a person's or a robot's message is a bounce, however much of it came."""
    head, body = CORPUS[name].split(b"\n\n", 1)
    short = head + b"\n\n" + b"\n".join(body.split(b"\n")[:lines])
    assert read_report(short).kind in MUST_NOT_COUNT


_TEXT = b"From: postmaster@x.example\nSubject: could not be delivered\n\n"
_REPORT = b"Content-Type: multipart/report; boundary=b\n\n--b\nContent-Type: message/delivery-status\n\n"
HOSTILE = {
    "spaces": b"Subject:" + b" " * SIZE_LIMIT,
    "nested": b"".join(b"Content-Type: multipart/x; boundary=b%d\n\n--b%d\n" % (i, i) for i in range(9_000)),
    "parts": b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\n" * 100_000,
    "dashes": b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--" * 250_000,
    "fields": b"A: b\n" * 100_000,
    "folds": b"A: b\n" + b" x\n" * 160_000,
    "returns": _TEXT + b"\r" * SIZE_LIMIT,
    "quotes": _TEXT + b">" * SIZE_LIMIT,
    "blanks": _TEXT + b" " * SIZE_LIMIT,
    "angles": _TEXT + b"<a" * 250_000,
    "ats": _TEXT + b"a@" * 250_000,
    "letters": _TEXT + b"a" * SIZE_LIMIT,
    "addresses": _TEXT + b"<a@b.example> " * 30_000,
    "words": _TEXT + b"<a@b.example>: " + b"mailbox user no " * 30_000,
    "our field": _TEXT + b"<a@b.example>: " + b"X-Postline-Return: " * 30_000,
    "tags": _TEXT.replace(b"\n\n", b"\nContent-Type: text/html\n\n") + b"<a " * 160_000,
    "soft breaks": b"Content-Transfer-Encoding: quoted-printable\n" + _TEXT + b"=\n" * 250_000,
    "padding": b"Content-Transfer-Encoding: base64\n\n" + b"=" * SIZE_LIMIT,
    "encoded words": b"From: " + b"=?utf-8?q?" * 50_000,
    "recipients": _REPORT + b"Final-Recipient: rfc822; a@b.example\nAction: failed\n\n" * 9_000,
    "codes": _REPORT + b"Action: failed\nDiagnostic-Code: smtp; " + b"5.5.5.5 " * 60_000,
    "parameters": b"Content-Type: multipart/x" + b";  boundary" * 40_000,
    "punycode": b"Content-Type: text/plain; charset=punycode\n" + _TEXT + b"a-" * 250_000,
    "endless": _TEXT + b"could not be delivered " * 1_000_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_message_made_to_be_slow_is_not(name: str) -> None:
    began = time.process_time()
    read_report(HOSTILE[name])
    assert time.process_time() - began < SLOW
