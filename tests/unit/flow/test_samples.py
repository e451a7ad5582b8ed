"""Test messages: like a contact's, marked, never twice by themselves, and nothing of a contact is touched."""

from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from chalicelib.domain.brake import Brake
from chalicelib.domain.contact import Person
from chalicelib.domain.delivery import Reason, Refused, Scope
from chalicelib.domain.line import ConnectionState, SesChannel
from chalicelib.domain.quota import USUAL, Quota
from chalicelib.domain.sample import (
    HAND_OVER_ENDS,
    NOT_IN_TIME,
    ORDER_LIVES,
    Sample,
    SampleState,
)
from chalicelib.errors import Conflict, Invalid, NotFound
from chalicelib.flow.preview import preview_contact
from chalicelib.flow.samples import Wish, ask_for_sample, read_sample, send_sample
from chalicelib.flow.signing import KEY_UNREADABLE
from tests.fakes.channel import LOST_REPLY
from tests.fakes.world import ACCOUNT, STRANGER, World
from tests.unit.flow.test_attachments import attach, upload
from tests.unit.flow.test_signing import damage

ME = "me@shop.example"


@pytest.fixture
def world() -> World:
    made = World()
    made.add_line()
    return made


def ask(world: World, campaign_id: str, wish: Wish | None = None, account: str = ACCOUNT) -> Sample:
    return ask_for_sample(account, campaign_id, wish or Wish(ME), world.ask_ports)


def carry_out(world: World, sample: Sample) -> SampleState | None:
    return send_sample(ACCOUNT, sample.sample_id, world.stop_at(), world.sample_ports)


def read(world: World, sample: Sample) -> Sample:
    return read_sample(ACCOUNT, sample.sample_id, world.samples, world.clock)


