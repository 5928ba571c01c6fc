"""Control: who decides. The only writer of the table.

registry.py   Registry: static, dynamic and docker routes -> RouteTable -> published
merge/        the routes of all sources, and who has which place
overrides/    what a person decides while the proxy runs
explain/      why a container is routed or not, and where a request would go
admission.py  who may be added and removed as a dynamic route
constraints.py  which containers may claim which domains, by settings
middlewares.py  who names a middleware that there is not
journal.py    what changed, in words, for the log; chronicle.py: in few lines, where a container comes and goes
store.py      Store: dynamic routes and overrides on disk; document.py: a list of things in one file

Calls run from overrides to registry, and from there down to the others; explain looks at what they have made.
It never serves a request: the data plane is handed tables.
"""

from dockerproxy.control.registry import Registry
from dockerproxy.control.store import Store

__all__ = ["Registry", "Store"]
