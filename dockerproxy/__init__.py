"""dockerproxy: label a container and it is on the web.

A Docker-aware reverse proxy. Containers become upstreams of named routes; a balancer that benches failing upstreams
feeds the front; static routes, Python handlers and admin handlers live in the same table.

    from dockerproxy import Domain, Proxy, Route, Upstream

    Proxy(":8888", [Route("blog", (Domain("blog.localhost"),), upstreams=(Upstream("one", "http://localhost:2368"),))]).run()

cli.py        arguments -> Settings -> run          program.py  Proxy: the same from Python
server/       builds everything once; start, reload, drain, stop
web/          handlers, admin, statistics (aiohttp)
control/      the single writer of the table: static + docker + dynamic routes
proxy/        the data plane: client connections, exchanges, upstream connections
commands/     what an operator types while a proxy runs: it asks the admin handlers
discovery/    who is running: the only importer of the Docker SDK
routing/      where a request goes: pure
http1/        what is on the wire: sans-I/O
labels/       what the labels of a container ask for: pure
settings/     the only reader of environment and settings file
stats/        counters per route and upstream
process/      exit codes, log lines, memory, and where the state lies
demo/         the embedded engine
tasks.py  errors.py  run.py  demo_proxy.py  check.py  explain.py  health.py  version.py

Imports run one way, downwards; tests/test_layers.py checks it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from dockerproxy.version import VERSION

if TYPE_CHECKING:
    from dockerproxy.program import Proxy
    from dockerproxy.routing.route import Domain, PathRule, Route, Upstream
    from dockerproxy.settings import RouteOptions, Settings

__version__ = VERSION

__all__ = ["Domain", "PathRule", "Proxy", "Route", "RouteOptions", "Settings", "Upstream", "__version__"]

# Loaded when they are first asked for: all of it takes half a second, and the command has to hear signals before.
_PLACES = {
    "Domain": "routing.route",
    "PathRule": "routing.route",
    "Proxy": "program",
    "Route": "routing.route",
    "RouteOptions": "settings",
    "Settings": "settings",
    "Upstream": "routing.route",
}

if not TYPE_CHECKING:  # else every name would look like one of ours

    def __getattr__(name: str) -> Any:
        if name not in _PLACES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
