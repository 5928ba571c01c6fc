"""A Debian suite with the engines in it, as a folder: made once per machine with debootstrap, kept in the cache folder.

About a minute and 850 MB each. Never changed once it is made: whoever runs it puts a layer of its own over it. A folder
that is removed is made anew, with what the suite holds then.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import ssl
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.support.docker_engine import NoEngine

CACHE_VARIABLE = "DOCKERPROXY_ENGINE_CACHE"
MIRROR_VARIABLE = "DOCKERPROXY_ENGINE_MIRROR"  # where Debian's newer suites are, where apt's own sources do not say it
PACKAGES = (
    "ca-certificates",
    "docker.io",
    "docker-cli",
    "docker-compose",
    "iptables",  # Docker's firewall
    "podman",
    "podman-compose",
    "crun",
    "netavark",
    "aardvark-dns",
    "nftables",  # Podman's firewall
    "iproute2",
    "slirp4netns",  # the way out of a network namespace
)
MADE_OF = "packages"  # a file in the folder: what it was made of
CERTIFICATES = "etc/ssl/certs/ca-certificates.crt"
_SCRIPTS = Path("/usr/share/debootstrap/scripts")
_ANY_SUITE = "sid"  # its script makes every later suite as well


def cache_folder() -> Path:
    """Where images and suites are kept from one test run to the next."""
    named = os.environ.get(CACHE_VARIABLE)
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dockerproxy-tests"


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """One test run builds, a second one that starts meanwhile waits for it."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def suite_folder(suite: str) -> Path:
    """The root of that Debian suite, with the engines in it. Raises NoEngine where it cannot be made."""
    root = cache_folder() / f"engines-{suite}"
    root.parent.mkdir(parents=True, exist_ok=True)
    with locked(root.with_suffix(".lock")):
        if _made_of(root) != _wanted():
            _make(suite, root)
    return root


def certificates() -> str:
    """The authorities that this machine trusts, as one file."""
    return os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile or f"/{CERTIFICATES}"


def debootstrap(suite: str, root: Path, packages: str) -> None:
    """Make `root` a minimal Debian with these packages (comma-separated). Raises NoEngine."""
    if shutil.which("debootstrap") is None or os.geteuid() != 0:
        raise NoEngine(f"Debian {suite} cannot be made: install debootstrap, and run as root")
    script = _SCRIPTS / (suite if (_SCRIPTS / suite).exists() else _ANY_SUITE)
    command = ["debootstrap", "--variant=minbase", f"--include={packages}", suite, str(root), _mirror(), str(script)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise NoEngine(f"debootstrap {suite} failed: {(done.stderr or done.stdout).strip().splitlines()[-1:]}")


def _wanted() -> str:
    return "\n".join(PACKAGES)


def _made_of(root: Path) -> str:
    with contextlib.suppress(OSError):
        return (root / MADE_OF).read_text(encoding="utf-8")
    return ""


def _make(suite: str, root: Path) -> None:
    shutil.rmtree(root, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=root.parent) as folder:
        new = Path(folder) / "root"
        debootstrap(suite, new, ",".join(PACKAGES))
        # What is built in there trusts what this machine trusts.
        shutil.copyfile(certificates(), new / CERTIFICATES)
        shutil.rmtree(new / "var/cache/apt", ignore_errors=True)
        (new / MADE_OF).write_text(_wanted(), encoding="utf-8")
        new.rename(root)


def _mirror() -> str:
    """The mirror that this machine's apt takes its own suite from; "" where it says none: then debootstrap chooses."""
    named = os.environ.get(MIRROR_VARIABLE)
    if named or shutil.which("apt-get") is None:
        return named or ""
    command = ["apt-get", "indextargets", "--format", "$(RELEASE) $(SITE)", "Created-By: Packages"]
    told = subprocess.run(command, check=False, capture_output=True, text=True).stdout
    sites = dict(reversed([line.split(" ", 1) for line in told.splitlines()]))
    return str(sites.get(_release(), ""))


def _release() -> str:
    """The name of this machine's own suite."""
    with contextlib.suppress(OSError):
        for line in Path("/etc/os-release").read_text(encoding="utf-8").splitlines():
            if line.startswith("VERSION_CODENAME="):
                return line.partition("=")[2].strip('"')
    return ""
