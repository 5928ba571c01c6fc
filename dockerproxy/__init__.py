"""dockerproxy: label a container and it is on the web.

A Docker-aware reverse proxy. Containers become upstreams of named routes; a balancer that benches failing upstreams
feeds the front; static routes, Python handlers and admin handlers live in the same table.

    from dockerproxy import Domain, Proxy, Route, Upstream

    Proxy(":8888", [Route("blog", (Domain("blog.localhost"),), upstreams=(Upstream("one", "http://localhost:2368"),))]).run()

cli.py        arguments -> Settings -> run          program.py  Proxy: the same from Python
server.py     builds everything once; start, reload, drain, stop
web/          handlers, admin, statistics (aiohttp)
control/      the single writer of the table: static + docker + dynamic routes
proxy/        the data plane: client connections, exchanges, upstream connections
discovery/    who is running: the only importer of the Docker SDK
routing/      where a request goes: pure
http1/        what is on the wire: sans-I/O
settings/     the only reader of environment and settings file
demo/         the embedded engine
stats.py  tasks.py  errors.py  logs.py  memory.py  run.py  check.py  health.py  version.py

Imports run one way, downwards; tests/test_layers.py checks it.
"""

from dockerproxy.program import Proxy
from dockerproxy.routing.route import Domain, PathRule, Route, Upstream
from dockerproxy.settings import RouteOptions, Settings
from dockerproxy.version import VERSION

__version__ = VERSION

__all__ = ["Domain", "PathRule", "Proxy", "Route", "RouteOptions", "Settings", "Upstream", "__version__"]
