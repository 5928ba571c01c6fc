"""A file that is mounted alone stays the old one when the file outside is replaced."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from dockerproxy.process.stale_mounts import stale_mounts

LINE = "{number} 22 0:25 {root} {point} rw,relatime - ext4 /dev/sda1 rw\n"
# In a mount namespace of its own: the file `a` mounted at `b`, then replaced, then looked at.
SCRIPT = """
set -e
echo old > a; echo > b
mount --bind a b
{replace}
exec {python} -c '
import sys; from pathlib import Path; from dockerproxy.process.stale_mounts import stale_mounts
print(*stale_mounts([Path("a"), Path("b")]), sep="\\n")'
"""


def mounts(folder: Path, *lines: tuple[str, str]) -> Path:
    file = folder / "mountinfo"
    file.write_text("".join(LINE.format(number=30 + number, root=root, point=point)
                            for number, (root, point) in enumerate(lines)))  # fmt: skip
    return file


def test_a_mount_of_what_is_nowhere_any_more_is_told_of_each_file_that_matters(tmp_path: Path) -> None:
    file = mounts(
        tmp_path,
        ("/", "/"),
        ("/home/me/dockerproxy.yaml//deleted", "/etc/dockerproxy.yaml"),
        ("/home/me/my\\040users//deleted", "/etc/my\\040users"),
        ("/home/me/key.pem", "/certs/key.pem"),
        ("/home/me/other//deleted", "/etc/other"),
    )
    paths = [Path("/etc/dockerproxy.yaml"), Path("/etc/my users"), Path("/certs/key.pem"), Path("/etc/my users")]
    told = stale_mounts(paths, file)
    assert [line.partition(" still is the old file: ")[0] for line in told] == [
        "/etc/dockerproxy.yaml",
        "/etc/my users",
    ]
    assert "mount its folder in its place" in told[0]


def test_where_nothing_tells_of_mounts_nothing_is_said(tmp_path: Path) -> None:
    assert stale_mounts([Path("/etc/hosts")], tmp_path / "none") == []
    assert stale_mounts([Path("/etc/hosts")], mounts(tmp_path, ("/", "/"))) == []


@pytest.mark.parametrize(
    ("replace", "stale"), [("echo new > c; mv c a", True), ("sed -i s/old/new/ a", True), ("echo new > a", False)]
)
def test_a_real_mount_tells_so(tmp_path: Path, replace: str, stale: bool) -> None:
    script = SCRIPT.format(replace=replace, python=sys.executable)
    done = subprocess.run(
        ["unshare", "--mount", "--map-root-user", "sh", "-c", script],
        cwd=tmp_path, check=False, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode and "unshare" in done.stderr:
        pytest.skip(f"no mount namespaces here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("b still is the old file") is stale, done.stdout
    assert "\na " not in done.stdout
