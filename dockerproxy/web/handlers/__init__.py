"""In-process upstreams: aiohttp handlers and Applications behind socket pairs.

handlers.py     Handlers: reached by the data plane as containers are
  host.py       Host: one handler, and the aiohttp server that it runs in
  application.py  what a person may give as a handler -> aiohttp Application
  entrance.py   the middleware before every handler: the client as it really is, access, failures
  mount.py      an Application below a prefix
gate.py         the handler before routes with middlewares
  passing.py    leads on to the route itself
"""
