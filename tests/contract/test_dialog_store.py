"""Contract of ``DialogStore``, and its adapter when others change the same dialogs, or replies are late."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.adapters.dynamodb import dialog_reads, dialogs, reading
from chalicelib.adapters.dynamodb.dialogs import PIECE
from chalicelib.adapters.dynamodb.tables import DialogRow
from chalicelib.domain.contact import Person
from chalicelib.domain.dialog import EVERYBODY, MAX_TAGS, Dialog, DialogChange, Outcome, TagFilter
from chalicelib.domain.job import ImportProgress, dialogs_of
from chalicelib.errors import Invalid, NotFound, Outdated
from chalicelib.flow.import_targets import PIECE_OF_DIALOGS
from tests.contract.conftest import Stores
from tests.contract.losing import first_call_refused, first_reply_lost, transactions
from tests.contract.store_builders import NOON, import_job, line

CREATED, UPDATED, UNCHANGED, MISSING, INVALID = Outcome
LATER = NOON + timedelta(hours=1)


def add_line(stores: Stores) -> str:
    made = line()
    stores.lines.add(stores.account, made)
    return made.line_id


def told(name: str = "ann", *tags: str, **changes: object) -> DialogChange:
    key = f"{name}@mail.example"
    return DialogChange(key, key.title(), tags=tags or None, **changes)  # type: ignore[arg-type]


def change(stores: Stores, line_id: str, *changes: DialogChange, minutes: int = 0) -> list[Outcome]:
    now = NOON + timedelta(minutes=minutes)
    return [result.outcome for result in stores.dialogs.change(stores.account, line_id, changes, now)]


def found(stores: Stores, line_id: str, name: str = "ann") -> Dialog:
    return stores.dialogs.find(stores.account, line_id, f"{name}@mail.example")


def names(stores: Stores, line_id: str, limit: int = 2, **filters: object) -> list[str]:
    """The names on all pages; each page but the last leads on."""
    seen, cursor = [], None
    for _ in range(200):
        page = stores.dialogs.page(stores.account, line_id, cursor, limit, **filters)  # type: ignore[arg-type]
        assert len(page.items) <= limit
        seen += [one.key.partition("@")[0] for one in page.items]
        cursor = page.cursor
        if cursor is None:
            return seen
    raise AssertionError("the list has no end")


def walked(
    stores: Stores, line_id: str, wanted: TagFilter = EVERYBODY, place: str | None = "", minutes: int = 60
) -> list[str]:
    """The names met on a walk from a place to the end."""
    seen = []
    until = NOON + timedelta(minutes=minutes)
    while place is not None:
        stretch = stores.dialogs.walk(stores.account, line_id, place, wanted, until)
        seen += [passed.dialog.key.partition("@")[0] for passed in stretch.dialogs]
        place = stretch.place
    return seen


class TestDialogStore:
    def test_a_dialog_is_found_as_it_was_told(self, stores: Stores) -> None:
        line_id = add_line(stores)
        fields = {"first_name": "Ann", "p1": "Gold"}
        one = told("ann", "VIP", "École", fields=fields, extra=(("City", "Roma"),), last_message_at=NOON)
        assert change(stores, line_id, one) == [CREATED]
        person = Person("Ann@Mail.Example", "Ann", p1="Gold", extra=(("City", "Roma"),))
        assert found(stores, line_id) == Dialog("ann@mail.example", person, NOON, ("VIP", "École"), NOON)

    def test_told_again_it_is_unchanged(self, stores: Stores) -> None:
        line_id = add_line(stores)
        one = told("ann", "VIP", fields={"first_name": "Ann"}, last_message_at=NOON)
        assert change(stores, line_id, one, one) == [CREATED, UNCHANGED]
        assert change(stores, line_id, one, minutes=5) == [UNCHANGED]
        assert found(stores, line_id).created_at == NOON

    def test_what_is_not_told_stays_and_the_latest_message_counts(self, stores: Stores) -> None:
        line_id = add_line(stores)
        change(stores, line_id, told("ann", "VIP", fields={"first_name": "Ann"}, last_message_at=LATER))
        assert change(stores, line_id, told(fields={"last_name": "Lee"}, last_message_at=NOON)) == [UPDATED]
        one = found(stores, line_id)
        assert (one.person.first_name, one.person.last_name) == ("Ann", "Lee")
        assert (one.tags, one.last_message_at) == (("VIP",), LATER)
        assert change(stores, line_id, told(fields={"first_name": ""})) == [UPDATED]
        assert found(stores, line_id).person.first_name == ""

    def test_tags_are_added_removed_and_all_of_them_gone(self, stores: Stores) -> None:
        line_id = add_line(stores)
        change(stores, line_id, told("ann", "VIP"))
        edit = told(add_tags=("Gold", "vip"), makes=False)
        assert change(stores, line_id, edit) == [UPDATED]
        assert found(stores, line_id).tags == ("Gold", "VIP")
        assert change(stores, line_id, told(remove_tags=("GOLD", "Vip"), makes=False)) == [UPDATED]
        assert found(stores, line_id).tags == ()
        assert walked(stores, line_id, TagFilter(any_of=("vip",))) == []

    def test_who_is_not_there_is_missing_and_one_bad_change_spoils_no_other(self, stores: Stores) -> None:
        line_id = add_line(stores)
        change(stores, line_id, told("ann", *map(str, range(MAX_TAGS))))
        too_many = told(add_tags=("one more",), makes=False)
        changes = [too_many, told("bob", add_tags=("VIP",), makes=False), told("cid")]
        assert change(stores, line_id, *changes) == [INVALID, MISSING, CREATED]
        assert len(found(stores, line_id).tags) == MAX_TAGS
        assert names(stores, line_id) == ["ann", "cid"]

    def test_another_account_and_another_line_know_nothing_of_it(self, stores: Stores) -> None:
        line_id, other = add_line(stores), add_line(stores)
        change(stores, line_id, told())
        for account, place in ((stores.stranger, line_id), (stores.account, other)):
            with pytest.raises(NotFound):
                stores.dialogs.find(account, place, "ann@mail.example")
            with pytest.raises(NotFound):
                stores.dialogs.remove(account, place, "ann@mail.example")
            assert stores.dialogs.page(account, place, None, 10).items == []
            assert stores.dialogs.walk(account, place, "", EVERYBODY, LATER).dialogs == []
            stores.dialogs.purge(account, place)
        with pytest.raises(NotFound):
            stores.dialogs.change(stores.stranger, line_id, [told("eve")], NOON)
        assert names(stores, line_id) == ["ann"]

    def test_a_line_that_is_gone_takes_nothing_in(self, stores: Stores) -> None:
        line_id = add_line(stores)
        stores.lines.remove(stores.account, line_id)
        with pytest.raises(NotFound):
            change(stores, line_id, told())
        assert names(stores, line_id) == []

    def test_many_are_taken_in_at_once(self, stores: Stores) -> None:
        line_id = add_line(stores)
        many = [told(f"n{number:03}") for number in range(2 * PIECE + 5)]
        change(stores, line_id, *many[::7])
        outcomes = change(stores, line_id, *many)
        assert (outcomes.count(UNCHANGED), outcomes.count(CREATED)) == (18, len(many) - 18)
        expected = [one.key.partition("@")[0] for one in many]
        assert names(stores, line_id, limit=50) == names(stores, line_id, limit=13) == expected
        assert sorted(walked(stores, line_id)) == expected

    def test_pages_follow_the_keys_and_prefix_and_tags_choose(self, stores: Stores) -> None:
        line_id = add_line(stores)
        tags = {"ann": ("A", "B"), "anna": ("a",), "anne": ("B",), "bob": (), "cid": ("C", "a")}
        change(stores, line_id, *(told(name, *own) for name, own in tags.items()))
        assert names(stores, line_id) == names(stores, line_id, limit=5) == sorted(tags)
        assert names(stores, line_id, prefix="ann") == ["ann", "anna", "anne"]
        assert names(stores, line_id, prefix="zoe") == []
        for wanted, expected in (
            (TagFilter(any_of=("b", "c")), ["ann", "anne", "cid"]),
            (TagFilter(all_of=("A", "b")), ["ann"]),
            (TagFilter(none_of=("a",)), ["anne", "bob"]),
            (TagFilter(any_of=("A", "B"), none_of=("c",)), ["ann", "anna", "anne"]),
            (TagFilter(any_of=("nobody's",)), []),
        ):
            assert names(stores, line_id, limit=1, wanted=wanted) == expected
            assert names(stores, line_id, wanted=wanted, prefix="an") == [
                n for n in expected if n[:2] == "an"
            ]
            assert sorted(walked(stores, line_id, wanted)) == expected

    @pytest.mark.parametrize("cursor", ["", "x", "WzFd", "WyIiXQ", "WyJcdWQ4MDAiXQ", "WyJhIGIiXQ"])
    def test_an_edited_cursor_is_refused(self, stores: Stores, cursor: str) -> None:
        with pytest.raises(Invalid):
            stores.dialogs.page(stores.account, add_line(stores), cursor, 2)

    def test_who_was_removed_is_gone_and_may_come_back(self, stores: Stores) -> None:
        line_id = add_line(stores)
        change(stores, line_id, told("ann", "VIP"))
        stores.dialogs.remove(stores.account, line_id, "ann@mail.example")
        with pytest.raises(NotFound):
            stores.dialogs.remove(stores.account, line_id, "ann@mail.example")
        assert change(stores, line_id, told(), minutes=7) == [CREATED]
        assert (found(stores, line_id).tags, found(stores, line_id).created_at > NOON) == ((), True)

    def test_a_purge_removes_a_lines_dialogs_only(self, stores: Stores) -> None:
        line_id, other = add_line(stores), add_line(stores)
        many = [told(f"n{number}") for number in range(30)]
        change(stores, line_id, *many)
        change(stores, other, told())
        stores.dialogs.purge(stores.account, line_id)
        stores.dialogs.purge(stores.account, line_id)
        assert (names(stores, line_id), names(stores, other)) == ([], ["ann"])

    def test_a_walk_leaves_out_who_came_after_it_began(self, stores: Stores) -> None:
        line_id = add_line(stores)
        change(stores, line_id, told("ann"), told("bob"))
        change(stores, line_id, told("ann", "VIP"), told("cid"), minutes=1)
        assert sorted(walked(stores, line_id, minutes=0)) == ["ann", "bob"]
        assert sorted(walked(stores, line_id, minutes=1)) == ["ann", "bob", "cid"]

    def test_a_walk_goes_on_behind_any_place_whatever_happens_meanwhile(self, stores: Stores) -> None:
        line_id = add_line(stores)
        change(stores, line_id, *(told(f"n{number:02}") for number in range(40)))
        stretch = stores.dialogs.walk(stores.account, line_id, "", EVERYBODY, LATER)
        first = stretch.dialogs[0]
        everybody = walked(stores, line_id)
        stores.dialogs.remove(stores.account, line_id, first.dialog.key)
        assert walked(stores, line_id, place=first.place) == everybody[1:]


class TestImported:
    def test_a_piece_and_its_checkpoint_move_together(self, stores: Stores) -> None:
        line_id = add_line(stores)
        change(stores, line_id, told("bob"), told("cid", "VIP"))
        job = running_import(stores, line_id)
        piece = [told("ann"), told("bob", more_tags=("VIP",)), told("cid", more_tags=("vip",)), told("ann")]
        read = ImportProgress(next_row=5, rows=5, rejected=1, incomplete=2)
        stored = take_in(stores, line_id, job, piece, ImportProgress(), read)
        assert stored == replace(read, added=1, duplicates=3, updated=1)
        assert stores.imports.get(stores.account, job).progress == stored
        assert names(stores, line_id) == ["ann", "bob", "cid"]

    def test_of_two_runs_one_loses_and_takes_nothing_in(self, stores: Stores) -> None:
        line_id = add_line(stores)
        job = running_import(stores, line_id)
        read = ImportProgress(next_row=1, rows=1)
        take_in(stores, line_id, job, [told("ann")], ImportProgress(), read)
        with pytest.raises(Outdated):
            take_in(stores, line_id, job, [told("bob")], ImportProgress(), read)
        assert names(stores, line_id) == ["ann"]

    def test_a_piece_of_nothing_but_rejected_rows_moves_the_checkpoint(self, stores: Stores) -> None:
        line_id = add_line(stores)
        job = running_import(stores, line_id)
        read = ImportProgress(next_row=1, rows=1, rejected=1)
        assert take_in(stores, line_id, job, [], ImportProgress(), read) == read

    def test_a_line_that_is_gone_takes_nothing_in(self, stores: Stores) -> None:
        line_id = add_line(stores)
        job = running_import(stores, line_id)
        stores.lines.remove(stores.account, line_id)
        with pytest.raises(NotFound):
            take_in(stores, line_id, job, [told()], ImportProgress(), ImportProgress(next_row=1, rows=1))
        assert stores.imports.get(stores.account, job).progress == ImportProgress()
        assert names(stores, line_id) == []

    def test_a_piece_of_an_import_is_what_one_write_takes(self) -> None:
        assert PIECE_OF_DIALOGS <= PIECE


def running_import(stores: Stores, line_id: str) -> str:
    job = import_job(dialogs_of(line_id))
    stores.imports.add(stores.account, job)
    stores.imports.begin(stores.account, job.import_id, NOON)
    return job.import_id


def take_in(
    stores: Stores,
    line_id: str,
    job: str,
    changes: list[DialogChange],
    seen: ImportProgress,
    read: ImportProgress,
) -> ImportProgress:
    return stores.dialogs.change_imported(stores.account, line_id, job, changes, seen, read, NOON)


def test_a_walk_goes_on_where_a_stretch_ends(dynamodb: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stretches without anybody who is wanted lead on, and each dialog is met once."""
    monkeypatch.setattr(dialog_reads, "_STRETCH", 2)
    line_id = add_line(dynamodb)
    people = [f"n{number:02}" for number in range(40)]
    change(dynamodb, line_id, *(told(name, *(["VIP"] if name == "n33" else [])) for name in people))
    assert sorted(walked(dynamodb, line_id)) == people
    assert walked(dynamodb, line_id, TagFilter(any_of=("VIP",))) == ["n33"]


