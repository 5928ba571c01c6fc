"""Engine: a real Docker engine for tests: the one that is there, else a private one, else a reason in one line.

Owns the private engine's whole life: folder, bridge, daemon, leftovers. It never restarts, stops or cleans an engine
that it did not start, and never touches the machine's firewall, so that several private engines can run side by side.
"""

from __future__ import annotations

import contextlib
import os
import random
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import docker
from docker.errors import DockerException

DEFAULT_SOCKET = Path("/var/run/docker.sock")
READY_DEADLINE = 60.0  # seconds; a cold start takes two on an idle machine
STOP_DEADLINE = 30.0  # seconds; without live restore the engine first stops its containers
CLIENT_TIMEOUT = 60  # seconds; importing the base image is the longest call
POLL = 0.05  # seconds between two looks
SECOND_OCTETS = range(200, 250)  # of 10.x.0.0/16, away from what engines and home routers hand out by default


class NoEngine(Exception):
    """There is no engine to test against, and the reason in one line."""


class Engine:
    """An engine that somebody else runs: used, but never restarted.

    host: its address, `unix:///…` or `tcp://…`
    """

    private = False

    def __init__(self, host: str) -> None:
        self.host = host

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.host}>"

    def client(self) -> docker.DockerClient:
        """A new client of this engine; the caller closes it."""
        return docker.DockerClient(base_url=self.host, timeout=CLIENT_TIMEOUT)

    def answers(self) -> bool:
        """Whether the engine can be reached right now."""
        try:
            client = self.client()
        except DockerException:
            return False
        with contextlib.closing(client), contextlib.suppress(DockerException, OSError):
            return bool(client.ping())
        return False

    def compose(self, folder: Path) -> list[str]:
        """How compose is called for this engine, in that folder. Raises NoEngine."""
        return compose_of_machine()

    def close(self) -> None:
        """Nothing to do for an engine that is not ours."""


