"""EndedByHand: what the order of the engine's events tells of who has ended a container."""

from __future__ import annotations

from dockerproxy.discovery.following.ended_by_hand import EndedByHand
from dockerproxy.discovery.snapshot import Ending


def test_who_was_told_to_stop_and_has_ended_was_stopped() -> None:
    endings = EndedByHand()
    endings.signalled("a")
    assert endings.found == {}
    endings.died("a", 0.0)
    assert endings.found == {"a": Ending.STOPPED}


def test_an_engine_may_say_so_only_when_it_has_ended() -> None:
    endings = EndedByHand()
    endings.died("a", 0.0)
    endings.signalled("a")
    assert endings.found == {"a": Ending.STOPPED}


def test_a_crash_is_nobodys_deed() -> None:
    endings = EndedByHand()
    endings.died("a", 0.0)
    assert endings.found == {}


def test_who_survives_its_signal_and_crashes_later_was_not_stopped() -> None:
    endings = EndedByHand()
    endings.signalled("a")
    endings.lives("a")
    endings.died("a", 0.0)
    assert endings.found == {}


def test_who_is_started_again_has_not_ended() -> None:
    endings = EndedByHand()
    endings.signalled("a")
    endings.died("a", 0.0)
    endings.lives("a")
    assert endings.found == {}


def test_a_removal_is_a_persons_deed_unless_the_engine_does_it_after_a_crash() -> None:
    endings = EndedByHand()
    endings.removed("running", 0.0)
    endings.signalled("stopped")
    endings.died("stopped", 0.0)
    endings.removed("stopped", 0.1)
    endings.died("crashed", 0.0)
    endings.removed("crashed", 60.0)
    endings.died("run with --rm", 0.0)
    endings.removed("run with --rm", 0.1)
    assert endings.found == dict.fromkeys(("running", "stopped", "crashed"), Ending.REMOVED)


def test_who_was_stopped_and_is_gone_from_the_list_was_removed_while_nobody_listened() -> None:
    endings = EndedByHand()
    for container in ("there", "gone"):
        endings.signalled(container)
        endings.died(container, 0.0)
    endings.keep({"there"})
    assert endings.found == {"there": Ending.STOPPED, "gone": Ending.REMOVED}


def test_the_removed_are_forgotten_in_time() -> None:
    endings = EndedByHand()
    for number in range(10_000):
        endings.removed(f"id-{number}", float(number))
    assert len(endings.found) == 500
    assert "id-9999" in endings
    assert repr(endings).endswith("500 have ended so>")
