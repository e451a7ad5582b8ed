"""Reading a bounce mailbox: on from where it was, whatever came twice, stopped half-way or never came."""

from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import pytest

from chalicelib.domain.line import ImapChannel, MailboxState, Reading, Security
from chalicelib.errors import NotFound
from chalicelib.flow.bounce_mailboxes import (
    CHECKPOINT,
    LOOK_BACK,
    MOST_TRIES,
    MailboxPorts,
    ReadingPorts,
    Visit,
    read_mailbox,
    set_mailbox,
    visit_mailboxes,
)
from tests.fakes.mailboxes import FakeMailbox, FakeMailboxReader
from tests.fakes.queues import FakeJobQueue
from tests.fakes.world import ACCOUNT, STRANGER
from tests.unit.flow.bounce_builders import Sent, sent

CHANNEL = ImapChannel("imap.shop.example", 993, Security.TLS, "bounces@shop.example")
LINE = "line1"
PERSON = b"From: Anna <anna@mail.example>\nSubject: Hello\n\nHow are you?\n"


@dataclass
class Post:
    """A line with a bounce mailbox, and its readers."""

    sent: Sent = field(default_factory=sent)
    servers: FakeMailboxReader = field(default_factory=FakeMailboxReader)
    queue: FakeJobQueue = field(default_factory=FakeJobQueue)

    def __post_init__(self) -> None:
        set_mailbox(ACCOUNT, LINE, CHANNEL, "imap secret", self.api)
        self.queue.take()

    @property
    def mailbox(self) -> FakeMailbox:
        return self.servers.mailbox

    @property
    def api(self) -> MailboxPorts:
        world = self.sent.world
        return MailboxPorts(world.lines, world.secrets, self.queue, world.clock)

    @property
    def today(self) -> date:
        return self.sent.world.clock.now().date()

    @property
    def reading(self) -> Reading:
        mailbox = self.sent.world.lines.get(ACCOUNT, LINE).bounce_mailbox
        assert mailbox is not None
        return mailbox.reading

    def bounce(self) -> bytes:
        return self.sent.report(token=self.sent.token)

    def read(self, seconds: float = 60) -> Visit | None:
        world = self.sent.world
        ports = ReadingPorts(world.lines, world.secrets, self.servers, self.sent.ports, world.clock)
        return read_mailbox(ACCOUNT, LINE, ports, world.clock.now() + timedelta(seconds=seconds))

    def later(self) -> Visit | None:
        """The next round."""
        self.sent.world.clock.wait(minutes=5)
        return self.read()


def test_a_mailbox_is_set_sealed_and_read_at_once() -> None:
    post = Post()
    line = set_mailbox(ACCOUNT, LINE, CHANNEL, "imap secret", post.api)
    assert line.bounce_mailbox is not None
    assert (line.bounce_mailbox.channel, line.bounce_mailbox.reading) == (CHANNEL, Reading())
    assert b"imap secret" not in line.bounce_mailbox.password
    assert post.queue.take() == [{"account_id": ACCOUNT, "line_id": LINE}]


def test_nobody_sets_a_mailbox_of_anothers_line() -> None:
    post = Post()
    with pytest.raises(NotFound):
        set_mailbox(STRANGER, LINE, CHANNEL, "imap secret", post.api)
    assert post.queue.take() == []


def test_the_round_asks_for_every_mailbox() -> None:
    post = Post()
    post.sent.world.add_line("line2")
    assert visit_mailboxes(post.sent.world.lines, post.queue) == 1
    assert post.queue.take() == [{"account_id": ACCOUNT, "line_id": LINE}]


def test_bounces_are_taken_in_and_other_mail_is_passed_by() -> None:
    post = Post()
    post.mailbox.add(post.today, PERSON, post.bounce(), PERSON)
    assert post.read() == Visit(MailboxState.READING, messages=3, bounces=1)
    assert [event.tags for event in post.sent.events] == [post.sent.tags]
    assert post.reading == Reading(MailboxState.READING, post.sent.world.clock.now(), None, 7, 3)


def test_each_message_is_read_once() -> None:
    post = Post()
    post.mailbox.add(post.today, post.bounce())
    post.read()
    post.mailbox.add(post.today, post.bounce())
    post.later()
    post.later()
    assert post.mailbox.fetched == [1, 2]


def test_a_second_order_at_the_same_time_finds_it_read() -> None:
    post = Post()
    assert post.read() is not None
    assert post.read() is None
    assert len(post.servers.opened) == 1


def test_numbers_that_were_given_anew_are_read_anew() -> None:
    post = Post()
    post.mailbox.add(post.today, PERSON, post.bounce())
    post.read()
    post.mailbox.validity = 8
    post.later()
    assert post.mailbox.fetched == [1, 2, 1, 2]
    assert (post.reading.validity, post.reading.last_uid) == (8, 2)


def test_mail_from_long_before_the_mailbox_was_set_is_left_alone() -> None:
    post = Post()
    post.mailbox.add(post.today - LOOK_BACK - timedelta(days=1), post.bounce())
    post.mailbox.add(post.today - LOOK_BACK, post.bounce())
    post.read()
    assert post.mailbox.fetched == [2]


