"""Network: a network namespace with a way out, for programs whose engines set up bridges and firewalls as they like.

Whatever is started in it is in a process namespace, too, and ends with the first of its processes: neither a container
nor a daemon nor a rule of a firewall outlives the run, however that ends. The way out is a program (slirp4netns of the
suite) that speaks for it, so that nothing is set up on the machine itself.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support.docker_engine import NoEngine
from tests.support.engines.stage import on_stage

NETWORK_VARIABLE = "DOCKERPROXY_ENGINE_NETWORK"  # set for what runs inside: the namespace
RESOLVER = "nameserver 10.0.2.3\n"  # slirp4netns's own; it asks the machine's
_DEVICE = "tap0"
_TOOLS = ("unshare", "nsenter", "setpriv", "ip")
# The first process of a process namespace has to wait for all that lose their parent.
_FIRST_PROCESS = '"$@"; exit $?'


class Network:
    """A network of its own, on the way out through the suite at `root`. Raises NoEngine."""

    def __init__(self, root: Path) -> None:
        missing = [tool for tool in _TOOLS if shutil.which(tool) is None]
        if missing:
            raise NoEngine(f"there is no {' and no '.join(missing)} to make a network with")
        self._folder = tempfile.TemporaryDirectory(prefix="dockerproxy-network-", ignore_cleanup_errors=True)
        self._processes: list[subprocess.Popen[bytes]] = []
        try:
            self._namespace = self._hold()
            self._lead_out(root)
        except BaseException:
            self.close()
            raise

    def __repr__(self) -> str:
        return f"<Network {self._namespace}>"

    def run(self, command: Sequence[str], environment: Mapping[str, str]) -> int:
        """Run a command inside, and all that it starts until it ends; its exit code."""
        name = os.readlink(self._namespace)
        enter = ["setpriv", "--pdeathsig", "KILL", "nsenter", f"--net={self._namespace}"]
        alone = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "bash", "-c", _FIRST_PROCESS, "bash"]
        return subprocess.call([*enter, *alone, *command], env={**environment, NETWORK_VARIABLE: name})

    def close(self) -> None:
        """End it."""
        while self._processes:
            process = self._processes.pop()
            process.kill()
            process.communicate()
        self._folder.cleanup()

    def _hold(self) -> str:
        """A process that keeps the namespace; the namespace's file."""
        keep = "ip link set lo up && echo ready && exec sleep infinity"
        holder = self._start(["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "sh", "-c", keep])
        _read_until(holder, b"ready")
        return f"/proc/{holder.pid}/ns/net"

    def _lead_out(self, root: Path) -> None:
        options = ("--configure", "--mtu=65520", "--disable-host-loopback", "--netns-type=path")
        command = ("slirp4netns", *options, self._namespace, _DEVICE)
        folder = Path(self._folder.name)
        program = self._start(on_stage(root, folder, *command, resolver=Path("/etc/resolv.conf")))
        _read_until(program, b"received tapfd")

    def _start(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
        )
        self._processes.append(process)
        return process


def own_network() -> bool:
    """Whether this process is in a network that was made here."""
    return os.environ.get(NETWORK_VARIABLE) == os.readlink("/proc/self/ns/net")


def _read_until(process: subprocess.Popen[bytes], word: bytes) -> None:
    """Wait for a process's word that it is ready. Raises NoEngine with what it said instead."""
    assert process.stdout is not None
    said = b""
    while word not in said:
        more = os.read(process.stdout.fileno(), 4096)
        if not more:
            raise NoEngine(f"no network could be made: {said.decode(errors='replace').strip().splitlines()[-1:]}")
        said += more
