"""Api: the HTTP handlers of the embedded engine: a request -> an act or a shape -> an answer as Docker gives it.

It holds no state of containers; what a client began is finished even when the client leaves.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from aiohttp import web

from dockerproxy.demo.containers.containers import STOP_TIMEOUT, Containers
from dockerproxy.demo.containers.events import Event, EventLog, Reader
from dockerproxy.demo.engine import query, shapes
from dockerproxy.demo.refusals import AlreadySo, BadParameter, Refusal
from dockerproxy.tasks import Tasks

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_HEADERS = {
    "Api-Version": shapes.API_VERSION,
    "Docker-Experimental": "false",
    "OSType": "linux",
    "Server": shapes.SERVER,
}


class Api:
    """The handlers, on top of the containers and the log of events."""

    def __init__(self, containers: Containers, events: EventLog) -> None:
        self._containers = containers
        self._events = events
        self._tasks = Tasks("embedded engine's api")

    def application(self) -> web.Application:
        """A new application with every endpoint, each with and without `/v1.xx`."""
        app = web.Application(middlewares=[_as_docker])
        app.on_response_prepare.append(_stamp)
        app.on_shutdown.append(self._shutdown)
        for method, path, handler in self._endpoints():
            app.router.add_route(method, path, handler)
            app.router.add_route(method, rf"/v{{version:\d+\.\d+}}{path}", handler)
        return app

    def _endpoints(self) -> tuple[tuple[str, str, Handler], ...]:
        return (
            ("GET", "/_ping", self.ping),
            ("HEAD", "/_ping", self.ping),
            ("GET", "/version", self.version),
            ("GET", "/info", self.info),
            ("GET", "/events", self.events),
            ("GET", "/containers/json", self.list_containers),
            ("GET", "/containers/{id}/json", self.inspect_container),
            ("DELETE", "/containers/{id}", self.remove_container),
            ("POST", "/containers/{id}/{act:start|stop|kill|restart|pause|unpause|rename}", self.act),
            ("GET", "/networks", self.list_networks),
            ("GET", "/networks/{id}", self.inspect_network),
            ("POST", "/networks/{id}/{act:connect|disconnect}", self.act_on_network),
            ("POST", "/demo/scale", self.scale),
        )

    async def ping(self, request: web.Request) -> web.StreamResponse:
        headers = {"Cache-Control": "no-cache, no-store, must-revalidate", "Pragma": "no-cache"}
        return web.Response(text="OK", headers=headers)

    async def version(self, request: web.Request) -> web.StreamResponse:
        return _json(shapes.version())

    async def info(self, request: web.Request) -> web.StreamResponse:
        return _json(shapes.info(self._containers, self._events.readers))

    async def list_containers(self, request: web.Request) -> web.StreamResponse:
        wishes = query.filters(request.query.get("filters"))
        wanted = query.container_filter(wishes)
        # The SDK says -1 for "no limit".
        limit = query.number(request.query.get("limit"), 0)
        every = limit > 0 or "status" in wishes or query.flag(request.query.get("all"))
        # The newest first, as Docker sorts.
        found = [
            container
            for container in reversed(list(self._containers))
            if (every or query.shown_by_default(container)) and wanted(container)
        ]
        now = time.time_ns()
        return _json([shapes.list_entry(container, now) for container in found[: limit if limit > 0 else None]])

    async def inspect_container(self, request: web.Request) -> web.StreamResponse:
        return _json(shapes.inspect(self._containers.find(request.match_info["id"])))

    async def list_networks(self, request: web.Request) -> web.StreamResponse:
        return _json([shapes.network_entry(network, None) for network in self._containers.networks])

    async def inspect_network(self, request: web.Request) -> web.StreamResponse:
        network = self._containers.networks.find(request.match_info["id"])
        return _json(shapes.network_entry(network, self._containers))

    async def remove_container(self, request: web.Request) -> web.StreamResponse:
        force = query.flag(request.query.get("force"))
        await self._do("remove", self._containers.remove(request.match_info["id"], force=force))
        return web.Response(status=204)

    async def act(self, request: web.Request) -> web.StreamResponse:
        """POST /containers/{id}/start and its like."""
        reference, act = request.match_info["id"], request.match_info["act"]
        containers, asked = self._containers, request.query
        timeout = query.stop_timeout(asked.get("t"), STOP_TIMEOUT)
        acts: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {
            "start": lambda: containers.start(reference),
            "stop": lambda: containers.stop(reference, timeout),
            "kill": lambda: containers.kill(reference, asked.get("signal") or "SIGKILL"),
            "restart": lambda: containers.restart(reference, timeout),
            "pause": lambda: containers.pause(reference),
            "unpause": lambda: containers.unpause(reference),
            "rename": lambda: containers.rename(reference, asked.get("name", "")),
        }
        await self._do(f"{act} {reference}", acts[act]())
        return web.Response(status=204)

    async def act_on_network(self, request: web.Request) -> web.StreamResponse:
        network, act = request.match_info["id"], request.match_info["act"]
        body = query.body_object(await request.text())
        reference = str(body.get("Container", ""))
        if act == "connect":
            aliases = (body.get("EndpointConfig") or {}).get("Aliases") or ()
            await self._do("connect", self._containers.connect(network, reference, tuple(aliases)))
        else:
            await self._do("disconnect", self._containers.disconnect(network, reference))
        return web.Response()

    async def scale(self, request: web.Request) -> web.StreamResponse:
        """POST /demo/scale?service=&replicas=: Docker has no such call; compose does it with many."""
        service, replicas = request.query.get("service", ""), request.query.get("replicas", "")
        if not (replicas.isascii() and replicas.isdigit()):
            raise BadParameter(f'replicas="{replicas}": expected a whole number')
        scaled = await self._do(f"scale {service}", self._containers.scale(service, int(replicas)))
        return _json({"service": service, "containers": [container.name for container in scaled]})

    async def events(self, request: web.Request) -> web.StreamResponse:
        """GET /events: the replay that `since` asks for, then each event at once, until `until` or for ever."""
        asked = request.query
        since, until = query.moment(asked.get("since")), query.moment(asked.get("until"))
        wanted = query.event_filter(query.filters(asked.get("filters")))
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        # Subscribed before the replay is read, and both without an await between: nothing is lost or doubled.
        with self._events.reading(wanted) as reader:
            past = self._events.replay(since or 0, until, wanted) if since or until else []
            await response.prepare(request)
            await _write(response, past)
            try:
                async with asyncio.timeout(_seconds_until(until)):
                    await _follow(response, reader)
            except TimeoutError:
                return response
        if request.transport is not None:
            request.transport.abort()
        return response

    async def _do(self, name: str, work: Coroutine[Any, Any, Any]) -> Any:
        """Do `work` to its end, whoever leaves meanwhile; its result, or its Refusal raised."""
        outcome = await asyncio.shield(self._tasks.start(_outcome(work), name=name))
        if isinstance(outcome, Refusal):
            raise outcome
        return outcome

    async def _shutdown(self, app: web.Application) -> None:
        await self._tasks.cancel_all()


async def _outcome(work: Coroutine[Any, Any, Any]) -> Any:
    # A refusal is an answer to the client, not a failure of the task.
    try:
        return await work
    except Refusal as refusal:
        return refusal


@web.middleware
async def _as_docker(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Check the version that the client speaks; every error becomes Docker's `{"message": …}`."""
    try:
        _check_version(request.match_info.get("version"))
        return await handler(request)
    except AlreadySo:
        return web.Response(status=AlreadySo.status)
    except Refusal as refusal:
        return _error(refusal.status, str(refusal))
    except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
        return _error(404, "page not found")


