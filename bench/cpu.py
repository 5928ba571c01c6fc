"""What a process and its descendants have used: CPU time and memory, from /proc.

CPU time is the first figure of `schedstat`, nanoseconds on a core, summed over all threads. The time of a thread that
has ended is lost to it; none of the proxies ends threads while it serves.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

PROC = Path("/proc")
_KIB = 1024


def process_tree(pid: int, proc: Path = PROC) -> list[int]:
    """`pid` and its descendants, as far as they still live."""
    children: dict[int, list[int]] = defaultdict(list)
    for entry in proc.iterdir():
        parent = _parent(entry) if entry.name.isdigit() else None
        if parent is not None:
            children[parent].append(int(entry.name))
    found = [pid]
    for each in found:
        found += children[each]
    return found


def cpu_seconds(pid: int, proc: Path = PROC) -> float:
    """CPU seconds (user and system) of the tree below `pid` since it was started."""
    return sum(_thread_ns(file) for each in process_tree(pid, proc) for file in _schedstats(proc / str(each))) / 1e9


def rss_bytes(pid: int, proc: Path = PROC) -> int:
    """Resident memory of the tree below `pid`; pages that its processes share are counted once."""
    return sum(_resident(proc / str(each)) for each in process_tree(pid, proc))


def _parent(entry: Path) -> int | None:
    """The fourth field of `stat`; the second one, the name in brackets, may itself hold blanks and brackets."""
    try:
        return int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return None


def _schedstats(process: Path) -> list[Path]:
    try:
        return [thread / "schedstat" for thread in (process / "task").iterdir()]
    except OSError:
        return []


def _thread_ns(file: Path) -> int:
    try:
        return int(file.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return 0


def _resident(process: Path) -> int:
    """Pss: exact, while the counter in `status` is updated in steps. Of a vanished process: nothing."""
    try:
        lines = (process / "smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * _KIB for line in lines if line.startswith("Pss:")), 0)
