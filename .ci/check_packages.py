"""Checks what `python -m build` has made in a folder: `python .ci/check_packages.py dist`.

The wheel holds all that the package needs and nothing else; installed alone into a new environment, it gives the
command, and serves its pages.
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
# From a source package, the tests can be run and the pages made anew.
IN_SOURCES = (
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "constraints.txt",
    "docs/systemd/dockerproxy.service",
    "findings/README.md",
    "tests/",
)
# What a page that is in no module would be missing from, were it not in the wheel.
SERVES = """
import asyncio, sys, urllib.request
from dockerproxy import Proxy

def get(port, path):
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Host": "root.localhost"})
    return urllib.request.urlopen(request).status

async def main():
    async with Proxy("127.0.0.1:0", docker={"enabled": False}, state_dir=sys.argv[1]).server() as server:
        for path in ("/", "/statistics"):
            assert await asyncio.to_thread(get, server.addresses[0].port, path) == 200, path

asyncio.run(main())
"""


def main(folder: str) -> None:
    """Raises AssertionError or CalledProcessError for whatever is wrong."""
    (wheel,) = Path(folder).glob("*.whl")
    (sources,) = Path(folder).glob("*.tar.gz")
    check_wheel(wheel)
    check_sources(sources)
    with tempfile.TemporaryDirectory() as environment:
        check_installed(wheel, Path(environment))
    print(f"{wheel.name}, {sources.name}: good")


def check_wheel(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        found = {name for name in archive.namelist() if ".dist-info/" not in name}
    package = (ROOT / "dockerproxy").rglob("*")
    expected = {
        path.relative_to(ROOT).as_posix() for path in package if path.is_file() and "__pycache__" not in path.parts
    }
    assert "dockerproxy/py.typed" in found
    assert found == expected, f"missing: {sorted(expected - found)}; too much: {sorted(found - expected)}"


def check_sources(sources: Path) -> None:
    with tarfile.open(sources) as archive:
        found = [name.partition("/")[2] for name in archive.getnames()]
    missing = [wanted for wanted in IN_SOURCES if not any(name.startswith(wanted.rstrip("/")) for name in found)]
    assert missing == [], f"missing: {missing}"


def check_installed(wheel: Path, environment: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    binaries = environment / "bin"
    pip = [sys.executable, "-m", "pip", "--python", str(binaries / "python"), "--disable-pip-version-check"]
    subprocess.run(
        [*pip, "install", "--quiet", "--no-compile", "-c", str(ROOT / "constraints.txt"), str(wheel)], check=True
    )
    away = {"check": True, "cwd": environment}
    subprocess.run([str(binaries / "dockerproxy"), "--version"], **away)
    subprocess.run([str(binaries / "python"), "-c", SERVES, str(environment / "state")], **away)


if __name__ == "__main__":
    main(sys.argv[1])
