"""What a process tree has used, read from /proc."""

from __future__ import annotations

import os
from pathlib import Path

from bench.cpu import cpu_seconds, process_tree, rss_bytes


def process(proc: Path, pid: int, parent: int, *threads_ns: int, name: str = "app") -> None:
    """A process as /proc shows it."""
    for number, nanoseconds in enumerate(threads_ns):
        task = proc / str(pid) / "task" / str(pid + number)
        task.mkdir(parents=True)
        (task / "schedstat").write_text(f"{nanoseconds} 17 3\n")
    (proc / str(pid) / "stat").write_text(f"{pid} ({name}) S {parent} 1 1 0 -1\n")
    (proc / str(pid) / "smaps_rollup").write_text("5500-7fff ---p 0 00:00 0 [rollup]\nRss: 90 kB\nPss: 64 kB\n")


def test_a_tree_has_the_children_and_their_children_but_no_strangers(tmp_path: Path) -> None:
    process(tmp_path, 10, 1, 0)
    process(tmp_path, 11, 10, 0, name="worker) (1")
    process(tmp_path, 12, 11, 0)
    process(tmp_path, 20, 1, 0)
    (tmp_path / "uptime").write_text("1 1\n")

    assert process_tree(10, tmp_path) == [10, 11, 12]


def test_the_time_of_all_threads_of_the_tree_is_counted(tmp_path: Path) -> None:
    process(tmp_path, 10, 1, 1_000_000_000, 500_000_000)
    process(tmp_path, 11, 10, 250_000_000)

    assert cpu_seconds(10, tmp_path) == 1.75


def test_memory_is_counted_once_where_it_is_shared(tmp_path: Path) -> None:
    process(tmp_path, 10, 1, 0)
    process(tmp_path, 11, 10, 0)

    assert rss_bytes(10, tmp_path) == 2 * 64 * 1024


def test_a_process_that_has_ended_counts_as_nothing(tmp_path: Path) -> None:
    assert cpu_seconds(10, tmp_path) == 0
    assert rss_bytes(10, tmp_path) == 0


def test_the_real_proc_knows_what_this_process_has_used() -> None:
    before = cpu_seconds(os.getpid())
    sum(range(2_000_000))

    assert cpu_seconds(os.getpid()) > before
    assert rss_bytes(os.getpid()) > 1 << 20
