"""Server: builds everything once, and runs it: start, reload, drain, stop.

The only place that knows all the parts. What a lower part must call upward is handed to it here as a callable.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from dockerproxy.access_log import AccessLog
from dockerproxy.access_log.lines import line_maker
from dockerproxy.control.registry import Registry
from dockerproxy.control.store import Store
from dockerproxy.discovery import DiscoveryStatus, Watcher
from dockerproxy.discovery.snapshot import Snapshot
from dockerproxy.process import descriptors
from dockerproxy.proxy.exchange.gate import HANDLER
from dockerproxy.proxy.https import DEFAULT_PORT
from dockerproxy.proxy.plane import DataPlane
from dockerproxy.routing.bench import UpstreamStatus
from dockerproxy.routing.route import Route, Upstream
from dockerproxy.routing.table import RouteTable
from dockerproxy.server.announcements import (
    announce_reload,
    announce_start,
    tell_room,
    warn_of_certificates,
    warn_of_open_routes,
)
from dockerproxy.server.gateway import GatewayNotice
from dockerproxy.server.listeners import Listeners
from dockerproxy.server.note import Note
from dockerproxy.server.settings_reader import SettingsReader, told
from dockerproxy.server.stale_files import stale_files
from dockerproxy.server.stopping import Stopping
from dockerproxy.settings import Settings
from dockerproxy.settings.values import ListenAddress
from dockerproxy.stats import ProxyStats
from dockerproxy.tasks import Tasks
from dockerproxy.tls.checking import checked_certificates
from dockerproxy.tls.renewal import Renewal, marks_of
from dockerproxy.version import VERSION
from dockerproxy.web.access.error_reasons import Insight
from dockerproxy.web.access.own_token import announce, with_own_token
from dockerproxy.web.admin import open_admin_routes
from dockerproxy.web.context import Control
from dockerproxy.web.handlers.gate import Gate
from dockerproxy.web.handlers.handlers import Handlers
from dockerproxy.web.live import start_feed
from dockerproxy.web.login import login_url
from dockerproxy.web.middlewares.registry import Middlewares
from dockerproxy.web.reports.feed import Feed

if TYPE_CHECKING:
    from dockerproxy.tls.certificate import Certificate

log = logging.getLogger("dockerproxy")

# Settings that are built into what runs.
_ONLY_AT_START = ("access_log", "access_log_headers", "listen", "docker", "state_dir", "log_format", "log_level")
_UNKNOWN = UpstreamStatus("up", 0, None)


class Server:
    """One proxy. `async with Server(settings)` runs it; `addresses` says where.

    read_settings: reads the settings anew for SIGHUP, or None where there is nothing to read
    middlewares:   that routes may name, beside those that the settings define
    settings_file: that `read_settings` reads, or None
    """

    def __init__(
        self,
        settings: Settings,
        routes: Sequence[Route] = (),
        read_settings: Callable[[], Settings] | None = None,
        middlewares: Mapping[str, Any] | None = None,
        settings_file: Path | None = None,
    ) -> None:
        self._settings = self._started_with = settings
        self._python_routes = tuple(routes)
        self._reader = SettingsReader(read_settings)
        self._settings_file = settings_file
        self.stats = ProxyStats(time.time())
        self.discovery = DiscoveryStatus()
        self.plane: DataPlane
        self.registry: Registry
        self._access_log = _access_log(settings)
        self._feed = Feed()
        self._middlewares = Middlewares(middlewares)
        self._handlers: Handlers
        self._watcher: Watcher | None = None
        self._listeners = Listeners()
        self._note = Note(settings.state_dir)
        self._renewal: Renewal | None = None
        self._stopping = Stopping()
        self._tasks = Tasks("server")
        self._gateway_notice = GatewayNotice()
        self._snapshot = Snapshot("")

    def __repr__(self) -> str:
        return f"<Server at {', '.join(map(str, self.addresses)) or 'no address yet'}>"

    @property
    def addresses(self) -> tuple[ListenAddress, ...]:
        """Where it listens; none before it has started."""
        return self._listeners.addresses

    async def __aenter__(self) -> Server:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.stop(0.0 if error is not None else None)

    async def start(self) -> None:
        """Build, listen, discover; a signal to stop cancels it.

        Raises SettingsError, StoreError, HandlerError or ListenError, and nothing runs then.
        """
        self._stopping.starts()
        descriptors.raise_limit()
        loop = asyncio.get_running_loop()
        self._settings, has_new_token = with_own_token(self._settings)
        marks = marks_of(self._settings.tls)
        certificates = checked_certificates(self._settings)
        self._handlers = Handlers(self._groups)
        insight = Insight(lambda: self._settings, time.monotonic)
        self.plane = DataPlane(self._settings, self.stats, self._handlers.connect, insight, self._access_log)
        self._handlers.register(
            HANDLER, Gate(self.plane.shared, self._middlewares, self._groups).application, decodes=False
        )
        self.registry = Registry(
            self._settings,
            Store(self._settings.state_dir),
            self._publish,
            loop.call_later,
            loop.time,
            self._python_routes,
            self._handlers.prepare,
            middlewares=self._middlewares,
        )
        control = self._handlers.control = self._control()
        if self._access_log is not None:
            self._access_log.start()
        try:
            self.registry.start()
            await self._handlers.start()
            if certificates:
                self._renewal = Renewal(self._settings.tls, certificates, marks, loop.call_later)
            await self._listeners.open(self._settings.listen, self._protocol)
            self._tell_https_port()
        except BaseException:
            await self.stop(0.0)
            raise
        self._stopping.started()
        start_feed(control)
        self._leave_note()
        announce_start(self.addresses, self.registry)
        self._warn(self._settings, certificates)
        if has_new_token:
            self._tell_of_token()
        if self._settings.docker.enabled:
            self._watcher = Watcher(
                self._settings.docker, self._on_snapshot, self.discovery, loop, away=self.plane.engine_away
            )
            self._watcher.start()

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT (or `ask_to_stop`)."""
        await self._stopping.wait()

    def handle_signals(self) -> None:
        """From now on SIGTERM and SIGINT let `run` return, a second one ends the process, SIGHUP reloads."""
        self._stopping.handle_signals()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGHUP, lambda: self._tasks.start(self._on_hangup(), name="reload"))

    @property
    def stopping(self) -> bool:
        """Whether it was asked to stop."""
        return self._stopping.asked

    def ask_to_stop(self) -> None:
        """Let `run` return."""
        self._stopping.ask()

    async def stop(self, grace: float | None = None) -> None:
        """Stop accepting, let what is in flight end within `grace` seconds (the setting, when None), end all."""
        grace = self.registry.settings.grace if grace is None else grace
        self._listeners.close()
        self._note.take_away()
        if self._renewal is not None:
            self._renewal.stop()
        await self._tasks.cancel_all()
        await self._feed.close()  # a dashboard is in flight for as long as its page is open
        if self._watcher is not None:
            watcher, self._watcher = self._watcher, None
            await asyncio.to_thread(watcher.stop)
        in_flight = self.plane.in_flight
        if in_flight:
            words = "request is in flight, it has" if in_flight == 1 else "requests are in flight, they have"
            log.info("stopping: %d %s up to %g s", in_flight, words, grace)
        await self.plane.stop(grace)
        await self._handlers.close()
        await self._middlewares.close()
        self.registry.close()
        if self._access_log is not None:
            await asyncio.to_thread(self._access_log.close)

    def reload(self) -> None:
        """Read the settings anew, because of a signal. A bad file changes nothing, and the log says why."""
        if not self.addresses:
            return  # it has not started yet, so it has read them just now
        with told():
            self.reread()

    async def reread_beside(self) -> list[str]:
        """As `reread`, but thousands of routes are read in a thread, so that nobody waits for it meanwhile."""
        async with self._reader.ahead():
            return self.reread()

    async def _on_hangup(self) -> None:
        if self.addresses:
            with told():
                await self.reread_beside()

    def reread(self) -> list[str]:
        """Read the settings anew. Returns what changed, in words.

        Raises NotPossible when there is nothing to read, SettingsError when it cannot be used; nothing changes then.
        """
        settings = self._reader.read()
        marks = marks_of(settings.tls)
        certificates = checked_certificates(settings)
        opened = open_admin_routes(self.registry)
        late = [name for name in _ONLY_AT_START if getattr(settings, name) != getattr(self._started_with, name)]
        # What is not in force must not be told as if it were, nor must half of the proxy go by it.
        in_force = settings.model_copy(update={name: getattr(self._started_with, name) for name in late})
        in_force, has_new_token = with_own_token(in_force)
        changed = self.registry.reload(in_force)
        self.plane.configure(in_force)
        self._handlers.start_soon()
        if self._renewal is not None and certificates:
            changed += self._renewal.follow(settings.tls, certificates, marks)
        if late:
            changed.append(f"the new value of {' and '.join(late)} counts only after a restart")
            log.warning("reload: %s", changed[-1])
        for line in stale_files(settings, self._settings_file):
            changed.append(line)
            log.warning("reload: %s", line)
        self._settings = in_force
        self._leave_note()
        self._tell_https_port()
        self._warn(settings, certificates, opened)
        if has_new_token:
            self._tell_of_token()
        self._gateway_notice.look(self.discovery.own, self.registry)
        announce_reload(self.registry)
        return changed

    def _on_snapshot(self, snapshot: Snapshot) -> None:
        lost, self._snapshot = snapshot.lost_since(self._snapshot), snapshot
        self.registry.snapshot(snapshot)
        if lost:
            self.plane.addresses_lost(lost)
        self._gateway_notice.look(self.discovery.own, self.registry)

    def _publish(self, table: RouteTable, _routes: tuple[Route, ...]) -> None:
        self.plane.publish(table, self.registry.not_found_handlers)

    def _control(self) -> Control:
        plane = self.plane
        return Control(
            self.registry,
            self.stats,
            self.discovery,
            VERSION,
            self._status,
            plane.bench,
            plane.unbench,
            plane.held,
            self.reread,
            lambda: self.addresses,
            feed=self._feed,
            certificates=self._certificates,
            reload_beside=self.reread_beside,
            revive=self._revive,
        )

    def _revive(self, container: str) -> bool:
        return self._watcher is not None and self._watcher.revive(container)

    def _certificates(self) -> Sequence[Certificate]:
        return self._renewal.keyring.certificates if self._renewal is not None else ()

    def _groups(self, route: str, path: str) -> dict[str, str]:
        return self.registry.groups(route, path)

    def _status(self, route: str, upstream: Upstream) -> UpstreamStatus:
        return self.plane.status(route, upstream) or _UNKNOWN

    def _protocol(self, address: ListenAddress) -> Callable[[], asyncio.Protocol]:
        """What serves a connection to `address`."""
        if not address.tls:
            return self.plane.front
        assert self._renewal is not None  # settings with https addresses and without certificates are refused
        return partial(self.plane.handshake, self._renewal.keyring.context)

    def _tell_https_port(self) -> None:
        """The port to which clients of plain http are redirected."""
        self.plane.https_at(self._settings.tls.public_port or self._listeners.https_port or DEFAULT_PORT)

    def _leave_note(self) -> None:
        """For the commands, and for health checks."""
        if not self._listeners:
            return  # it is stopping, and has taken the note away
        started = self._started_with
        port = self.addresses[started.listen.index(started.own_address)].port
        place = started.whereabouts._replace(port=port, admin_host=self._settings.admin_host)
        self._note.leave(place)

    def _warn(self, settings: Settings, certificates: Sequence[Certificate], known: Sequence[str] = ()) -> None:
        warn_of_open_routes(self.registry, known)
        warn_of_certificates(settings, certificates)
        tell_room(settings, self.stats.connections_limit)

    def _tell_of_token(self) -> None:
        control = self._handlers.control
        assert control is not None  # it was there before anything was listened to
        announce(control, partial(login_url, self._settings, self.addresses))


def _access_log(settings: Settings) -> AccessLog | None:
    if settings.access_log == "off":
        return None
    return AccessLog(line_maker(settings.access_log, settings.access_log_headers), sys.stdout.fileno())
