"""Times, numbers and names as a person reads them in a terminal."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from dockerproxy.process.logs import harmless

_UNITS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def clean(text: object) -> str:
    """The text without what a terminal would obey."""
    return harmless(str(text))


def clean_line(text: object) -> str:
    """The same for what has to stay one line, so that nobody's name can add a line that looks like ours."""
    return clean(str(text).replace("\n", "\\n"))


def clean_json(text: str) -> str:
    """JSON in which what JSON itself lets pass and a terminal would obey is escaped, too."""
    return "".join(char if char.isprintable() or char == "\n" else json.dumps(char)[1:-1] for char in text)


def duration(seconds: float) -> str:
    """`42 s`, `3 min`, `1 h 5 min`: the two largest units, rounded up, so that nothing ends before it says."""
    left = max(0, -int(-seconds // 1))
    parts: list[str] = []
    for size, unit in _UNITS:
        if left >= size and len(parts) < 2:
            parts.append(f"{left // size} {unit}")
            left %= size
    return " ".join(parts) or "0 s"


def milliseconds(seconds: float | None) -> str:
    """`0.8 ms`, `12 ms`, `1.2 s`; a dash when nothing was measured."""
    if not seconds:
        return "-"
    if seconds < 0.0095:
        return f"{seconds * 1000:.1f} ms"
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def moment(iso: str, now: datetime) -> str:
    """A time of the report as a clock on the wall here shows it; with the day, unless that is today."""
    local = datetime.fromisoformat(iso).astimezone()
    today = local.date() == now.astimezone().date()
    return local.strftime("%H:%M:%S" if today else "%Y-%m-%d %H:%M")


def left_until(iso: str | None, now: datetime) -> float:
    """Seconds from `now` until a time of the report; 0 when it is over or not known."""
    if not iso:
        return 0.0
    return max(0.0, (datetime.fromisoformat(iso) - now) / timedelta(seconds=1))


def count(number: int, thing: str) -> str:
    """`1 route`, `2 routes`."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