def _json(value: Any, status: int = 200) -> web.Response:
    # Without a charset: the docker command reads the message of an error only from plain `application/json`.
    body = json.dumps(value).encode()
    return web.Response(body=body, status=status, headers={"Content-Type": "application/json"})


def _error(status: int, message: str) -> web.Response:
    return _json({"message": message}, status)


async def _stamp(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(_HEADERS)


def _check_version(text: str | None) -> None:
    """Raises BadParameter for a version that this engine does not speak."""
    if text is None:
        return
    if _version(text) > _version(shapes.API_VERSION):
        supported = f"Maximum supported API version is {shapes.API_VERSION}"
        raise BadParameter(f"client version {text} is too new. {supported}")
    if _version(text) < _version(shapes.MIN_API_VERSION):
        supported = f"Minimum supported API version is {shapes.MIN_API_VERSION}"
        raise BadParameter(f"client version {text} is too old. {supported}, please upgrade your client")


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


def _seconds_until(moment_ns: int | None) -> float | None:
    """Seconds from now, at least 0; None: for ever."""
    return None if moment_ns is None else max(0.0, (moment_ns - time.time_ns()) / query.SECOND)


async def _follow(response: web.StreamResponse, reader: Reader) -> None:
    """Send each event at once until the stream is cut or the client has left."""
    with contextlib.suppress(ConnectionResetError):
        while (event := await reader.next()) is not None:
            await _write(response, [event])


async def _write(response: web.StreamResponse, events: list[Event]) -> None:
    if events:
        lines = "".join(json.dumps(shapes.event(event)) + "\n" for event in events)
        await response.write(lines.encode())
