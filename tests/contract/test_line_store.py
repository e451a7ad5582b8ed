"""Contract of ``LineStore``."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.delivery import Reason, Stage
from chalicelib.domain.identity import DnsRecord, Verification, VerificationState
from chalicelib.domain.ledger import LineLimits
from chalicelib.domain.line import (
    BounceMailbox,
    Connection,
    ConnectionState,
    ImapChannel,
    LinePlan,
    MailboxState,
    Reading,
    Security,
    SesChannel,
)
from chalicelib.errors import Invalid, NotFound
from tests.contract.conftest import Stores
from tests.contract.store_builders import NOON, line

REFUSED = Reason("auth_failed", "Wrong password.", Stage.AUTH, 535, "5.7.8", "no")


WAITS = Reason("identity_not_verified", "Publish the records.")
QUOTA = LineLimits(per_second=14, per_day=50_000)
RECORDS = tuple(DnsRecord("CNAME", f"{n}._domainkey.shop.example", f"{n}.dkim.example") for n in "ab")
VERIFICATION = Verification(VerificationState.PENDING, RECORDS, NOON + timedelta(hours=72))


def mailbox(mailbox_id: str = "m1") -> BounceMailbox:
    channel = ImapChannel("imap.shop.example", 993, Security.TLS, "bounces")
    return BounceMailbox(mailbox_id, channel, b"\x00sealed too", NOON)


READING = Reading(MailboxState.FAILED, NOON, REFUSED, validity=4_294_967_295, last_uid=7, tries=2)


class TestLineStore:
    def test_a_line_keeps_its_return_path_and_its_bounce_mailbox(self, stores: Stores) -> None:
        stored = replace(line(), return_path="b+{token}@shop.example", bounce_mailbox=mailbox())
        stores.lines.add(stores.account, stored)
        assert stores.lines.get(stores.account, stored.line_id) == stored

    def test_a_bounce_mailbox_is_set_and_taken_away(self, stores: Stores) -> None:
        stored = line()
        stores.lines.add(stores.account, stored)
        for found in (mailbox(), replace(mailbox("m2"), reading=READING), None):
            stores.lines.set_bounce_mailbox(stores.account, stored.line_id, found)
            assert stores.lines.get(stores.account, stored.line_id) == replace(stored, bounce_mailbox=found)

    def test_how_far_it_was_read_is_kept_for_this_mailbox_only(self, stores: Stores) -> None:
        stored = replace(line(), bounce_mailbox=mailbox())
        stores.lines.add(stores.account, stored)
        key = (stores.account, stored.line_id)
        assert stores.lines.set_reading(*key, "m1", READING)
        assert stores.lines.get(*key).bounce_mailbox == replace(mailbox(), reading=READING)
        stores.lines.set_bounce_mailbox(*key, mailbox("m2"))
        assert not stores.lines.set_reading(*key, "m1", READING)
        assert not stores.lines.set_reading(stores.stranger, stored.line_id, "m2", READING)
        assert stores.lines.get(*key).bounce_mailbox == mailbox("m2")
        stores.lines.set_bounce_mailbox(*key, None)
        assert not stores.lines.set_reading(*key, "m2", READING)

    def test_the_readers_find_all_lines_that_have_one(self, stores: Stores) -> None:
        with_one, taken_away, removed = line(), line(), line()
        for stored in (with_one, taken_away, removed, line()):
            stores.lines.add(stores.account, stored)
        for stored in (with_one, taken_away, removed):
            stores.lines.set_bounce_mailbox(stores.account, stored.line_id, mailbox())
        stores.lines.set_bounce_mailbox(stores.account, taken_away.line_id, None)
        stores.lines.remove(stores.account, removed.line_id)
        stores.lines.add(stores.stranger, replace(line(), bounce_mailbox=mailbox()))
        found = list(stores.lines.with_bounce_mailbox())
        assert [own for account, own in found if account == stores.account] == [with_one.line_id]
        assert [account for account, _ in found].count(stores.stranger) == 1

    def test_a_password_is_replaced_and_nothing_else(self, stores: Stores) -> None:
        stored = line()
        stores.lines.add(stores.account, stored)
        stores.lines.set_password(stores.account, stored.line_id, b"another")
        assert stores.lines.get(stores.account, stored.line_id) == replace(stored, password=b"another")

    def test_a_line_is_read_as_it_was_stored(self, stores: Stores) -> None:
        stored = replace(
            line(), from_name="Oak", reply_to="a@shop.example", limits=LineLimits(per_hour=5, per_day=9)
        )
        stores.lines.add(stores.account, stored)
        assert stores.lines.get(stores.account, stored.line_id) == stored

    def test_what_is_known_of_the_connection_is_stored_and_taken_back(self, stores: Stores) -> None:
        stored = line()
        stores.lines.add(stores.account, stored)
        for connection in (
            Connection(ConnectionState.FAILED, NOON, REFUSED, 1_000),
            Connection(
                ConnectionState.VERIFYING, NOON, WAITS, 40_000_000, QUOTA, VERIFICATION, check_at=NOON
            ),
            Connection(ConnectionState.CONNECTED),
        ):
            stores.lines.set_connection(stores.account, stored.line_id, connection)
            assert stores.lines.get(stores.account, stored.line_id) == replace(stored, connection=connection)

    def test_a_line_through_ses_has_an_identity_and_no_password(self, stores: Stores) -> None:
        stored = replace(line(), channel=SesChannel("shop.example"), password=b"")
        stores.lines.add(stores.account, stored)
        assert stores.lines.get(stores.account, stored.line_id) == stored

    def test_lines_are_found_when_their_check_is_due(self, stores: Stores) -> None:
        due, later, never = line(), line(), line()
        for one, at in ((due, NOON), (later, NOON + timedelta(minutes=1)), (never, None)):
            stores.lines.add(stores.account, one)
            connection = Connection(ConnectionState.VERIFYING, check_at=at)
            stores.lines.set_connection(stores.account, one.line_id, connection)

        def found(minutes: int) -> set[str]:
            every = stores.lines.due_for_check(NOON + timedelta(minutes=minutes))
            return {line_id for account_id, line_id in every if account_id == stores.account}

        assert found(-1) == set()
        assert found(0) == {due.line_id}
        assert found(1) == {due.line_id, later.line_id}
        stores.lines.set_connection(stores.account, due.line_id, Connection())
        stores.lines.remove(stores.account, later.line_id)
        assert found(1) == set()

    def test_the_plan_is_changed(self, stores: Stores) -> None:
        stored = line()
        stores.lines.add(stores.account, stored)
        stores.lines.set_plan(stores.account, stored.line_id, LinePlan.PURCHASED)
        assert stores.lines.get(stores.account, stored.line_id).plan is LinePlan.PURCHASED

    def test_pages_show_every_line_of_the_account_once(self, stores: Stores) -> None:
        for name in ("a", "b", "c"):
            stores.lines.add(stores.account, line(f"line-{name}"))
        stores.lines.add(stores.stranger, line("line-foreign"))
        seen, cursor = [], None
        for _ in range(3):
            page = stores.lines.page(stores.account, cursor, 2)
            seen += [item.line_id for item in page.items]
            cursor = page.cursor
            if cursor is None:
                break
        assert seen == ["line-a", "line-b", "line-c"]
        assert cursor is None

    @pytest.mark.parametrize("cursor", ["", "x", "bm90IGpzb24", "WzFd", "WyIiXQ", "é", "WyJcdWQ4MDAiXQ"])
    def test_an_edited_cursor_is_refused(self, stores: Stores, cursor: str) -> None:
        with pytest.raises(Invalid):
            stores.lines.page(stores.account, cursor, 2)

    def test_another_accounts_line_is_not_there(self, stores: Stores) -> None:
        stored = line()
        stores.lines.add(stores.account, stored)
        for attempt in (
            lambda: stores.lines.get(stores.stranger, stored.line_id),
            lambda: stores.lines.remove(stores.stranger, stored.line_id),
            lambda: stores.lines.set_plan(stores.stranger, stored.line_id, LinePlan.PURCHASED),
            lambda: stores.lines.set_connection(stores.stranger, stored.line_id, Connection()),
            lambda: stores.lines.set_password(stores.stranger, stored.line_id, b"another"),
            lambda: stores.lines.set_bounce_mailbox(stores.stranger, stored.line_id, mailbox()),
        ):
            with pytest.raises(NotFound):
                attempt()
        assert stores.lines.page(stores.stranger, None, 10).items == []
        assert stores.lines.get(stores.account, stored.line_id) == stored

    def test_a_removed_line_is_gone_and_no_late_write_brings_it_back(self, stores: Stores) -> None:
        stored = line()
        stores.lines.add(stores.account, stored)
        stores.lines.remove(stores.account, stored.line_id)
        for attempt in (
            lambda: stores.lines.remove(stores.account, stored.line_id),
            lambda: stores.lines.set_connection(stores.account, stored.line_id, Connection()),
            lambda: stores.lines.set_bounce_mailbox(stores.account, stored.line_id, mailbox()),
            lambda: stores.lines.set_plan(stores.account, stored.line_id, LinePlan.DEMO),
            lambda: stores.lines.get(stores.account, stored.line_id),
        ):
            with pytest.raises(NotFound):
                attempt()
        assert stores.lines.page(stores.account, None, 10).items == []
