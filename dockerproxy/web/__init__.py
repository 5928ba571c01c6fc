"""Web: what is answered in-process, by aiohttp handlers and Applications.

handlers/       in-process upstreams, reached over socket pairs; the handler before routes with middlewares
middlewares/    the registry of their names, and those that are shipped
access/         who may call an admin handler
credentials/    who is logged in, and who guesses
reports/        what admin handlers tell, made ready
metrics/        GET /metrics
context.py      what a handler is told beside its request: Control, its route, the error
loading.py      `module:name` -> the Python object, or what is wrong with it in words
relayed.py      RelayedResponse: an answer on its way, as middlewares get it
admin.py        add_route, remove_route, health
operate.py      POST /drain and its like: what an operator decides
statistics.py   the report that GET /statistics gives; live.py: GET /live, the same as it changes
explain.py      GET /explain: gathers what control explains
dashboard.py    GET /: the page, from templates/dashboard
login.py        POST /login, /logout: a session by cookie for whoever shows the admin token
logs.py         GET /logs

The modules of admin handlers stay where they are: settings name them, as `dockerproxy.web.admin:add_route`.
Calls run from the admin handlers down to control. It never speaks
to a client itself: the data plane connects to a handler as it does to a container.
"""

from dockerproxy.web.context import BODY_LIMIT, CONTROL, ERROR_INFO, ROUTE_NAME, Control, ErrorInfo, path_of
from dockerproxy.web.handlers.handlers import Handlers
from dockerproxy.web.relayed import RelayedResponse

__all__ = [
    "BODY_LIMIT",
    "CONTROL",
    "ERROR_INFO",
    "ROUTE_NAME",
    "Control",
    "ErrorInfo",
    "Handlers",
    "RelayedResponse",
    "path_of",
]
