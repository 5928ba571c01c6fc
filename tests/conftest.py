"""For all tests: which of them coverage has no need of."""

from __future__ import annotations

from pathlib import Path

import pytest

# They go over the same lines thousands of times, or ask a proxy in a process of its own: under coverage they take more
# than twice as long, and they reach hardly a line that no other test does.
REPEATING = (
    "bench",
    "browser",
    "engine",
    "fuzz",
    "http1/test_invariant.py",
    "proxy/test_gate_transparency.py",
    "robustness",
    "test_cli.py",
    "test_docs.py",
    "test_examples.py",
    "test_layers.py",
)

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark them."""
    paths = [HERE / name for name in REPEATING]
    for item in items:
        if any(item.path.is_relative_to(path) for path in paths):
            item.add_marker(pytest.mark.repeating)
