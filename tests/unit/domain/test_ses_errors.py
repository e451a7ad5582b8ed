# ruff: noqa: E501 (a row is read as a whole)
"""What SES's answers mean: a clear no is never a doubt, and a doubt is never a clear no."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.delivery import MessageTags, Refused, Scope, TryLater, Unknown
from chalicelib.domain.ses_advice import ADVICE
from chalicelib.domain.ses_errors import QUOTA_WAIT, RULES, Rule, classify, identity_trouble, reason
from chalicelib.domain.ses_tags import tag_values

TAGS = MessageTags("acc1", "cmp1", "c" * 26, 3, 17)
TO = "bob@mail.example"
SANDBOX = "Email address is not verified. The following identities failed the check in region EU-WEST-1: "

# code, status, text → kind, scope, reason
ANSWERS = [
    ("TooManyRequestsException", 429, "Maximum sending rate exceeded.", TryLater, "rate", "sending_too_fast"),
    ("TooManyRequestsException", 429, "Too many requests", TryLater, "rate", "sending_too_fast"),
    ("ThrottlingException", 400, "Rate exceeded", TryLater, "rate", "sending_too_fast"),
    ("Throttling", 400, "Maximum sending rate exceeded.", TryLater, "rate", "sending_too_fast"),
    ("TooManyRequestsException", 429, "Daily message quota exceeded.", TryLater, "line", "sending_quota_used_up"),
    ("Throttling", 400, "Daily message quota exceeded.", TryLater, "line", "sending_quota_used_up"),
    ("LimitExceededException", 400, "Limit exceeded", TryLater, "line", "sending_quota_used_up"),
    ("MessageRejected", 400, f"{SANDBOX}news@shop.example", Refused, "line", "from_not_verified"),
    ("MessageRejected", 400, f"{SANDBOX}shop.example, {TO}", Refused, "contact", "recipient_not_verified"),
    ("MessageRejected", 400, f"{SANDBOX}{TO.upper()}", Refused, "contact", "recipient_not_verified"),
    ("MessageRejected", 400, "Email address is not verified.", Refused, "line", "from_not_verified"),
    ("MessageRejected", 400, "The message contains a virus.", Refused, "content", "content_refused"),
    ("MessageRejected", 400, "", Refused, "content", "content_refused"),
    ("MessageRejected", 400, "Message length is more than 41943040 bytes long: limit", Refused, "content", "message_too_large"),
    ("BadRequestException", 400, "Message size exceeds the limit", Refused, "content", "message_too_large"),
    ("MessageRejected", 400, "Sending paused for this tenant: sending is disabled", Refused, "line", "ses_line_paused"),
    ("MailFromDomainNotVerifiedException", 400, "MX", Refused, "line", "mail_from_not_verified"),
    ("SendingPausedException", 400, "Sending is paused", Refused, "line", "ses_paused"),
    ("AccountSendingPausedException", 400, "", Refused, "line", "ses_paused"),
    ("ConfigurationSetSendingPausedException", 400, "", Refused, "line", "ses_line_paused"),
    ("AccountSuspendedException", 400, "", Refused, "line", "ses_suspended"),
    ("NotFoundException", 404, "Configuration set <x> does not exist.", Refused, "line", "ses_misconfigured"),
    ("ConfigurationSetDoesNotExistException", 400, "", Refused, "line", "ses_misconfigured"),
    ("BadRequestException", 400, "Configuration set name is wrong", Refused, "line", "ses_misconfigured"),
    ("BadRequestException", 400, "Local address contains control or non-ascii", Refused, "contact", "smtputf8_not_supported"),
    ("BadRequestException", 400, "Illegal address", Refused, "contact", "message_refused"),
    ("InvalidParameterValue", 400, "Missing final '@domain'", Refused, "contact", "message_refused"),
    ("AccessDeniedException", 403, "not authorized to perform ses:SendEmail", Refused, "line", "ses_not_allowed"),
    ("ExpiredTokenException", 403, "", TryLater, "line", "ses_not_allowed"),
    ("RequestTimeTooSkewed", 403, "The difference between the request time and the current time is too large.", TryLater, "line", "ses_not_allowed"),
    ("RequestExpired", 400, "", TryLater, "line", "ses_not_allowed"),
    ("InvalidSignatureException", 403, "Signature expired: 20261124T101010Z is now earlier than", TryLater, "line", "ses_not_allowed"),
    ("InvalidSignatureException", 403, "The request signature we calculated does not match", Refused, "line", "ses_not_allowed"),
    ("RequestThrottled", 400, "", TryLater, "rate", "sending_too_fast"),
    ("SomethingNewException", 429, "No.", TryLater, "rate", "sending_too_fast"),
    ("SignatureDoesNotMatch", 403, "", Refused, "line", "ses_not_allowed"),
    ("UnrecognizedClientException", 403, "", Refused, "line", "ses_not_allowed"),
    ("ConflictException", 409, "The account is being changed.", TryLater, "line", "message_put_off"),
    ("SomethingNewException", 400, "No.", TryLater, "line", "message_put_off"),
    ("SomethingNewException", 400, f"Not to rob{TO}", TryLater, "line", "message_put_off"),
    ("SomethingNewException", 400, f"Not to '{TO}'.", TryLater, "contact", "message_put_off"),
    ("MessageRejected", 400, f"{SANDBOX}rob{TO}, {TO}.cn", Refused, "line", "from_not_verified"),
    ("BadRequestException", 400, "Illegal address <tenant@mail.example>", Refused, "contact", "message_refused"),
]  # fmt: skip
DOUBTS = [
    ("InternalFailure", 500, ""),
    ("InternalServiceErrorException", 500, "boom"),
    ("ServiceUnavailable", 503, ""),
    ("503", 503, "Service Unavailable"),
    ("502", 502, "<html>Bad gateway</html>"),
    ("504", 504, ""),
    ("", 0, ""),
    ("400", 400, "<html>400</html>"),  # not an error that SES named
    ("413", 413, ""),
    ("408", 408, "Request Timeout"),
    ("RequestTimeoutException", 408, "the body did not come in time"),
    ("200", 200, ""),
]


@pytest.mark.parametrize(("code", "status", "text", "kind", "scope", "why"), ANSWERS)
def test_an_error_that_ses_names_is_a_clear_no(
    code: str, status: int, text: str, kind: type, scope: str, why: str
) -> None:
    outcome = classify(code, status, text, TO)
    assert isinstance(outcome, TryLater | Refused)
    assert (type(outcome), outcome.scope, outcome.reason.code) == (kind, Scope(scope), why)
    assert outcome.reason.text == ADVICE[why]
    assert code in (outcome.reason.reply_text or "")


@pytest.mark.parametrize(("code", "status", "text"), DOUBTS)
def test_anything_else_is_a_doubt_that_is_never_repeated(code: str, status: int, text: str) -> None:
    outcome = classify(code, status, text, TO)
    assert isinstance(outcome, Unknown)
    assert outcome.reason.code == "outcome_unknown"


def test_a_used_up_quota_is_waited_for_and_a_pace_is_not() -> None:
    quota = classify("TooManyRequestsException", 429, "Daily message quota exceeded", TO)
    pace = classify("TooManyRequestsException", 429, "Maximum sending rate exceeded", TO)
    assert isinstance(quota, TryLater)
    assert isinstance(pace, TryLater)
    assert (quota.after, pace.after) == (QUOTA_WAIT, None)


@pytest.mark.parametrize("place", ["{}@mail.example", "bob@{}.example"])
@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.words and rule.scope is not Scope.CONTACT])
def test_the_words_of_an_address_bring_no_row_down(rule: Rule, place: str) -> None:
    for trigger in (
        "tenant",
        "daily",
        "quota",
        "tenant-is-paused",
        "sending-disabled",
        "size-limit",
        "large-max",
    ):
        to = place.format(trigger)
        for code in rule.codes:
            for text in (f"No: {to}", f"No: <{to}>", f"Not to {to.partition('@')[0]}"):
                quoted, plain = classify(code, 400, text, to), classify(code, 400, "No", to)
                assert (type(quoted), quoted.reason.code) == (type(plain), plain.reason.code)


@given(st.text(), st.integers(), st.text(), st.text())
def test_any_answer_has_an_outcome(code: str, status: int, text: str, recipient: str) -> None:
    outcome = classify(code, status, text, recipient)
    assert len(outcome.reason.reply_text or "") <= 500
    assert isinstance(identity_trouble(code, status, text), TryLater | Refused)


@given(st.text(), st.integers(500, 599))
def test_a_5xx_is_a_no_only_under_a_name_of_ses(text: str, status: int) -> None:
    assert isinstance(classify(str(status), status, text, TO), Unknown)


@pytest.mark.parametrize(
    ("code", "status", "kind", "why"),
    [
        ("AccessDeniedException", 403, TryLater, "ses_not_allowed"),
        ("TooManyRequestsException", 429, TryLater, "ses_busy"),
        ("ConcurrentModificationException", 409, TryLater, "ses_busy"),
        ("InternalFailure", 500, TryLater, "ses_unreachable"),
        ("NotFoundException", 404, TryLater, "ses_misconfigured"),
        ("LimitExceededException", 400, Refused, "ses_limit_reached"),
        ("BadRequestException", 400, Refused, "identity_refused"),
    ],
)
def test_trouble_with_an_identity_ends_it_only_where_another_try_would_meet_it_again(
    code: str, status: int, kind: type, why: str
) -> None:
    outcome = identity_trouble(code, status, "because")
    assert (type(outcome), outcome.reason.code) == (kind, why)


def test_every_reason_has_its_sentence() -> None:
    assert {rule.reason for rule in RULES} <= ADVICE.keys()
    assert all(text.endswith(".") for text in ADVICE.values())
    assert reason("ses_busy", "a\r\nb\x00c").reply_text == "a bc"


def test_tags_hold_only_what_ses_takes() -> None:
    values = tag_values(TAGS)
    assert len(values) == 5
    for text in (*values, *values.values()):
        assert re.fullmatch(r"[A-Za-z0-9_-]{1,256}", text)
