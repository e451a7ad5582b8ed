"""To a sender the bridge is SES: it passes on, remembers, and tells what became of each message."""

import json
import socket
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from local.emulator import Emulator
from local.maildir import Received
from local.ses_bridge import Options
from local.ses_events import Happening
from local.ses_fates import Fate, Shares, by_address, drawn
from local.ses_publishing import Disorder
from tests.contract.ses_builders import MESSAGE, SENDER, Ses, ses

ANNA = "anna@shop.example"
CROWD = [f"guest-{number}@shop.example" for number in range(20)]


@pytest.fixture
def orderly(cloud: Emulator, tmp_path: Path) -> Iterator[Ses]:
    with ses(cloud, tmp_path) as running:
        yield running


def types_of(events: list[dict[str, object]]) -> list[object]:
    return [event["eventType"] for event in events]


def test_a_message_lands_in_the_maildir_to_the_byte(orderly: Ses) -> None:
    orderly.send(ANNA)
    assert list(orderly.maildir.messages()) == [Received(SENDER, (ANNA,), MESSAGE)]


def test_what_became_of_it_comes_through_sns_in_order(orderly: Ses) -> None:
    message_id = orderly.send(ANNA)
    first, second = orderly.envelopes(2)
    assert (first["Type"], first["Subject"]) == ("Notification", "Amazon SES Email Event Notification")
    sent, delivered = json.loads(first["Message"]), json.loads(second["Message"])
    assert types_of([sent, delivered]) == ["Send", "Delivery"]
    assert sent["mail"]["messageId"] == delivered["mail"]["messageId"] == message_id
    assert sent["mail"]["tags"]["contact"] == ["anna"]
    assert sent["mail"]["tags"]["ses:configuration-set"] == [orderly.configuration_set]
    assert sent["mail"]["commonHeaders"] == {
        "messageId": message_id,
        "from": ["Zoë <news@sender.example>"],
        "to": ["anna@shop.example"],
        "subject": "Привет",
    }
    assert {"name": "X-Long", "value": "folded over lines"} in sent["mail"]["headers"]
    assert delivered["delivery"]["recipients"] == [ANNA]
    assert sent["mail"]["timestamp"] < delivered["delivery"]["timestamp"]


@pytest.mark.parametrize(
    ("local", "told"),
    [
        ("success", [("Send", None), ("Delivery", None)]),
        ("bounce", [("Send", None), ("Bounce", ("Permanent", "General"))]),
        ("complaint", [("Send", None), ("Delivery", None), ("Complaint", None)]),
        ("ooto", [("Send", None), ("Delivery", None), ("Bounce", ("Transient", "General"))]),
        ("suppressionlist", [("Send", None), ("Bounce", ("Permanent", "OnAccountSuppressionList"))]),
        ("bounce+anna", [("Send", None), ("Bounce", ("Permanent", "General"))]),
        ("Complaint+anna", [("Send", None), ("Delivery", None), ("Complaint", None)]),
    ],
)
def test_the_simulators_addresses_do_what_they_do_at_amazon(
    orderly: Ses, local: str, told: list[tuple[str, object]]
) -> None:
    orderly.send(f"{local}@simulator.amazonses.com")
    events = orderly.events(len(told))
    assert [(event["eventType"], _bounce(event)) for event in events] == told


def _bounce(event: dict[str, dict[str, str]]) -> object:
    bounce = event.get("bounce")
    return bounce and (bounce["bounceType"], bounce["bounceSubType"])


def test_a_reader_opens_and_clicks_when_asked(orderly: Ses) -> None:
    message_id = orderly.send(ANNA)
    orderly.events(2)
    url = f"{orderly.bridge.url}/reader/{message_id}/"
    for name in ("open", "prefetch", "click"):
        with urllib.request.urlopen(urllib.request.Request(url + name, method="POST")) as answer:
            assert answer.status == 202
    by_person, by_machine, click = orderly.events(3)
    assert types_of([by_person, by_machine, click]) == ["Open", "Open", "Click"]
    assert by_machine["open"]["userAgent"] == "Mozilla/5.0"
    assert by_person["open"]["userAgent"] != by_machine["open"]["userAgent"]
    assert click["click"]["link"].startswith("https://")


@pytest.mark.parametrize(("path", "status"), [("nobody/open", 404), ("nobody/sing", 400), ("nobody", 400)])
def test_a_reader_of_nothing_is_told_so(orderly: Ses, path: str, status: int) -> None:
    url = f"{orderly.bridge.url}/reader/{path}"
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(urllib.request.Request(url, method="POST"))
    with refusal.value as answer:
        assert answer.status == status