class PrivateEngine(Engine):
    """An engine's daemon of our own, which can be stopped and started again.

    live_restore: whether containers live on while the engine is stopped
    """

    private = True
    containers_may_end_with_it = True

    def __init__(self, *, live_restore: bool = True) -> None:
        self.live_restore = live_restore
        # Short, because the path of a UNIX socket may have 107 characters at most.
        self.folder = Path(tempfile.mkdtemp(prefix="dockerproxy-engine-"))
        self._daemon: subprocess.Popen[bytes] | None = None
        super().__init__(f"unix://{self.folder}/docker.sock")

    @property
    def log(self) -> str:
        """What the daemon wrote, all of it."""
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")

    def start(self) -> None:
        """Start the daemon and wait until it answers. Raises NoEngine with the end of its log."""
        with (self.folder / "log").open("ab") as log:
            # Its own process group: Ctrl-C is for the test run, which then stops the engine in good order.
            self._daemon = subprocess.Popen(
                self._command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        daemon = self._daemon
        _wait(lambda: daemon.poll() is not None or self.answers(), READY_DEADLINE)
        if daemon.poll() is not None or not self.answers():
            raise NoEngine(f"the private engine did not start: {self.log.strip().splitlines()[-1:]}")

    def stop(self) -> None:
        """Stop the daemon; with live restore its containers live on."""
        daemon, self._daemon = self._daemon, None
        if daemon is None:
            return
        daemon.terminate()
        try:
            daemon.wait(STOP_DEADLINE)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()
            self._kill_containerd()

    def restart(self) -> None:
        """Stop and start again, with the same containers, images and socket."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Remove all containers and networks, stop the daemon, and leave nothing of it."""
        with contextlib.suppress(DockerException, OSError, NoEngine):
            self._remove_everything()
        self.stop()
        self._clear()
        _unmount_below(self.folder)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _command(self) -> list[str]:
        """What starts the daemon."""
        raise NotImplementedError

    def _clear(self) -> None:
        """Remove what is outside the folder; the daemon has ended."""

    def _remove_everything(self) -> None:
        if self._daemon is None:
            self.start()
        with contextlib.closing(self.client()) as client:
            for container in client.containers.list(all=True, ignore_removed=True):
                container.remove(force=True, v=True)
            client.networks.prune()

    def _kill_containerd(self) -> None:
        """A daemon that had to be killed leaves its containerd behind; its pid is in our own folder."""
        with contextlib.suppress(OSError, ValueError):
            os.kill(int((self.folder / "exec/containerd/containerd.pid").read_text()), signal.SIGKILL)


class MachineEngine(PrivateEngine):
    """The machine's own dockerd, on a bridge of its own; needs root."""

    def __init__(self, *, live_restore: bool = True) -> None:
        super().__init__(live_restore=live_restore)
        self._bridge = f"dpt{secrets.token_hex(4)}"  # a network device's name has 15 characters at most
        self._octet = _free_octet()
        # Without an address of its own the bridge takes that of one of its ports, and changes it when that container
        # goes: the others would send to the old one until their ARP entries run out.
        address = f"02:42:0a:{self._octet:02x}:00:01"
        _ip("link", "add", self._bridge, "address", address, "type", "bridge")
        _ip("addr", "add", f"10.{self._octet}.0.1/17", "dev", self._bridge)
        _ip("link", "set", self._bridge, "up")

    def _command(self) -> list[str]:
        switches = ["--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false"]
        options = {
            "--bridge": self._bridge,
            "--default-address-pool": f"base=10.{self._octet}.128.0/17,size=24",
        }
        return [*dockerd(self), *switches, *(part for option in options.items() for part in option)]

    def _clear(self) -> None:
        _ip("link", "delete", self._bridge)


def dockerd(engine: PrivateEngine) -> list[str]:
    """What starts dockerd as that engine, on networks as dockerd makes them."""
    options = {
        "--data-root": f"{engine.folder}/data",
        "--exec-root": f"{engine.folder}/exec",
        "--host": engine.host,
        "--pidfile": f"{engine.folder}/pid",
        "--shutdown-timeout": "5",
        "--log-level": "warn",
    }
    switches = ["--live-restore"] if engine.live_restore else []
    return ["dockerd", *switches, *(part for option in options.items() for part in option)]


def find_engine() -> Engine:
    """The engine at DOCKER_HOST or at the default socket, else a private one, started. Raises NoEngine."""
    named = os.environ.get("DOCKER_HOST")
    if named or DEFAULT_SOCKET.exists():
        engine = Engine(named or f"unix://{DEFAULT_SOCKET}")
        if engine.answers():
            return engine
        if named:
            raise NoEngine(f"no Docker engine answers at DOCKER_HOST={named}")
    return start_private_engine()


def start_private_engine(*, live_restore: bool = True) -> PrivateEngine:
    """A private engine, started. Raises NoEngine."""
    missing = [name for name in ("dockerd", "ip") if shutil.which(name) is None]
    if missing:
        raise NoEngine(
            f"no Docker engine is running, and there is no {' and no '.join(missing)} to start a private one"
        )
    if os.geteuid() != 0:
        raise NoEngine("no Docker engine is running, and only root can start a private one")
    return started(MachineEngine(live_restore=live_restore))


def started(engine: PrivateEngine) -> PrivateEngine:
    """The engine, started; it leaves nothing where that fails. Raises NoEngine."""
    try:
        engine.start()
    except BaseException:
        engine.close()
        raise
    return engine


def compose_of_machine() -> list[str]:
    """How compose is called on this machine: version 1, else 2. Raises NoEngine where there is none."""
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    has_plugin = ["docker", "compose", "version"]
    if not shutil.which("docker") or subprocess.run(has_plugin, check=False, capture_output=True).returncode:
        raise NoEngine("neither docker-compose nor docker compose is installed")
    return has_plugin[:2]


def _wait(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL)
    return True


def _ip(*arguments: str) -> str:
    return subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True).stdout


def _free_octet() -> int:
    """The second octet of a 10.x.0.0/16 that no network device of this machine uses."""
    taken = _ip("-4", "-o", "addr", "show")
    return random.choice([octet for octet in SECOND_OCTETS if f" 10.{octet}." not in taken])


def _unmount_below(folder: Path) -> None:
    """A daemon with live restore leaves its mounts for its next start; here there is none."""
    mounts = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for place in sorted((place for place in mounts if place.startswith(f"{folder}/")), reverse=True):
        subprocess.run(["umount", "--lazy", place], check=False, capture_output=True)
