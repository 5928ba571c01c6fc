"""Stage: a mount namespace in which the root of a Debian suite is `/`, so that its programs run as if installed.

What is written there goes to a layer of its own, and is gone with the folder that holds it. The namespace dies with its
last process; no mount of it is ever seen outside. Paths that are shared are the same inside and outside.

With a control group of its own (version 2, whatever the machine itself uses) the programs see that group as the root of
all: what they rearrange there is nobody else's.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.support.docker_engine import NoEngine

# Both begin in a mount namespace that is thrown away. Arguments of all: the folder, the control group's name or "".
_JOIN = """
set -eu
folder=$1 group=$2
if [ -n "$group" ]; then
    mkdir -p "$folder/groups"
    mount -t cgroup2 cgroup2 "$folder/groups"
    mkdir -p "$folder/groups/$group/programs"
"""
_JOIN_TO_ENTER = f"""{_JOIN}
    echo $$ > "$folder/groups/$group/cgroup.procs" # the root, as seen from within
    umount "$folder/groups"
    exec unshare --cgroup sh -c "$3" stage "$@"
fi
exec sh -c "$3" stage "$@"
"""
_JOIN_TO_RUN = f"""{_JOIN}
    echo $$ > "$folder/groups/$group/programs/cgroup.procs"
fi
shift 2
exec "$@"
"""
# Further arguments: this script itself, the suite's root, the file to have as resolv.conf, the shared folders, `--`,
# the command.
_ENTER = """
set -eu
folder=$1 group=$2 root=$4 resolver=$5
shift 5
mkdir -p "$folder/view" "$folder/layer" "$folder/work"
mount -t overlay overlay -o "lowerdir=$root,upperdir=$folder/layer,workdir=$folder/work" "$folder/view"
cd "$folder/view"
mount --rbind /proc proc
mount --rbind /dev dev
mount -t sysfs sysfs sys
if [ -n "$group" ]; then
    mount -t cgroup2 cgroup2 sys/fs/cgroup
    echo $$ > sys/fs/cgroup/programs/cgroup.procs
else
    mount --rbind /sys/fs/cgroup sys/fs/cgroup
fi
mount -t tmpfs tmpfs run
rm -f etc/resolv.conf
cat "$resolver" > etc/resolv.conf
while [ "$1" != -- ]; do mkdir -p ".$1"; mount --bind "$1" ".$1"; shift; done
shift
pivot_root . .
umount -l .
cd /
exec "$@"
"""
# Whoever is still in there ends now: a name server of Podman's outlives its last container.
_LEAVE = """
mount -t cgroup2 cgroup2 "$1/groups"
group="$1/groups/$2"
echo 1 > "$group/cgroup.kill"
timeout 5 sh -c 'while grep -q "populated 1" "$1/cgroup.events"; do sleep 0.05; done' sh "$group"
find "$group" -depth -type d -exec rmdir {} +
"""
_READY = b"ready\n"
_APART = ("unshare", "--mount", "--propagation", "private", "sh", "-c")


def on_stage(
    root: Path, folder: Path, *command: str, resolver: Path, shared: Sequence[Path] = (), group: str = ""
) -> list[str]:
    """The command that runs `command` on a stage of its own; `folder` is for the layer alone."""
    # Whoever started it takes it along.
    enter = ["setpriv", "--pdeathsig", "KILL", *_APART, _JOIN_TO_ENTER, "stage", str(folder), group, _ENTER]
    return [*enter, str(root), str(resolver), *map(str, shared), "--", *command]


class Stage:
    """A stage that stays until it is closed, for any number of programs.

    shared: folders that are inside what they are outside
    group:  a name for a control group of its own, or "" for what the machine has
    """

    def __init__(
        self, root: Path, folder: Path, *, resolver: Path, shared: Sequence[Path] = (), group: str = ""
    ) -> None:
        holding = ("sh", "-c", "echo ready; exec sleep infinity")
        command = on_stage(root, folder, *holding, resolver=resolver, shared=shared, group=group)
        self._folder = folder
        self._group = group
        self._holder = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
        )
        assert self._holder.stdout is not None
        if self._holder.stdout.readline() != _READY:
            raise NoEngine(f"no mount namespace on {root}: {self._failure()}")

    def __repr__(self) -> str:
        return f"<Stage held by {self._holder.pid}>"

    def command(self, *command: str, at: Path = Path("/")) -> list[str]:
        """The command that runs `command` here, in the caller's network and in the folder `at`."""
        namespaces = ["--mount", "--cgroup"] if self._group else ["--mount"]
        enter = ["nsenter", "--target", str(self._holder.pid), *namespaces, "--", "env", f"--chdir={at}", *command]
        return [*_APART, _JOIN_TO_RUN, "stage", str(self._folder), self._group, *enter] if self._group else enter

    def close(self) -> None:
        """End it; what still runs there keeps its mounts until it ends."""
        self._holder.kill()
        self._holder.communicate()
        if self._group:
            leave = [*_APART, _LEAVE, "stage", str(self._folder), self._group]
            subprocess.run(leave, check=False, capture_output=True)

    def _failure(self) -> str:
        _, said = self._holder.communicate()
        return said.decode(errors="replace").strip() or f"exit code {self._holder.returncode}"
