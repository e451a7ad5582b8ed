"""What a server quotes is no word of its own: one address never speaks for a line, a pace or a content."""

import re
import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.domain.delivery import Refused, Scope, Stage, TryLater
from chalicelib.domain.reply_words import BLANK, own_words
from chalicelib.domain.smtp_replies import classify, refusal, split_reply
from chalicelib.domain.smtp_rules import ADDRESSED, RULES, Rule

# Every row that words can bring down on more than one contact, also those that are yet to be written.
WORDY = [rule for rule in RULES if rule.words and rule.scope is not Scope.CONTACT and rule.stages & ADDRESSED]
STAGES = st.sampled_from([Stage.RCPT, Stage.DATA, Stage.DOT])
PLACES = ["{}@mail.example", "bob@{}.example", "bob@mx.{}.example", "bob+{}@mail.example", "bob@{}"]
QUOTES = [
    "<{}>: Recipient address rejected: User unknown in virtual mailbox table",
    "{}... User unknown",
    "No such user: {}",
    "The account that you tried to reach does not exist: {}. See https://mail.example/help?to={}",
]


LETTERS = st.sampled_from(string.ascii_letters + string.digits + " -" + BLANK)
FEW = settings(suppress_health_check=list(HealthCheck), deadline=None, max_examples=15)


def triggers(rule: Rule) -> st.SearchStrategy[str]:
    """Words that bring the row down when the server says them."""
    pattern = re.compile(rule.words, re.IGNORECASE | re.ASCII)
    return st.from_regex(pattern, fullmatch=True, alphabet=LETTERS)


def in_an_address(trigger: str) -> str:
    """The same as part of an address, where there can be no blank."""
    return re.sub(r"[^A-Za-z0-9]+", "-", trigger).strip("-")[:60].strip("-") or "x"


@pytest.mark.parametrize("rule", WORDY, ids=lambda rule: f"{RULES.index(rule)}-{rule.reason}")
@FEW
@given(data=st.data())
def test_no_words_in_a_recipient_bring_a_row_down_on_others(rule: Rule, data: st.DataObject) -> None:
    trigger = in_an_address(data.draw(triggers(rule)))
    stage, place, quote = (
        data.draw(STAGES),
        data.draw(st.sampled_from(PLACES)),
        data.draw(st.sampled_from(QUOTES)),
    )
    recipient = place.format(trigger)
    text = quote.format(recipient, recipient)
    for told in (recipient, ""):
        outcome = classify(stage, 550, None, text, told)
        assert isinstance(outcome, Refused)
        assert (outcome.scope, outcome.reason.code) == (Scope.CONTACT, "mailbox_unknown")
        assert outcome.reason.reply_text == text


@pytest.mark.parametrize("rule", WORDY, ids=lambda rule: f"{RULES.index(rule)}-{rule.reason}")
@pytest.mark.parametrize("enhanced", ["1.1", "1.2", "1.3", "1.6", "1.10", "2.1", "2.2"])
@FEW
@given(data=st.data())
def test_a_code_that_names_the_recipient_outweighs_all_words(
    rule: Rule, enhanced: str, data: st.DataObject
) -> None:
    trigger = data.draw(triggers(rule))
    for code, digit in ((550, "5"), (450, "4")):
        outcome = refusal(data.draw(STAGES), code, f"{digit}.{enhanced}", f"no, {trigger}")
        assert outcome.scope is Scope.CONTACT


@pytest.mark.parametrize("rule", WORDY, ids=lambda rule: f"{RULES.index(rule)}-{rule.reason}")
@FEW
@given(data=st.data())
def test_in_the_servers_own_mouth_the_same_words_still_count(rule: Rule, data: st.DataObject) -> None:
    """The proof that the tests above would notice: what they quote does count when it is said."""
    said = data.draw(triggers(rule))
    stage = data.draw(st.sampled_from(sorted(rule.stages & ADDRESSED)))
    code = min(rule.codes, default=550)
    assert rule.fits(stage, code, None, own_words(said, "bob@mail.example"))


@pytest.mark.parametrize(
    ("recipient", "text"),
    [
        ("relay@acme.example", '"relay": unknown user'),
        ("relay@acme.example", "User relay unknown"),
        ("Relay@acme.example", "No such user relay here"),
        ("relay+news@acme.example", "No such mailbox: relay"),
        ("bob@Relay.Example", "unknown recipient at Relay.Example"),
        ("bob@acme.example", "User unknown (mx.relay.example)"),
        ("bob@acme.example", "User unknown, says smtp-relay.acme.example[192.0.2.1]"),
        ("bob@acme.example", "User unknown, see http://acme.example/relay?spf=1"),
        ("bob@dkim.рф", "User unknown at dkim.рф"),
        ("bob@acme.example", "User unknown at relay.xn--p1ai"),
    ],
)
def test_names_that_are_quoted_in_parts_are_no_words_either(recipient: str, text: str) -> None:
    outcome = classify(Stage.RCPT, 550, None, text, recipient)
    assert isinstance(outcome, Refused)
    assert (outcome.scope, outcome.reason.code) == (Scope.CONTACT, "mailbox_unknown")


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        ("5.7.1 <bob@acme.example>: Relay access denied", "relay_denied"),
        ("5.7.1 <bob@acme.example>:Relaying denied", "relay_denied"),
        ("5.7.1 bob@acme.example... Relaying denied", "relay_denied"),
        ("5.7.1 Denied by policy.Relaying is not allowed", "relay_denied"),
        ("5.7.1 Service unavailable; Client host [192.0.2.1] blocked using bl.example", "sender_blocked"),
        ("5.7.1 [192.0.2.1] listed at bl.blocklist.example", "sender_blocked"),
        (
            "5.7.1 <news@shop.example>: Sender address rejected: not owned by user a@b.example",
            "from_not_allowed",
        ),
        ("5.7.1 SPF check of shop.example failed", "domain_not_authenticated"),
    ],
)
def test_what_a_server_says_beside_what_it_quotes_counts(reply: str, code: str) -> None:
    outcome = classify(Stage.RCPT, 550, *split_reply([reply]), "bob@acme.example")
    assert isinstance(outcome, Refused)
    assert (outcome.scope, outcome.reason.code) == (Scope.LINE, code)


def test_somebody_who_is_not_listed_is_no_sender_on_a_list() -> None:
    outcome = classify(Stage.RCPT, 550, None, "bob not listed in acme.example directory", "bob@acme.example")
    assert isinstance(outcome, Refused)
    assert outcome.scope is Scope.CONTACT


def test_a_time_in_an_address_is_no_wish() -> None:
    outcome = refusal(Stage.RCPT, 451, None, "<90s@acme.example>: greylisted")
    assert isinstance(outcome, TryLater)
    assert outcome.after is None


@given(st.text(), st.text())
def test_the_text_keeps_its_length(text: str, recipient: str) -> None:
    assert len(own_words(text, recipient)) == len(text)


def test_what_is_blanked() -> None:
    said = "<bob@a.example>: no. See https://x.example/y or mx1.b.example.Really"
    assert re.sub(f"{BLANK}+", "_", own_words(said)) == "<_>: no. See _ or mx1.b.example.Really"
    assert re.sub(f"{BLANK}+", "_", own_words("Bob at a.example", "bob@a.example")) == "_ at _"
