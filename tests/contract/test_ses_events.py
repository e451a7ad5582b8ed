"""Messages of the SES event queue, after the payloads of AWS's documentation in ``tests/events``."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.adapters.ses_events import KeptOut, read_event
from chalicelib.domain.delivery import MessageTags
from chalicelib.domain.delivery_event import BounceType, DeliveryEvent, EventType, Opener

FILES = {file.stem: file.read_text() for file in (Path(__file__).parents[1] / "events").glob("*.json")}
TAGS = MessageTags("acc1", "c1", "ann", 2, 3)
PERMANENT, TRANSIENT, UNDETERMINED = BounceType
NO, YES = False, True
SUBSCRIPTION = {"Type": "SubscriptionConfirmation", "Message": "You have chosen to subscribe", "Token": "x"}

BOUNCES = [
    ("bounce_permanent_general", PERMANENT, "mailbox_unknown", YES),
    ("bounce_permanent_no_email", PERMANENT, "mailbox_unknown", YES),
    ("bounce_permanent_suppressed", PERMANENT, "ses_suppressed", YES),
    ("bounce_permanent_on_account_suppression_list", PERMANENT, "ses_suppressed", NO),
    ("bounce_permanent_unsubscribed_recipient", PERMANENT, "ses_unsubscribed", NO),
    ("complaint_on_account_suppression_list", PERMANENT, "ses_suppressed", NO),
    ("bounce_permanent_policy", PERMANENT, "recipient_refused", NO),
    ("bounce_transient_general", TRANSIENT, "bounced", NO),
    ("bounce_transient_mailbox_full", TRANSIENT, "mailbox_full", NO),
    ("bounce_transient_message_too_large", TRANSIENT, "message_too_large", NO),
    ("bounce_transient_content_rejected", TRANSIENT, "content_refused", NO),
    ("bounce_transient_attachment_rejected", TRANSIENT, "attachment_refused", NO),
    ("bounce_transient_custom_timeout_exceeded", TRANSIENT, "not_delivered_in_time", NO),
    ("bounce_undetermined", UNDETERMINED, "bounced", NO),
]
OTHERS = [
    ("send", EventType.SEND, None),
    ("delivery", EventType.DELIVERY, None),
    ("delivery_delay", EventType.DELIVERY_DELAY, "delivery_delayed"),
    ("reject", EventType.REJECT, "ses_rejected"),
    ("rendering_failure", EventType.RENDERING_FAILURE, "ses_rendering_failed"),
    ("complaint", EventType.COMPLAINT, "complained"),
    ("complaint_without_report", EventType.COMPLAINT, "complained"),
    ("open", EventType.OPEN, None),
    ("open_by_apples_proxy", EventType.OPEN, None),
    ("open_at_once", EventType.OPEN, None),
    ("click", EventType.CLICK, None),
    ("subscription", EventType.UNSUBSCRIBE, None),
]
KEPT_OUT = [
    ("complaint_not_spam", KeptOut.NO_COMPLAINT),
    ("subscription_opt_in", KeptOut.STAYS_SUBSCRIBED),
    ("of_another_program", KeptOut.NOT_OURS),
    ("of_a_type_to_come", KeptOut.UNKNOWN_TYPE),
    ("notification_bounce", KeptOut.NOT_OURS),
    ("notification_bounce_without_headers", KeptOut.NOT_OURS),
    ("notification_complaint", KeptOut.NOT_OURS),
    ("notification_delivery", KeptOut.NOT_OURS),
    ("notification_subscribed", KeptOut.NOT_AN_EVENT),
]


def wrapped(text: str) -> str:
    """In the envelope that SNS gives a message for a queue."""
    return json.dumps(
        {
            "Type": "Notification",
            "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
            "TopicArn": "arn:aws:sns:us-east-1:123456789012:SesEventTopic",
            "Subject": "Amazon SES Email Event Notification",
            "Message": text,
            "Timestamp": "2026-03-02T12:00:05.000Z",
            "SignatureVersion": "1",
        }
    )


def told(name: str) -> DeliveryEvent:
    event = read_event(FILES[name])
    assert isinstance(event, DeliveryEvent)
    assert read_event(wrapped(FILES[name])) == event
    assert event.tags == TAGS
    return event


def changed(name: str, *path: str, to: Any) -> str:
    message = json.loads(FILES[name])
    place = message
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = to
    return json.dumps(message)


def as_notification(name: str) -> str:
    """The same as an identity notification. SES gives these no tags; if it ever does, they are ours."""
    message = json.loads(FILES[name])
    return json.dumps({"notificationType": message.pop("eventType"), **message})


def test_every_file_is_expected_to_mean_something() -> None:
    assert {name for name, *_ in [*BOUNCES, *OTHERS, *KEPT_OUT]} == FILES.keys()


@pytest.mark.parametrize(("name", "kind", "code", "suppress"), BOUNCES)
def test_bounces(name: str, kind: BounceType, code: str, suppress: bool) -> None:
    event = told(name)
    assert (event.type, event.bounce_type, event.suppress) == (EventType.BOUNCE, kind, suppress)
    assert event.reason is not None
    assert event.reason.code == code
    assert event.recipient == "ann@mail.example"


def test_a_bounce_keeps_what_the_server_said() -> None:
    reason = told("bounce_permanent_general").reason
    assert reason is not None
    assert (reason.reply_code, reason.enhanced, reason.reply_text) == (550, "5.1.1", "5.1.1 user unknown")
    assert (reason.stage, reason.text[:9]) == (None, "There is ")


def test_the_recipients_name_is_no_reason() -> None:
    said = {"status": "5.0.0", "diagnosticCode": "smtp; 550 dmarc: user unknown"}
    body = changed("bounce_permanent_general", "bounce", "bouncedRecipients", to=[said])
    event = read_event(body.replace("ann@mail.example", "dmarc@mail.example"))
    assert isinstance(event, DeliveryEvent)
    assert event.reason is not None
    assert event.reason.code == "mailbox_unknown"


@pytest.mark.parametrize(("name", "type_", "code"), OTHERS)
def test_other_events(name: str, type_: EventType, code: str | None) -> None:
    event = told(name)
    assert (event.type, event.reason.code if event.reason else None) == (type_, code)
    assert event.suppress == (type_ in (EventType.COMPLAINT, EventType.UNSUBSCRIBE))


@pytest.mark.parametrize(
    ("name", "time"),
    [
        ("send", "12:00:00.645"),
        ("reject", "12:00:00.645"),
        ("delivery", "12:00:03.133"),
        ("bounce_undetermined", "12:00:04.669"),
        ("complaint", "12:20:02.669"),
        ("open", "12:09:19.652"),
        ("subscription", "12:30:17.910"),
    ],
)
def test_an_event_happened_when_ses_says(name: str, time: str) -> None:
    assert told(name).at == datetime.fromisoformat(f"2026-03-02T{time}").replace(tzinfo=UTC)


def test_a_complaint_is_about_whom_it_was_sent_to_whoever_else_the_provider_names() -> None:
    assert told("complaint").recipient == "ann@mail.example"
    many = changed("complaint", "mail", "destination", to=["ann@mail.example", "bob@mail.example"])
    event = read_event(many)
    assert isinstance(event, DeliveryEvent)
    assert event.recipient is None


@pytest.mark.parametrize(
    ("name", "opener"),
    [
        ("open", Opener.HUMAN),
        ("click", Opener.HUMAN),
        ("open_by_apples_proxy", Opener.MACHINE),
        ("open_at_once", Opener.MACHINE),
    ],
)
def test_of_who_opened_nothing_but_the_verdict_is_kept(name: str, opener: Opener) -> None:
    event = told(name)
    assert event.opener is opener
    assert not any(words in repr(event) for words in ("192.0.2.1", "172.224", "Mozilla"))


@pytest.mark.parametrize(("name", "why"), KEPT_OUT)
def test_what_is_not_for_us_is_kept_out_by_name(name: str, why: KeptOut) -> None:
    assert read_event(FILES[name]) is read_event(wrapped(FILES[name])) is why


@pytest.mark.parametrize(
    "body",
    [
        "Successfully validated SNS topic for Amazon SES event publishing.",
        wrapped("Successfully validated SNS topic for Amazon SES event publishing."),
        json.dumps(SUBSCRIPTION),
        json.dumps({"Type": "Notification"}),
    ],
)
def test_what_sns_and_ses_say_of_the_topic_is_kept_out(body: str) -> None:
    assert read_event(body) is KeptOut.NOT_AN_EVENT


@pytest.mark.parametrize("name", [name for name, *_ in [*BOUNCES, *OTHERS]])
def test_both_formats_say_the_same(name: str) -> None:
    assert read_event(as_notification(name)) == told(name)


@pytest.mark.parametrize("tag", ["account", "campaign", "contact", "generation", "attempt"])
@pytest.mark.parametrize("value", [None, "acc1", [], [""], ["a", "b"], [1], {"a": "b"}])
def test_tags_that_are_not_as_we_send_them_are_not_ours(tag: str, value: Any) -> None:
    assert read_event(changed("send", "mail", "tags", tag, to=value)) is KeptOut.NOT_OURS


@pytest.mark.parametrize("number", ["", "x", "-1", "1.5", " 1", "١", "9" * 10, "1\n"])
def test_numbers_that_are_none_are_not_ours(number: str) -> None:
    for tag in ("generation", "attempt"):
        assert read_event(changed("send", "mail", "tags", tag, to=[number])) is KeptOut.NOT_OURS


@pytest.mark.parametrize(
    "body",
    [
        "",
        "no JSON",
        "[]",
        "5",
        "null",
        "{}",
        '{"eventType": 5}',
        wrapped("no JSON"),
        wrapped("[]"),
        wrapped("{}"),
        '{"eventType": "Send", "mail": []}',
        changed("delivery", "delivery", to=[]),
        changed("delivery", "delivery", "timestamp", to=None),
        changed("delivery", "delivery", "timestamp", to="yesterday"),
        changed("send", "mail", "timestamp", to=7),
        changed("open", "open", to={}),
        changed("subscription", "subscription", "newTopicPreferences", to="x"),
    ],
)
def test_what_nobody_can_read_is_a_value_error(body: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  (its text may quote the message)
        read_event(body)


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def _paths(message: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if not isinstance(message, dict):
        return []
    steps = [(*path, key) for key in message]
    return steps + [longer for key in message for longer in _paths(message[key], (*path, key))]


@settings(max_examples=400, derandomize=True, deadline=None, database=None)
@given(st.sampled_from(sorted(FILES)), json_values, st.data())
def test_whatever_stands_anywhere_nothing_but_a_value_error_comes_of_it(
    name: str, value: Any, data: st.DataObject
) -> None:
    path = data.draw(st.sampled_from(_paths(json.loads(FILES[name]))))
    try:
        event = read_event(changed(name, *path, to=value))
    except ValueError:
        return
    assert isinstance(event, DeliveryEvent | KeptOut)
