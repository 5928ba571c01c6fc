"""BenchError: why a benchmark could not be run, in words."""

from __future__ import annotations


class BenchError(Exception):
    """Its text goes to the user as it is: what failed, what was expected and how to mend it."""
