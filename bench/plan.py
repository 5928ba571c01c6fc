"""Plan: how much is measured, and how long. Plain figures; no scenario invents its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    """The size of a run.

    rounds:       each proxy is measured so often, in turn; what is shown are the medians
    seconds:      of load per proxy and round
    large_count:  answers of `large_size` bytes per proxy and round
    routes:       of the larger table
    idle:         idle connections
    starts:       containers started one by one, to time event -> answer
    fleet:        containers of the large fleet
    fleet_starts: containers started one by one beside it
    outages:      times the engine goes away and comes back
    churn:        seconds of changes, at `churn_rate` a second
    """

    name: str
    rounds: int = 3
    seconds: float = 2.0
    large_count: int = 6
    large_size: int = 100 << 20
    routes: int = 10_000
    idle: int = 2_000
    starts: int = 100
    fleet: int = 1_000
    fleet_starts: int = 20
    outages: int = 5
    churn: float = 10.0
    churn_rate: int = 100


PLANS: Mapping[str, Plan] = {
    "default": Plan("default"),
    "quick": Plan("quick", 1, 1.0, 1, starts=20, fleet_starts=5, outages=1, churn=3.0, idle=500),
    "full": Plan("full", 5, 5.0, 8, idle=8_000, starts=200, fleet_starts=50, outages=10, churn=60.0),
    # For the harness's own tests: nothing it says is worth reading.
    "smoke": Plan("smoke", 1, 0.2, 1, 1 << 20, 50, 20, 2, 10, 2, 1, 0.5, 20),
}
