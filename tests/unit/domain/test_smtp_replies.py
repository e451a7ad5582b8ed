"""From reply to outcome: known replies of real servers by example, everything else by property."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.delivery import Accepted, Refused, Scope, Stage, TryLater, Unknown
from chalicelib.domain.smtp_advice import ADVICE
from chalicelib.domain.smtp_replies import classify, printable, refusal, split_reply, wait_hint
from chalicelib.domain.smtp_rules import CONNECTION_LOST, FALLBACKS, RULES

CONTACT, CONTENT, LINE, RATE = Scope.CONTACT, Scope.CONTENT, Scope.LINE, Scope.RATE
BANNER, EHLO, TLS, AUTH, MAIL, RCPT, DATA, DOT = list(Stage)[2:]

KNOWN = [
    # too fast, too much
    (BANNER, "421 4.3.2 Too many connections", TryLater, RATE, "sending_too_fast"),
    (MAIL, "421 4.7.0 Try again later, closing connection", TryLater, RATE, "server_busy"),
    (MAIL, "432 4.3.2 Concurrent connections limit exceeded", TryLater, RATE, "sending_too_fast"),
    (AUTH, "432 4.7.12 A password transition is needed", TryLater, LINE, "login_put_off"),
    (RCPT, "451 4.7.500 Server busy. Please try again later", TryLater, RATE, "sending_too_fast"),
    (
        RCPT,
        "451 4.7.651 The mail server has been temporarily rate limited",
        TryLater,
        RATE,
        "sending_too_fast",
    ),
    (DOT, "454 Throttling failure: Maximum sending rate exceeded.", TryLater, RATE, "sending_too_fast"),
    (DOT, "454 Throttling failure: Daily message quota exceeded.", TryLater, LINE, "sending_quota_used_up"),
    (RCPT, "550 5.4.5 Daily user sending limit exceeded.", TryLater, LINE, "sending_quota_used_up"),
    (DOT, "550 5.7.1 Limit exceeded", TryLater, LINE, "sending_quota_used_up"),
    (DOT, "550 5.7.28 Unusual rate of unsolicited mail", TryLater, RATE, "sending_too_fast"),
    (MAIL, "452 4.3.1 Insufficient system storage", TryLater, RATE, "server_busy"),
    (RCPT, "452 4.5.3 Too many recipients", TryLater, RATE, "server_busy"),
    # the line
    (BANNER, "554 5.7.1 No SMTP service here", Refused, LINE, "server_refuses_us"),
    (EHLO, "451 4.3.0 Temporary failure", TryLater, LINE, "server_busy"),
    (TLS, "454 4.7.0 TLS not available", TryLater, LINE, "tls_put_off"),
    (AUTH, "454 4.7.0 Temporary authentication failure", TryLater, LINE, "login_put_off"),
    (AUTH, "535 5.7.8 Username and Password not accepted", Refused, LINE, "credentials_rejected"),
    (AUTH, "535 Application-specific password required", Refused, LINE, "app_password_needed"),
    (AUTH, "534 5.7.9 Please log in via your web browser", Refused, LINE, "app_password_needed"),
    (AUTH, "538 5.7.11 Encryption required", Refused, LINE, "encryption_required"),
    (AUTH, "504 5.7.4 Unrecognized authentication type", Refused, LINE, "login_refused"),
    (MAIL, "530 5.7.0 Must issue a STARTTLS command first", Refused, LINE, "encryption_required"),
    (MAIL, "530 5.7.0 Authentication required", Refused, LINE, "login_required"),
    (MAIL, "451 4.3.0 Local error", TryLater, LINE, "sender_put_off"),
    (MAIL, "503 5.5.1 Bad sequence of commands", Refused, LINE, "out_of_step"),
    (MAIL, "550 5.1.8 Access denied, bad outbound sender", Refused, LINE, "from_not_allowed"),
    (
        RCPT,
        "553 5.7.1 <a@b>: Sender address rejected: not owned by user c",
        Refused,
        LINE,
        "from_not_allowed",
    ),
    (DOT, "554 5.2.252 SendAsDenied; not allowed to send as", Refused, LINE, "from_not_allowed"),
    (DOT, "550 5.7.60 Client does not have permissions", Refused, LINE, "from_not_allowed"),
    (DOT, "554 Message rejected: Email address is not verified.", Refused, LINE, "from_not_allowed"),
    (RCPT, "554 5.7.1 <a@b>: Relay access denied", Refused, LINE, "relay_denied"),
    (RCPT, "454 4.7.1 <a@b>: Relay access denied", TryLater, LINE, "relay_denied"),
    (RCPT, "554 5.7.1 Client host [192.0.2.1] blocked using a list", Refused, LINE, "sender_blocked"),
    (DOT, "550 5.7.26 This mail is unauthenticated", Refused, LINE, "domain_not_authenticated"),
    (DOT, "550 DMARC policy of the domain", Refused, LINE, "domain_not_authenticated"),
    # the contact
    (RCPT, "450 4.2.0 <a@b>: Greylisted, see a page", TryLater, CONTACT, "greylisted"),
    (RCPT, "450 4.7.1 try again", TryLater, CONTACT, "greylisted"),
    (RCPT, "450 4.2.1 mailbox in use", TryLater, CONTACT, "mailbox_disabled"),
    (RCPT, "450 4.1.1 lookup failed", TryLater, CONTACT, "mailbox_unknown"),
    (RCPT, "451 4.4.3 DNS failure", TryLater, CONTACT, "recipient_put_off"),
    (DOT, "452 4.2.2 The mailbox is over quota", TryLater, CONTACT, "mailbox_full"),
    (RCPT, "501 5.1.3 Bad recipient address syntax", Refused, CONTACT, "address_invalid"),
    (RCPT, "553 5.1.3 not a valid address", Refused, CONTACT, "address_invalid"),
    (RCPT, "501 Syntax error", Refused, CONTACT, "address_invalid"),
    (RCPT, "556 5.1.10 null MX", Refused, CONTACT, "domain_accepts_no_mail"),
    (RCPT, "550 5.1.1 The account does not exist", Refused, CONTACT, "mailbox_unknown"),
    (RCPT, "550 No such user here", Refused, CONTACT, "mailbox_unknown"),
    (RCPT, "551 User not local", Refused, CONTACT, "mailbox_unknown"),
    (RCPT, "550 5.1.2 Bad destination system", Refused, CONTACT, "domain_unknown"),
    (RCPT, "550 5.2.1 The account is disabled", Refused, CONTACT, "mailbox_disabled"),
    (RCPT, "552 5.2.2 Over quota", Refused, CONTACT, "mailbox_full"),
    (RCPT, "550 5.7.1 no", Refused, CONTACT, "recipient_refused"),
    (RCPT, "553 5.6.7 SMTPUTF8 needed", Refused, CONTACT, "smtputf8_not_supported"),
    (DOT, "554 5.5.0 Transaction failed", Refused, CONTACT, "message_refused"),
    (DOT, "451 4.3.0 Local error", TryLater, CONTACT, "message_put_off"),
    # the content
    (MAIL, "552 5.3.4 Message size exceeds fixed limit", Refused, CONTENT, "message_too_large"),
    (DOT, "552 5.2.3 Your message exceeded size limits", Refused, CONTENT, "message_too_large"),
    (DOT, "552 Message size exceeds maximum permitted", Refused, CONTENT, "message_too_large"),
    (MAIL, "552 no", Refused, CONTENT, "message_too_large"),
    (DOT, "554 5.7.1 Message refused as spam", Refused, CONTENT, "content_refused"),
    (DOT, "550 5.6.0 Malformed", Refused, CONTENT, "content_refused"),
    (DOT, "500 Line too long (see RFC5321 4.5.3.1.6)", Refused, CONTENT, "content_refused"),
    (DOT, "554 contains a virus", Refused, CONTENT, "content_refused"),
    # the two classes disagree: the milder one
    (RCPT, "550 4.1.1 later perhaps", TryLater, CONTACT, "mailbox_unknown"),
    (RCPT, "450 5.1.1 no such user", TryLater, CONTACT, "mailbox_unknown"),
]


def judge(stage: Stage, reply: str) -> Accepted | TryLater | Refused | Unknown:
    code, _, text = reply.partition(" ")
    return classify(stage, int(code), *split_reply([text]))


@pytest.mark.parametrize(
    ("stage", "reply", "outcome", "scope", "code"), KNOWN, ids=lambda value: str(value)[:40]
)
def test_known_replies(stage: Stage, reply: str, outcome: type, scope: Scope, code: str) -> None:
    result = judge(stage, reply)
    assert isinstance(result, outcome)
    assert (result.scope, result.reason.code, result.reason.stage) == (scope, code, stage)  # type: ignore[union-attr]


def test_the_reason_keeps_what_the_server_said() -> None:
    result = classify(RCPT, 550, *split_reply(["5.1.1 The account that you", "5.1.1 tried does not exist."]))
    assert isinstance(result, Refused)
    said = result.reason
    assert (said.reply_code, said.enhanced) == (550, "5.1.1")
    assert said.reply_text == "The account that you tried does not exist."
    assert said.text == ADVICE["mailbox_unknown"]


@pytest.mark.parametrize(
    ("text", "queue_id"),
    [
        ("2.0.0 Ok: queued as 4XbT2v1Qz9z5vNw", "4XbT2v1Qz9z5vNw"),
        ("OK id=1tABCd-000001-AB", "1tABCd-000001-AB"),
        ("Ok 0102018f2c6e7d3a-5b1c2d3e-000000", "0102018f2c6e7d3a-5b1c2d3e-000000"),
        ("2.0.0 42BFAb01 Message accepted for delivery", "42BFAb01"),
        ("Thank you", None),
    ],
)
def test_the_queue_id_is_found_in_the_final_reply(text: str, queue_id: str | None) -> None:
    outcome = classify(DOT, 250, *split_reply([text]))
    assert isinstance(outcome, Accepted)
    assert outcome.remote_id == queue_id


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Greylisted, try again in 300 seconds", 300),
        ("come back in 5 minutes", 300),
        ("Greylisted for 5 min.", 300),
        ("wait 90s", 90),
        ("after 2 hours", 3600),
        ("in 999999 hours", 3600),
        ("more than 100 per 60 seconds", None),
        ("too many in the last 10 minutes", None),
        ("in 0 seconds", None),
        ("at 12:30 sharp", None),
        ("try again later", None),
    ],
)
def test_wishes_for_a_wait(text: str, seconds: int | None) -> None:
    assert wait_hint(text) == (None if seconds is None else timedelta(seconds=seconds))
    outcome = refusal(RCPT, 451, None, text)
    assert isinstance(outcome, TryLater)
    assert outcome.after == wait_hint(text)


def test_a_used_up_quota_is_asked_about_hourly() -> None:
    outcome = judge(DOT, "454 Throttling failure: Daily message quota exceeded.")
    assert isinstance(outcome, TryLater)
    assert outcome.after == timedelta(hours=1)


stages = st.sampled_from(Stage)
replies = st.integers(200, 599)
enhanced_codes = st.none() | st.text() | st.from_regex(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}", fullmatch=True)
words = st.sampled_from(
    ["quota", "daily limit", "greylisted", "relay", "spam", "421", "in 5 minutes", "blocked using"]
)
texts = st.text() | st.text(st.characters(), min_size=400) | st.lists(words | st.text()).map(" ".join)


@given(stages, st.none() | st.integers(), enhanced_codes, texts)
def test_any_reply_has_an_outcome_with_a_sentence(
    stage: Stage, code: int | None, enhanced: str | None, text: str
) -> None:
    outcome = classify(stage, code, enhanced, text)
    if isinstance(outcome, Accepted):
        said = outcome.reply_text
    else:
        assert outcome.reason.text
        assert outcome.reason.stage is stage
        said = outcome.reason.reply_text
    assert said is None or (len(said) <= 500 and said.isprintable())


@given(stages, st.integers(400, 499), enhanced_codes, texts)
def test_a_4xx_is_never_final(stage: Stage, code: int, enhanced: str | None, text: str) -> None:
    assert isinstance(classify(stage, code, enhanced, text), TryLater)


@given(stages, replies, enhanced_codes, texts)
def test_a_pace_is_never_refused(stage: Stage, code: int, enhanced: str | None, text: str) -> None:
    outcome = classify(stage, code, enhanced, text)
    assert not (isinstance(outcome, Refused) and outcome.scope is RATE)


@given(stages, st.integers(500, 599), st.from_regex(r"[24]\.[0-9]{1,3}\.[0-9]{1,3}", fullmatch=True), texts)
def test_classes_that_disagree_are_not_final(stage: Stage, code: int, enhanced: str, text: str) -> None:
    assert isinstance(classify(stage, code, enhanced, text), TryLater)


@given(enhanced_codes, texts, st.none() | st.integers().filter(lambda code: code // 100 not in (2, 4, 5)))
def test_silence_after_the_dot_is_never_retried(enhanced: str | None, text: str, code: int | None) -> None:
    assert isinstance(classify(DOT, code, enhanced, text), Unknown)
    with pytest.raises(ValueError, match="final dot"):
        refusal(DOT, code, enhanced, text)


@given(st.integers(200, 299), enhanced_codes, texts)
def test_a_2xx_after_the_dot_is_accepted(code: int, enhanced: str | None, text: str) -> None:
    assert isinstance(classify(DOT, code, enhanced, text), Accepted)


@given(
    st.sampled_from([stage for stage in Stage if stage is not DOT]),
    st.none() | replies,
    enhanced_codes,
    texts,
)
def test_before_the_dot_nothing_is_accepted_or_in_doubt(
    stage: Stage, code: int | None, enhanced: str | None, text: str
) -> None:
    outcome = classify(stage, code, enhanced, text)
    assert isinstance(outcome, TryLater | Refused)
    if code is None or code < 400:
        assert isinstance(outcome, TryLater)
        assert outcome.scope is (LINE if stage not in (RCPT, DATA) else CONTACT)
        assert outcome.reason.reply_text is None


@pytest.mark.parametrize("stage", [EHLO, AUTH, MAIL, RCPT, DATA])
def test_silence_before_the_dot_has_one_reason_that_no_reply_has(stage: Stage) -> None:
    silent = classify(stage, None, None, "")
    assert isinstance(silent, TryLater)
    assert silent.reason.code == CONNECTION_LOST
    assert not any(CONNECTION_LOST in (row.put_off, row.refused) for row in FALLBACKS.values())
    assert not any(rule.reason == CONNECTION_LOST for rule in RULES)


def test_what_is_printed_has_no_controls() -> None:
    assert printable("a\x00b\x1b[31m\r\n\t c\u202e\u2028d") == "ab[31m c d"
    assert len(printable("é" * 600)) == 500


def test_every_reason_has_a_sentence_with_an_end() -> None:
    used = {rule.reason for rule in RULES}
    used |= {name for row in FALLBACKS.values() for name in (row.put_off, row.refused, row.silence)}
    assert used <= ADVICE.keys()
    assert all(sentence.endswith(".") for sentence in ADVICE.values())
