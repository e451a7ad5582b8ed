"""Dialogs: how what is told of one is taken in, and which tags are meant."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.address import Rejection
from chalicelib.domain.contact import Person
from chalicelib.domain.dialog import (
    MAX_TAG,
    MAX_TAGS,
    Dialog,
    DialogChange,
    Outcome,
    TagFilter,
    apply_all,
    read_tag,
    split_tags,
    tag_key,
    time_fault,
)
from tests.fakes.dialogs import accepts

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
KEY = "ann@mail.example"
NAMES = st.lists(st.sampled_from(["a", "A", "b", "É", "e\u0301", "ß", "SS"]), max_size=4).map(tuple)


def told(**changes: object) -> DialogChange:
    return DialogChange(KEY, "Ann@mail.example", **changes)  # type: ignore[arg-type]


def dialog(*tags: str, **changes: object) -> Dialog:
    return Dialog(KEY, Person("Ann@mail.example"), NOW, tags, **changes)  # type: ignore[arg-type]


def applied(change: DialogChange, old: Dialog | None = None) -> Dialog:
    new = change.apply(old, NOW)
    assert isinstance(new, Dialog)
    return new


class TestChange:
    def test_fields_told_replace_and_others_stay(self) -> None:
        old = dialog()
        one = applied(told(fields={"first_name": "Ann", "p1": "x"}, extra=(("City", "Roma"),)), old)
        two = applied(told(fields={"p1": ""}), one)
        assert (two.person.first_name, two.person.p1, two.person.extra) == ("Ann", "", (("City", "Roma"),))

    def test_an_address_stays_as_it_was_first_spelled(self) -> None:
        assert applied(DialogChange(KEY, "ANN@MAIL.EXAMPLE"), dialog()).person.email == "Ann@mail.example"

    def test_the_latest_message_counts_in_any_order(self) -> None:
        early, late = NOW - timedelta(days=2), NOW - timedelta(days=1)
        for first, second in ((early, late), (late, early)):
            one = applied(told(last_message_at=first))
            assert applied(told(last_message_at=second), one).last_message_at == late
        assert applied(told()).last_message_at is None

    def test_tags_told_are_those_it_has_and_keep_their_spelling(self) -> None:
        assert applied(told(tags=("b", "VIP")), dialog("A", "vip")).tags == ("b", "vip")
        assert applied(told(tags=()), dialog("A")).tags == ()
        assert applied(told(), dialog("A")).tags == ("A",)

    def test_a_tag_added_and_removed_at_once_is_removed(self) -> None:
        assert applied(told(add_tags=("a", "b"), remove_tags=("B",)), dialog("c")).tags == ("a", "c")

    def test_one_tag_too_many_is_refused_and_of_a_files_as_many_as_fit_come_in(self) -> None:
        full = dialog(*sorted(map(str, range(MAX_TAGS - 1))))
        refused = told(add_tags=("x", "y")).apply(full, NOW)
        assert isinstance(refused, Rejection)
        assert refused.code == "too_many_tags"
        filled = applied(told(more_tags=("x", "y", "0")), full)
        assert set(filled.tags) == {*full.tags, "x"}

    @given(NAMES, NAMES, NAMES, NAMES)
    def test_the_same_told_twice_changes_nothing_more(
        self, there: tuple[str, ...], tags: tuple[str, ...], add: tuple[str, ...], remove: tuple[str, ...]
    ) -> None:
        old = applied(told(tags=there))
        for change in (told(tags=tags), told(add_tags=add, remove_tags=remove), told(more_tags=add)):
            once = applied(change, old)
            assert applied(change, once) == once
            assert len({tag_key(name) for name in once.tags}) == len(once.tags)


class TestSeveral:
    def test_each_is_taken_in_on_top_of_the_one_before(self) -> None:
        changes = [told(tags=("a",)), told(add_tags=("b",), makes=False), told(tags=("b", "a"))]
        results, written = apply_all(changes, {}, NOW)
        assert [one.outcome for one in results] == [Outcome.CREATED, Outcome.UPDATED, Outcome.UNCHANGED]
        assert [one.tags for one in written] == [("a", "b")]

    def test_what_ends_as_it_began_is_not_written(self) -> None:
        old = dialog("a")
        changes = [told(add_tags=("b",)), told(remove_tags=("b",))]
        results, written = apply_all(changes, {KEY: old}, NOW)
        assert ([one.outcome for one in results], written) == ([Outcome.UPDATED, Outcome.UPDATED], [])


class TestTags:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [(" Spring \t sale ", "Spring sale"), ("e\u0301", "é"), ("x" * MAX_TAG, "x" * MAX_TAG)],
    )
    def test_a_tag_is_trimmed_and_composed(self, text: str, expected: str) -> None:
        assert read_tag(text) == expected

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            (" ", "tag_missing"),
            ("x" * (MAX_TAG + 1), "tag_too_long"),
            ("a,b", "tag_invalid"),
            ("a;b", "tag_invalid"),
            ("a\u200bb", "tag_invalid"),
            ("a\x00b", "tag_invalid"),
        ],
    )
    def test_a_tag_that_is_none(self, text: str, code: str) -> None:
        fault = read_tag(text)
        assert isinstance(fault, Rejection)
        assert fault.code == code

    def test_case_and_composition_make_no_difference(self) -> None:
        assert split_tags("Été, e\u0301TE\u0301;, VIP\nvip") == ("Été", "VIP")

    @pytest.mark.parametrize(
        ("wanted", "accepted"),
        [
            (TagFilter(), ["", "a", "ab", "b", "c"]),
            (TagFilter(any_of=("A", "b")), ["a", "ab", "b"]),
            (TagFilter(all_of=("A", "B")), ["ab"]),
            (TagFilter(none_of=("A",)), ["", "b", "c"]),
            (TagFilter(any_of=("a", "c"), none_of=("B",)), ["a", "c"]),
            (TagFilter(any_of=("a",), all_of=("b",)), ["ab"]),
            (TagFilter(all_of=("a",), none_of=("a",)), []),
        ],
    )
    def test_a_filter_chooses(self, wanted: TagFilter, accepted: list[str]) -> None:
        assert [tags for tags in ("", "a", "ab", "b", "c") if accepts(wanted, tags)] == accepted


def test_a_message_of_tomorrow_is_a_matter_of_zones_and_one_of_next_week_is_none() -> None:
    assert time_fault(NOW + timedelta(hours=14), NOW) is None
    fault = time_fault(NOW + timedelta(days=7), NOW)
    assert fault is not None
    assert fault.code == "time_in_future"
