"""RootedEngine: a private engine whose programs come from a Debian suite, in a network that was made for it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.support.docker_engine import NoEngine, PrivateEngine, dockerd
from tests.support.engines.network import RESOLVER, own_network
from tests.support.engines.stage import Stage

REPOSITORY_ROOT = Path(__file__).resolve().parents[3]


class RootedEngine(PrivateEngine):
    """An engine of the suite at `root`. Raises NoEngine outside of a Network: it changes firewalls.

    stage: where its programs run; the repository and what tests write are there, too, for compose
    """

    def __init__(self, root: Path, *, group: bool = False) -> None:
        if not own_network():
            raise NoEngine("an engine of another suite needs a network of its own: run `make test-engines`")
        super().__init__()
        resolver = self.folder / "resolv.conf"
        resolver.write_text(RESOLVER, encoding="utf-8")
        shared = (Path(tempfile.gettempdir()), REPOSITORY_ROOT)
        name = self.folder.name if group else ""
        layer = self.folder / "stage"
        layer.mkdir()
        self.stage = Stage(root, layer, resolver=resolver, shared=shared, group=name)

    def compose(self, folder: Path) -> list[str]:
        return self.stage.command("docker-compose", at=folder)

    def _clear(self) -> None:
        self.stage.close()


class DockerEngine(RootedEngine):
    """The suite's dockerd, with the networks and the firewall that it makes by itself."""

    def _command(self) -> list[str]:
        return self.stage.command(*dockerd(self))
