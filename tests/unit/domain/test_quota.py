"""Quotas: what a setting may say of them, and what is told when one is reached."""

from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.domain.ids import fresh_id, new_id, the_same_ids, time_of
from chalicelib.domain.quota import USUAL, Quota, reached, read_limits
from chalicelib.domain.usage import Usage
from chalicelib.settings import Settings
from tests.environment import environment

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_a_setting_changes_what_it_names() -> None:
    assert read_limits("") == USUAL
    assert read_limits("lines=5, campaigns=0") == {**USUAL, Quota.LINES: 5, Quota.CAMPAIGNS: 0}
    assert Settings.from_environment(environment(QUOTAS="imports=2")).quotas == "imports=2"
    assert Settings.from_environment(environment()).quotas == ""


@pytest.mark.parametrize("text", ["mails=5", "lines", "lines=many", "lines=5=6"])
def test_a_setting_that_is_not_understood_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"mails|invalid literal"):
        read_limits(text)


@pytest.mark.parametrize("quota", Quota)
def test_who_is_refused_is_told_the_limit_and_what_to_do(quota: Quota) -> None:
    refusal = reached(quota, 12_345)
    assert (refusal.code, refusal.quota, refusal.limit) == ("quota_reached", quota, 12_345)
    assert "12,345" in str(refusal)
    assert len(str(refusal).split(". ")) >= 3


def test_files_count_for_as_long_as_the_bucket_keeps_them() -> None:
    usage = Usage().with_import("i1", 10, NOON).with_import("i2", 5, NOON).with_import("i3", 0, NOON)
    assert (usage.imports, usage.uploads) == (("i1", "i2", "i3"), {"2026-03-02": 15})
    later = NOON + timedelta(days=7)
    assert usage.with_import("i4", 1, later).stored(later) == 16
    gone = usage.with_import("i4", 1, later + timedelta(days=1))
    assert gone.uploads == {"2026-03-10": 1}
    assert usage.stored(later + timedelta(days=1)) == 0


def test_an_id_tells_when_it_was_made() -> None:
    assert time_of(new_id(NOON)) == NOON
    assert time_of("i1") is None


def test_the_same_ids_come_again_for_the_same_seed_only_and_then_chance_is_back() -> None:
    def made(seed: bytes) -> list[str]:
        with the_same_ids(seed, NOON):
            return [new_id(NOON + timedelta(hours=1)) for _ in range(3)]

    ids = made(b"seed")
    assert len(set(ids)) == 3
    assert made(b"seed") == ids
    assert {time_of(one) for one in ids} == {NOON}
    assert not set(made(b"other")) & set(ids)
    assert new_id(NOON) != new_id(NOON)
    with the_same_ids(b"seed", NOON):
        assert fresh_id(NOON) not in ids
        assert new_id(NOON) == ids[0]
