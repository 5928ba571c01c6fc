"""Cores: which core is whose: the proxy under test has one for itself, load and upstreams have the others.

Children inherit the affinity of the thread that starts them, so nothing but the standard library is needed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


class Cores:
    """The cores of this machine, shared out. With only one core nothing is pinned."""

    def __init__(self) -> None:
        usable = sorted(os.sched_getaffinity(0))
        self.proxy = {usable[-1]} if len(usable) > 1 else set(usable)
        self.load = set(usable[:-1]) or set(usable)

    def __repr__(self) -> str:
        return f"<Cores: proxy {self.proxy}, load {self.load}>"

    @property
    def pinned(self) -> bool:
        """Whether proxy and load are kept apart."""
        return self.proxy != self.load

    def words(self) -> str:
        """How the cores are shared out, for the report."""
        if not self.pinned:
            return "one core for everything: rates and latencies say little, CPU per request still holds"
        load = ", ".join(map(str, sorted(self.load)))
        return f"pinned: the proxy under test on core {min(self.proxy)}, load and upstreams on {load}"

    @contextmanager
    def as_proxy(self) -> Iterator[None]:
        """What is started meanwhile runs on the proxy's core."""
        before = os.sched_getaffinity(0)
        os.sched_setaffinity(0, self.proxy)
        try:
            yield
        finally:
            os.sched_setaffinity(0, before)

    @contextmanager
    def as_load(self) -> Iterator[None]:
        """This thread, and what it starts meanwhile, runs on the cores of the load."""
        before = os.sched_getaffinity(0)
        os.sched_setaffinity(0, self.load)
        try:
            yield
        finally:
            os.sched_setaffinity(0, before)
