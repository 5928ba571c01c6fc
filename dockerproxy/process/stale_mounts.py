"""Stale mounts: files that are mounted alone, while the file outside has been replaced by another.

Such a mount holds the file that was there when it was made; most editors, and `sed -i`, write a new file and put it in
the old one's place, which nobody sees through the mount. Linux tells of it (proc(5), /proc/pid/mountinfo): the fourth
field is what is mounted, and ends in `//deleted` when it is nowhere any more.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

_MOUNTS = Path("/proc/self/mountinfo")
_GONE = "//deleted"
_ROOT, _POINT = 3, 4  # fields
_OCTAL = re.compile(r"\\([0-7]{3})")  # how a space, a tab, a line feed and a backslash are written there

HOW_TO_MEND = "mount its folder in its place; for now, restart the container"


def stale_mounts(paths: Iterable[Path], mounts: Path = _MOUNTS) -> list[str]:
    """A sentence for each of these files that is not the one outside any more. Empty where nothing tells of mounts."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return []
    fields = (line.split(" ") for line in lines)
    gone = {_plain(each[_POINT]) for each in fields if len(each) > _POINT and each[_ROOT].endswith(_GONE)}
    if not gone:  # nearly always
        return []
    found = dict.fromkeys(path for path in paths if str(path.absolute()) in gone)
    return [
        f"{path} still is the old file: it is mounted by itself, and the one outside was replaced; {HOW_TO_MEND}"
        for path in found
    ]


def _plain(field: str) -> str:
    return _OCTAL.sub(lambda match: chr(int(match[1], 8)), field)
