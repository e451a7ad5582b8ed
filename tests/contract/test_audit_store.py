"""Contract of ``AuditStore``: what was written stays, in the order of time, and nobody else sees it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from chalicelib.adapters.dynamodb import audit, reading
from chalicelib.adapters.dynamodb.cursors import encode_cursor
from chalicelib.adapters.dynamodb.tables import AuditRow
from chalicelib.domain.access import Actor, ActorKind
from chalicelib.domain.audit import AuditEntry, Outcome, ids_among
from chalicelib.domain.ids import new_id
from chalicelib.domain.line import LinePlan
from chalicelib.errors import Invalid
from tests.contract.conftest import Stores
from tests.contract.store_builders import NOON

KEY = Actor(ActorKind.KEY, "key1")


def begin(
    stores: Stores,
    minutes: float = 0,
    action: str = "campaign_launched",
    subject: Mapping[str, str] | None = None,
) -> AuditEntry:
    at = NOON + timedelta(minutes=minutes)
    entry = AuditEntry(new_id(at), KEY, action, at, subject or {})
    stores.audit.begin(stores.account, entry)
    return entry


def read(stores: Stores, limit: int = 100, **filters: object) -> list[AuditEntry]:
    """All pages; each but the last leads on."""
    found: list[AuditEntry] = []
    cursor = None
    for _ in range(100):
        page = stores.audit.page(stores.account, cursor, limit, **filters)  # type: ignore[arg-type]
        assert len(page.items) <= limit
        found += page.items
        cursor = page.cursor
        if cursor is None:
            return found
    raise AssertionError("the trail has no end")


class TestAuditStore:
    def test_an_entry_is_read_as_it_was_written_and_by_nobody_else(self, stores: Stores) -> None:
        entry = begin(stores, subject={"campaign_id": "c1"})
        assert read(stores) == [entry]
        assert stores.audit.page(stores.stranger, None, 10).items == []

    def test_an_outcome_is_written_once(self, stores: Stores) -> None:
        entry = begin(stores)
        subject = {"campaign_id": "c1"}
        stores.audit.conclude(stores.account, entry.entry_id, Outcome.REFUSED, subject, "not_ready")
        concluded = replace(entry, outcome=Outcome.REFUSED, subject=subject, code="not_ready")
        assert read(stores) == [concluded]
        stores.audit.conclude(stores.account, entry.entry_id, Outcome.DONE, {"campaign_id": "c2"}, None)
        assert read(stores) == [concluded]

    def test_an_outcome_makes_no_entry_and_reaches_no_other_account(self, stores: Stores) -> None:
        entry = begin(stores)
        stores.audit.conclude(stores.account, "nothing", Outcome.DONE, {}, None)
        stores.audit.conclude(stores.stranger, entry.entry_id, Outcome.DONE, {}, None)
        assert read(stores) == [entry]
        assert stores.audit.page(stores.stranger, None, 10).items == []

    @pytest.mark.parametrize("limit", [1, 2, 3, 100])
    def test_pages_are_newest_first_and_none_is_left_out(self, stores: Stores, limit: int) -> None:
        entries = [begin(stores, minutes) for minutes in (3, 1, 5, 2, 4)]
        assert read(stores, limit) == sorted(entries, key=lambda entry: entry.at, reverse=True)

    @pytest.mark.parametrize("limit", [1, 2, 100])
    def test_filters_hold_together_on_all_pages(self, stores: Stores, limit: int) -> None:
        actions = ["campaign_launched", "campaign_paused"] * 4
        entries = [begin(stores, minutes, action) for minutes, action in enumerate(actions)][::-1]
        paused = [entry for entry in entries if entry.action == "campaign_paused"]
        since, until = NOON + timedelta(minutes=3), NOON + timedelta(minutes=7)
        assert read(stores, limit, action="campaign_paused") == paused
        assert read(stores, limit, since=since, until=until) == entries[1:5]
        assert read(stores, limit, action="campaign_paused", since=since, until=until) == paused[1:3]
        assert read(stores, limit, since=until, until=since) == []

    def test_any_time_may_be_asked_for(self, stores: Stores) -> None:
        entry = begin(stores)
        first, last = datetime.min.replace(tzinfo=NOON.tzinfo), datetime.max.replace(tzinfo=NOON.tzinfo)
        assert read(stores, since=first, until=last) == [entry]
        assert read(stores, until=first) == []
        assert read(stores, since=last) == []


class TestDynamoAuditStore:
    def test_an_entry_expires_after_the_days_of_the_deployment(self, dynamodb: Stores) -> None:
        entry = begin(dynamodb)
        row = AuditRow.get(dynamodb.account, entry.entry_id)
        assert row.expires_at == NOON + timedelta(days=400)

    def test_an_entry_is_never_replaced(self, dynamodb: Stores) -> None:
        entry = begin(dynamodb)
        with pytest.raises(Exception, match="conditional"):
            dynamodb.audit.begin(dynamodb.account, replace(entry, action="another"))
        assert read(dynamodb) == [entry]

    def test_words_of_the_domain_are_stored_as_plain_texts(self, dynamodb: Stores) -> None:
        entry = begin(dynamodb)
        subject = ids_among({"line_id": "line1", "plan": LinePlan.PURCHASED, "name": "Shop"}.items())
        dynamodb.audit.conclude(dynamodb.account, entry.entry_id, Outcome.DONE, subject, None)
        (found,) = read(dynamodb)
        assert found.subject == {"line_id": "line1", "plan": "purchased"}

    def test_a_cursor_of_another_time_is_refused(self, dynamodb: Stores) -> None:
        entry = begin(dynamodb)
        cursor = encode_cursor(entry.entry_id)
        with pytest.raises(Invalid):
            dynamodb.audit.page(dynamodb.account, cursor, 10, since=NOON + timedelta(hours=1))
        with pytest.raises(Invalid):
            dynamodb.audit.page(dynamodb.account, cursor, 10, until=NOON - timedelta(hours=1))

    def test_a_page_with_an_action_looks_at_so_many_rows_and_leads_on(
        self, dynamodb: Stores, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(audit, "_READ_AT_ONCE", 2)
        monkeypatch.setattr(reading, "SCANNED_ENOUGH", 4)
        wanted = begin(dynamodb, 0, "line_deleted")
        for minutes in range(1, 8):
            begin(dynamodb, minutes)
        page = dynamodb.audit.page(dynamodb.account, None, 10, "line_deleted")
        assert (list(page.items), page.cursor is None) == ([], False)
        assert read(dynamodb, action="line_deleted") == [wanted]
