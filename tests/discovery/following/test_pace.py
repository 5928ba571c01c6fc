"""How soon the next may follow: a clock that is an argument."""

from __future__ import annotations

import pytest

from dockerproxy.discovery.following.pace import Pace


def had(pace: Pace, moments: list[float]) -> list[float]:
    """When each is had that is wanted at these moments."""
    found: list[float] = []
    for moment in moments:
        now = max(moment, pace.next(), found[-1] if found else 0.0)
        pace.took(now)
        found.append(now)
    return found


def test_what_is_rare_is_had_at_once() -> None:
    moments = [100.0, 101.0, 102.5, 110.0]
    assert had(Pace(1, 1.0), moments) == moments


def test_some_may_follow_each_other_at_once_and_then_they_are_evenly_spaced() -> None:
    assert had(Pace(3, 0.5), [100.0] * 6) == [100.0, 100.0, 100.0, 100.5, 101.0, 101.5]


def test_a_pause_gives_back_what_was_used_and_no_more_than_that() -> None:
    pace = Pace(2, 1.0)
    assert had(pace, [100.0] * 3) == [100.0, 100.0, 101.0]
    assert had(pace, [102.5] * 2) == [102.5, pytest.approx(103.0)]
    assert had(pace, [900.0] * 3) == [900.0, 900.0, 901.0]