def test_other_calls_pass_as_they_are(orderly: Ses, cloud: Emulator) -> None:
    direct = cloud.session().client("sesv2", endpoint_url=cloud.endpoint)
    orderly.client.create_email_template(TemplateName="t", TemplateContent={"Subject": "s"})
    assert direct.get_email_template(TemplateName="t")["TemplateContent"]["Subject"] == "s"
    assert "t" in {
        found["TemplateName"] for found in orderly.client.list_email_templates()["TemplatesMetadata"]
    }
    orderly.client.delete_email_template(TemplateName="t")
    with pytest.raises(ClientError) as refusal:
        orderly.client.get_email_template(TemplateName="t")
    assert refusal.value.response["Error"]["Code"] == "NotFoundException"
    assert orderly.client.get_account()["SendQuota"] == direct.get_account()["SendQuota"]
    direct.close()


def test_who_is_not_verified_is_refused_in_the_emulators_words(orderly: Ses) -> None:
    with pytest.raises(ClientError) as refusal:
        orderly.send(ANNA, FromEmailAddress="stranger@elsewhere.example")
    assert refusal.value.response["Error"]["Code"] == "MessageRejected"
    assert "stranger@elsewhere.example" in refusal.value.response["Error"]["Message"]
    assert (orderly.bridge.accepted(), orderly.bridge.publisher.backlog()) == ([], 0)
    assert list(orderly.maildir.messages()) == []


def test_without_a_configuration_set_nothing_is_told(orderly: Ses) -> None:
    orderly.send(ANNA, ConfigurationSetName="")
    orderly.send(ANNA, ConfigurationSetName="nowhere")
    assert orderly.bridge.publisher.backlog() == 0
    assert len(orderly.bridge.accepted()) == 2


def test_a_destination_gets_the_types_it_wants_only(orderly: Ses) -> None:
    destination = orderly.client.get_configuration_set_event_destinations(
        ConfigurationSetName=orderly.configuration_set
    )["EventDestinations"][0]
    orderly.client.update_configuration_set_event_destination(
        ConfigurationSetName=orderly.configuration_set,
        EventDestinationName="events",
        EventDestination={
            "Enabled": True,
            "MatchingEventTypes": ["DELIVERY"],
            "SnsDestination": destination["SnsDestination"],
        },
    )
    orderly.send(ANNA)
    assert types_of(orderly.events(1)) == ["Delivery"]
    assert [line.happening for line in orderly.bridge.ledger()] == [Happening.DELIVERY]


def test_events_come_twice_and_in_another_order(cloud: Emulator, tmp_path: Path) -> None:
    disorder = Disorder(duplicates=1.0, window=80, seed=3)
    with ses(cloud, tmp_path, Options(disorder=disorder)) as running:
        ids = [running.send(recipient) for recipient in CROWD]
        events = running.events(4 * len(CROWD))
        told = [(event["mail"]["messageId"], event["eventType"]) for event in events]
        assert Counter(told) == {(one, kind): 2 for one in ids for kind in ("Send", "Delivery")}
        assert told != sorted(told, key=lambda one: (ids.index(one[0]), one[1] != "Send"))
        written = [(line.message_id, line.happening.title()) for line in running.bridge.ledger()]
        assert Counter(written) == Counter(told)
        firsts = {one: next(kind for id_, kind in written if id_ == one) for one in ids}
        assert set(firsts.values()) == {"Send", "Delivery"}


def test_events_are_delayed(cloud: Emulator, tmp_path: Path) -> None:
    with ses(cloud, tmp_path, Options(disorder=Disorder(delay=3_600.0, seed=1))) as running:
        running.send(ANNA)
        assert running.bridge.publisher.backlog() == 2
        assert (running.waiting(), running.bridge.ledger()) == (0, [])


def test_late_events_come_though_nothing_follows_them(cloud: Emulator, tmp_path: Path) -> None:
    with ses(cloud, tmp_path, Options(disorder=Disorder(delay=0.5, seed=1))) as running:
        running.send(ANNA)
        assert sorted(types_of(running.events(2))) == ["Delivery", "Send"]
        assert running.bridge.publisher.backlog() == 0


def test_early_events_are_out_before_the_sender_has_its_reply(cloud: Emulator, tmp_path: Path) -> None:
    with ses(cloud, tmp_path, Options(disorder=Disorder(delay=3_600.0, early=1.0))) as running:
        running.send(ANNA)
        assert running.waiting() == 2


def test_a_reply_can_be_lost_after_the_message_was_taken(orderly: Ses) -> None:
    with pytest.raises(ConnectionClosedError):
        orderly.send("drop-reply+anna@shop.example")
    assert len(list(orderly.maildir.messages())) == 1
    assert types_of(orderly.events(2)) == ["Send", "Delivery"]
    orderly.send("drop-reply+anna@shop.example")
    assert len(orderly.bridge.accepted()) == 2


