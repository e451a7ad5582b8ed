"""Contract of ``CampaignStore``."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.campaign import CampaignStatus, Resend
from chalicelib.domain.content import Content, Exemption, MailKind
from chalicelib.domain.custom_variables import CustomVariable
from chalicelib.domain.delivery import Reason
from chalicelib.domain.ids import new_id
from chalicelib.errors import Invalid, NotFound, Outdated
from tests.contract.conftest import Stores
from tests.contract.store_builders import CONTENT, NOON, add_campaign, campaign, content

DRAFT, RUNNING, PAUSED = CampaignStatus.DRAFT, CampaignStatus.IN_PROGRESS, CampaignStatus.PAUSED
FINISHED, DELETING = CampaignStatus.FINISHED, CampaignStatus.DELETING
LATER = NOON + timedelta(hours=1)


def on_the_round(stores: Stores) -> list[str]:
    return [one for account, one in stores.campaigns.active() if account == stores.account]


class TestCampaignStore:
    def test_a_campaign_is_found_by_the_beginning_of_its_id(self, stores: Stores) -> None:
        for own in ("0abcdefghij-one", "0abcdefghiz-two"):
            stores.campaigns.add(stores.account, replace(campaign(), campaign_id=own), CONTENT)
        assert stores.campaigns.find(stores.account, "0abcdefghij") == "0abcdefghij-one"
        assert stores.campaigns.find(stores.account, "0abcdefghi") is None
        assert stores.campaigns.find(stores.account, "1") is None
        assert stores.campaigns.find(stores.stranger, "0abcdefghij") is None

    def test_a_campaign_and_its_content_are_read_as_they_were_stored(self, stores: Stores) -> None:
        stored = campaign()
        stores.campaigns.add(stores.account, stored, content("Hello"))
        assert stores.campaigns.get(stores.account, stored.campaign_id) == stored
        assert stores.campaigns.content(stores.account, stored.campaign_id, 1) == content("Hello")
        with pytest.raises(NotFound):
            stores.campaigns.content(stores.account, stored.campaign_id, 2)

    def test_why_mail_is_no_marketing_is_kept_with_the_content(self, stores: Stores) -> None:
        exempt = Content("Your order", "<p>x</p>", None, Exemption("Order 12", "key1", LATER), False)
        stored = campaign()
        stores.campaigns.add(stores.account, stored, exempt)
        assert stores.campaigns.content(stores.account, stored.campaign_id, 1) == exempt
        edited = replace(stored, content_version=2, revision=2)
        stores.campaigns.save(stores.account, edited, content("Offers"), 1)
        assert stores.campaigns.content(stores.account, stored.campaign_id, 2).kind is MailKind.MARKETING
        assert stores.campaigns.content(stores.account, stored.campaign_id, 1) == exempt

    def test_custom_variables_are_kept_with_the_content_in_their_order(self, stores: Stores) -> None:
        greeting = CustomVariable("Gruß aus", ("Hallo [firstName]", "", "Servus\n{{ x }}"))
        varied = replace(content("Hello"), variables=(greeting, CustomVariable("a", ("1",))))
        stored = campaign()
        stores.campaigns.add(stores.account, stored, varied)
        assert stores.campaigns.content(stores.account, stored.campaign_id, 1) == varied
        edited = replace(stored, content_version=2, revision=2)
        stores.campaigns.save(stores.account, edited, content("Hello"), 1)
        assert stores.campaigns.content(stores.account, stored.campaign_id, 2).variables == ()

    def test_columns_are_added_to_those_that_are_there(self, stores: Stores) -> None:
        one = add_campaign(stores)
        assert stores.campaigns.get(stores.account, one).columns == ()
        for names in ({"Город", "Company name"}, {"Company name", "Age"}, {"Age"}):
            stores.campaigns.add_columns(stores.account, one, names)
        found = stores.campaigns.get(stores.account, one)
        assert found.columns == ("Age", "Company name", "Город")
        edited = replace(found, columns=(), name="Summer", revision=found.revision + 1)
        stores.campaigns.save(stores.account, edited, None, found.revision)
        assert stores.campaigns.get(stores.account, one).columns == found.columns, "an edit keeps them"

    def test_columns_of_what_is_gone_are_not_noted(self, stores: Stores) -> None:
        one = add_campaign(stores)
        with pytest.raises(NotFound):
            stores.campaigns.add_columns(stores.stranger, one, {"City"})
        with pytest.raises(NotFound):
            stores.campaigns.add_columns(stores.account, "nothing", {"City"})
        stores.campaigns.move(stores.account, one, list(CampaignStatus), DELETING, NOON)
        with pytest.raises(NotFound):
            stores.campaigns.add_columns(stores.account, one, {"City"})
        stores.campaigns.remove(stores.account, one)
        with pytest.raises(NotFound):
            stores.campaigns.add_columns(stores.account, one, {"City"})
        assert stores.campaigns.status(stores.account, one) is None

    def test_pages_show_the_newest_first_and_each_once(self, stores: Stores) -> None:
        ids = [f"camp{number}" for number in range(5)]
        for one in ids:
            stores.campaigns.add(stores.account, replace(campaign(), campaign_id=one), CONTENT)
        first = stores.campaigns.page(stores.account, None, 3)
        second = stores.campaigns.page(stores.account, first.cursor, 3)
        assert [c.campaign_id for c in [*first.items, *second.items]] == ids[::-1]
        assert second.cursor is None

    @pytest.mark.parametrize("cursor", ["", "x", "bm90IGpzb24", "WzFd", "WyIiXQ"])
    def test_an_edited_cursor_is_refused(self, stores: Stores, cursor: str) -> None:
        with pytest.raises(Invalid):
            stores.campaigns.page(stores.account, cursor, 2)

    def test_another_accounts_campaign_is_not_there(self, stores: Stores) -> None:
        one = add_campaign(stores, RUNNING)
        stranger = stores.stranger
        with pytest.raises(NotFound):
            stores.campaigns.get(stranger, one)
        with pytest.raises(NotFound):
            stores.campaigns.content(stranger, one, 1)
        with pytest.raises(Outdated):
            stores.campaigns.save(stranger, stores.campaigns.get(stores.account, one), CONTENT, 1)
        assert not stores.campaigns.move(stranger, one, [RUNNING], PAUSED, NOON)
        stores.campaigns.rest(stranger, one)
        stores.campaigns.remove(stranger, one)
        assert stores.campaigns.status(stranger, one) is None
        assert stores.campaigns.page(stranger, None, 10).items == []
        assert stores.campaigns.status(stores.account, one) is RUNNING

    def test_settings_are_saved_with_a_new_version_of_the_content(self, stores: Stores) -> None:
        stored = campaign()
        stores.campaigns.add(stores.account, stored, content("Hello"))
        edited = replace(stored, name="Summer", line_ids=("a", "b"), content_version=2, revision=2)
        stores.campaigns.save(stores.account, edited, content("New"), 1)
        assert stores.campaigns.get(stores.account, stored.campaign_id) == edited
        versions = [stores.campaigns.content(stores.account, stored.campaign_id, n).subject for n in (1, 2)]
        assert versions == ["Hello", "New"]

    def test_who_has_not_seen_the_last_change_writes_nothing(self, stores: Stores) -> None:
        stored = campaign()
        stores.campaigns.add(stores.account, stored, content("Hello"))
        first = replace(stored, name="First", content_version=2, revision=2)
        stores.campaigns.save(stores.account, first, content("First"), 1)
        late = replace(stored, name="Second", content_version=2, revision=2)
        with pytest.raises(Outdated):
            stores.campaigns.save(stores.account, late, content("Second"), 1)
        assert stores.campaigns.get(stores.account, stored.campaign_id) == first
        assert stores.campaigns.content(stores.account, stored.campaign_id, 2) == content("First")

    def test_an_edit_does_not_undo_a_pause(self, stores: Stores) -> None:
        one = add_campaign(stores, RUNNING)
        seen = stores.campaigns.get(stores.account, one)
        assert stores.campaigns.move(stores.account, one, [RUNNING], PAUSED, NOON)
        with pytest.raises(Outdated):
            stores.campaigns.save(stores.account, replace(seen, revision=2), None, 1)
        with pytest.raises(Outdated):
            stores.campaigns.save(stores.account, replace(seen, revision=3), None, 2)
        assert stores.campaigns.status(stores.account, one) is PAUSED

    def test_a_move_starts_from_the_right_status_only(self, stores: Stores) -> None:
        one = add_campaign(stores, DRAFT)
        assert not stores.campaigns.move(stores.account, one, [RUNNING, PAUSED], FINISHED, NOON)
        assert stores.campaigns.move(stores.account, one, [DRAFT, PAUSED], RUNNING, NOON)
        assert not stores.campaigns.move(stores.account, one, [DRAFT, PAUSED], RUNNING, NOON)
        assert not stores.campaigns.move(stores.account, "nothing", [DRAFT], RUNNING, NOON)
        assert stores.campaigns.status(stores.account, "nothing") is None

    def test_a_move_stamps_the_time_and_the_reason(self, stores: Stores) -> None:
        one = add_campaign(stores, DRAFT)
        why = Reason("no_line", "No line can send.")
        stores.campaigns.move(stores.account, one, [DRAFT], RUNNING, NOON)
        stores.campaigns.move(stores.account, one, [RUNNING], PAUSED, LATER, why)
        paused = stores.campaigns.get(stores.account, one)
        assert (paused.paused_because, paused.launched_at, paused.revision) == (why, NOON, 3)
        stores.campaigns.move(stores.account, one, [PAUSED], RUNNING, LATER)
        stores.campaigns.move(stores.account, one, [RUNNING], FINISHED, LATER)
        over = stores.campaigns.get(stores.account, one)
        assert (over.paused_because, over.launched_at, over.finished_at) == (None, NOON, LATER)

    def test_a_launched_campaign_is_on_the_round_until_it_rests(self, stores: Stores) -> None:
        one = add_campaign(stores, DRAFT)
        assert on_the_round(stores) == []
        stores.campaigns.move(stores.account, one, [DRAFT], RUNNING, NOON)
        stores.campaigns.rest(stores.account, one)
        assert on_the_round(stores) == [one]
        stores.campaigns.move(stores.account, one, [RUNNING], PAUSED, NOON)
        assert on_the_round(stores) == [one]
        stores.campaigns.rest(stores.account, one)
        assert on_the_round(stores) == []

    def test_a_campaign_being_deleted_is_gone_but_on_the_round(self, stores: Stores) -> None:
        one = add_campaign(stores, DRAFT)
        stores.campaigns.move(stores.account, one, [DRAFT], DELETING, NOON)
        with pytest.raises(NotFound):
            stores.campaigns.get(stores.account, one)
        assert stores.campaigns.page(stores.account, None, 10).items == []
        assert stores.campaigns.status(stores.account, one) is DELETING
        assert on_the_round(stores) == [one]

    def test_a_removed_campaign_is_gone_and_no_late_write_brings_it_back(self, stores: Stores) -> None:
        one = add_campaign(stores, RUNNING)
        stored = stores.campaigns.get(stores.account, one)
        stores.campaigns.remove(stores.account, one)
        stores.campaigns.remove(stores.account, one)
        stores.campaigns.rest(stores.account, one)
        assert not stores.campaigns.move(stores.account, one, list(CampaignStatus), PAUSED, NOON)
        with pytest.raises(Outdated):
            stores.campaigns.save(stores.account, stored, CONTENT, 1)
        with pytest.raises(NotFound):
            stores.campaigns.content(stores.account, one, 1)
        assert stores.campaigns.status(stores.account, one) is None
        assert on_the_round(stores) == []

    def test_a_move_may_depend_on_the_revision_that_was_seen(self, stores: Stores) -> None:
        one = add_campaign(stores, DRAFT)
        assert not stores.campaigns.move(stores.account, one, [DRAFT], RUNNING, NOON, seen_revision=7)
        assert stores.campaigns.move(stores.account, one, [DRAFT], RUNNING, NOON, seen_revision=1)

    def test_an_act_is_not_done_twice_nor_after_one_that_was_asked_for_later(self, stores: Stores) -> None:
        one = add_campaign(stores, DRAFT)
        first, second, at_once = (new_id(at) for at in (NOON, LATER, LATER))

        def act(came_from: CampaignStatus, to: CampaignStatus, name: str) -> bool:
            return stores.campaigns.move(stores.account, one, [came_from], to, LATER, act=name)

        assert act(DRAFT, RUNNING, first)
        assert not act(RUNNING, PAUSED, first)
        assert act(RUNNING, PAUSED, second)
        assert not act(PAUSED, RUNNING, first)
        assert act(PAUSED, RUNNING, at_once)
        assert stores.campaigns.move(stores.account, one, [RUNNING], PAUSED, LATER)
        found = stores.campaigns.get(stores.account, one)
        assert (found.status, found.last_act) == (PAUSED, at_once), "no person paused it"

    def test_a_wish_to_resend_is_kept_until_it_is_carried_out(self, stores: Stores) -> None:
        one = add_campaign(stores, FINISHED)
        wish = Resend("token", include_unknown=True)
        assert stores.campaigns.move(stores.account, one, [FINISHED], RUNNING, NOON, resend=wish)
        assert stores.campaigns.get(stores.account, one).resend == wish
        rest = Resend("token", include_unknown=True, cursor="page2")
        assert not stores.campaigns.go_on_resending(stores.account, one, "another", None)
        assert stores.campaigns.go_on_resending(stores.account, one, "token", rest)
        assert stores.campaigns.get(stores.account, one).resend == rest
        assert not stores.campaigns.go_on_resending(stores.stranger, one, "token", None)
        assert stores.campaigns.get(stores.account, one).resend == rest
        assert stores.campaigns.go_on_resending(stores.account, one, "token", None)
        assert stores.campaigns.get(stores.account, one).resend is None
        assert not stores.campaigns.go_on_resending(stores.account, one, "token", rest)
        assert stores.campaigns.get(stores.account, one).resend is None

    def test_a_wish_to_resend_stands_still_while_the_campaign_does(self, stores: Stores) -> None:
        one = add_campaign(stores, FINISHED)
        wish = Resend("token", include_unknown=True)
        stores.campaigns.move(stores.account, one, [FINISHED], RUNNING, NOON, resend=wish)
        stores.campaigns.move(stores.account, one, [RUNNING], PAUSED, NOON)
        assert not stores.campaigns.go_on_resending(stores.account, one, "token", None)
        assert stores.campaigns.get(stores.account, one).resend == wish

    def test_a_campaign_with_a_wish_to_resend_does_not_finish(self, stores: Stores) -> None:
        one = add_campaign(stores, FINISHED)
        wish = Resend("token", include_unknown=True)
        stores.campaigns.move(stores.account, one, [FINISHED], RUNNING, NOON, resend=wish)
        assert not stores.campaigns.move(stores.account, one, [RUNNING], FINISHED, NOON)
        stores.campaigns.drop_resend(stores.stranger, one)
        assert stores.campaigns.get(stores.account, one).resend == wish
        stores.campaigns.drop_resend(stores.account, one)
        stores.campaigns.drop_resend(stores.account, one)
        stores.campaigns.drop_resend(stores.account, "nothing")
        assert stores.campaigns.status(stores.account, "nothing") is None
        assert stores.campaigns.get(stores.account, one).resend is None
        assert stores.campaigns.move(stores.account, one, [RUNNING], FINISHED, NOON)

    def test_a_campaign_with_an_import_under_way_does_not_finish(self, stores: Stores) -> None:
        one = add_campaign(stores, RUNNING)
        for import_id in ("first", "second", "first"):
            stores.campaigns.begin_import(stores.account, one, import_id)
        assert stores.campaigns.get(stores.account, one).imports == ("first", "second")
        stores.campaigns.end_imports(stores.account, one, ["first", "another"])
        stores.campaigns.end_imports(stores.stranger, one, ["second"])
        assert stores.campaigns.get(stores.account, one).imports == ("second",)
        assert not stores.campaigns.move(stores.account, one, [RUNNING], FINISHED, NOON)
        stores.campaigns.end_imports(stores.account, one, ["second"])
        stores.campaigns.end_imports(stores.account, one, ["second"])
        assert stores.campaigns.get(stores.account, one).imports == ()
        assert stores.campaigns.move(stores.account, one, [RUNNING], FINISHED, NOON)

    def test_an_import_into_what_is_gone_does_not_begin(self, stores: Stores) -> None:
        one = add_campaign(stores, RUNNING)
        with pytest.raises(NotFound):
            stores.campaigns.begin_import(stores.stranger, one, "first")
        stores.campaigns.move(stores.account, one, list(CampaignStatus), DELETING, NOON)
        with pytest.raises(NotFound):
            stores.campaigns.begin_import(stores.account, one, "first")
        stores.campaigns.remove(stores.account, one)
        stores.campaigns.end_imports(stores.account, one, ["first"])
        assert stores.campaigns.status(stores.account, one) is None

    def test_a_campaign_being_deleted_does_not_rest(self, stores: Stores) -> None:
        one = add_campaign(stores, DRAFT)
        stores.campaigns.move(stores.account, one, [DRAFT], DELETING, NOON)
        stores.campaigns.rest(stores.account, one)
        assert on_the_round(stores) == [one]
