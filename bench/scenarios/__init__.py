"""What is measured. Each scenario starts the proxies anew, so that none finds what another left behind.

traffic   requests and answers of many kinds, side by side
stream    how long server-sent events are on their way
routes    one route against thousands
idle      memory per idle connection
control   the engine's events: the first answer, a large fleet, changes under load
"""

from __future__ import annotations

from collections.abc import Sequence

from bench.scenarios.control import CONTROL
from bench.scenarios.figures import Scenario
from bench.scenarios.idle import IDLE
from bench.scenarios.routes import ROUTES
from bench.scenarios.stream import STREAM
from bench.scenarios.traffic import TRAFFIC

SCENARIOS: Sequence[Scenario] = (*TRAFFIC, STREAM, ROUTES, IDLE, *CONTROL)
