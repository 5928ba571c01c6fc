"""Control: who decides. The only writer of the table.

registry.py     Registry: static, dynamic and docker routes -> RouteTable -> published
docker_routes.py  DockerRoutes: what containers make of the routes that stand firm, from change to change
publication.py  Publication: the table that is in force, and what the log tells of its changes
changes.py      what changed, in words; change_log.py: in few lines, where a container comes and goes
store.py        Store: dynamic routes and overrides on disk; document.py: a list of things in one file
admission/      which routes may be added, and what containers may claim
merge/          the routes of containers among those that do not depend on any
base/           the routes that do not depend on containers
places.py       Places: which domain, path and method is taken, and by whom
overrides/      what a person decides while the proxy runs
explain/        why a container is routed or not, and where a request would go

Calls run from registry down to docker_routes and publication, from there to admission and merge; overrides and
explain look at what they have made, and are called from outside.
It never serves a request: the data plane is handed tables.
"""

from dockerproxy.control.registry import Registry
from dockerproxy.control.store import Store

__all__ = ["Registry", "Store"]
