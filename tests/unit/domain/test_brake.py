"""When a rate is a warning, when it stops a line or a campaign, and when it is just a few messages."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.brake import (
    LEAST_MESSAGES,
    LIMITS,
    WINDOW,
    Brake,
    BrakeLevel,
    Counts,
    HourCounts,
    Trouble,
    hour_of,
    in_window,
    judge,
    limits_at,
    state_of,
    surely_above,
    window_start,
)
from chalicelib.domain.delivery import Reason

NOW = datetime(2026, 3, 2, 12, 34, 56, tzinfo=UTC)
COUNTS = st.builds(Counts, st.integers(0, 50_000), st.integers(0, 3_000), st.integers(0, 300))
SEVERITY = list(BrakeLevel)


@pytest.mark.parametrize(
    ("accepted", "bounced", "complained", "level", "code"),
    [
        (0, 0, 0, "ok", None),
        (3, 1, 0, "ok", None),
        (3, 3, 3, "ok", None),  # far too few to tell
        (49, 20, 0, "ok", None),
        (50, 4, 0, "ok", None),  # 8 %, but four bounces happen
        (50, 5, 0, "pulled", "bounce_rate"),
        (100, 5, 0, "warning", "bounce_rate"),  # 5 %, which 2.5 % in truth look like one time in ten
        (100, 6, 0, "pulled", "bounce_rate"),
        (1_000, 24, 0, "ok", None),
        (1_000, 25, 0, "warning", "bounce_rate"),
        (1_000, 49, 0, "warning", "bounce_rate"),
        (1_000, 50, 0, "pulled", "bounce_rate"),
        (100_000, 4_999, 0, "warning", "bounce_rate"),
        (100_000, 5_000, 0, "pulled", "bounce_rate"),
        (100, 0, 2, "ok", None),  # 2 %, but two people are no sample
        (100, 0, 3, "pulled", "complaint_rate"),
        (1_000, 0, 3, "pulled", "complaint_rate"),
        (1_001, 0, 3, "warning", "complaint_rate"),
        (3_000, 0, 3, "warning", "complaint_rate"),
        (3_001, 0, 3, "ok", None),
        (100_000, 0, 299, "warning", "complaint_rate"),
        (100_000, 0, 300, "pulled", "complaint_rate"),
        (1_000, 30, 3, "pulled", "complaint_rate"),  # the worse level decides, whichever trouble it is of
        (1_000, 50, 3, "pulled", "bounce_rate"),
        (0, 50, 0, "pulled", "bounce_rate"),  # all counts of accepted messages got lost
    ],
)
def test_the_level_that_counts_ask_for(
    accepted: int, bounced: int, complained: int, level: str, code: str | None
) -> None:
    state = judge(Counts(accepted, bounced, complained))
    assert (state.level, state.reason and state.reason.code) == (level, code)
    assert state.counts == Counts(accepted, bounced, complained)


def test_the_reason_tells_the_numbers_the_window_and_what_to_do() -> None:
    reason = judge(Counts(2_000, 0, 9)).reason
    assert reason is not None
    assert reason.text == (
        "9 of 2,000 messages of the last 3 days were reported as spam: 0.45 %, and 0.3 % is the most. "
        "Write only to people who asked for it, and make it easy to unsubscribe; "
        "then ask the operator of the service to lift the brake."
    )
    reason = judge(Counts(1_000, 30)).reason
    assert reason is not None
    assert reason.text == (
        "30 of 1,000 messages of the last 3 days bounced for good: 3 %. At 5 % sending stops by itself. "
        "Take out old, guessed and bought addresses."
    )


def test_a_deployment_has_limits_of_its_own() -> None:
    strict, lax = limits_at(0.02, 0.001), limits_at(1, 1)
    assert judge(Counts(1_000, 10), strict).level is BrakeLevel.WARNING
    assert judge(Counts(1_000, 20), strict).level is BrakeLevel.PULLED
    assert judge(Counts(10_000, 0, 10), strict).level is BrakeLevel.PULLED
    assert judge(Counts(1_000, 499, 300), lax).level is BrakeLevel.OK
    assert state_of(Counts(1_000, 20), None, strict) == judge(Counts(1_000, 20), strict)


def test_a_brake_that_was_pulled_stays_when_the_counts_have_become_better() -> None:
    brake = Brake(Reason("bounce_rate", "Too many."), NOW)
    state = state_of(Counts(1_000), brake)
    assert (state.level, state.reason, state.since) == (BrakeLevel.PULLED, brake.reason, NOW)
    assert state_of(Counts(1_000), None) == judge(Counts(1_000))


def test_the_window_slides_hour_by_hour() -> None:
    hours = [HourCounts(hour_of(NOW) - timedelta(hours=n), Counts(1, 1, 1)) for n in range(100)]
    assert in_window(hours, NOW) == Counts(72, 72, 72)
    assert in_window(hours, NOW + timedelta(hours=1)) == Counts(71, 71, 71)
    assert in_window(hours, NOW + WINDOW) == Counts()
    assert window_start(NOW) == datetime(2026, 2, 27, 13, tzinfo=UTC)


def test_a_rate_is_unknown_before_anything_was_sent_and_never_above_one() -> None:
    assert Counts().rate(Trouble.BOUNCE) is None
    assert Counts(4, 1).rate(Trouble.BOUNCE) == 0.25
    assert Counts(4, 1).rate(Trouble.COMPLAINT) == 0
    assert Counts(4, 9).rate(Trouble.BOUNCE) == 1


@given(COUNTS, st.sampled_from([Counts(bounced=1), Counts(complained=1)]))
def test_one_more_trouble_never_makes_it_better(counts: Counts, more: Counts) -> None:
    assert SEVERITY.index(judge(counts + more).level) >= SEVERITY.index(judge(counts).level)


@given(COUNTS, st.integers(1, 1_000))
def test_a_lost_count_of_accepted_messages_never_hides_trouble(counts: Counts, lost: int) -> None:
    """As long as enough are left to tell anything."""
    fewer = Counts(max(counts.accepted - lost, LEAST_MESSAGES), counts.bounced, counts.complained)
    if fewer.accepted <= counts.accepted:
        assert SEVERITY.index(judge(fewer).level) >= SEVERITY.index(judge(counts).level)


@given(COUNTS)
def test_nothing_stops_below_its_limit_or_by_fewer_messages_than_mean_something(counts: Counts) -> None:
    if judge(counts).level is BrakeLevel.PULLED:
        assert any(
            (counts.rate(limit.trouble) or 0) >= limit.pause
            and counts.of(limit.trouble) >= limit.least
            and counts.messages(limit.trouble) >= LEAST_MESSAGES
            for limit in LIMITS
        )


@given(st.integers(1, 100_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_sure_share_is_below_the_measured_one_and_comes_closer_with_more_messages(
    sample: tuple[int, int],
) -> None:
    troubled, messages = sample
    sure = surely_above(troubled, messages)
    assert 0 <= sure <= troubled / messages
    assert surely_above(troubled * 10, messages * 10) >= sure - 1e-12


def test_the_sure_share_of_known_samples() -> None:
    assert surely_above(0, 0) == surely_above(0, 100) == 0
    assert surely_above(5, 100) == pytest.approx(0.02455, abs=1e-4)
    assert surely_above(10, 10) == pytest.approx(0.787, abs=1e-3)