def test_a_page_reaches_as_far_as_each_partition_was_read(
    dynamodb: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialog_reads, "_READ_AHEAD", 1)
    line_id = add_line(dynamodb)
    people = [f"n{number:02}" for number in range(40)]
    change(dynamodb, line_id, *(told(name) for name in people))
    assert names(dynamodb, line_id, limit=3) == people


def test_a_filtered_page_is_handed_out_short(dynamodb: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialog_reads, "_READ_AT_ONCE", 1)
    monkeypatch.setattr(reading, "SCANNED_ENOUGH", 4)
    line_id = add_line(dynamodb)
    people = [f"n{number:02}" for number in range(40)]
    change(dynamodb, line_id, *(told(name, *(["VIP"] if name == "n33" else [])) for name in people))
    wanted = TagFilter(any_of=("VIP",))
    first = dynamodb.dialogs.page(dynamodb.account, line_id, None, 5, wanted)
    assert (first.items, first.cursor is None) == ([], False)
    assert names(dynamodb, line_id, limit=5, wanted=wanted) == ["n33"]


def test_changes_whose_reply_is_lost_are_counted_once(dynamodb: Stores) -> None:
    line_id = add_line(dynamodb)
    with first_reply_lost(transactions(), "TransactWriteItems") as calls:
        assert change(dynamodb, line_id, told("ann"), told("bob")) == [CREATED, CREATED]
    assert len(calls) == 2


def test_what_says_nothing_new_is_not_written(dynamodb: Stores) -> None:
    line_id = add_line(dynamodb)
    change(dynamodb, line_id, told("ann", "VIP"))
    with first_call_refused(transactions(), "TransactWriteItems", "AccessDeniedException") as writes:
        assert change(dynamodb, line_id, told("ann", "vip"), told("bob", makes=False)) == [UNCHANGED, MISSING]
    assert writes == []


def test_a_change_that_met_another_is_worked_out_again(
    dynamodb: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two add a tag at the same time: both tags are there."""
    line_id = add_line(dynamodb)
    change(dynamodb, line_id, told())
    write, met = dialogs._written, []

    def overtaken(*arguments: object) -> bool:
        if not met:
            met.append(True)
            row = next(iter(dialogs._read(dynamodb.account, line_id, ["ann@mail.example"])))
            row.update(
                [DialogRow.tags.set({"one"}), DialogRow.tag_names.set(["one"]), DialogRow.revision.add(1)]
            )
        return write(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(dialogs, "_written", overtaken)
    assert change(dynamodb, line_id, told(add_tags=("two",))) == [UPDATED]
    assert found(dynamodb, line_id).tags == ("one", "two")
