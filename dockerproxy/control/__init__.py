"""Control: who decides. The only writer of the table.

registry.py  Registry: static, dynamic and docker routes -> RouteTable -> published
joining.py   what the containers that name one route make of it, remembered from change to change
merge.py     the routes that this gives, beside those that stand firm
places.py    Places: which domain, path and method is taken, and by whom
base.py      Base: the routes that do not depend on containers, clashes among them settled
static.py    routes as a person writes them -> Route; pages of domains
builtin.py   the admin routes that are there without being asked for
admission.py who may be added and removed as a dynamic route
middlewares.py  who names a middleware that there is not
namesakes.py Namesakes: how the routes of services of one name in several compose projects are called
linger.py    Linger: routes that are kept for a while after their last container, and who was refused their places
departed.py  Departed: containers that have left a route which others go on with, and still have a say in it
journal.py   what changed, in words, for the log; chronicle.py: in few lines, where a container comes and goes
operator.py  Operator: what a person decides while the proxy runs
target.py    Targets: what an operator can mean by a name
overrides.py Overrides: what an operator has set while the proxy runs
container_explanation.py, request_explanation.py
             why a container is routed or not, and where a request would go; both by an Evidence (evidence.py)
  lookup.py  which container a person means        label_uses.py  what became of each of its labels
  candidates.py  the routes that come near a request, and why not each
  mending.py what to do about a reason            reach.py       what trying to connect adds
  hindrance.py   what keeps requests from a route or an upstream
store.py     Store: dynamic routes and overrides on disk
document.py  Document: a list of things in one file, replaced as a whole

Calls run from operator to registry, and from there down to the others; merge calls joining; merge, base and admission
call places; base calls static and builtin.
It never serves a request: the data plane is handed tables.
"""

from dockerproxy.control.registry import Registry
from dockerproxy.control.store import Store

__all__ = ["Registry", "Store"]