def test_a_message_that_was_deleted_meanwhile_is_passed_by() -> None:
    post = Post()
    post.mailbox.add(post.today, PERSON, post.bounce())
    listed = post.mailbox.newer_than(0, post.today, 10)
    post.mailbox.newer_than = lambda uid, *_: [n for n in listed if n > uid]  # type: ignore[method-assign]
    del post.mailbox.messages[1]
    assert post.read() == Visit(MailboxState.READING, messages=2, bounces=1)


@pytest.mark.parametrize(
    ("fault", "state", "minutes"),
    [
        ("connection_lost", MailboxState.RETRYING, 5),
        ("host_not_found", MailboxState.RETRYING, 5),
        ("credentials_rejected", MailboxState.FAILED, 60),
        ("certificate_expired", MailboxState.FAILED, 60),
    ],
)
def test_a_fault_is_shown_and_tried_again_later(fault: str, state: MailboxState, minutes: int) -> None:
    post = Post()
    post.mailbox.add(post.today, post.bounce())
    post.servers.fault = fault
    assert post.read() == Visit(state)
    assert post.reading.reason is not None
    assert (post.reading.state, post.reading.reason.code) == (state, fault)
    post.servers.fault = None
    post.sent.world.clock.wait(minutes=minutes, seconds=-1)
    if state is MailboxState.FAILED:
        assert post.read() is None  # a server may lock who comes with a wrong password again and again
    post.sent.world.clock.wait(seconds=1)
    assert post.read() == Visit(MailboxState.READING, messages=1, bounces=1)
    assert post.reading.reason is None


def test_a_password_that_is_not_the_lines_is_never_tried() -> None:
    post = Post()
    world = post.sent.world
    line = world.lines.get(ACCOUNT, LINE)
    assert line.bounce_mailbox is not None
    stolen = replace(line.bounce_mailbox, password=world.secrets.seal(STRANGER, LINE, "imap secret"))
    world.lines.set_bounce_mailbox(ACCOUNT, LINE, stolen)
    assert post.read() == Visit(MailboxState.FAILED)
    assert post.reading.reason is not None
    assert post.reading.reason.code == "password_unreadable"
    assert post.servers.opened == []


def test_what_was_read_before_the_connection_broke_is_not_read_again() -> None:
    post = Post()
    post.mailbox.add(post.today, *[post.bounce()] * 3)
    post.mailbox.breaks_at = 3
    assert post.read() == Visit(MailboxState.RETRYING, messages=2, bounces=2)
    post.mailbox.breaks_at = None
    post.later()
    assert post.mailbox.fetched == [1, 2, 3, 3]


def test_time_that_runs_out_leaves_the_rest_for_the_next_round() -> None:
    post = Post()
    post.mailbox.add(post.today, *[PERSON] * 3)
    fetch = post.mailbox.fetch

    def slow(uid: int, max_bytes: int) -> bytes | None:
        post.sent.world.clock.wait(seconds=25)
        return fetch(uid, max_bytes)

    post.mailbox.fetch = slow  # type: ignore[method-assign]
    assert post.read(seconds=45) == Visit(MailboxState.READING, messages=2)
    assert post.later() == Visit(MailboxState.READING, messages=1)
    assert post.mailbox.fetched == [1, 2, 3]


def test_a_bounce_that_could_not_be_applied_is_read_again() -> None:
    post = Post()
    post.mailbox.add(post.today, post.bounce())
    post.sent.fails = True
    with pytest.raises(ConnectionError):
        post.read()
    assert post.reading.last_uid == 0
    post.sent.fails = False
    assert post.later() == Visit(MailboxState.READING, messages=1, bounces=1)
    assert len(post.sent.events) == 1


def test_one_message_never_holds_up_the_others_for_ever() -> None:
    """The one that no visit gets past is passed over, and no other one is."""
    post = Post()
    post.mailbox.add(post.today, *[PERSON] * 5, post.bounce(), *[PERSON] * 3)
    post.sent.fails = True
    for _ in range(MOST_TRIES + 2):  # two more: until it has shown itself
        with pytest.raises(ConnectionError):
            post.later()
        assert post.reading.last_uid <= 5
    assert post.later() == Visit(MailboxState.READING, messages=3, passed_over=1)
    assert post.mailbox.fetched[-3:] == [7, 8, 9]
    assert len(post.sent.events) == 0


def test_a_process_that_dies_reads_a_few_messages_again() -> None:
    post = Post()
    post.mailbox.add(post.today, *[PERSON] * (CHECKPOINT + 5), post.bounce())
    post.sent.fails = True
    with pytest.raises(ConnectionError):
        post.read()
    assert post.reading.last_uid == CHECKPOINT


def test_a_mailbox_that_was_changed_meanwhile_keeps_its_own_place() -> None:
    post = Post()
    post.mailbox.add(post.today, PERSON)
    fetch = post.mailbox.fetch

    def changed(uid: int, max_bytes: int) -> bytes | None:
        set_mailbox(ACCOUNT, LINE, CHANNEL, "another secret", post.api)
        return fetch(uid, max_bytes)

    post.mailbox.fetch = changed  # type: ignore[method-assign]
    post.read()
    assert post.reading == Reading()


def test_a_line_without_a_mailbox_or_without_existence_has_nothing_to_read() -> None:
    post = Post()
    post.sent.world.lines.set_bounce_mailbox(ACCOUNT, LINE, None)
    assert post.read() is None
    post.sent.world.lines.remove(ACCOUNT, LINE)
    assert post.read() is None
    assert post.servers.opened == []