@pytest.mark.parametrize(
    ("label", "status", "code"),
    [("throttle", 429, "TooManyRequestsException"), ("fail", 500, "InternalFailure")],
)
def test_ses_can_say_no_before_it_takes_a_message(orderly: Ses, label: str, status: int, code: str) -> None:
    with pytest.raises(ClientError) as refusal:
        orderly.send(f"{label}+anna@shop.example")
    assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert refusal.value.response["Error"]["Code"] == code
    assert list(orderly.maildir.messages()) == []
    orderly.send(f"{label}+anna@shop.example")
    assert len(list(orderly.maildir.messages())) == 1


def test_held_events_wait_for_their_release(cloud: Emulator, tmp_path: Path) -> None:
    with ses(cloud, tmp_path, Options(plan=lambda address: Fate(held=address == ANNA))) as running:
        held = running.send(ANNA)
        other = running.send(CROWD[0])
        assert {event["mail"]["messageId"] for event in running.events(2)} == {other}
        assert running.bridge.publisher.backlog() == 2
        running.bridge.publisher.release()
        assert {event["mail"]["messageId"] for event in running.events(2)} == {held}


def test_an_identity_takes_its_time_to_be_verified(cloud: Emulator, tmp_path: Path) -> None:
    with ses(cloud, tmp_path, Options(verify_after=3_600.0)) as running:
        made = running.client.create_email_identity(EmailIdentity="slow.example")
        assert made["VerifiedForSendingStatus"] is False
        assert made["DkimAttributes"]["Status"] == "PENDING"
        assert len(made["DkimAttributes"]["Tokens"]) == 3
        seen = running.client.get_email_identity(EmailIdentity="slow.example")
        assert (seen["VerifiedForSendingStatus"], seen["VerificationStatus"]) == (False, "PENDING")


def test_an_identity_is_verified_in_the_end(orderly: Ses) -> None:
    orderly.client.create_email_identity(EmailIdentity="quick.example")
    seen = orderly.client.get_email_identity(EmailIdentity="quick.example")
    assert (seen["VerifiedForSendingStatus"], seen["VerificationStatus"]) == (True, "SUCCESS")
    assert seen["DkimAttributes"]["Status"] == "SUCCESS"


def test_the_quota_tells_the_rate_that_was_set(cloud: Emulator, tmp_path: Path) -> None:
    with ses(cloud, tmp_path, Options(send_rate=200.0)) as running:
        quota = running.client.get_account()["SendQuota"]
        assert (quota["MaxSendRate"], quota["Max24HourSend"]) == (200.0, 50_000.0)


def test_it_listens_on_loopback_only(orderly: Ses) -> None:
    address = urlsplit(orderly.bridge.url)
    assert address.hostname == "127.0.0.1"
    with pytest.raises(ConnectionRefusedError):  # who listens everywhere listens there too
        socket.create_connection(("127.0.0.2", address.port or 0), timeout=5)


def test_it_remembers_so_much_and_no_more(cloud: Emulator, tmp_path: Path) -> None:
    options = Options(messages_remembered=5, events_remembered=7)
    with ses(cloud, tmp_path, options) as running:
        ids = [running.send(recipient) for recipient in CROWD]
        running.events(2 * len(CROWD))
        assert [message.message_id for message in running.bridge.accepted()] == ids[-5:]
        assert len(running.bridge.ledger()) == 7
        assert running.bridge.happen(ids[0], Happening.OPEN) is False


def test_long_headers_are_cut_and_said_to_be(orderly: Ses) -> None:
    orderly.send(ANNA, b"Subject: x\r\n" + b"X-More: and more\r\n" * 1_000 + b"\r\nHi")
    sent, _ = orderly.events(2)
    assert sent["mail"]["headersTruncated"] is True
    headers = sent["mail"]["headers"]
    assert headers[0] == {"name": "Subject", "value": "x"}
    assert sum(len(one["name"]) + len(one["value"]) for one in headers) <= 10_240


def test_a_plan_for_a_list_is_the_same_each_time_and_meets_its_shares() -> None:
    people = [f"person-{number}@shop.example" for number in range(200)]
    shares = Shares(dropped_replies=2)
    first, again, other = (drawn(people, shares, seed) for seed in (1, 1, 2))
    assert [first(one) for one in people] == [again(one) for one in people]
    assert [first(one) for one in people] != [other(one) for one in people]
    happenings = Counter(happening for one in people for happening in first(one).happenings)
    assert (happenings[Happening.BOUNCE], happenings[Happening.COMPLAINT]) == (10, 2)
    assert sum(first(one).held for one in people) == 2
    assert first("stranger@shop.example") == by_address("stranger@shop.example")
