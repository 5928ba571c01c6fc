"""Web: what is answered in-process, by aiohttp handlers and Applications.

handlers.py     Handlers: in-process upstreams, reached over socket pairs
application.py  what a person may give as a handler -> aiohttp Application
loading.py      `module:name` -> the Python object, or what is wrong with it in words
entrance.py     the middleware before every handler: the client as it really is, access, failures
gate.py         the handler before routes with middlewares; passing.py leads on to the route itself
relayed.py      RelayedResponse: an answer on its way, as middlewares get it
middlewares/    the registry of their names, and those that are shipped
access.py       who may call an admin handler
context.py      what a handler is told beside its request: Control, its route, the error
admin.py        add_route, remove_route, health
operate.py      POST /drain and its like: what an operator decides
statistics.py   the report that GET /statistics gives
explain.py      GET /explain: gathers what control explains; probe.py tries to connect
live.py         GET /live: the report as it changes
feed.py         Feed: makes each report once, for all who listen
history.py      what happened on each route in the last minute
dashboard.py    GET /: the page, from templates/dashboard
login.py        POST /login, /logout: a session by cookie for whoever shows the admin token
sessions.py     Sessions: who is logged in
overrides.py    what an operator has set, as reports tell of it
times.py        how a time is written in JSON
metrics/        GET /metrics

Calls run from handlers down to loading, and from the admin handlers down to control. It never speaks
to a client itself: the data plane connects to a handler as it does to a container.
"""

from dockerproxy.web.context import BODY_LIMIT, CONTROL, ERROR_INFO, ROUTE_NAME, Control, ErrorInfo
from dockerproxy.web.handlers import Handlers
from dockerproxy.web.relayed import RelayedResponse

__all__ = ["BODY_LIMIT", "CONTROL", "ERROR_INFO", "ROUTE_NAME", "Control", "ErrorInfo", "Handlers", "RelayedResponse"]