def only_mail(world: World) -> EmailMessage:
    (mail,) = world.channel.accepted
    found = message_from_bytes(mail.text, policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


def test_it_is_the_contacts_message_marked_and_to_the_typed_address(world: World) -> None:
    campaign_id = world.add_campaign(1).campaign_id
    before = world.only(campaign_id), world.contacts.totals(ACCOUNT, campaign_id)
    sample = ask(world, campaign_id)
    assert world.sample_queue.take() == [{"account_id": ACCOUNT, "test_id": sample.sample_id}]
    assert carry_out(world, sample) is SampleState.SENT
    mail = only_mail(world)
    shown = preview_contact(ACCOUNT, campaign_id, before[0].contact_id, None, world.preview_ports).rendered
    html = mail.get_body(("html",))
    assert html is not None
    assert (mail["Subject"], mail["To"]) == (f"[Test] {shown.subject}", ME)
    assert world.channel.recipients() == [ME]
    inert = shown.html.replace("about:blank", f"{world.public_url}/u/test", 1)
    inert = inert.replace("about:blank", f"{world.public_url}/o/test")
    assert html.get_content().replace("\r\n", "\n") == inert
    assert mail["List-Unsubscribe"] == f"<{world.public_url}/u/test>"
    assert (world.only(campaign_id), world.contacts.totals(ACCOUNT, campaign_id)) == before
    assert read(world, sample).state is SampleState.SENT


def test_a_second_order_sends_nothing(world: World) -> None:
    sample = ask(world, world.add_campaign(1).campaign_id)
    carry_out(world, sample)
    assert carry_out(world, sample) is None
    assert world.channel.recipients() == [ME]


def test_a_second_order_during_the_first_sends_nothing(world: World) -> None:
    sample = ask(world, world.add_campaign(1).campaign_id)
    seen: list[SampleState | None] = []

    def again() -> None:
        world.channel.before_data = lambda: None
        seen.append(carry_out(world, sample))

    world.channel.before_data = again
    assert carry_out(world, sample) is SampleState.SENT
    assert (seen, world.channel.recipients()) == ([None], [ME])


def test_a_lost_reply_is_unknown_and_never_repeated(world: World) -> None:
    sample = ask(world, world.add_campaign(1).campaign_id)
    world.channel.outcomes[ME] = [LOST_REPLY]
    assert carry_out(world, sample) is SampleState.UNKNOWN
    assert carry_out(world, sample) is None


def test_a_refusal_is_told_with_the_servers_reply(world: World) -> None:
    sample = ask(world, world.add_campaign(1).campaign_id)
    reply = Reason("mailbox_unknown", "No such mailbox.", reply_code=550, reply_text="no such user")
    world.channel.outcomes[ME] = [Refused(reply, Scope.CONTACT)]
    assert carry_out(world, sample) is SampleState.FAILED
    assert read(world, sample).reason == reply


def test_a_late_order_sends_nothing_and_is_shown_as_failed(world: World) -> None:
    sample = ask(world, world.add_campaign(1).campaign_id)
    world.clock.set(world.clock.now() + ORDER_LIVES + timedelta(seconds=61))
    assert carry_out(world, sample) is None
    assert read(world, sample).state is SampleState.FAILED
    assert world.channel.accepted == []


def test_an_order_behind_a_big_release_is_shown_as_waiting_and_still_sent(world: World) -> None:
    sample = ask(world, world.add_campaign(1).campaign_id)
    world.clock.wait(minutes=59)
    assert read(world, sample).state is SampleState.QUEUED
    assert carry_out(world, sample) is SampleState.SENT


def test_none_is_sent_any_more_once_it_is_shown_as_failed(world: World) -> None:
    sample = ask(world, world.add_campaign(1).campaign_id)
    while read(world, sample).state is SampleState.QUEUED:
        world.clock.wait(seconds=20)
    assert read(world, sample).reason == NOT_IN_TIME
    world.clock.wait(seconds=-59)  # a sender whose clock is slow
    assert carry_out(world, sample) is None
    assert world.channel.accepted == []


def test_it_is_signed_like_a_contacts(world: World) -> None:
    (key,) = world.signed_domain().keys
    carry_out(world, ask(world, world.add_campaign(1).campaign_id))
    (mail,) = world.channel.accepted
    assert mail.text.startswith(b"DKIM-Signature: ")
    assert f"s={key.selector};".encode() in mail.text


def test_none_leaves_unsigned_because_of_a_key_that_cannot_be_read(world: World) -> None:
    damage(world, world.signed_domain())
    sample = ask(world, world.add_campaign(1).campaign_id)
    assert carry_out(world, sample) is SampleState.FAILED
    assert read(world, sample).reason == KEY_UNREADABLE
    assert world.channel.accepted == []


class TestThroughSes:
    @pytest.fixture
    def ses(self, world: World) -> World:
        line = replace(world.add_line("ses"), channel=SesChannel("shop.example"))
        world.lines.remove(ACCOUNT, "ses")
        world.lines.add(ACCOUNT, line)
        world.identities.claim(ACCOUNT, "shop.example", world.clock.now())
        return world

    def test_it_is_sent_by_the_accounts_own_identity_and_ses_signs_it(self, ses: World) -> None:
        ses.signed_domain()
        ses.identities.set_verified(ACCOUNT, "shop.example", ses.clock.now(), verified=True)
        sample = ask(ses, ses.add_campaign(1).campaign_id, Wish(ME, line_id="ses"))
        assert carry_out(ses, sample) is SampleState.SENT
        assert (ses.channel.recipients(), ses.channel.passwords) == ([ME], [""])
        mail = only_mail(ses)
        assert mail["Subject"].startswith("[Test] ")
        assert mail["DKIM-Signature"] is None

    def test_an_identity_that_is_not_verified_carries_none(self, ses: World) -> None:
        sample = ask(ses, ses.add_campaign(1).campaign_id, Wish(ME, line_id="ses"))
        assert carry_out(ses, sample) is SampleState.FAILED
        reason = read(ses, sample).reason
        assert reason is not None
        assert reason.code == "identity_not_yours"
        assert ses.channel.accepted == []


def test_a_sender_that_died_leaves_it_unknown(world: World) -> None:
    sample = ask(world, world.add_campaign(1).campaign_id)
    world.samples.claim(ACCOUNT, sample.sample_id, "token", world.clock.now())
    assert read(world, sample).state is SampleState.SENDING
    world.clock.set(world.clock.now() + HAND_OVER_ENDS + timedelta(seconds=1))
    assert read(world, sample).state is SampleState.UNKNOWN
    assert carry_out(world, sample) is None


def test_a_suppressed_address_gets_none_whenever_it_came_on_the_list(world: World) -> None:
    campaign_id = world.add_campaign(1).campaign_id
    sample = ask(world, campaign_id)
    world.suppress(ME)
    assert carry_out(world, sample) is SampleState.FAILED
    assert world.channel.accepted == []
    with pytest.raises(Conflict) as refused:
        ask(world, campaign_id)
    assert refused.value.code == "suppressed"


def test_a_line_out_of_use_carries_none(world: World) -> None:
    world.add_line("new", state=ConnectionState.NEW)
    campaign_id = world.add_campaign(1).campaign_id
    with pytest.raises(Conflict) as refused:
        ask(world, campaign_id, Wish(ME, line_id="new"))
    assert refused.value.code == "line_not_connected"
    sample = ask(world, campaign_id)
    world.lines.pull_brake(
        ACCOUNT, "line1", Brake(Reason("bounce_rate", "Too many."), world.clock.now()), None
    )
    with pytest.raises(Conflict) as braked:
        ask(world, campaign_id)
    assert braked.value.code == "braked"
    assert carry_out(world, sample) is SampleState.FAILED
    assert world.channel.accepted == []


def test_an_account_has_so_many_an_hour(world: World) -> None:
    campaign_id = world.add_campaign(1).campaign_id
    for _ in range(USUAL[Quota.TESTS_PER_HOUR]):
        ask(world, campaign_id)
    with pytest.raises(Conflict) as refused:
        ask(world, campaign_id)
    assert refused.value.code == "quota_reached"
    world.clock.wait(hours=1)
    ask(world, campaign_id)


def test_without_a_contact_a_person_is_needed(world: World) -> None:
    campaign_id = world.add_campaign(0).campaign_id
    with pytest.raises(Invalid):
        ask(world, campaign_id)
    sample = ask(world, campaign_id, Wish(ME, person=Person("ada@mail.example", "Ada")))
    carry_out(world, sample)
    assert only_mail(world)["Subject"] == "[Test] Hello Ada"


def test_a_stranger_finds_nothing(world: World) -> None:
    campaign_id = world.add_campaign(1).campaign_id
    sample = ask(world, campaign_id)
    with pytest.raises(NotFound):
        ask(world, campaign_id, account=STRANGER)
    with pytest.raises(NotFound):
        read_sample(STRANGER, sample.sample_id, world.samples, world.clock)
    assert send_sample(STRANGER, sample.sample_id, world.stop_at(), world.sample_ports) is None


def test_marketing_without_a_way_to_unsubscribe_is_refused(world: World) -> None:
    campaign_id = world.add_campaign(1).campaign_id
    with pytest.raises(Conflict) as refused:
        ask_for_sample(ACCOUNT, campaign_id, Wish(ME), replace(world.ask_ports, public_url=""))
    assert refused.value.code == "no_public_url"


def times_out(*_: object) -> None:
    raise TimeoutError


@pytest.mark.parametrize(
    ("store", "method"), [("secrets", "open"), ("channel", "connect"), ("files", "fetch")]
)
def test_what_fails_before_the_claim_can_be_repeated(world: World, store: str, method: str) -> None:
    campaign_id = world.add_campaign(1).campaign_id
    if store == "files":
        attach(world, campaign_id, upload(world, campaign_id))
    sample = ask(world, campaign_id)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(getattr(world, store), method, times_out)
        with pytest.raises(TimeoutError):
            carry_out(world, sample)
    assert read(world, sample).state is SampleState.QUEUED
    assert carry_out(world, sample) is SampleState.SENT


def test_what_fails_after_the_claim_and_before_the_hand_over_is_no_unknown_outcome(world: World) -> None:
    sample = ask(world, world.add_campaign(1).campaign_id)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(world.suppressions, "find", times_out)
        with pytest.raises(TimeoutError):
            carry_out(world, sample)
    assert (read(world, sample).state, read(world, sample).reason) == (SampleState.FAILED, NOT_IN_TIME)
    assert (carry_out(world, sample), world.channel.accepted) == (None, [])


def test_a_server_that_is_slow_to_connect_leaves_the_order_to_another_sender(world: World) -> None:
    sample = ask(world, world.add_campaign(1).campaign_id)
    world.channel.before_connected = lambda: world.clock.wait(minutes=9)
    with pytest.raises(TimeoutError):
        carry_out(world, sample)
    assert read(world, sample).state is SampleState.QUEUED
