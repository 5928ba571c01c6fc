"""The demo: a proxy with an embedded engine in the place of Docker, that commands find like any other."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path
from types import TracebackType

from dockerproxy.demo import EmbeddedEngine, demo_site
from dockerproxy.process import whereabouts
from dockerproxy.process.whereabouts import DEMO_FILE_NAME, Whereabouts
from dockerproxy.run import run_to_end, serve
from dockerproxy.server import Server
from dockerproxy.settings import Settings


def run_demo(settings: Settings, socket_path: str | Path, option: str = "") -> int:
    """Serve with an embedded engine instead of Docker; returns the exit code.

    option: by which the person has named the socket, and has to name it again
    """
    with tempfile.TemporaryDirectory(prefix="dockerproxy-demo-") as state, DemoNote(settings.state_dir) as note:
        docker = settings.docker.model_copy(update={"enabled": True, "host": f"unix://{socket_path}", "network": None})
        demo = settings.model_copy(update={"docker": docker, "state_dir": Path(state)})
        return run_to_end(_serve(demo, socket_path, option, note))


async def _serve(settings: Settings, socket_path: str | Path, option: str, note: DemoNote) -> None:
    async with EmbeddedEngine(socket_path, demo_site()):
        server = Server(settings)

        def started() -> None:
            port = server.addresses[settings.listen.index(settings.own_address)].port
            place = settings.whereabouts._replace(port=port)
            print(_welcome(place, option, found=note.leave(place)), flush=True)

        await serve(server, started)


class DemoNote:
    """Where the demo is asked, noted in the folder in which commands look for a proxy; gone when the demo ends.

    The demo keeps its state elsewhere, in a folder that ends with it. Of two demos the first is found.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: list[Path] = []  # folders that were not there, the innermost first
        self._left = False

    def __repr__(self) -> str:
        return f"<DemoNote in {self._folder}, {'left' if self._left else 'not left'}>"

    def __enter__(self) -> DemoNote:
        return self

    def leave(self, place: Whereabouts) -> bool:
        """Whether commands find the demo from now on."""
        if whereabouts.find(self._folder) is not None:  # a proxy or another demo, which they ask
            return False
        try:
            self._made = [folder for folder in (self._folder, *self._folder.parents) if not folder.exists()]
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            whereabouts.leave(self._folder, place, DEMO_FILE_NAME)
        except OSError:
            return False
        self._left = True
        return True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._left:
            whereabouts.forget(self._folder, DEMO_FILE_NAME)
        for folder in self._made:
            try:
                folder.rmdir()
            except OSError:  # somebody else has put something there
                return


def _welcome(place: Whereabouts, option: str, *, found: bool) -> str:
    """What to open and what to try, with the command as this person has to type it."""
    command = "dockerproxy" if shutil.which("dockerproxy") == os.path.abspath(sys.argv[0]) else sys.argv[0]
    scheme = "https" if place.tls else "http"
    url = f"{scheme}://{place.admin_host}:{place.port}"
    return _WELCOME.format(
        scheme=scheme,
        port=place.port,
        url=url,
        demo=f"{command} demo {option}".rstrip(),
        command=command,
        asked="" if found else f" --url {url}",
        note=_FOUND if found else _NOT_FOUND,
    )


_FOUND = "All commands find this demo by themselves, at whatever port it is"
_NOT_FOUND = "Without --url they would ask another proxy, or none"
_WELCOME = """
The demo runs: an embedded engine with labelled containers, found by the same watcher that talks to Docker.

  open   {scheme}://blog.localhost:{port}/        three containers, of which two answer nothing: you never notice
         {scheme}://shop.localhost:{port}/        two replicas that take turns
         {url}/        the dashboard: routes, upstreams, what is wrong with office-1

  try, in another terminal:

         {demo} ps
         {demo} stop blog-1       the last good one goes: requests wait until it is back
         {demo} start blog-1
         {demo} scale shop 4

         {command} routes{asked}
         {command} explain office-1{asked}

         {note}; with curl it is port {port}:
         curl -H 'Host: shop.localhost' {scheme}://127.0.0.1:{port}/

  stop   Ctrl-C
"""
